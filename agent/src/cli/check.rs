//! `twinset check`: the consistency check, now.

use serde::Serialize;
use twinset_domain::protection::Verdict;
use twinset_domain::{BackupKind, Exit, Fault, code};

use super::args::CheckArgs;
use super::chosen::{bridge, chosen, order, targets};
use super::context::{Context, desk};
use super::service;
use crate::backup::check::{Checked, Manner, check as check_one};
use crate::backup::confirm;
use crate::config::{Group, Repair};
use crate::media::inventory::SetOnMedia;
use crate::report::Output;
use crate::sqlserver::InstanceSettings;

/// The end of a check of one or more databases.
#[derive(Default, Serialize)]
struct Ended {
    checked: Vec<Checked>,
    failed: Vec<String>,
}

/// Checks a group's databases, one after the other; the worst end counts.
pub(super) fn check(
    context: &mut Context,
    args: &CheckArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (group, settings, names) = chosen(context, &args.group, args.database.as_deref())?;
    if !context.attended
        && let Some(exit) = through_service(context, args, &names, output)?
    {
        return Ok(exit);
    }
    let (mut ended, mut faults) = (Ended::default(), Vec::new());
    let mut exit = Exit::Done;
    for name in names {
        match one(context, args, (&group, &settings), &name, output) {
            Ok(checked) => {
                tell(&checked, output);
                exit = exit.worst(checked.exit());
                faults.extend(inconsistent(&group, &checked));
                ended.checked.push(checked);
            }
            Err(fault) => {
                let stop = fault.code == code::CANCELLED;
                faults.push(fault);
                ended.failed.push(name);
                if stop {
                    break;
                }
            }
        }
    }
    Ok(output.finish_both(exit, ended, &faults))
}

/// A service that runs checks itself, so that it knows what came of it; `None` where none runs.
fn through_service(
    context: &Context,
    args: &CheckArgs,
    names: &[String],
    output: &Output,
) -> Result<Option<Exit>, Fault> {
    // What it does not protect, or not so deeply, is checked here.
    if args.deep {
        return Ok(None);
    }
    let (mut exit, mut ended, mut faults) = (Exit::Done, Ended::default(), Vec::new());
    for name in names {
        let Some(answer) = service::check(context, &args.group, name)? else {
            return Ok(None);
        };
        exit = exit.worst(Exit::from_code(answer.exit));
        let checked = answer.result.and_then(|mut result| {
            let list = result.get_mut("checked")?.take();
            serde_json::from_value::<Vec<Checked>>(list).ok()
        });
        for one in checked.unwrap_or_default() {
            tell(&one, output);
            ended.checked.push(one);
        }
        faults.extend(answer.faults);
    }
    Ok(Some(output.finish_both(exit, ended, &faults)))
}

pub(super) fn one(
    context: &mut Context,
    args: &CheckArgs,
    (group, settings): (&Group, &InstanceSettings),
    database: &str,
    output: &Output,
) -> Result<Checked, Fault> {
    let targets = targets(context, group, database)?;
    let set = context.config.media_set(&group.media_set)?;
    let repairs = set.repair == Repair::Auto;
    let limit = context.config.agent.memory_limit;
    let order = order(limit, BackupKind::Log, group, (settings, database));
    let instances = super::restore::instances(context);
    let mut ask = |set: &SetOnMedia, all: &[SetOnMedia]| confirm::ask_servers(&instances, set, all);
    let manner = Manner {
        deep: args.deep,
        repairs,
        bridge: bridge(group),
        ask: &mut ask,
    };
    let progress = output.progress();
    let mut desk = desk(context, &*progress);
    check_one(&mut desk, &targets, &order, manner)
}

fn tell(checked: &Checked, output: &Output) {
    let database = &checked.database;
    for note in &checked.notes {
        output.line(format!("{database}: {note}"));
    }
    output.line(match &checked.verdict {
        Verdict::Continue => format!("{database}: consistent, the chain goes on"),
        Verdict::Take(kind) => format!(
            "{database}: consistent; a {kind} backup comes next: {}",
            checked.why
        ),
        Verdict::Inconsistent(why) => format!("{database}: inconsistent: {why}"),
    });
}

/// Why nothing may be written, if it may not.
pub(super) fn inconsistent(group: &Group, checked: &Checked) -> Option<Fault> {
    let Verdict::Inconsistent(why) = &checked.verdict else {
        return None;
    };
    let (name, database) = (&group.name, &checked.database);
    Some(
        Fault::new(
            code::INCONSISTENT,
            format!("database {database}"),
            format!("replica and source do not match: {why}"),
        )
        .remedy(format!(
            "look into the cause; twinset backup {name} --database {database} --kind full begins \
             anew, and what was taken before stays restorable"
        )),
    )
}
