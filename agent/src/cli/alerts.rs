//! `twinset alerts`: what is open, and who is told.

use std::path::Path;

use serde::Serialize;
use twinset_domain::alert::{Entry, Event, Notice, Severity};
use twinset_domain::partner::Barred;
use twinset_domain::protection::{Phase, Record};
use twinset_domain::rpo::{Held, Limits, Reading, judge};
use twinset_domain::{BackupKind, Exit, Fault, Moment, code};

use super::args::{AlertsVerb, ResolveArgs};
use super::plan;
use crate::alerts::{self, Round, channels};
use crate::catalog::{Catalog, Which};
use crate::clock;
use crate::config::{self, Config, Rpo};
use crate::report::{Output, table, utc};
use crate::state::StateDir;

#[derive(Serialize)]
struct Listed {
    open: Vec<Entry>,
    /// With `--all`: those that ended, the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Vec<Entry>>,
}

#[derive(Serialize)]
struct Checked {
    open: Vec<Entry>,
    /// Every RPO rule, judged.
    rpo: Vec<Judged>,
    rounds: Vec<Round>,
}

#[derive(Serialize)]
struct Judged {
    group: String,
    #[serde(flatten)]
    reading: Reading,
}

#[derive(Serialize)]
struct Tested {
    channel: &'static str,
    failed: Option<String>,
}

/// Does what was typed.
pub(super) fn alerts(file: &Path, verb: AlertsVerb, output: &Output) -> Exit {
    // The service tells receivers through this verb, whatever the files look like meanwhile.
    let config = match config::standing(file) {
        Ok(standing) => standing.config,
        Err(faults) => return output.finish_faults(&faults),
    };
    for note in &config.notes {
        output.warn(format!("{}: {}", note.place, note.text));
    }
    let ended = match verb {
        AlertsVerb::List { all } => list(&config, all, output),
        AlertsVerb::Resolve(args) => resolve(&config, &args, output),
        AlertsVerb::Check => check(&config, output),
        AlertsVerb::Test => test(&config, output),
    };
    ended.unwrap_or_else(|fault| output.finish::<()>(Err(fault)))
}

fn list(config: &Config, all: bool, output: &Output) -> Result<Exit, Fault> {
    let catalog = Catalog::look(&config.agent.state_dir)?;
    let mut listed = Listed {
        open: Vec::new(),
        ended: all.then(Vec::new),
    };
    if let Some(catalog) = catalog {
        listed.open = catalog.open_alerts()?;
        listed.ended = match all {
            true => Some(catalog.ended_alerts(Moment(0))?),
            false => None,
        };
    }
    if listed.open.is_empty() {
        output.line("no alert is open");
    }
    print(&listed.open, output);
    if let Some(ended) = listed.ended.as_ref().filter(|ended| !ended.is_empty()) {
        output.line("ended");
        print(ended, output);
    }
    Ok(output.finish(Ok((Exit::Done, listed))))
}

fn resolve(config: &Config, args: &ResolveArgs, output: &Output) -> Result<Exit, Fault> {
    let which = Which {
        id: args.id,
        code: args.code.clone(),
        object: args.object.clone(),
    };
    let ended = match Catalog::look(&config.agent.state_dir)? {
        None => Vec::new(),
        Some(_) => {
            let mut catalog = Catalog::open(&config.agent.state_dir)?;
            let ended = catalog.resolve_by_hand(&which, args.note.as_deref(), clock::now())?;
            deliver(config, &mut catalog, output)?;
            ended
        }
    };
    if ended.is_empty() {
        let number = args.id.map(|id| format!("alert {id}"));
        let parts = [number, args.code.clone(), args.object.clone()];
        let object = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        return Err(
            Fault::new(code::NO_ALERT, object, "no open alert is meant by this")
                .remedy("see the open ones: twinset alerts list"),
        );
    }
    for one in &ended {
        output.line(format!("{} {} {}: ended", one.id, one.code, one.object));
    }
    Ok(output.finish(Ok((Exit::Done, ended))))
}

fn check(config: &Config, output: &Output) -> Result<Exit, Fault> {
    // Makes the folder at first use.
    StateDir::open(&config.agent.state_dir)?;
    let mut catalog = Catalog::open(&config.agent.state_dir)?;
    let now = clock::now();
    let judged = readings(config, &catalog, now)?;
    alerts::rpo::apply(&mut catalog, &judged, now)?;
    alerts::runs::handed_over(&mut catalog, now)?;
    alerts::runs::made_good(&mut catalog, config, now)?;
    let rounds = deliver(config, &mut catalog, output)?;
    let open = catalog.open_alerts()?;
    if open.is_empty() {
        output.line("no alert is open");
    }
    print(&open, output);
    let exit = match open.is_empty() {
        true => Exit::Done,
        false => Exit::Degraded,
    };
    let faults: Vec<Fault> = rounds
        .iter()
        .filter_map(|round| Some(not_told(round.channel, round.failed.as_deref()?)))
        .collect();
    let rpo = judged
        .into_iter()
        .map(|(group, reading)| Judged { group, reading })
        .collect();
    Ok(output.finish_both(exit, Checked { open, rpo, rounds }, &faults))
}

fn test(config: &Config, output: &Output) -> Result<Exit, Fault> {
    let channels = channels(config)?;
    if channels.is_empty() {
        output.line("no receiver is configured: alerts stand in the log and in `alerts list`");
    }
    let now = clock::now();
    let notice = Notice {
        event: Event::Test,
        agent: config.agent.name.clone(),
        at: now,
        alert: Entry {
            id: 0,
            code: "TEST".into(),
            object: format!("agent {}", config.agent.name),
            severity: Severity::Info,
            message: "this is a test: nothing happened".into(),
            remedy: "nothing is to be done".into(),
            group: None,
            database: None,
            first: now,
            last: now,
            times: 1,
            resolved: None,
        },
        left_out: 0,
    };
    let mut tested = Vec::new();
    for channel in &channels {
        let failed = channel.tell(&notice).err();
        let said = failed.as_deref().unwrap_or("told");
        output.line(format!("{}: {said}", channel.name()));
        tested.push(Tested {
            channel: channel.name(),
            failed,
        });
    }
    let faults: Vec<Fault> = tested
        .iter()
        .filter_map(|one| Some(not_told(one.channel, one.failed.as_deref()?)))
        .collect();
    Ok(output.finish_both(Exit::Done, tested, &faults))
}

/// Every RPO rule of every group, judged by what the catalog knows.
pub(super) fn readings(
    config: &Config,
    catalog: &Catalog,
    now: Moment,
) -> Result<Vec<(String, Reading)>, Fault> {
    let mut judged = Vec::new();
    for group in config.groups.values() {
        if group.rpo == Rpo::default() {
            continue;
        }
        let seconds = |kind| Some(group.rpo.of(kind)?.as_secs());
        let limits = Limits {
            full: seconds(BackupKind::Full),
            differential: seconds(BackupKind::Differential),
            log: seconds(BackupKind::Log),
        };
        for subject in plan::subjects(config, Some(catalog), group, now)? {
            let record = catalog.protection(&group.name, &subject.database)?;
            let stands_by = |record: &Record| record.phase == Phase::Standby;
            // Of logs that another replica takes, nothing else tells the primary.
            let moved = record.as_ref().and_then(|record| record.log_moved);
            let held = Held {
                is_simple: None,
                elsewhere: record.as_ref().is_some_and(stands_by),
                others: record.as_ref().map_or_else(Vec::new, not_ours),
                full: subject.full.succeeded,
                differential: subject.differential.succeeded,
                log: subject.log.succeeded.max(moved),
                database: subject.database,
            };
            let readings = judge(&limits, &held, now);
            judged.extend(readings.into_iter().map(|one| (group.name.clone(), one)));
        }
    }
    Ok(judged)
}

/// The kinds that only another replica of an availability group takes: of those its agent tells. That
/// logs go on is told by the database itself, so the primary judges them.
fn not_ours(record: &Record) -> Vec<BackupKind> {
    let kinds = [BackupKind::Full, BackupKind::Differential, BackupKind::Log];
    let others = kinds.into_iter().filter(|kind| {
        matches!(
            record.elsewhere(*kind),
            Some(Barred::NeedsPrimary { .. } | Barred::Basic)
        )
    });
    others.collect()
}

/// Tells receivers what waits. One whose secret cannot be read is named and left out.
fn deliver(config: &Config, catalog: &mut Catalog, output: &Output) -> Result<Vec<Round>, Fault> {
    match channels(config) {
        Ok(channels) => alerts::deliver(catalog, &channels, &config.agent.name),
        Err(fault) => {
            output.warn(fault);
            Ok(Vec::new())
        }
    }
}

fn not_told(channel: &str, why: &str) -> Fault {
    Fault::new(
        code::NOT_TOLD,
        channel,
        "the receiver did not take the message",
    )
    .cause(why)
    .remedy("correct [alerts] of agent.toml, then run: twinset alerts test")
}

/// Prints alerts with their remedies.
pub(super) fn print(alerts: &[Entry], output: &Output) {
    let row = |alert: &Entry| {
        let state = match &alert.resolved {
            None => alert.severity.to_string(),
            Some(end) if end.by_hand => format!("by hand {}", utc(end.at)),
            Some(end) => format!("good again {}", utc(end.at)),
        };
        vec![
            alert.id.to_string(),
            state,
            alert.code.clone(),
            alert.object.clone(),
            utc(alert.first),
            alert.times.to_string(),
            alert.message.clone(),
        ]
    };
    if alerts.is_empty() {
        return;
    }
    let head = ["id", "state", "code", "about", "since", "times", "message"];
    let rows: Vec<Vec<String>> = alerts.iter().map(row).collect();
    output.line(table(&head, &rows));
    for alert in alerts.iter().filter(|alert| alert.resolved.is_none()) {
        output.line(format!("{}: {}", alert.id, alert.remedy));
    }
}
