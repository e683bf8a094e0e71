//! What the engine may rely on: every name resolves, every number is in its range.

pub mod agent;
pub mod alerts;
pub(crate) mod beside;
mod check;
pub mod group;
pub mod instance;
pub(crate) mod mail;
pub mod media;
pub(crate) mod password;
pub mod plugin;
pub mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use twinset_domain::{BackupKind, Fault, code};

pub(crate) use check::Check;

use super::hint::did_you_mean;
use super::source::Place;
use agent::Agent;
use alerts::Alerts;
use group::Group;
use instance::Instance;
use media::MediaSet;
use plugin::Plugin;
use shared::Shared;

/// The whole configuration without doubt.
#[derive(Clone, Debug)]
pub struct Config {
    /// The main file, absolute.
    pub file: PathBuf,
    /// This agent.
    pub agent: Agent,
    /// Device plugins by name.
    pub plugins: BTreeMap<String, Plugin>,
    /// SQL Server instances by name.
    pub instances: BTreeMap<String, Instance>,
    /// Media sets by their key.
    pub media_sets: BTreeMap<String, MediaSet>,
    /// Protection groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Where alerts go.
    pub alerts: Alerts,
    /// The view of all agents, if this one tells it.
    pub shared: Option<Shared>,
    /// Folder for families that wait for a drive at restore.
    pub spool_dir: Option<PathBuf>,
    /// What is lawful and has no effect in this release, in file order.
    pub notes: Vec<Note>,
}

/// Something the operator should know about a lawful file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Note {
    /// Where it stands.
    pub place: Place,
    /// What to know.
    pub text: String,
}

impl Config {
    /// The media set of this key.
    ///
    /// # Errors
    /// `UNKNOWN_NAME` with the nearest key.
    pub fn media_set(&self, key: &str) -> Result<&MediaSet, Fault> {
        find(&self.media_sets, "media set", key)
    }

    /// The protection group of this name.
    ///
    /// # Errors
    /// `UNKNOWN_NAME` with the nearest name.
    pub fn group(&self, name: &str) -> Result<&Group, Fault> {
        find(&self.groups, "protection group", name)
    }

    /// The instance of this name.
    ///
    /// # Errors
    /// `UNKNOWN_NAME` with the nearest name.
    pub fn instance(&self, name: &str) -> Result<&Instance, Fault> {
        find(&self.instances, "instance", name)
    }

    /// The partner of a group that this agent serves, if it serves one.
    #[must_use]
    pub fn served<'a>(&self, group: &'a Group) -> Option<&'a str> {
        let mut partners = group.partners.iter();
        partners
            .find(|partner| self.agent.serves.contains(partner))
            .map(String::as_str)
    }

    /// The other agents that write sets of a group's databases into media sets of their own: all
    /// are one replica (design 4.6). Nobody where agents share one.
    #[must_use]
    pub fn others(&self, group: &Group, set: &MediaSet) -> BTreeSet<&str> {
        if !set.per_agent() {
            return BTreeSet::new();
        }
        let partners = group.partners.iter();
        partners
            .filter_map(|partner| Some(self.instances.get(partner)?.agent.as_str()))
            .filter(|agent| *agent != self.agent.name)
            .collect()
    }

    /// The keys under which backups of a kind of a database are known: ours first, then those of
    /// the other partners' agents.
    ///
    /// # Errors
    /// As [`Config::media_set`].
    pub fn keys_of(
        &self,
        group: &Group,
        kind: BackupKind,
        database: &str,
    ) -> Result<Vec<String>, Fault> {
        let set = self.media_set(group.media_set_of(kind))?;
        let others = self.others(group, set).into_iter();
        let others = others.map(|agent| set.key_of_other(agent, Some(database)));
        Ok(std::iter::once(set.key_of(Some(database)))
            .chain(others)
            .collect())
    }

    /// The plugin of this name.
    ///
    /// # Errors
    /// `UNKNOWN_NAME` with the nearest name.
    pub fn plugin(&self, name: &str) -> Result<&Plugin, Fault> {
        find(&self.plugins, "plugin", name)
    }
}

fn find<'a, T>(all: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T, Fault> {
    all.get(name).ok_or_else(|| {
        Fault::new(
            code::UNKNOWN_NAME,
            name,
            format!("no {what} of this name is configured"),
        )
        .remedy(did_you_mean(name, all.keys().map(String::as_str)))
    })
}
