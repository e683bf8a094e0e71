//! `twinset backup --dry-run`: decision and statement, and nothing is touched.

use serde::Serialize;
use twinset_domain::chain::Action;
use twinset_domain::{Exit, Fault};

use super::damage::weighed;
use super::roles::partners;
use super::{decided, typed, wish};
use crate::backup::desk::Desk;
use crate::backup::guard::{self, Guarded};
use crate::backup::role::{self, Role};
use crate::backup::{replica, stage, vdi};
use crate::cli::args::BackupArgs;
use crate::cli::chosen::targets;
use crate::cli::context::Context;
use crate::cli::{interrupt, stage as staged};
use crate::config::Group;
use crate::report::Output;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, facts};

/// What a dry run tells of one database.
#[derive(Serialize)]
struct Planned {
    database: String,
    instance: String,
    media_set: String,
    /// The kind that would be taken; the one that was asked for where nothing would be.
    kind: String,
    state: String,
    /// What both partners say, where there are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// What the chain guard decided; nothing where the database could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Guarded>,
    /// The statement, but for the names of its devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    /// Files of a backup through a stage folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<stage::Planned>,
    /// Why it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// Prints what would be done with each database.
pub(super) fn dry_run(
    context: &mut Context,
    args: &BackupArgs,
    group: &Group,
    settings: &InstanceSettings,
    databases: &[String],
    output: &Output,
) -> Result<Exit, Fault> {
    let mut planned = Vec::new();
    for database in databases {
        let one = plan(context, args, group, settings, database, output)?;
        let (kind, why) = match (&one.fault, &one.decision) {
            (Some(fault), _) => (
                one.kind.clone(),
                format!("{} {}", fault.code, fault.message),
            ),
            (None, Some(guarded)) => {
                let kind = guarded.decision.takes().map(|kind| kind.to_string());
                (kind.unwrap_or_else(|| "no".to_owned()), guarded.why.clone())
            }
            (None, None) => (one.kind.clone(), String::new()),
        };
        output.line(format!(
            "would take a {kind} backup of {database} ({}) on {} to {}: {why}",
            one.state, one.instance, one.media_set
        ));
        for note in one.role.iter().flat_map(|role| &role.said) {
            output.line(format!("  {note}"));
        }
        for other in one.decision.iter().flat_map(|guarded| &guarded.foreign) {
            output.line(format!("  {}: {}", other.by.described(), other.risk()));
        }
        if let Some(statement) = &one.statement {
            output.line(format!("  {statement}"));
        }
        if let Some(stage) = &one.stage {
            staged::print(stage, output);
        }
        planned.push(one);
    }
    Ok(output.finish(Ok((Exit::Done, planned))))
}

/// What would be done with one database; a database that cannot be backed up is said, not failed.
fn plan(
    context: &mut Context,
    args: &BackupArgs,
    group: &Group,
    settings: &InstanceSettings,
    database: &str,
    output: &Output,
) -> Result<Planned, Fault> {
    let targets = targets(context, group, database)?;
    let partners = partners(context, group, settings);
    let order = typed(context, args, group, (settings, database));
    let wish = wish(args, group);
    let progress = output.progress();
    let mut desk = Desk {
        state: &context.state,
        catalog: &mut context.catalog,
        progress: &*progress,
        stop: interrupt::flag(),
    };
    let mut control = Connector::new(settings.clone(), "dry-run").open(Purpose::Control)?;
    let state = facts::probe_database(&mut control, database)?
        .map_or_else(|| "does not exist".to_owned(), |facts| facts.state_desc);
    let mut planned = Planned {
        database: database.to_owned(),
        instance: settings.name.clone(),
        media_set: targets.of(order.kind).key.clone(),
        kind: order.kind.to_string(),
        state,
        role: None,
        decision: None,
        statement: None,
        stage: None,
        fault: None,
    };
    if let Some(partners) = &partners {
        planned.role = role::look(partners, database)?;
        planned.fault = planned.role.as_ref().and_then(Role::refused);
        if planned.fault.is_some() {
            return Ok(planned);
        }
    }
    let folder = staged::folder(group);
    let asked = match &folder {
        None => vdi::probe(&desk, &order, "dry-run"),
        Some(_) => vdi::look(&desk, &order, "dry-run"),
    };
    let mut probed = match asked {
        Ok(probed) => probed,
        Err(fault) => {
            planned.fault = Some(fault);
            return Ok(planned);
        }
    };
    let facts = &probed.database;
    let guarded = guard::guard(&mut desk, &targets, facts, wish, &mut probed.control)?;
    if let Some(beyond) = replica::beyond(&probed.membership, &guarded) {
        planned.fault = Some(beyond);
        planned.decision = Some(guarded);
        return Ok(planned);
    }
    if guarded.decision.action == Action::Refuse {
        planned.fault = Some(guard::refused(&group.name, &guarded));
    }
    let weighed = decided(order, &guarded).map(|order| weighed(desk.catalog, group, order));
    if let Some(Err(fault)) = &weighed {
        planned.fault = Some(fault.clone());
    }
    if let Some(Ok(order)) = weighed {
        let target = targets.of(order.kind);
        planned.kind = order.kind.to_string();
        planned.media_set.clone_from(&target.key);
        match &folder {
            None => planned.statement = Some(vdi::shown(&order, target, &probed)?),
            Some(folder) => {
                let stage = stage::plan(target, &order, folder, &mut probed)?;
                planned.statement = Some(stage.statement.clone());
                planned.stage = Some(stage);
            }
        }
    }
    planned.decision = Some(guarded);
    Ok(planned)
}
