//! `twinset status`: what each group has on its media, without asking any server.

use serde::Serialize;
use twinset_domain::alert::Entry;
use twinset_domain::recover::SetState;
use twinset_domain::{Exit, Fault, append, code};

use super::context::Context;
use super::integrity::{Sound, sound};
use super::service::{self, Standing};
use super::share;
use super::show;
use super::stage::{self, Staged};
use crate::backup::desk::Target;
use crate::backup::run;
use crate::catalog::{Run, Seen, Sharing};
use crate::config::{Group, MediaSet};
use crate::media::inventory::SetLine;
use crate::report::{Output, table, utc};

#[derive(Serialize)]
struct GroupStatus {
    group: String,
    media_sets: Vec<SetStatus>,
    /// Backups of others that put restore points at risk which are still held.
    foreign: Vec<Seen>,
    /// The last integrity check of each database on each instance, and what all come to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    integrity: Vec<Sound>,
    /// How the service protects its databases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    protection: Vec<Standing>,
    /// What is wrong with it, and not over.
    alerts: Vec<Entry>,
    /// How far the shared catalog was told, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_catalog: Option<Sharing>,
    /// Why that may be old: no service runs, or it stands still.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<Fault>,
}

#[derive(Serialize)]
struct SetStatus {
    media_set: String,
    /// Volumes that do not answer or cannot be trusted.
    missing: Vec<String>,
    /// Mirrors that are out of step or dropped.
    out_of_step: Vec<String>,
    /// The last published set of each database.
    last: Vec<SetLine>,
    unconfirmed: Vec<SetLine>,
    /// The last runs that this agent knows of.
    runs: Vec<Run>,
    /// Databases of the group, by name, that have no published backup here.
    never: Vec<String>,
    /// Backups that lie in the stage folder.
    staged: Vec<Staged>,
    /// A run or a repair writes it just now.
    busy: bool,
    /// What a dead run left; the next run sets it right by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Fault>,
    /// Why the next run would not be allowed to append.
    refused: Vec<Fault>,
    fault: Option<Fault>,
}

/// Prints each group. Ends degraded when a volume is missing or a set unconfirmed.
pub(super) fn status(
    context: &mut Context,
    only: Option<&str>,
    output: &Output,
) -> Result<Exit, Fault> {
    if let Some(name) = only {
        context.config.group(name)?;
    }
    let mut exit = Exit::Done;
    let mut groups = Vec::new();
    let stale = service::stale(context.state.path(), &context.catalog)?;
    let open = context.catalog.open_alerts()?;
    let shared_catalog = match context.config.shared {
        Some(_) => Some(context.catalog.sharing()?),
        None => None,
    };
    for group in context.config.groups.values() {
        if only.is_some_and(|only| only != group.name) {
            continue;
        }
        let (mut media_sets, mut foreign) = (Vec::new(), Vec::new());
        for key in group.media_sets() {
            let set = context.config.media_set(key)?;
            for target in targets(context, group, set)? {
                let (target, database) = (target.0, target.1);
                // One that nobody named and nobody formatted takes no part yet.
                if set.is_beside && context.catalog.media_set(&target.key)?.is_none() {
                    continue;
                }
                let mut status = look(context, &target)?;
                keep_group(group, database, &mut status);
                match stage::leftovers(group, &target) {
                    Ok(staged) => status.staged = staged,
                    Err(fault) => status.fault = status.fault.or(Some(fault)),
                }
                if key != group.media_set {
                    status.never.clear();
                }
                let sound = status.missing.is_empty()
                    && status.unconfirmed.is_empty()
                    && status.refused.is_empty()
                    && status.unfinished.is_none()
                    && status.never.is_empty()
                    && status.staged.is_empty();
                if !sound || status.fault.is_some() {
                    exit = exit.worst(Exit::Degraded);
                }
                foreign.extend(risks(context, group, &target)?);
                media_sets.push(status);
            }
        }
        let protection = service::standings(&context.catalog, Some(&group.name))?;
        let stale = stale.clone().filter(|_| !protection.is_empty());
        if stale.is_some() {
            exit = exit.worst(Exit::Degraded);
        }
        let mut alerts = open.clone();
        alerts.retain(|alert| alert.group.as_ref().is_none_or(|of| *of == group.name));
        groups.push(GroupStatus {
            group: group.name.clone(),
            media_sets,
            foreign,
            integrity: sound(&context.catalog, group)?,
            protection,
            alerts,
            shared_catalog: shared_catalog.clone(),
            stale,
        });
    }
    for group in &groups {
        print(group, output);
    }
    Ok(output.finish(Ok((exit, groups))))
}

/// The media sets behind a key: one, or one for each database that the group names.
pub(super) fn targets<'a>(
    context: &Context,
    group: &'a Group,
    set: &MediaSet,
) -> Result<Vec<(Target, Option<&'a str>)>, Fault> {
    let databases: Vec<Option<&str>> = if set.per_database() {
        group.databases.named().map(Some).collect()
    } else {
        vec![None]
    };
    databases
        .into_iter()
        .map(|database| Ok((context.target(set, database)?, database)))
        .collect()
}

/// Backups of others since the oldest set that is still held: what lies before cannot be restored
/// to anyway.
fn risks(context: &Context, group: &Group, target: &Target) -> Result<Vec<Seen>, Fault> {
    let cards = context.catalog.sets(&target.key)?;
    let held = cards
        .iter()
        .filter(|card| matches!(card.state, SetState::Published | SetState::Unconfirmed));
    let Some(oldest) = held.filter_map(|card| card.written).min() else {
        return Ok(Vec::new());
    };
    let mut seen = context.catalog.seen(&target.key, oldest)?;
    seen.retain(|one| group.databases.select(&one.database));
    Ok(seen)
}

/// A media set may carry other groups' databases too: only those of this group are shown, and those
/// that it names and that were never backed up are said.
fn keep_group(group: &Group, only: Option<&str>, status: &mut SetStatus) {
    let ours = |line: &SetLine| {
        line.database
            .as_deref()
            .is_some_and(|name| group.databases.select(name))
    };
    status.last.retain(ours);
    status.unconfirmed.retain(ours);
    let here = |name: &&str| only.is_none_or(|only| only.eq_ignore_ascii_case(name));
    let backed_up = |name: &str| {
        let same = |line: &SetLine| {
            line.database
                .as_deref()
                .is_some_and(|there| there.eq_ignore_ascii_case(name))
        };
        status.last.iter().any(same)
    };
    let named = group.databases.named().filter(here);
    status.never = named
        .filter(|name| !backed_up(name))
        .map(str::to_owned)
        .collect();
}

fn look(context: &Context, target: &Target) -> Result<SetStatus, Fault> {
    let mut status = SetStatus {
        media_set: target.key.clone(),
        missing: Vec::new(),
        out_of_step: Vec::new(),
        last: Vec::new(),
        unconfirmed: Vec::new(),
        runs: context
            .catalog
            .history(&target.key)?
            .into_iter()
            .take(5)
            .collect(),
        never: Vec::new(),
        staged: Vec::new(),
        busy: context.state.is_busy(&target.key),
        unfinished: None,
        refused: Vec::new(),
        fault: None,
    };
    match context.open_set(target) {
        Ok(open) => {
            status.missing = open.missing();
            status.out_of_step = show::out_of_step(&open.matrix);
            let expected = run::expected(&context.state, &context.catalog, target, None)?;
            // What a run is writing is neither done nor left behind.
            if !status.busy {
                let planned = append::plan(&expected, &open.matrix.seen());
                let faults = planned.err().unwrap_or_default();
                let split = |fault: &Fault| fault.code == code::UNRESOLVED;
                let (left, refused) = faults.into_iter().partition(split);
                status.refused = refused;
                status.unfinished = Vec::into_iter(left).next();
            }
            for set in &open.sets {
                let line = set.line();
                match set.state {
                    SetState::Published => {
                        status.last.retain(|last| last.database != line.database);
                        status.last.push(line);
                    }
                    SetState::Unconfirmed => status.unconfirmed.push(line),
                    SetState::Unsealed | SetState::Void | SetState::Dropped | SetState::Empty => {}
                }
            }
        }
        Err(fault) => status.fault = Some(fault),
    }
    Ok(status)
}

fn print(group: &GroupStatus, output: &Output) {
    output.line(format!("group {}", group.group));
    if let Some(fault) = &group.stale {
        output.line(format!("  {}", service::stale_line(fault)));
    }
    for one in &group.protection {
        output.line(format!("  {}: {}", one.database, one.text));
    }
    for one in &group.alerts {
        let (code, severity, since) = (&one.code, one.severity, utc(one.first));
        output.line(format!(
            "  {severity} since {since}: {code} {}: {}",
            one.object, one.message
        ));
    }
    if let Some(sharing) = &group.shared_catalog {
        output.line(format!("  {}", share::line(sharing)));
    }
    for one in &group.integrity {
        output.line(format!("  {}", one.text));
    }
    for one in &group.foreign {
        let (by, risk) = (one.what.by.described(), one.what.risk());
        output.line(format!("  {}: foreign {by}: {risk}", one.database));
    }
    for set in &group.media_sets {
        output.line(format!("media set {}", set.media_set));
        if let Some(fault) = &set.fault {
            output.line(format!(
                "  {} {}: {}",
                fault.code, fault.object, fault.message
            ));
            continue;
        }
        if set.busy {
            output.line("  is being written now");
        }
        if let Some(fault) = &set.unfinished {
            let (code, message) = (fault.code, &fault.message);
            output.line(format!("  {code} {message}: the next run sets it right"));
        }
        for missing in &set.missing {
            output.line(format!("  missing: {missing}"));
        }
        for mirror in &set.out_of_step {
            output.line(format!("  {mirror}"));
        }
        for refused in &set.refused {
            output.line(format!(
                "  the next run would be refused: {} {}: {}",
                refused.code, refused.object, refused.message
            ));
        }
        for staged in &set.staged {
            output.line(staged.line());
        }
        for database in &set.never {
            output.line(format!("  never backed up: {database}"));
        }
        let rows: Vec<Vec<String>> = set
            .last
            .iter()
            .chain(&set.unconfirmed)
            .map(|line| {
                vec![
                    line.database.clone().unwrap_or_else(|| "-".to_owned()),
                    show::state(line.state).to_owned(),
                    line.position.to_string(),
                    line.written.map_or_else(|| "-".to_owned(), utc),
                ]
            })
            .collect();
        if rows.is_empty() {
            output.line("  no published backup");
        } else {
            output.line(table(&["database", "last", "position", "written"], &rows));
        }
    }
}
