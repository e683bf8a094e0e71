//! Reads `agent.toml` and every file of its groups folder.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::Spanned;
use twinset_domain::Fault;
use twinset_domain::system::HERE;

use super::checked::agent::agent;
use super::checked::alerts::alerts;
use super::checked::beside::log_media_sets;
use super::checked::group::{Group, World, group};
use super::checked::instance::{Instance, instance};
use super::checked::media::{MediaSet, UsedPlaces, media_set};
use super::checked::plugin::{Plugin, plugin};
use super::checked::shared::shared;
use super::checked::{Check, Config, Note};
use super::draft::DraftFile;
use super::raw::{AgentFile, GroupFile};
use super::shape;
use super::source::{Faults, SourceFile};

/// Where groups lie when the file does not say, beside it.
pub(super) const GROUPS_DIR: &str = "groups.d";
/// Longest configuration file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Most files in the groups folder.
const MAX_GROUPS: usize = 1000;

/// Reads and judges the whole configuration. No secret is read.
///
/// # Errors
/// All faults at once, by file and place: of a file that is no TOML or has a wrong shape the
/// first one, of all others every contradiction (`CONFIG_*`, 3010, 3214).
pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
    load_all(Loading::default(), path)
}

/// Judges a configuration as it would be with these files written.
///
/// # Errors
/// As [`load`].
pub fn load_draft(path: &Path, drafts: &[DraftFile]) -> Result<Config, Vec<Fault>> {
    let loading = Loading {
        drafts: drafts.to_vec(),
        ..Loading::default()
    };
    load_all(loading, path)
}

/// The groups folder that a configuration names, sound or not, absolute.
///
/// # Errors
/// The file cannot be read.
pub(super) fn groups_dir(path: &Path) -> Result<PathBuf, Vec<Fault>> {
    let mut loading = Loading::default();
    let Some(file) = loading.read(path) else {
        return Err(loading.faults.into_sorted());
    };
    Ok(guess_groups_dir(&file))
}

fn load_all(mut loading: Loading, path: &Path) -> Result<Config, Vec<Fault>> {
    let config = loading.everything(path);
    config.ok_or_else(|| loading.faults.into_sorted())
}

/// What is read instead of files as they stand. All paths are absolute.
#[derive(Clone, Debug, Default)]
pub(super) struct Instead {
    /// Texts of files.
    pub(super) texts: BTreeMap<PathBuf, String>,
    /// Files of groups that are passed over.
    pub(super) without: Vec<PathBuf>,
    /// The groups are those of the texts, whatever lies in their folder.
    pub(super) all: bool,
}

/// What reading came to.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The configuration, or every fault.
    pub(super) config: Result<Config, Vec<Fault>>,
    /// Files with faults.
    pub(super) faulty: Vec<PathBuf>,
    /// The text of each file that could be read.
    pub(super) texts: BTreeMap<PathBuf, String>,
}

/// Reads and judges, with some texts given.
pub(super) fn read(path: &Path, instead: &Instead) -> Loaded {
    let mut loading = Loading {
        instead: instead.clone(),
        ..Loading::default()
    };
    let config = loading.everything(path);
    let orders = loading.faults.orders();
    let files = loading.paths.iter().enumerate();
    let faulty = files.filter(|(order, _)| orders.contains(order));
    Loaded {
        faulty: faulty.map(|(_, path)| path.clone()).collect(),
        config: config.ok_or_else(|| loading.faults.into_sorted()),
        texts: loading.texts,
    }
}

/// The state folder that a configuration names, sound or not: who asks a running service, which may
/// hold on to an older one, needs no more of it.
///
/// # Errors
/// The file cannot be read.
pub fn state_dir(path: &Path) -> Result<PathBuf, Vec<Fault>> {
    let mut loading = Loading::default();
    let Some(file) = loading.read(path) else {
        return Err(loading.faults.into_sorted());
    };
    let named = agent_key(&file, "state_dir").or_else(|| line_of(file.text(), "state_dir"));
    Ok(file.resolve(named.as_deref().unwrap_or(HERE.state)))
}

/// A text by its line, in a file that is no TOML any more.
fn line_of(text: &str, key: &str) -> Option<String> {
    let value = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim().strip_prefix('"')?;
        let (value, _) = value.split_once('"')?;
        (name.trim() == key).then(|| value.to_owned())
    };
    text.lines().find_map(value)
}

/// The groups folder that a misshapen `agent.toml` still names.
fn guess_groups_dir(file: &SourceFile) -> PathBuf {
    let named = agent_key(file, "groups_dir");
    file.resolve(named.as_deref().unwrap_or(GROUPS_DIR))
}

/// A text of `[agent]`, whatever else is wrong with the file.
fn agent_key(file: &SourceFile, key: &str) -> Option<String> {
    let table = toml::from_str::<toml::Table>(file.text()).ok()?;
    Some(table.get("agent")?.get(key)?.as_str()?.to_owned())
}

#[derive(Debug, Default)]
struct Loading {
    faults: Faults,
    notes: Vec<Note>,
    /// Files in the order in which they were read, absolute.
    paths: Vec<PathBuf>,
    /// What they held.
    texts: BTreeMap<PathBuf, String>,
    instead: Instead,
    /// Files that are about to be written.
    drafts: Vec<DraftFile>,
}

impl Loading {
    /// Every file; nothing where one has a fault.
    fn everything(&mut self, path: &Path) -> Option<Config> {
        let main = self.read(path);
        let raw = main
            .as_ref()
            .and_then(|file| shape::parse::<AgentFile>(file, &mut self.faults));
        let (config, world) = match (main.as_ref(), raw) {
            (Some(file), Some(raw)) => {
                let (config, world) = self.agent(file, raw);
                (Some(config), Some(world))
            }
            _ => (None, None),
        };
        let file = main.as_ref()?;
        let groups_dir = config.as_ref().map_or_else(
            || guess_groups_dir(file),
            |config| config.agent.groups_dir.clone(),
        );
        let groups = self.groups(&groups_dir, &file.shown(&groups_dir), world.as_ref());
        let mut config = config.filter(|_| self.faults.is_empty())?;
        config.groups = groups;
        let (sets, groups) = (&mut config.media_sets, &mut config.groups);
        log_media_sets(sets, groups, &mut self.notes);
        self.notes.sort();
        config.notes = std::mem::take(&mut self.notes);
        Some(config)
    }

    /// Everything of `agent.toml`.
    fn agent(&mut self, file: &SourceFile, raw: AgentFile) -> (Config, World) {
        let check = &mut Check {
            file,
            faults: &mut self.faults,
            notes: &mut self.notes,
        };
        let plugins: BTreeMap<String, Plugin> = tables(raw.plugins)
            .map(|(name, raw)| (name.get_ref().clone(), plugin(check, name.get_ref(), &raw)))
            .collect();
        let known: BTreeSet<String> = keys(raw.instances.as_ref());
        let instances: BTreeMap<String, Instance> = tables(raw.instances)
            .filter_map(|(name, raw)| {
                check.name(&name, "an instance");
                Some((name.get_ref().clone(), instance(check, &name, raw)?))
            })
            .collect();
        let agent = agent(check, raw.agent.as_ref(), &known, &instances);
        let media_keys = keys(raw.media_sets.as_ref());
        let files = plugins
            .iter()
            .map(|(name, plugin)| (name.clone(), plugin.path.clone()));
        let files = files.collect();
        let mut used = UsedPlaces::default();
        // In the file's order, so that the second of two equals is the one that is refused.
        let mut raw_sets: Vec<_> = tables(raw.media_sets).collect();
        raw_sets.sort_by_key(|(name, _)| name.span().start);
        let sets: BTreeMap<String, MediaSet> = raw_sets
            .iter()
            .filter_map(|(name, raw)| {
                Some((
                    name.get_ref().clone(),
                    media_set(check, name, raw, &files, &mut used)?,
                ))
            })
            .collect();
        let spool_dir = raw
            .restore
            .and_then(|restore| Some(file.resolve(restore.spool_dir?.get_ref())));
        let world = World {
            instances: known,
            media_sets: media_keys,
            sound: sets.clone(),
            memory_limit: agent.memory_limit,
        };
        let config = Config {
            file: file.path(),
            agent,
            plugins,
            instances,
            media_sets: sets,
            groups: BTreeMap::new(),
            alerts: alerts(check, raw.alerts),
            shared: shared(check, raw.shared_catalog),
            spool_dir,
            notes: Vec::new(),
        };
        (config, world)
    }

    /// Every group's file, by name; a missing folder holds none.
    fn groups(
        &mut self,
        folder: &Path,
        shown: &Path,
        world: Option<&World>,
    ) -> BTreeMap<String, Group> {
        let mut groups = BTreeMap::new();
        let mut names = BTreeMap::new();
        for entry in self.group_files(folder) {
            let path = entry
                .file_name()
                .map_or(entry.clone(), |name| shown.join(name));
            let Some(file) = self.read(&path) else {
                continue;
            };
            let Some(raw) = shape::parse::<GroupFile>(&file, &mut self.faults) else {
                continue;
            };
            let mut check = Check {
                file: &file,
                faults: &mut self.faults,
                notes: &mut self.notes,
            };
            let group = group(&mut check, raw, world, &mut names);
            groups.insert(group.name.clone(), group);
        }
        groups
    }
}

/// Named tables, one by one.
fn tables<T>(
    named: Option<BTreeMap<Spanned<String>, Spanned<T>>>,
) -> impl Iterator<Item = (Spanned<String>, T)> {
    named
        .unwrap_or_default()
        .into_iter()
        .map(|(name, table)| (name, table.into_inner()))
}

fn keys<T>(named: Option<&BTreeMap<Spanned<String>, T>>) -> BTreeSet<String> {
    named
        .into_iter()
        .flat_map(BTreeMap::keys)
        .map(|name| name.get_ref().clone())
        .collect()
}
