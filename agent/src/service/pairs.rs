//! Row 10: a database that two groups, or two replicas, protect.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::protection::{Event, Sight};
use twinset_domain::{Fault, Moment};
use uuid::Uuid;

use super::jobs::Name;
use super::state::Service;
use crate::config::{Group, Instance};
use crate::sqlserver::partners::mirroring;

/// What two groups may have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    /// A mirroring session, or a database of an availability group.
    Session(Uuid),
    /// A database in no session, by its instance and its name in small letters.
    Database(String, String),
}

impl Service {
    /// Compares what the groups protect; the events that follow.
    pub(super) fn look_at_pairs(&mut self, now: Moment) -> Result<(), Fault> {
        let mut groups: BTreeMap<Shared, BTreeSet<&str>> = BTreeMap::new();
        let mut shared: Vec<(&Name, Option<Shared>)> = Vec::new();
        for (name, member) in &self.members {
            let of = self.shared(name).filter(|_| !member.record.orphaned);
            if let Some(of) = of.clone() {
                groups.entry(of).or_default().insert(&name.group);
            }
            shared.push((name, of));
        }
        let mut events = Vec::new();
        for (name, of) in shared {
            let Some(member) = self.members.get(name) else {
                continue;
            };
            let all = of.as_ref().and_then(|of| groups.get(of));
            let other = all.and_then(|all| all.iter().find(|other| **other != name.group));
            let by = other
                .map(|by| format!("group {by}"))
                .or_else(|| self.configured_elsewhere(name))
                .or_else(|| self.taken_elsewhere(name));
            match by {
                Some(by) if member.record.pair_of.as_ref() != Some(&by) => {
                    events.push((name.clone(), Event::PairTaken(by)));
                }
                // An orphan shares nothing any more.
                None if member.record.pair_of.is_some()
                    && (of.is_some() || member.record.orphaned) =>
                {
                    events.push((name.clone(), Event::PairFree));
                }
                Some(_) | None => {}
            }
        }
        for (name, event) in events {
            self.event(&name, &event, now)?;
        }
        Ok(())
    }

    /// What a database may have in common with another group's: its session, as any of its partners
    /// shows it; else the database itself. Nothing before it was seen.
    fn shared(&self, name: &Name) -> Option<Shared> {
        let group = self.config.groups.get(&name.group)?;
        let told = |partner: &String| self.heard.get(partner)?.find(&name.database);
        let session = group
            .partners
            .iter()
            .find_map(|partner| Some(mirroring(told(partner)?)?.guid));
        let heard = |partner: &String| {
            let all = self.heard.get(partner)?;
            let membership = all.membership(all.find(&name.database)?);
            Some(membership.replica()?.database)
        };
        let session = session.or_else(|| group.partners.iter().find_map(heard));
        let ours = self.config.served(group)?;
        let plain = || {
            told(&ours.to_owned())?;
            let database = name.database.to_lowercase();
            Some(Shared::Database(ours.to_owned(), database))
        };
        session.map(Shared::Session).or_else(plain)
    }

    /// A group of another agent that, by our own configuration, means the same database on the
    /// partner that its session names.
    fn configured_elsewhere(&self, name: &Name) -> Option<String> {
        let group = self.config.groups.get(&name.group)?;
        let ours = self.config.served(group)?;
        let database = self.heard.get(ours)?.find(&name.database)?;
        mirroring(database)?;
        let partner = database.mirroring_partner_instance.as_deref()?;
        let means = |other: &&Group| {
            let there = other.partners.iter();
            let mut there = there.filter_map(|name| self.config.instances.get(name));
            other.name != group.name
                && self.config.served(other).is_none()
                && there.any(|instance| is_called(instance, partner))
                && !other.databases.meant([name.database.as_str()]).is_empty()
        };
        let other = self.config.groups.values().find(means)?;
        Some(format!("group {} on {partner}", other.name))
    }

    /// A group for which the principal's agent takes backups of the same database, by the names of
    /// its sets in msdb there.
    fn taken_elsewhere(&self, name: &Name) -> Option<String> {
        let group = self.config.groups.get(&name.group)?;
        let ours = self.config.served(group)?;
        let member = self.members.get(name)?;
        let Sight::Principal { who, .. } = &member.record.sight else {
            return None;
        };
        // What the partner took when it served is over once ours serves.
        if who.by == ours {
            return None;
        }
        let taken = self.presence.get(&who.by)?.taken(&name.database)?;
        (taken.group != name.group)
            .then(|| format!("group {} of the agent on {}", taken.group, who.by))
    }
}

/// Whether an instance is the one that a server calls so: `HOST` or `HOST\INSTANCE`.
fn is_called(instance: &Instance, server: &str) -> bool {
    let named = instance.server_name.as_deref();
    named.unwrap_or(&instance.name).eq_ignore_ascii_case(server)
}
