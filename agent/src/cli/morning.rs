//! `twinset report`: last night at a glance.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use twinset_domain::alert::{Entry, Severity};
use twinset_domain::rpo::{Reading, Standing};
use twinset_domain::schedule::Subject;
use twinset_domain::{Exit, Fault, Moment};

use super::context::Context;
use super::integrity::{Sound, sound};
use super::status::targets;
use super::{alerts, plan, service, show};
use crate::catalog::Tally;
use crate::clock;
use crate::config::Group;
use crate::report::{Output, bytes, duration, table, utc};

#[derive(Serialize)]
struct Report {
    /// Whether nothing is to be done.
    good: bool,
    since: Moment,
    now: Moment,
    groups: Vec<GroupReport>,
    /// Why the service protects nothing now, where it did before.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Fault>,
    /// Open alerts, the worst first.
    open: Vec<Entry>,
    /// Alerts that ended in the span.
    ended: Vec<Entry>,
}

#[derive(Serialize)]
struct GroupReport {
    group: String,
    databases: Vec<DatabaseReport>,
    /// The last integrity check of each database on each instance.
    integrity: Vec<Sound>,
    media_sets: Vec<SetReport>,
}

#[derive(Serialize)]
struct DatabaseReport {
    database: String,
    /// When the last backups that succeeded began.
    full: Option<Moment>,
    differential: Option<Moment>,
    log: Option<Moment>,
    /// RPO rules, judged.
    rpo: Vec<Reading>,
    /// Runs that began in the span.
    succeeded: u64,
    failed: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct SetReport {
    media_set: String,
    /// Volumes that do not answer or cannot be trusted.
    missing: Vec<String>,
    /// Mirrors that are out of step.
    out_of_step: Vec<String>,
    /// Why it cannot be read.
    fault: Option<Fault>,
}

impl DatabaseReport {
    fn is_protected(&self) -> bool {
        let kept = |reading: &Reading| reading.standing != Standing::Breached;
        let elsewhere = |reading: &Reading| reading.standing == Standing::Elsewhere;
        let held = self.full.is_some() || self.rpo.iter().any(elsewhere);
        held && self.rpo.iter().all(kept)
    }
}

impl SetReport {
    fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.out_of_step.is_empty()
    }
}

/// Prints the report. Ends with 0 only if all is good, 3 when protection is thinner than
/// configured, 1 when something is not protected.
pub(super) fn report(
    context: &mut Context,
    since: Duration,
    output: &Output,
) -> Result<Exit, Fault> {
    let now = clock::now();
    let span = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let since = Moment(now.0.saturating_sub(span));
    let judged = alerts::readings(&context.config, &context.catalog, now)?;
    let groups = context.config.groups.values();
    let groups = groups
        .map(|group| of_group(context, group, &judged, (since, now)))
        .collect::<Result<Vec<_>, _>>()?;
    let open = context.catalog.open_alerts()?;
    let stale = service::stale(context.state.path(), &context.catalog)?;
    let mut exit = exit(&groups, &open);
    if stale.is_some() {
        exit = exit.worst(Exit::Failed);
    }
    let report = Report {
        good: exit == Exit::Done,
        since,
        now,
        groups,
        service: stale,
        open,
        ended: context.catalog.ended_alerts(since)?,
    };
    print(&report, output);
    Ok(output.finish(Ok((exit, report))))
}

fn exit(groups: &[GroupReport], open: &[Entry]) -> Exit {
    let mut exit = Exit::Done;
    for alert in open {
        exit = exit.worst(match alert.severity {
            Severity::Info => Exit::Done,
            Severity::Warning => Exit::Degraded,
            Severity::Error | Severity::Critical => Exit::Failed,
        });
    }
    for group in groups {
        if !group.databases.iter().all(DatabaseReport::is_protected) {
            exit = exit.worst(Exit::Failed);
        }
        for set in &group.media_sets {
            if set.fault.is_some() {
                exit = exit.worst(Exit::Failed);
            } else if !set.is_whole() {
                exit = exit.worst(Exit::Degraded);
            }
        }
    }
    exit
}

fn of_group(
    context: &Context,
    group: &Group,
    judged: &[(String, Reading)],
    (since, now): (Moment, Moment),
) -> Result<GroupReport, Fault> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut media_sets = Vec::new();
    for key in group.media_sets() {
        let set = context.config.media_set(key)?;
        for (target, _) in targets(context, group, set)? {
            // One that nobody named and nobody formatted takes no part yet.
            if set.is_beside && context.catalog.media_set(&target.key)?.is_none() {
                continue;
            }
            for tally in context.catalog.tallies(&target.key, since)? {
                let sum = tallies.entry(tally.database.to_lowercase()).or_default();
                sum.succeeded += tally.succeeded;
                sum.failed += tally.failed;
                sum.bytes += tally.bytes;
            }
            let mut told = SetReport {
                media_set: target.key.clone(),
                missing: Vec::new(),
                out_of_step: Vec::new(),
                fault: None,
            };
            match context.open_set(&target) {
                Ok(open) => {
                    told.missing = open.missing();
                    told.out_of_step = show::out_of_step(&open.matrix);
                }
                Err(fault) => told.fault = Some(fault),
            }
            media_sets.push(told);
        }
    }
    let database = |subject: Subject| {
        let rpo = judged
            .iter()
            .filter(|(name, reading)| *name == group.name && reading.database == subject.database);
        let tally = tallies.remove(&subject.database.to_lowercase());
        let tally = tally.unwrap_or_default();
        DatabaseReport {
            full: subject.full.succeeded,
            differential: subject.differential.succeeded,
            log: subject.log.succeeded,
            rpo: rpo.map(|(_, reading)| reading.clone()).collect(),
            succeeded: tally.succeeded,
            failed: tally.failed,
            bytes: tally.bytes,
            database: subject.database,
        }
    };
    let subjects = plan::subjects(&context.config, Some(&context.catalog), group, now)?;
    Ok(GroupReport {
        group: group.name.clone(),
        databases: subjects.into_iter().map(database).collect(),
        integrity: sound(&context.catalog, group)?,
        media_sets,
    })
}

fn print(report: &Report, output: &Output) {
    let verdict = if report.good {
        "all is good"
    } else {
        "not all is good"
    };
    let span = report.now.0.saturating_sub(report.since.0);
    let span = duration(Duration::from_secs(span.unsigned_abs()));
    output.line(format!(
        "{verdict}: the last {span} until {}",
        utc(report.now)
    ));
    if let Some(fault) = &report.service {
        output.line(service::stale_line(fault));
    }
    for group in &report.groups {
        output.line(format!("group {}", group.group));
        let rows: Vec<Vec<String>> = group
            .databases
            .iter()
            .map(|one| row(one, report.now))
            .collect();
        let head = [
            "database",
            "full",
            "differential",
            "log",
            "runs",
            "failed",
            "bytes",
            "rpo",
        ];
        output.line(table(&head, &rows));
        for one in &group.integrity {
            output.line(&one.text);
        }
        for set in &group.media_sets {
            if let Some(fault) = &set.fault {
                let (code, object) = (fault.code, &fault.object);
                output.line(format!(
                    "media set {}: {code} {object}: {}",
                    set.media_set, fault.message
                ));
            }
            for wrong in set
                .missing
                .iter()
                .map(|one| format!("missing: {one}"))
                .chain(set.out_of_step.iter().cloned())
            {
                output.line(format!("media set {}: {wrong}", set.media_set));
            }
        }
    }
    alerts::print(&report.open, output);
    if !report.ended.is_empty() {
        output.line(format!("{} alerts ended", report.ended.len()));
    }
}

fn row(one: &DatabaseReport, now: Moment) -> Vec<String> {
    let age = |began: Option<Moment>| {
        began.map_or_else(
            || "-".to_owned(),
            |began| {
                let seconds = u64::try_from(now.0.saturating_sub(began.0)).unwrap_or(0);
                format!("{} ago", duration(Duration::from_secs(seconds)))
            },
        )
    };
    let broken: Vec<String> = one
        .rpo
        .iter()
        .filter(|reading| reading.standing == Standing::Breached)
        .map(|reading| format!("{} too old", reading.kind))
        .collect();
    let rpo = match (one.rpo.is_empty(), broken.is_empty()) {
        (true, _) => "-".to_owned(),
        (false, true) => "kept".to_owned(),
        (false, false) => broken.join(", "),
    };
    vec![
        one.database.clone(),
        age(one.full),
        age(one.differential),
        age(one.log),
        one.succeeded.to_string(),
        one.failed.to_string(),
        bytes(one.bytes),
        rpo,
    ]
}
