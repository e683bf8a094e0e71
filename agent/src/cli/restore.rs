//! `twinset restore`.

use std::collections::BTreeMap;

use twinset_domain::restore::Wanted;
use twinset_domain::{Exit, Fault};

use super::args::{RestorePoint, RestoreVerb};
use super::context::Context;
use super::interrupt;
use crate::clock;
use crate::config::Config;
use crate::media::holds::Hold;
use crate::report::{Output, bytes, utc};
use crate::restore::open::{OpenSet, Plan};
use crate::restore::run;
use crate::sqlserver::InstanceSettings;
use crate::sqlserver::statement::Move;

/// Runs one of the verbs.
pub(super) fn restore(
    context: &mut Context,
    verb: RestoreVerb,
    output: &Output,
) -> Result<Exit, Fault> {
    match verb {
        RestoreVerb::Plan(point) => {
            let (_, plan) = plan(context, &point)?;
            tell(&plan, output);
            let exit = if plan.missing.is_empty() {
                Exit::Done
            } else {
                Exit::Degraded
            };
            Ok(output.finish(Ok((exit, plan))))
        }
        RestoreVerb::Run {
            point,
            name,
            on,
            data_dir,
            moves,
        } => {
            let moves: Vec<Move> = moves
                .into_iter()
                .map(|given| Move {
                    logical: given.logical,
                    to: given.path,
                })
                .collect();
            let settings = context.config.instance(&on)?.settings()?;
            let (opened, plan) = plan(context, &point)?;
            tell(&plan, output);
            let _hold = Hold::take(&opened.matrix, context.state.agent, clock::now);
            let order = run::Order {
                position: plan.set.position,
                settings: &settings,
                name: &name,
                data_dir: data_dir.as_deref(),
                moves: &moves,
            };
            execute(&opened, &order, output)
        }
    }
}

fn execute(opened: &OpenSet, order: &run::Order<'_>, output: &Output) -> Result<Exit, Fault> {
    let progress = output.progress();
    let restored = run::restore(opened, order, &*progress, interrupt::flag())?;
    for damage in &restored.map.damage {
        output.line(format!("damaged {damage}: taken from its twin"));
    }
    for (slot, chunks) in &restored.map.read_from {
        output.line(format!("read {chunks} chunks from {slot}"));
    }
    for (logical, path) in &restored.files {
        output.line(format!("file {logical}: {path}"));
    }
    output.line(format!(
        "restored as {} on {}: {} read, position {}",
        restored.database,
        restored.instance,
        bytes(restored.bytes),
        restored.position
    ));
    let exit = if restored.map.damage.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    Ok(output.finish(Ok((exit, restored))))
}

fn plan(context: &Context, point: &RestorePoint) -> Result<(OpenSet, Plan), Fault> {
    let group = context.config.group(&point.group)?;
    let set = context.config.media_set(&group.media_set)?;
    let target = context.target(set, Some(&point.database))?;
    let opened = context.open_set(&target)?;
    let wanted = Wanted {
        database: point.database.clone(),
        position: point.position,
    };
    let plan = opened.plan(&wanted)?;
    Ok((opened, plan))
}

fn tell(plan: &Plan, output: &Output) {
    let set = &plan.set;
    output.line(format!(
        "restore {} from position {}: {}, written {}",
        set.database,
        set.position,
        bytes(set.bytes),
        utc(set.at)
    ));
    for (family, sources) in (1..).zip(&set.sources) {
        let list: Vec<String> = sources
            .iter()
            .map(|slot| format!("mirror {}", slot.mirror.0))
            .collect();
        output.line(format!("family {family}: {}", list.join(", then ")));
    }
    for missing in &plan.missing {
        output.line(format!("missing {missing}"));
    }
}

/// Every instance of the configuration whose secrets can be read.
pub(super) fn instances(config: &Config) -> BTreeMap<String, InstanceSettings> {
    let settings = |(name, instance): (&String, &crate::config::Instance)| {
        Some((name.clone(), instance.settings().ok()?))
    };
    config.instances.iter().filter_map(settings).collect()
}
