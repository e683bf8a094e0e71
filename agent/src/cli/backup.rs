//! `twinset backup`.

use serde::Serialize;
use twinset_domain::{BackupKind, Exit, Fault, code};

use super::args::{BackupArgs, Kind};
use super::context::Context;
use super::interrupt;
use crate::backup::desk::Desk;
use crate::backup::finished::Finished;
use crate::backup::repair;
use crate::backup::vdi::{self, Order};
use crate::config::{Group, Instance, Repair};
use crate::report::{Output, bytes, utc};
use crate::sqlserver::statement::Transfer;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, facts};

/// What a dry run tells of one database.
#[derive(Serialize)]
struct Planned {
    database: String,
    instance: String,
    media_set: String,
    kind: String,
    state: String,
}

/// The end of a backup of one or more databases.
#[derive(Serialize)]
struct Ended {
    sets: Vec<Finished>,
    failed: Vec<String>,
}

/// Takes backups of a group's databases, one after the other; the worst end counts.
pub(super) fn backup(
    context: &mut Context,
    args: &BackupArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let group = context.config.group(&args.group)?.clone();
    let instance = served(context, &group)?.clone();
    let settings = instance.settings()?;
    let databases = databases(&group, &settings, args.database.as_deref())?;
    agreed(args)?;
    if args.dry_run {
        return dry_run(context, args, &group, &settings, &databases, output);
    }
    let (mut sets, mut faults, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for database in databases {
        match one(context, args, &group, &settings, &database, output) {
            Ok(finished) => {
                tell(&finished, output);
                let set = group.media_set_of(finished.kind.unwrap_or(BackupKind::Full));
                faults.extend(finished.degraded(set));
                sets.push(finished);
            }
            Err(fault) => {
                let stop = fault.code == code::CANCELLED;
                faults.push(fault);
                failed.push(database);
                if stop {
                    break;
                }
            }
        }
    }
    Ok(output.finish_both(Exit::Done, Ended { sets, failed }, &faults))
}

fn one(
    context: &mut Context,
    args: &BackupArgs,
    group: &Group,
    settings: &InstanceSettings,
    database: &str,
    output: &Output,
) -> Result<Finished, Fault> {
    let kind = args.kind.backup();
    let set = context.config.media_set(group.media_set_of(kind))?;
    let target = context.target(set, Some(database))?;
    let automatic = set.repair == Repair::Auto;
    let order = Order {
        settings,
        database,
        kind,
        copy_only: args.copy_only,
        tail: args.kind == Kind::Tail,
        new_branch: false,
        transfer: Transfer {
            block_size: group.backup.block_size,
            max_transfer_size: group.backup.max_transfer_size,
            buffer_count: group.backup.buffer_count.unwrap_or(0),
        },
        compression: group.backup.compression,
        encryption: group.backup.encryption.as_ref(),
        memory_limit: context.config.agent.memory_limit,
    };
    let progress = output.progress();
    let mut desk = Desk {
        state: &context.state,
        catalog: &mut context.catalog,
        progress: &*progress,
        stop: interrupt::flag(),
    };
    let mut finished = vdi::backup(&mut desk, &target, &order)?;
    repair::after_run(&mut desk, &target, automatic, &mut finished);
    Ok(finished)
}

/// What takes a database offline must be asked for twice; what SQL Server would silently take for
/// something else is refused.
fn agreed(args: &BackupArgs) -> Result<(), Fault> {
    if args.copy_only && matches!(args.kind, Kind::Diff | Kind::Tail) {
        let message = "--copy-only goes with full and log backups alone";
        return Err(Fault::new(code::USAGE, "backup", message)
            .cause("a differential is never a base, and a tail ends the chain")
            .remedy("leave it out"));
    }
    if args.kind == Kind::Tail && !args.yes && !args.dry_run {
        let object = format!("database {}", args.database.as_deref().unwrap_or_default());
        let message = "the database would go RESTORING and take no more changes";
        return Err(Fault::new(code::CONFIRM, object, message)
            .cause("the tail of its log is taken WITH NORECOVERY")
            .remedy("for a backup that leaves it open: --kind log; if it is wanted, add --yes"));
    }
    Ok(())
}

/// The partner of the group that this agent serves.
fn served<'a>(context: &'a Context, group: &Group) -> Result<&'a Instance, Fault> {
    let serves = &context.config.agent.serves;
    let ours = group
        .partners
        .iter()
        .find(|partner| serves.contains(partner));
    match ours {
        Some(partner) => context.config.instance(partner),
        None => {
            let message = format!(
                "this agent serves none of its partners: {}",
                group.partners.join(", ")
            );
            Err(
                Fault::new(code::UNKNOWN_NAME, format!("group {}", group.name), message)
                    .remedy("name the instance of this host under [agent] serves"),
            )
        }
    }
}

/// The databases that the group means, asked from the server where patterns are used.
fn databases(
    group: &Group,
    settings: &InstanceSettings,
    only: Option<&str>,
) -> Result<Vec<String>, Fault> {
    let object = format!("group {}", group.name);
    if let Some(only) = only {
        if group.databases.select(only) {
            return Ok(vec![only.to_owned()]);
        }
        let message = format!("database {only} is not in the group");
        return Err(Fault::new(code::UNKNOWN_NAME, object, message)
            .remedy("look at the group's databases, or name one of them"));
    }
    let mut names: Vec<String> = group.databases.named().map(str::to_owned).collect();
    if !group.databases.is_literal() {
        let mut control = Connector::new(settings.clone(), "list").open(Purpose::Control)?;
        let there = facts::database_names(&mut control)?;
        let chosen = there
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| group.databases.select(name));
        names.extend(chosen);
        names.sort_unstable();
        names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    }
    if names.is_empty() {
        return Err(Fault::new(
            code::SQL_NO_DATABASE,
            object,
            "no database of the server is meant",
        )
        .remedy("look at the group's databases and at what the login may see"));
    }
    Ok(names)
}

fn dry_run(
    context: &Context,
    args: &BackupArgs,
    group: &Group,
    settings: &InstanceSettings,
    databases: &[String],
    output: &Output,
) -> Result<Exit, Fault> {
    let mut control = Connector::new(settings.clone(), "dry-run").open(Purpose::Control)?;
    let mut planned = Vec::new();
    for database in databases {
        let set = context
            .config
            .media_set(group.media_set_of(args.kind.backup()))?;
        let target = context.target(set, Some(database))?;
        let state = facts::probe_database(&mut control, database)?
            .map_or_else(|| "does not exist".to_owned(), |facts| facts.state_desc);
        output.line(format!(
            "would take a {} backup of {database} ({state}) on {} to {} ({})",
            args.kind.backup(),
            settings.name,
            target.key,
            target.shape
        ));
        planned.push(Planned {
            database: database.clone(),
            instance: settings.name.clone(),
            media_set: target.key,
            kind: args.kind.backup().to_string(),
            state,
        });
    }
    Ok(output.finish(Ok((Exit::Done, planned))))
}

/// One set for people.
pub(super) fn tell(finished: &Finished, output: &Output) {
    let kind = finished
        .kind
        .map_or_else(|| "set".to_owned(), |kind| kind.to_string());
    let place = if finished.lost.is_empty() {
        format!("in {}", finished.shape)
    } else {
        let (held, all) = (finished.mirrors.len(), finished.shape.mirrors);
        format!("on {held} of {all} mirrors")
    };
    output.line(format!(
        "{}: {kind} backup published at position {}, {} {place}, {}",
        finished.database,
        finished.position,
        bytes(finished.bytes),
        utc(finished.published),
    ));
    for note in &finished.notes {
        output.warn(note);
    }
}
