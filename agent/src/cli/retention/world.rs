//! What retention judges by: policies of the groups, and sets of every media set that a chain may
//! run through, the partner's among them.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::integrity::freezes;
use twinset_domain::retention::{Limits, Policy, Rule, Subject};
use twinset_domain::{BackupKind, Fault, code};

use super::super::args::SetArgs;
use super::super::context::Context;
use super::Wish;
use crate::backup::desk::Target;
use crate::backup::expire::Order;
use crate::backup::subjects::{Scope, subjects};
use crate::config::{Config, Databases, Group, MediaSet, Retention};

/// What the groups say of one media set, and the sets that lie elsewhere.
pub(super) struct World {
    policies: Vec<Policy>,
    databases: Vec<Databases>,
    /// Damaged databases, in lower case, with the policy that keeps all of each.
    frozen: BTreeMap<String, usize>,
    others: Vec<Subject>,
}

impl World {
    pub(super) fn speaks(&self, database: &str) -> Vec<usize> {
        let all = self.databases.iter().enumerate();
        let groups = all.filter(|(_, databases)| databases.select(database));
        let frozen = self.frozen.get(&database.to_lowercase());
        groups
            .map(|(number, _)| number)
            .chain(frozen.copied())
            .collect()
    }

    pub(super) fn order<'a>(&'a self, scope: Scope<'a>, wish: Wish) -> Order<'a> {
        Order {
            scope,
            policies: &self.policies,
            others: &self.others,
            yes: wish.yes,
            now_is_right: wish.now_is_right,
        }
    }
}

/// Mirrors that must hold a set before it counts.
pub(super) fn least(set: &MediaSet, kind: Option<BackupKind>) -> u8 {
    set.min_mirrors.of(kind.unwrap_or(BackupKind::Full))
}

/// What every group says that writes to this media set, and the sets of their other media sets,
/// ours and the partners'.
pub(super) fn world(
    context: &Context,
    set: &MediaSet,
    args: &SetArgs,
    wish: Wish,
) -> Result<World, Fault> {
    let groups: Vec<&Group> = groups_of(&context.config, &set.key).collect();
    let policy = |group: &&Group| Policy {
        group: group.name.clone(),
        rule: match &group.retention {
            None => Rule::Everything("it has no [retention]".to_owned()),
            Some(retention) => Rule::Limits(limits(retention)),
        },
    };
    let mut world = World {
        policies: groups.iter().map(policy).collect(),
        databases: groups.iter().map(|group| group.databases.clone()).collect(),
        frozen: BTreeMap::new(),
        others: Vec::new(),
    };
    freeze(context, &groups, &mut world)?;
    let keys: BTreeSet<&str> = groups.iter().flat_map(|group| group.media_sets()).collect();
    for key in keys.into_iter().filter(|key| **key != *set.key) {
        let other = context.config.media_set(key)?;
        let found = elsewhere(context, other, args, &world)?;
        world.others.extend(found);
    }
    if !wish.without_partner {
        partners(context, &groups, args, &mut world)?;
    }
    Ok(world)
}

/// What the partners' agents wrote of the same databases: one replica (design 4.6), one chain. A
/// group of which that cannot be read keeps everything.
fn partners(
    context: &Context,
    groups: &[&Group],
    args: &SetArgs,
    world: &mut World,
) -> Result<(), Fault> {
    let mut read = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        let shared = |retention: &Retention| retention.shared_storage;
        if !group.retention.as_ref().is_some_and(shared) {
            continue;
        }
        for key in group.media_sets() {
            let set = context.config.media_set(key)?;
            for database in databases(set, args, world) {
                for target in context.others(group, set, database.as_deref())? {
                    let sets = read
                        .entry(target.key.clone())
                        .or_insert_with(|| of_target(context, set, &target, world));
                    if let (Err(fault), Some(policy)) = (sets, world.policies.get_mut(number)) {
                        policy.rule = Rule::Everything(format!(
                            "the partner's media set {} cannot be read: {} (--without-partner \
                             judges without it)",
                            target.key, fault.message
                        ));
                    }
                }
            }
        }
    }
    world.others.extend(read.into_values().flatten().flatten());
    Ok(())
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

/// The databases that have media of their own in a media set; nothing where all share it.
fn databases(set: &MediaSet, args: &SetArgs, world: &World) -> Vec<Option<String>> {
    match (&args.database, set.per_database()) {
        (_, false) => vec![None],
        (Some(database), true) => vec![Some(database.clone())],
        (None, true) => {
            let named = world.databases.iter().flat_map(Databases::named);
            named.map(|name| Some(name.to_owned())).collect()
        }
    }
}

/// Sets of another media set of the same groups: its logs may stand on the sets judged here.
fn elsewhere(
    context: &Context,
    other: &MediaSet,
    args: &SetArgs,
    world: &World,
) -> Result<Vec<Subject>, Fault> {
    let mut found = Vec::new();
    for database in databases(other, args, world) {
        let target = context.target(other, database.as_deref())?;
        // One that was never formatted has nothing to say.
        let known = context.catalog.media_set(&target.key)?.is_some();
        match of_target(context, other, &target, world) {
            Ok(sets) => found.extend(sets),
            Err(fault) if !known && fault.code == code::NO_VOLUME => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

fn of_target(
    context: &Context,
    set: &MediaSet,
    target: &Target,
    world: &World,
) -> Result<Vec<Subject>, Fault> {
    let scope = Scope {
        key: &target.key,
        speaks: &|database| world.speaks(database),
        least: &|kind| least(set, kind),
    };
    let opened = context.open_set(target)?;
    Ok(subjects(&scope, target.shape, &opened.sets))
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
