//! A backup by hand of a database that the service protects: what holds for the service holds for
//! the operator too (design 7.2, rows 8, 9 and 2).

use twinset_domain::protection::{ByHand, Phase, Record, by_hand};
use twinset_domain::{BackupKind, Exit, Fault, code};

use super::super::check::{inconsistent, one as check_one};
use super::super::context::Context;
use super::super::service;
use crate::cli::args::CheckArgs;
use crate::config::Group;
use crate::report::Output;
use crate::sqlserver::InstanceSettings;

/// A copy-only full beside the agent of the primary extends nothing, and nobody waits for it.
const fn is_beside(record: &Record, (kind, copy_only): (BackupKind, bool)) -> bool {
    copy_only && matches!(kind, BackupKind::Full) && matches!(record.phase, Phase::Standby)
}

/// Refuses, or runs the check that must come first. Asked when ours is known to serve it.
pub(super) fn stands(
    context: &mut Context,
    (kind, copy_only): (BackupKind, bool),
    (group, settings): (&Group, &InstanceSettings),
    database: &str,
    output: &Output,
) -> Result<(), Fault> {
    let Some(record) = context.catalog.protection(&group.name, database)? else {
        return Ok(());
    };
    if record.elsewhere(kind).is_some() && is_beside(&record, (kind, copy_only)) {
        return Ok(());
    }
    let object = format!("group {}, database {database}", group.name);
    let (name, shown) = (&group.name, record.shown().to_string());
    match by_hand(&record, kind, group.failover.check_before_backup) {
        ByHand::Free => Ok(()),
        ByHand::CheckFirst => check_first(context, (group, settings), database, output),
        ByHand::CheckRequired => {
            Err(
                Fault::new(code::CHECK_REQUIRED, object, "consistency check required")
                    .cause(shown)
                    .remedy(format!(
                        "twinset check {name} --database {database}; then the backup again"
                    )),
            )
        }
        ByHand::Refused => {
            let remedy = match &record.phase {
                Phase::TopologyChanged { .. } => format!(
                    "if that was meant: twinset group reprotect {name} --database {database}"
                ),
                _ => format!(
                    "mend the cause; then twinset check {name} --database {database}; a full \
                     begins anew: twinset backup {name} --database {database} --kind full"
                ),
            };
            Err(Fault::new(code::NOT_NOW, object, shown).remedy(remedy))
        }
    }
}

/// The check, through the service where one runs; what it finds decides.
fn check_first(
    context: &mut Context,
    (group, settings): (&Group, &InstanceSettings),
    database: &str,
    output: &Output,
) -> Result<(), Fault> {
    output.line(format!("{database}: a consistency check comes first"));
    if let Some(answer) = service::check(context, &group.name, database)? {
        let stands = [Exit::Done, Exit::Degraded].contains(&Exit::from_code(answer.exit));
        return match answer.faults.into_iter().next() {
            Some(fault) if !stands => Err(fault),
            _ => Ok(()),
        };
    }
    let args = CheckArgs {
        group: group.name.clone(),
        database: Some(database.to_owned()),
        deep: false,
    };
    let checked = check_one(context, &args, (group, settings), database, output)?;
    inconsistent(group, &checked).map_or(Ok(()), Err)
}
