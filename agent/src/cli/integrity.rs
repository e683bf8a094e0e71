//! `twinset integrity`: DBCC CHECKDB, now or if due.

mod sound;

use std::cell::Cell;
use std::time::Duration;

use serde::Serialize;
use twinset_domain::integrity::{
    self, Check, Depth, Due, Outcome, Rule, Standing, Unfinished, due,
};
use twinset_domain::{BackupKind, Exit, Fault, Moment, code};

use super::args::IntegrityArgs;
use super::chosen::chosen;
use super::context::Context;
use super::interrupt;
use crate::alerts;
use crate::catalog::standing;
use crate::clock;
use crate::config::Group;
use crate::report::{Output, duration, utc};
use crate::sqlserver::InstanceSettings;
use crate::sqlserver::integrity as checkdb;

pub(super) use sound::{Sound, sound};

/// Percent between two notes of progress.
const STEP: f64 = 10.0;
/// Age of the last check with `--if-due` where the group wants none by itself, in seconds.
const WEEK: i64 = 7 * 86_400;

/// The end of checks of one or more databases.
#[derive(Default, Serialize)]
struct Ended {
    checked: Vec<Told>,
    /// Databases that were not due, and until when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Skipped>,
    /// Databases that could not be asked.
    failed: Vec<String>,
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    check: Check,
    /// `clean`, `damaged` or `not finished`.
    result: &'static str,
    standing: Standing,
}

#[derive(Serialize)]
struct Skipped {
    database: String,
    due: Moment,
}

/// What a dry run tells of a database.
#[derive(Serialize)]
struct Planned {
    database: String,
    instance: String,
    statement: String,
    /// When it is due by itself; nothing: now.
    due: Option<Moment>,
    standing: Standing,
}

/// What is asked of every database.
struct Order<'a> {
    group: &'a Group,
    settings: &'a InstanceSettings,
    rule: Rule,
    budget: Duration,
}

/// Checks a group's databases, one after the other; the worst end counts.
pub(super) fn integrity(
    context: &mut Context,
    args: &IntegrityArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (group, settings, names) = chosen(context, &args.group, args.database.as_deref())?;
    let wanted = group.check.rule.unwrap_or(Rule {
        depth: Depth::Physical,
        max_age: WEEK,
    });
    let order = Order {
        group: &group,
        settings: &settings,
        rule: Rule {
            depth: args.depth().unwrap_or(wanted.depth),
            ..wanted
        },
        budget: args.budget.unwrap_or(group.check.budget),
    };
    if args.dry_run {
        return dry_run(context, &order, names, output);
    }
    let (mut ended, mut faults) = (Ended::default(), Vec::new());
    for database in names {
        if args.if_due
            && let Due::Later(due) = when(context, &order, &database)?.1
        {
            output.line(format!("{database}: not due before {}", utc(due)));
            ended.skipped.push(Skipped { database, due });
            continue;
        }
        match one(context, &order, &database, output) {
            Ok(told) => {
                let fault = integrity::fault(&group.name, &told.check);
                let stop = told.check.outcome == Outcome::Unfinished(Unfinished::Stopped);
                faults.extend(fault);
                ended.checked.push(told);
                if stop {
                    break;
                }
            }
            Err(fault) => {
                faults.push(fault);
                ended.failed.push(database);
            }
        }
    }
    Ok(output.finish_both(Exit::Done, ended, &faults))
}

/// How a database stands, and whether its check is due.
fn when(context: &Context, order: &Order<'_>, database: &str) -> Result<(Standing, Due), Fault> {
    let (group, now) = (order.group, clock::now());
    let standing = standing(
        &context.catalog.standings()?,
        database,
        &order.settings.name,
    );
    let keys = context.config.keys_of(group, BackupKind::Full, database)?;
    let past = context
        .catalog
        .past(&keys, database, BackupKind::Full, now)?;
    let facts = integrity::Facts {
        full: past.succeeded,
        // Whoever asks wants the first one now.
        since: Moment(0),
        now,
    };
    let due = due(order.rule, &standing, facts);
    Ok((standing, due))
}

/// Runs it, remembers it, and raises or ends what is said about it.
fn one(
    context: &mut Context,
    order: &Order<'_>,
    database: &str,
    output: &Output,
) -> Result<Told, Fault> {
    let (instance, depth) = (&order.settings.name, order.rule.depth);
    let progress = output.progress();
    let said = Cell::new(0.0);
    let check = checkdb::Check {
        settings: order.settings,
        database,
        depth,
        budget: order.budget,
        stop: interrupt::flag(),
        percent: &|told| {
            if told.percent >= said.get() + STEP {
                said.set(told.percent);
                progress.note(&format!("check {database}: {:.0} %", told.percent));
            }
        },
    };
    progress.begin(&format!("integrity check of {database}"), None);
    let began = clock::now();
    let ran = check.run();
    progress.end();
    let outcome = match ran {
        Ok(outcome) => outcome,
        // Nothing about the database: it is served elsewhere.
        Err(fault) if [code::NOT_PRINCIPAL, code::ROLE_UNSEEN].contains(&fault.code) => {
            return Err(fault);
        }
        Err(fault) => {
            let (code, object) = (fault.code, &fault.object);
            let why = format!("{code} {object}: {}", fault.message);
            Outcome::Unfinished(Unfinished::Failed(why))
        }
    };
    let check = Check {
        database: database.to_owned(),
        instance: instance.clone(),
        depth,
        began,
        ended: clock::now(),
        outcome,
    };
    context.catalog.checked(&check)?;
    let standing = standing(&context.catalog.standings()?, database, instance);
    let of = (&check, &standing);
    alerts::integrity::told(&mut context.catalog, &order.group.name, of, check.ended)?;
    tell(&check, output);
    Ok(Told {
        result: check.outcome.word(),
        check,
        standing,
    })
}

fn tell(check: &Check, output: &Output) {
    let (database, instance, depth) = (&check.database, &check.instance, check.depth);
    let took = check.ended.0.saturating_sub(check.began.0);
    let took = duration(Duration::from_secs(u64::try_from(took).unwrap_or(0)));
    let what = match &check.outcome {
        Outcome::Clean => "clean".to_owned(),
        Outcome::Damaged(damage) => format!("damaged: {damage}"),
        Outcome::Unfinished(why) => format!("not finished: {why}"),
    };
    output.line(format!(
        "{database} on {instance}: {what} ({depth}, {took})"
    ));
}

fn dry_run(
    context: &Context,
    order: &Order<'_>,
    names: Vec<String>,
    output: &Output,
) -> Result<Exit, Fault> {
    let mut planned = Vec::new();
    for database in names {
        let (standing, due) = when(context, order, &database)?;
        let statement = checkdb::sql(&database, order.rule.depth);
        let due = match due {
            Due::Now(why) => {
                output.line(format!("{database}: due now, {why}: {statement}"));
                None
            }
            Due::Later(due) => {
                output.line(format!(
                    "{database}: not due before {}: {statement}",
                    utc(due)
                ));
                Some(due)
            }
        };
        planned.push(Planned {
            database,
            instance: order.settings.name.clone(),
            statement,
            due,
            standing,
        });
    }
    Ok(output.finish(Ok((Exit::Done, planned))))
}
