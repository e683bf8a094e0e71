//! `twinset media recover`.

use twinset_domain::{Exit, Fault};

use super::args::SetArgs;
use super::context::{Context, desk, target_of};
use super::show;
use crate::backup::{confirm, recover};
use crate::media::inventory::SetOnMedia;
use crate::report::Output;

/// Sets right what a dead run left.
pub(super) fn recover_set(
    context: &mut Context,
    args: &SetArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, args)?;
    let instances = super::restore::instances(context);
    // First: a statement that still runs would keep the servers from proving anything.
    let serves = &context.config.agent.serves;
    let served = instances.iter().filter(|(name, _)| serves.contains(*name));
    for orphan in confirm::end_orphans(served.map(|(_, settings)| settings)) {
        output.line(&orphan.told);
    }
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
    let quiet =
        report.work_removed.is_empty() && report.positions.is_empty() && report.lost.is_empty();
    if quiet {
        output.line(format!("{}: nothing to recover", target.key));
    }
    let exit = match (report.lost.is_empty(), report.unconfirmed.is_empty()) {
        (false, _) => Exit::Lost,
        (true, false) => Exit::Degraded,
        (true, true) => Exit::Done,
    };
    Ok(output.finish(Ok((exit, report))))
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
