//! `twinset media recover`.

use serde::Serialize;
use twinset_domain::{Exit, Fault};

use super::args::SetArgs;
use super::context::{Context, desk, target_of};
use super::{show, stage};
use crate::alerts::runs;
use crate::backup::stage::adopt::{Adopted, Became};
use crate::backup::{confirm, recover};
use crate::clock;
use crate::media::inventory::SetOnMedia;
use crate::media::recover::Report;
use crate::report::Output;

/// What recovery did, on the media and in stage folders.
#[derive(Serialize)]
struct Recovered {
    #[serde(flatten)]
    report: Report,
    /// Backups that dead runs had staged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    staged: Vec<Adopted>,
}

/// Sets right what a dead run left.
pub(super) fn recover_set(
    context: &mut Context,
    args: &SetArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (set, target) = target_of(context, args)?;
    let instances = super::restore::instances(context);
    // First: a statement that still runs would keep the servers from proving anything.
    let serves = &context.config.agent.serves;
    let served = instances.iter().filter(|(name, _)| serves.contains(*name));
    for orphan in confirm::end_orphans(served.map(|(_, settings)| settings)) {
        output.line(&orphan.told);
    }
    // Staged sets next: what of them stays unconfirmed is asked for below.
    let staged = stage::adopt_all(context, &set.key, &target, output);
    let progress = output.progress();
    let mut ask = |set: &SetOnMedia, all: &[SetOnMedia]| confirm::ask_servers(&instances, set, all);
    let report = recover::recover(&mut desk(context, &*progress), &target, &mut ask)?;
    for left in &report.work_removed {
        output.line(format!("removed unfinished work {left}"));
    }
    for plan in &report.positions {
        output.line(format!(
            "position {}: {}, {} steps taken",
            plan.position,
            show::state(plan.state),
            plan.steps.len()
        ));
    }
    for position in &report.unconfirmed {
        output.line(format!(
            "position {position} stays unconfirmed: no server could confirm it"
        ));
    }
    for disproved in &report.disproved {
        output.line(format!("voided {disproved}"));
    }
    for lost in &report.lost {
        output.line(format!("lost {lost}"));
    }
    let (staged, mut faults) = match staged {
        Ok(staged) => (staged, Vec::new()),
        Err(fault) => (Vec::new(), vec![fault]),
    };
    // What was confirmed is no failure any more.
    faults.extend(runs::made_good(&mut context.catalog, &context.config, clock::now()).err());
    let waits = staged.iter().any(|one| one.became == Became::Kept);
    let quiet = staged.is_empty()
        && report.work_removed.is_empty()
        && report.positions.is_empty()
        && report.lost.is_empty();
    if quiet {
        output.line(format!("{}: nothing to recover", target.key));
    }
    let exit = match (report.lost.is_empty(), report.unconfirmed.is_empty()) {
        (false, _) => Exit::Lost,
        (true, true) if !waits => Exit::Done,
        (true, _) => Exit::Degraded,
    };
    Ok(output.finish_both(exit, Recovered { report, staged }, &faults))
}

/// Prints what recovery would do.
pub(super) fn recover_plan(
    context: &mut Context,
    args: &SetArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, args)?;
    let progress = output.progress();
    let plans = recover::dry_run(&mut desk(context, &*progress), &target)?;
    for plan in &plans {
        output.line(format!(
            "position {}: {}",
            plan.position,
            show::state(plan.state)
        ));
        for step in &plan.steps {
            output.line(format!("  {step}"));
        }
    }
    if plans.is_empty() {
        output.line(format!("{}: no position needs recovery", target.key));
    }
    Ok(output.finish(Ok((Exit::Done, plans))))
}
