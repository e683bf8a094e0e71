//! What a verb is about: a group, those of its databases that are meant, and where their backups go.

use twinset_domain::chain::Bridge;
use twinset_domain::{BackupKind, Fault, code};

use super::context::Context;
use crate::backup::guard::Targets;
use crate::backup::vdi::Order;
use crate::config::{BrokenChain, Group, Instance};
use crate::sqlserver::statement::Transfer;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, facts};

/// A group by its name, how its instance is reached that this agent serves, and its databases: all
/// that it means, or the one that was named.
pub(super) fn chosen(
    context: &Context,
    group: &str,
    only: Option<&str>,
) -> Result<(Group, InstanceSettings, Vec<String>), Fault> {
    let group = context.config.group(group)?.clone();
    let settings = served(context, &group)?.settings()?;
    let settings = settings.of_agent(context.state.agent);
    let names = databases(&group, &settings, only)?;
    Ok((group, settings, names))
}

/// The partner of the group that this agent serves.
fn served<'a>(context: &'a Context, group: &Group) -> Result<&'a Instance, Fault> {
    match context.config.served(group) {
        Some(partner) => context.config.instance(partner),
        None => {
            let message = format!(
                "this agent serves none of its partners: {}",
                group.partners.join(", ")
            );
            Err(
                Fault::new(code::UNKNOWN_NAME, format!("group {}", group.name), message)
                    .remedy("name the instance of this host under [agent] serves"),
            )
        }
    }
}

/// The databases that the group means, asked from the server where patterns are used.
pub(super) fn databases(
    group: &Group,
    settings: &InstanceSettings,
    only: Option<&str>,
) -> Result<Vec<String>, Fault> {
    let object = format!("group {}", group.name);
    if let Some(only) = only {
        if group.databases.select(only) {
            return Ok(vec![only.to_owned()]);
        }
        let message = format!("database {only} is not in the group");
        return Err(Fault::new(code::UNKNOWN_NAME, object, message)
            .remedy("look at the group's databases, or name one of them"));
    }
    let there = if group.databases.is_literal() {
        Vec::new()
    } else {
        let mut control = Connector::new(settings.clone(), "list").open(Purpose::Control)?;
        facts::database_names(&mut control)?
    };
    let names = group
        .databases
        .meant(there.iter().map(|(name, _)| name.as_str()));
    if names.is_empty() {
        return Err(Fault::new(
            code::SQL_NO_DATABASE,
            object,
            "no database of the server is meant",
        )
        .remedy("look at the group's databases and at what the login may see"));
    }
    Ok(names)
}

/// Where a database's backups go.
pub(super) fn targets(context: &Context, group: &Group, database: &str) -> Result<Targets, Fault> {
    let target = |kind| {
        let set = context.config.media_set(group.media_set_of(kind))?;
        context.target(set, Some(database))
    };
    let mut others = Vec::new();
    for key in group.media_sets() {
        let set = context.config.media_set(key)?;
        others.extend(context.others(group, set, Some(database))?);
    }
    Ok(Targets {
        data: target(BackupKind::Full)?,
        logs: target(BackupKind::Log)?,
        others,
    })
}

/// What bridges a broken chain.
pub(super) const fn bridge(group: &Group) -> Bridge {
    match group.backup.on_broken_chain {
        BrokenChain::Differential => Bridge::Differential,
        BrokenChain::Full => Bridge::Full,
        BrokenChain::Refuse => Bridge::Refuse,
    }
}

/// The order of a plain backup; the chain guard may change it.
pub(super) fn order<'a>(
    memory_limit: u64,
    kind: BackupKind,
    group: &'a Group,
    (settings, database): (&'a InstanceSettings, &'a str),
) -> Order<'a> {
    Order {
        settings,
        database,
        kind,
        copy_only: false,
        tail: false,
        new_branch: false,
        over_damage: false,
        base: None,
        transfer: Transfer {
            block_size: group.backup.block_size,
            max_transfer_size: group.backup.max_transfer_size,
            buffer_count: group.backup.buffer_count.unwrap_or(0),
        },
        compression: group.backup.compression,
        encryption: group.backup.encryption.as_ref(),
        memory_limit,
        throttle: group.backup.throttle,
        group: &group.name,
    }
}
