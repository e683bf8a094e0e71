//! `twinset media plan-retention` and `twinset media expire`.

mod world;

use serde::Serialize;
use twinset_domain::retention::Plan;
use twinset_domain::{Exit, Fault, Moment};

use super::args::SetArgs;
use super::context::{Context, desk, target_of};
use crate::backup::expire::{self, Ground};
use crate::backup::subjects::{Scope, subjects};
use crate::clock;
use crate::media::holds;
use crate::report::{Output, bytes, table, utc};

use world::{least, world};

/// What the operator agreed to.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish {
    /// Judge without looking at the partner's media sets.
    pub(super) without_partner: bool,
    /// More than one run's part may go.
    pub(super) yes: bool,
    /// The clock is right.
    pub(super) now_is_right: bool,
}

/// Prints the sentence on every set, now or at another time; nothing is touched.
pub(super) fn plan(
    context: &Context,
    args: &SetArgs,
    wish: Wish,
    at: Option<Moment>,
    output: &Output,
) -> Result<Exit, Fault> {
    let plan = made(context, args, wish, at)?;
    tell(&plan, output);
    let drops = plan.drops().len();
    output.line(format!(
        "{drops} of {} sets would be dropped, {} over all families; nothing was touched",
        plan.sets.len(),
        bytes(freed(&plan))
    ));
    Ok(output.finish(Ok((Exit::Done, plan))))
}

fn made(context: &Context, args: &SetArgs, wish: Wish, at: Option<Moment>) -> Result<Plan, Fault> {
    let (set, target) = target_of(context, args)?;
    let world = world(context, &set, args, wish)?;
    let now = at.unwrap_or_else(clock::now);
    let opened = context.open_set(&target)?;
    let (speaks, least) = (
        |database: &str| world.speaks(database),
        |kind| least(&set, kind),
    );
    let scope = Scope {
        key: &target.key,
        speaks: &speaks,
        least: &least,
    };
    let order = world.order(scope, wish);
    let live = holds::live(&opened.matrix, now)?;
    let accepted = context.catalog.accepted(&target.key)?;
    let ours = subjects(&order.scope, target.shape, &opened.sets);
    let ground = Ground {
        matrix: &opened.matrix,
        ours: &ours,
        holds: &live,
        now,
        accepted,
    };
    expire::plan(&order, &ground)
}

/// Drops what retention lets go.
pub(super) fn expire(
    context: &mut Context,
    args: &SetArgs,
    wish: Wish,
    output: &Output,
) -> Result<Exit, Fault> {
    let (set, target) = target_of(context, args)?;
    let world = world(context, &set, args, wish)?;
    let (speaks, least) = (
        |database: &str| world.speaks(database),
        |kind| least(&set, kind),
    );
    let scope = Scope {
        key: &target.key,
        speaks: &speaks,
        least: &least,
    };
    let order = world.order(scope, wish);
    let progress = output.progress();
    let expired = expire::expire(&mut desk(context, &*progress), &target, &order)?;
    tell(&expired.plan, output);
    for (word, positions) in [
        ("dropped", &expired.dropped),
        (
            "removed what an earlier run had dropped at",
            &expired.finished,
        ),
        (
            "dropped, data stays while somebody reads:",
            &expired.waiting,
        ),
        (
            "dropped, data stays while its store locks it:",
            &expired.locked,
        ),
    ] {
        for position in positions {
            output.line(format!("{word} position {position}"));
        }
    }
    output.line(format!(
        "{}: {} sets dropped, {} of {} freed",
        target.key,
        expired.dropped.len(),
        bytes(expired.freed),
        target.shape,
    ));
    Ok(output.finish(Ok((Exit::Done, expired))))
}

fn freed(plan: &Plan) -> u64 {
    let dropped = plan.sets.iter().filter(|set| set.drop);
    dropped.map(|set| set.bytes).sum()
}

fn tell(plan: &Plan, output: &Output) {
    let rows: Vec<Vec<String>> = plan
        .sets
        .iter()
        .map(|set| {
            let reasons: Vec<String> = set.reasons.iter().map(ToString::to_string).collect();
            vec![
                set.position.to_string(),
                set.database.clone().unwrap_or_else(|| "-".to_owned()),
                set.kind
                    .map_or_else(|| "-".to_owned(), |kind| kind.to_string()),
                utc(set.written),
                if set.drop { "drop" } else { "keep" }.to_owned(),
                reasons.join("; "),
            ]
        })
        .collect();
    let head = ["position", "database", "kind", "written", "", "why"];
    output.line(table(&head, &rows));
    for share in plan.excess() {
        output.line(format!(
            "group {}: {} of {} sets would go, one run may drop {} (max_drop): needs --yes",
            share.group, share.drops, share.sets, share.allowed
        ));
    }
    if let Some(doubt) = &plan.doubt {
        output.line(format!("the clock is not believed: {doubt}"));
    }
}

/// What a dry run prints: the plan that a run would carry out now.
#[derive(Serialize)]
struct Dry {
    dry_run: bool,
    plan: Plan,
}

/// Prints what `expire` would do; nothing is touched.
pub(super) fn dry_run(
    context: &Context,
    args: &SetArgs,
    wish: Wish,
    output: &Output,
) -> Result<Exit, Fault> {
    let plan = made(context, args, wish, None)?;
    tell(&plan, output);
    output.line(format!("{} sets would be dropped", plan.drops().len()));
    let (dry_run, code) = (true, Exit::Done);
    Ok(output.finish(Ok((code, Dry { dry_run, plan }))))
}
