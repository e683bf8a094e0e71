//! `twinset backup`.

mod damage;
mod ended;
mod plan;
mod roles;
mod stands;

use twinset_domain::chain::{Action, Bridge, Wanted};
use twinset_domain::{BackupKind, Exit, Fault, code};

use self::ended::{Ended, One, Skipped};
use self::roles::Standing;
use super::args::{BackupArgs, Kind};
use super::chosen::{bridge, chosen, order, targets};
use super::context::Context;
use super::{interrupt, service, stage as staged};
use crate::alerts::runs;
use crate::backup::desk::Desk;
use crate::backup::finished::Finished;
use crate::backup::guard::{self, Guarded};
use crate::backup::role::Partners;
use crate::backup::vdi::{self, Order};
use crate::backup::{repair, replica, stage};
use crate::clock;
use crate::config::{Group, Repair};
use crate::report::{Output, bytes, utc};
use crate::sqlserver::InstanceSettings;

/// Takes backups of a group's databases, one after the other; the worst end counts.
pub(super) fn backup(
    context: &mut Context,
    args: &BackupArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (group, settings, databases) = chosen(context, &args.group, args.database.as_deref())?;
    agreed(args)?;
    if args.dry_run {
        return plan::dry_run(context, args, &group, &settings, &databases, output);
    }
    let mut partners = roles::partners(context, &group, &settings);
    let (mut ended, mut faults) = (Ended::default(), Vec::new());
    for database in databases {
        let wish = (&database[..], partners.as_mut());
        let done = one(context, args, &group, &settings, wish, output);
        let done = done.map_err(|fault| service::named_holder(context, fault));
        let lost = booked(context, args, (&group, &database), &done);
        match done {
            Ok(one) => faults.extend(ended.take(one, &group, output)),
            Err(fault)
                if args.if_principal
                    && [code::NOT_PRINCIPAL, code::NOT_ON_SECONDARY].contains(&fault.code) =>
            {
                output.line(format!("{database}: passed over: {}", fault.message));
                let why = fault.message;
                ended.skipped.push(Skipped { database, why });
            }
            Err(fault) => {
                let stop = fault.code == code::CANCELLED;
                faults.push(fault);
                ended.failed.push(database);
                if stop {
                    faults.extend(lost);
                    break;
                }
            }
        }
        faults.extend(lost);
    }
    Ok(output.finish_both(Exit::Done, ended, &faults))
}

/// Raises or ends the alert about a kind. The service does that for the backups it starts; a copy
/// tells nothing of protection. A book that cannot be written does not change what came of the
/// backup: that is a fault of its own.
fn booked(
    context: &mut Context,
    args: &BackupArgs,
    (group, database): (&Group, &str),
    done: &Result<One, Fault>,
) -> Option<Fault> {
    if context.attended || args.copy_only {
        return None;
    }
    let asked = args.kind.backup();
    let mut kinds = vec![asked];
    let written = match done {
        Err(fault) => {
            let what = (database, asked);
            runs::failed(&mut context.catalog, &group.name, what, fault, clock::now())
        }
        Ok(one) => {
            let One::Done { finished, .. } = one else {
                return None;
            };
            let finished = finished.as_ref()?;
            let kind = finished.kind.unwrap_or(BackupKind::Full);
            // The chain guard may have taken another kind than was asked for.
            kinds.push(kind);
            kinds.into_iter().try_for_each(|kind| {
                let what = (database, kind);
                runs::succeeded(&mut context.catalog, &group.name, what, clock::now())
            })
        }
    };
    written.err()
}

/// The decision for people, where it is not the usual one.
fn said(guarded: &Guarded, output: &Output) {
    let (database, why) = (&guarded.database, &guarded.why);
    match guarded.decision.takes() {
        None => output.line(format!("{database}: skipped: {why}")),
        Some(kind) if guarded.decision.differs() => output.warn(format!(
            "{database}: took a {kind} backup instead of a {}: {why}",
            guarded.decision.wanted.kind
        )),
        Some(_) => {}
    }
}

/// What is asked of the chain guard.
fn wish(args: &BackupArgs, group: &Group) -> (Wanted, Bridge) {
    let wanted = Wanted {
        kind: args.kind.backup(),
        copy_only: args.copy_only,
        tail: args.kind == Kind::Tail,
    };
    (wanted, bridge(group))
}

/// The order as it was typed.
fn typed<'a>(
    context: &Context,
    args: &BackupArgs,
    group: &'a Group,
    of: (&'a InstanceSettings, &'a str),
) -> Order<'a> {
    let limit = context.config.agent.memory_limit;
    Order {
        copy_only: args.copy_only,
        tail: args.kind == Kind::Tail,
        ..order(limit, args.kind.backup(), group, of)
    }
}

/// The order as the chain guard has it; nothing where there is nothing to take.
fn decided<'a>(mut order: Order<'a>, guarded: &Guarded) -> Option<Order<'a>> {
    let Action::Take { kind, new_branch } = guarded.decision.action else {
        return None;
    };
    order.kind = kind;
    order.new_branch = new_branch;
    order.base = guarded.base;
    Some(order)
}

fn one(
    context: &mut Context,
    args: &BackupArgs,
    group: &Group,
    settings: &InstanceSettings,
    (database, mut partners): (&str, Option<&mut Partners>),
    output: &Output,
) -> Result<One, Fault> {
    let role = match roles::stand(partners.as_deref_mut(), database, args.if_principal, output)? {
        Standing::Ours(role) => role,
        Standing::PassedOver(role) => return Ok(One::PassedOver(role)),
    };
    if !context.attended {
        let kind = (args.kind.backup(), args.copy_only);
        stands::stands(context, kind, (group, settings), database, output)?;
    }
    let targets = targets(context, group, database)?;
    let order = typed(context, args, group, (settings, database));
    let wish = wish(args, group);
    let progress = output.progress();
    let mut desk = Desk {
        state: &context.state,
        catalog: &mut context.catalog,
        progress: &*progress,
        stop: interrupt::flag(),
    };
    // The name of the run stands in the program name, so that an orphan can be told as ours.
    let folder = staged::folder(group);
    let run = &targets.of(order.kind).key;
    let mut probed = match &folder {
        None => vdi::probe(&desk, &order, run)?,
        Some(folder) => {
            // What waits in the stage folder belongs to the chain that the guard looks at.
            for target in [&targets.data, &targets.logs] {
                staged::adopt(&mut desk, target, folder, settings)?;
            }
            vdi::look(&desk, &order, run)?
        }
    };
    // Whoever claimed the role before cannot have taken it on the way.
    let split = role.as_ref().is_some_and(|role| role.branch().is_some());
    let other = partners.filter(|_| !split);
    probed.partner = other.and_then(|partners| partners.other.clone().ok());
    let facts = &probed.database;
    let mut guarded = guard::guard(&mut desk, &targets, facts, wish, &mut probed.control)?;
    guard::remember(&mut desk, &targets, &mut guarded)?;
    if let Some(beyond) = replica::beyond(&probed.membership, &guarded) {
        return Err(beyond);
    }
    if guarded.decision.action == Action::Refuse {
        return Err(guard::refused(&group.name, &guarded));
    }
    let Some(order) = decided(order, &guarded) else {
        return Ok(One::Done {
            guarded: Box::new(guarded),
            finished: None,
            role,
        });
    };
    let order = damage::weighed(desk.catalog, group, order)?;
    let target = targets.of(order.kind);
    let mut finished = match &folder {
        None => vdi::backup(&mut desk, target, &order, probed)?,
        Some(folder) => stage::backup(&mut desk, target, &order, (folder, probed))?,
    };
    let set = context.config.media_set(group.media_set_of(order.kind))?;
    repair::after_run(&mut desk, target, set.repair == Repair::Auto, &mut finished);
    Ok(One::Done {
        guarded: Box::new(guarded),
        finished: Some(Box::new(finished)),
        role,
    })
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
