//! `twinset status`: what each group has on its media, without asking any server.

use serde::Serialize;
use twinset_domain::recover::SetState;
use twinset_domain::{Exit, Fault, append};

use super::context::Context;
use super::show;
use crate::backup::desk::Target;
use crate::backup::run;
use crate::catalog::Run;
use crate::config::Group;
use crate::media::inventory::SetLine;
use crate::report::{Output, table, utc};

#[derive(Serialize)]
struct GroupStatus {
    group: String,
    media_sets: Vec<SetStatus>,
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
    for group in context.config.groups.values() {
        if only.is_some_and(|only| only != group.name) {
            continue;
        }
        let set = context.config.media_set(&group.media_set)?;
        let databases: Vec<Option<&str>> = if set.per_database() {
            group.databases.named().map(Some).collect()
        } else {
            vec![None]
        };
        let mut media_sets = Vec::new();
        for database in databases {
            let target = context.target(set, database)?;
            let mut status = look(context, &target)?;
            keep_group(group, database, &mut status);
            let sound = status.missing.is_empty()
                && status.unconfirmed.is_empty()
                && status.refused.is_empty()
                && status.never.is_empty();
            if !sound || status.fault.is_some() {
                exit = exit.worst(Exit::Degraded);
            }
            media_sets.push(status);
        }
        groups.push(GroupStatus {
            group: group.name.clone(),
            media_sets,
        });
    }
    for group in &groups {
        print(group, output);
    }
    Ok(output.finish(Ok((exit, groups))))
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
        refused: Vec::new(),
        fault: None,
    };
    match context.open_set(target) {
        Ok(open) => {
            status.missing = open.missing();
            status.out_of_step = show::out_of_step(&open.matrix);
            let expected = run::expected(&context.state, &context.catalog, target, None)?;
            status.refused = append::plan(&expected, &open.matrix.seen())
                .err()
                .unwrap_or_default();
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
    for set in &group.media_sets {
        output.line(format!("media set {}", set.media_set));
        if let Some(fault) = &set.fault {
            output.line(format!(
                "  {} {}: {}",
                fault.code, fault.object, fault.message
            ));
            continue;
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
