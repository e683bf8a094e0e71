//! `twinset media plan-retention` and `twinset media expire`.

use std::collections::BTreeMap;

use serde::Serialize;
use twinset_domain::integrity::freezes;
use twinset_domain::retention::{Limits, Plan, Policy, Rule, Subject};
use twinset_domain::{BackupKind, Exit, Fault, Moment};

use super::args::SetArgs;
use super::context::{Context, desk, target_of};
use crate::backup::expire::{self, Order};
use crate::backup::subjects::{Scope, subjects};
use crate::clock;
use crate::config::{Config, Databases, Group, MediaSet, Retention};
use crate::media::holds;
use crate::report::{Output, bytes, table, utc};

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

/// What the groups say of one media set, and the sets that lie elsewhere.
struct World {
    policies: Vec<Policy>,
    databases: Vec<Databases>,
    /// Damaged databases, in lower case, with the policy that keeps all of each.
    frozen: BTreeMap<String, usize>,
    others: Vec<Subject>,
}

impl World {
    fn speaks(&self, database: &str) -> Vec<usize> {
        let all = self.databases.iter().enumerate();
        let groups = all.filter(|(_, databases)| databases.select(database));
        let frozen = self.frozen.get(&database.to_lowercase());
        groups
            .map(|(number, _)| number)
            .chain(frozen.copied())
            .collect()
    }

    fn order<'a>(&'a self, scope: Scope<'a>, wish: Wish) -> Order<'a> {
        Order {
            scope,
            policies: &self.policies,
            others: &self.others,
            yes: wish.yes,
            now_is_right: wish.now_is_right,
        }
    }
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
    Ok(expire::plan(&order, &ours, &live, now, accepted))
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

/// Mirrors that must hold a set before it counts.
fn least(set: &MediaSet, kind: Option<BackupKind>) -> u8 {
    set.min_mirrors.of(kind.unwrap_or(BackupKind::Full))
}

/// What every group says that writes to this media set, and the sets of their other media sets.
fn world(context: &Context, set: &MediaSet, args: &SetArgs, wish: Wish) -> Result<World, Fault> {
    let groups: Vec<&Group> = groups_of(&context.config, &set.key).collect();
    let mut world = World {
        policies: Vec::new(),
        databases: groups.iter().map(|group| group.databases.clone()).collect(),
        frozen: BTreeMap::new(),
        others: Vec::new(),
    };
    for group in &groups {
        let rule = match &group.retention {
            None => Rule::Everything("it has no [retention]".to_owned()),
            Some(retention)
                if group.partners.len() > 1
                    && retention.shared_storage
                    && !wish.without_partner =>
            {
                let why = "its partner's media sets are not read in this release \
                           (--without-partner judges these alone)";
                Rule::Everything(why.to_owned())
            }
            Some(retention) => Rule::Limits(limits(retention)),
        };
        world.policies.push(Policy {
            group: group.name.clone(),
            rule,
        });
    }
    freeze(context, &groups, &mut world)?;
    let mut keys: Vec<&String> = groups
        .iter()
        .flat_map(|group| [Some(&group.media_set), group.log_media_set.as_ref()])
        .flatten()
        .filter(|key| **key != set.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let other = context.config.media_set(key)?;
        let found = elsewhere(context, other, args, &world)?;
        world.others.extend(found);
    }
    Ok(world)
}

/// While a database is damaged, everything of it stays.
fn freeze(context: &Context, groups: &[&Group], world: &mut World) -> Result<(), Fault> {
    for ((database, instance), standing) in context.catalog.standings()? {
        let of = groups
            .iter()
            .find(|group| group.databases.select(&database));
        let (Some(group), Some(why)) = (of, freezes(&standing, &database, &instance)) else {
            continue;
        };
        world.frozen.insert(database, world.policies.len());
        world.policies.push(Policy {
            group: group.name.clone(),
            rule: Rule::Everything(why),
        });
    }
    Ok(())
}

fn groups_of<'a>(config: &'a Config, key: &'a str) -> impl Iterator<Item = &'a Group> {
    config
        .groups
        .values()
        .filter(move |group| group.media_set == key || group.log_media_set.as_deref() == Some(key))
}

/// Sets of another media set of the same groups: its logs may stand on the sets judged here.
fn elsewhere(
    context: &Context,
    other: &MediaSet,
    args: &SetArgs,
    world: &World,
) -> Result<Vec<Subject>, Fault> {
    let databases: Vec<Option<&str>> = match (&args.database, other.per_database()) {
        (_, false) => vec![None],
        (Some(database), true) => vec![Some(database)],
        (None, true) => {
            let named = world.databases.iter().flat_map(Databases::named);
            named.map(Some).collect()
        }
    };
    let mut found = Vec::new();
    for database in databases {
        let target = context.target(other, database)?;
        let scope = Scope {
            key: &target.key,
            speaks: &|database| world.speaks(database),
            least: &|kind| least(other, kind),
        };
        // One that was never formatted has nothing to say.
        let known = context.catalog.media_set(&target.key)?.is_some();
        match context.open_set(&target) {
            Ok(opened) => found.extend(subjects(&scope, target.shape, &opened.sets)),
            Err(fault) if !known && fault.code == twinset_domain::code::NO_VOLUME => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

fn limits(retention: &Retention) -> Limits {
    let window = retention.window;
    Limits {
        window: window.map(|window| i64::try_from(window.as_secs()).unwrap_or(i64::MAX)),
        daily: retention.daily,
        weekly: retention.weekly,
        monthly: retention.monthly,
        yearly: retention.yearly,
        max_drop_percent: retention.max_drop_percent,
    }
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
