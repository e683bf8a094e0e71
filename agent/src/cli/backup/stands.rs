//! A backup by hand of a database that the service protects: what holds for the service holds for
//! the operator too (design 7.2, rows 8, 9 and 2).

use twinset_domain::protection::{Phase, Verdict};
use twinset_domain::{Exit, Fault, code};

use super::super::check::one as check_one;
use super::super::context::Context;
use super::super::service;
use crate::cli::args::CheckArgs;
use crate::config::Group;
use crate::report::Output;
use crate::sqlserver::InstanceSettings;

/// Refuses, or runs the check that must come first.
pub(super) fn stands(
    context: &mut Context,
    (group, settings): (&Group, &InstanceSettings),
    database: &str,
    output: &Output,
) -> Result<(), Fault> {
    let Some(record) = context.catalog.protection(&group.name, database)? else {
        return Ok(());
    };
    let object = format!("group {}, database {database}", group.name);
    match &record.phase {
        Phase::CheckPending { .. } | Phase::Checking { .. } => {
            if group.failover.check_before_backup {
                return check_first(context, (group, settings), database, output);
            }
            let shown = record.shown();
            Err(
                Fault::new(code::CHECK_REQUIRED, object, "consistency check required")
                    .cause(shown)
                    .remedy(format!(
                        "twinset check {} --database {database}; then the backup again",
                        group.name
                    )),
            )
        }
        Phase::Inconsistent { .. } => {
            Err(
                Fault::new(code::NOT_NOW, object, record.shown().to_string()).remedy(format!(
                    "mend the cause; then twinset check {} --database {database}",
                    group.name
                )),
            )
        }
        Phase::TopologyChanged { .. } => {
            Err(
                Fault::new(code::NOT_NOW, object, record.shown().to_string()).remedy(format!(
                    "if that was meant: twinset group reprotect {} --database {database}",
                    group.name
                )),
            )
        }
        Phase::Initializing | Phase::Protected | Phase::Standby => Ok(()),
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
    match checked.verdict {
        Verdict::Continue | Verdict::Take(_) => Ok(()),
        Verdict::Inconsistent(why) => Err(Fault::new(
            code::INCONSISTENT,
            format!("database {database}"),
            format!("replica and source do not match: {why}"),
        )
        .remedy("look into the cause; a full backup begins anew")),
    }
}
