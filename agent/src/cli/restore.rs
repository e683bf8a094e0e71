//! `twinset restore`.

mod tell;
mod wish;

use std::collections::BTreeMap;

use serde::Serialize;
use twinset_domain::restore::{self as decide, Plan};
use twinset_domain::{Exit, Fault};

use super::args::{RestoreArgs, RestoreFrom, RestorePoint, RestoreVerb};
use super::context::{Context, patience};
use super::interrupt;
use crate::clock;
use crate::report::Output;
use crate::restore::replace::Replace;
use crate::restore::{check, run, script};
use crate::sqlserver::InstanceSettings;
use crate::sqlserver::statement::Move;

/// What `restore plan` prints.
#[derive(Serialize)]
struct Planned {
    #[serde(flatten)]
    plan: Plan,
    /// Volumes that are missing, and why.
    missing: Vec<String>,
}

/// Runs one of the verbs.
pub(super) fn restore(
    context: &mut Context,
    verb: RestoreVerb,
    output: &Output,
) -> Result<Exit, Fault> {
    match verb {
        RestoreVerb::Plan(point) => plan(context, &point, output),
        RestoreVerb::Run(args) => execute(context, &args, output),
        RestoreVerb::Points(from) => points(context, &from, output),
        RestoreVerb::Verify { point, on } => verify(context, &point, &on, output),
    }
}

fn plan(context: &Context, point: &RestorePoint, output: &Output) -> Result<Exit, Fault> {
    let holdings = wish::holdings(context, &point.from)?;
    let wanted = wish::wanted(context, point, &holdings)?;
    let plan = decide::plan(&wanted, &holdings.candidates)?;
    let missing = holdings.missing();
    tell::plan(&plan, &missing, output);
    let exit = if missing.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    Ok(output.finish(Ok((exit, Planned { plan, missing }))))
}

fn execute(context: &Context, args: &RestoreArgs, output: &Output) -> Result<Exit, Fault> {
    let moves: Vec<Move> = args
        .moves
        .iter()
        .map(|given| Move {
            logical: given.logical.clone(),
            to: given.path.clone(),
        })
        .collect();
    let settings = context.config.instance(&args.on)?.settings()?;
    let settings = settings.of_agent(context.state.agent);
    let holdings = wish::holdings(context, &args.point.from)?;
    let wanted = wish::wanted(context, &args.point, &holdings)?;
    run::usable(args.norecovery, &wanted.goal)?;
    let plan = decide::plan(&wanted, &holdings.candidates)?;
    let order = run::Order {
        wanted: &wanted,
        settings: &settings,
        name: &args.name,
        data_dir: args.data_dir.as_deref(),
        moves: &moves,
        norecovery: args.norecovery,
        replace: match (args.replace, args.no_tail) {
            (false, _) => None,
            (true, false) => Some(Replace::Held),
            (true, true) => Some(Replace::GivenUp),
        },
        group: &args.point.from.group,
    };
    let _holds = holdings.hold(context.state.agent, clock::now);
    holdings.wait_with(&patience(output));
    let progress = output.progress();
    if let Some(folder) = &args.script {
        let stop = interrupt::flag();
        let text = script::script(&holdings, &order, &plan, folder, &*progress, stop)?;
        output.line(text.trim_end());
        let script = BTreeMap::from([("script", text)]);
        return Ok(output.finish(Ok((Exit::Done, script))));
    }
    tell::plan(&plan, &holdings.missing(), output);
    let restored = run::restore(&holdings, &order, &*progress, interrupt::flag())?;
    tell::restored(&restored, output);
    let exit = if restored.map.damage.is_empty() && restored.detours.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    Ok(output.finish(Ok((exit, restored))))
}

fn points(context: &Context, from: &RestoreFrom, output: &Output) -> Result<Exit, Fault> {
    let holdings = wish::holdings(context, from)?;
    let wanted = wish::latest(from, &holdings)?;
    let points = decide::points(&wanted, &holdings.candidates)?;
    tell::points(&points, output);
    let safe = |one: &decide::Interval| one.endangered.is_empty();
    for fault in &holdings.closed {
        output.warn(format!(
            "not looked at: {}: {}",
            fault.object, fault.message
        ));
    }
    let whole = points.gaps.is_empty() && holdings.closed.is_empty();
    let exit = if points.intervals.iter().all(safe) && whole {
        Exit::Done
    } else {
        Exit::Degraded
    };
    Ok(output.finish(Ok((exit, points))))
}

fn verify(
    context: &Context,
    point: &RestorePoint,
    on: &str,
    output: &Output,
) -> Result<Exit, Fault> {
    let settings = context.config.instance(on)?.settings()?;
    let holdings = wish::holdings(context, &point.from)?;
    let wanted = wish::wanted(context, point, &holdings)?;
    let plan = decide::plan(&wanted, &holdings.candidates)?;
    let _holds = holdings.hold(context.state.agent, clock::now);
    holdings.wait_with(&patience(output));
    let progress = output.progress();
    let verified = check::verify(&holdings, &plan, &settings, &*progress, interrupt::flag())?;
    tell::verified(&verified, output);
    let faults: Vec<Fault> = verified
        .sets
        .iter()
        .filter_map(|set| set.fault.clone())
        .collect();
    Ok(output.finish_both(verified.exit(), verified, &faults))
}

/// Every instance of the configuration whose secrets can be read.
pub(super) fn instances(context: &Context) -> BTreeMap<String, InstanceSettings> {
    let settings = |(name, instance): (&String, &crate::config::Instance)| {
        let settings = instance.settings().ok()?;
        Some((name.clone(), settings.of_agent(context.state.agent)))
    };
    context
        .config
        .instances
        .iter()
        .filter_map(settings)
        .collect()
}
