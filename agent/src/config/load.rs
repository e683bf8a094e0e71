//! Reads `agent.toml` and every file of its groups folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use twinset_domain::{Fault, code};

use super::checked::agent::{STATE_DIR, agent};
use super::checked::alerts::alerts;
use super::checked::beside::log_media_sets;
use super::checked::group::{Group, World, group};
use super::checked::instance::{Instance, instance};
use super::checked::media::{MediaSet, UsedPlaces, media_set};
use super::checked::plugin::{Plugin, plugin};
use super::checked::{Check, Config, Note};
use super::draft::DraftFile;
use super::raw::{AgentFile, GroupFile};
use super::secret::unsafe_fault;
use super::shape;
use super::source::{Faults, SourceFile};
use crate::trust::{self, Keep};

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
    let main = loading.read(path);
    let raw = main
        .as_ref()
        .and_then(|file| shape::parse::<AgentFile>(file, &mut loading.faults));
    let (config, world) = match (main.as_ref(), raw) {
        (Some(file), Some(raw)) => {
            let (config, world) = loading.agent(file, raw);
            (Some(config), Some(world))
        }
        _ => (None, None),
    };
    let groups_dir = match (&config, main.as_ref()) {
        (Some(config), _) => config.agent.groups_dir.clone(),
        (None, Some(file)) => guess_groups_dir(file),
        (None, None) => return Err(loading.faults.into_sorted()),
    };
    let shown = main
        .as_ref()
        .map_or(groups_dir.clone(), |file| file.shown(&groups_dir));
    let groups = loading.groups(&groups_dir, &shown, world.as_ref());
    match config {
        Some(mut config) if loading.faults.is_empty() => {
            config.groups = groups;
            let (sets, groups) = (&mut config.media_sets, &mut config.groups);
            log_media_sets(sets, groups, &mut loading.notes);
            loading.notes.sort();
            config.notes = loading.notes;
            Ok(config)
        }
        _ => Err(loading.faults.into_sorted()),
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
    let named = agent_key(&file, "state_dir");
    Ok(file.resolve(named.as_deref().unwrap_or(STATE_DIR)))
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
    files: usize,
    /// Files that are about to be written.
    drafts: Vec<DraftFile>,
}

impl Loading {
    /// The text of a file that is about to be written.
    fn draft(&self, path: &Path) -> Option<&DraftFile> {
        let path = std::path::absolute(path).ok()?;
        self.drafts.iter().find(|draft| draft.path == path)
    }

    /// One file as text, if it can be had and others cannot write it.
    fn read(&mut self, path: &Path) -> Option<SourceFile> {
        let order = self.files;
        self.files += 1;
        let object = path.display().to_string();
        let refuse = |message: &str| Fault::new(code::CONFIG_FILE, object.clone(), message);
        let opened = match self.draft(path) {
            Some(draft) => Ok(draft.text.clone().into_bytes()),
            None => File::open(path).and_then(|file| {
                let mut bytes = Vec::new();
                file.take(MAX_FILE + 1)
                    .read_to_end(&mut bytes)
                    .map(|_| bytes)
            }),
        };
        let bytes = match opened {
            Ok(bytes) => bytes,
            Err(error) => {
                let fault = refuse("the configuration file cannot be read").source(&error);
                let remedy = match error.kind() {
                    ErrorKind::NotFound => "write it, or name another one with --config FILE",
                    _ => "let the agent's user read it",
                };
                self.faults.push(order, 0, fault.remedy(remedy));
                return None;
            }
        };
        if bytes.len() as u64 > MAX_FILE {
            let fault = refuse("the configuration file is longer than 1 MiB");
            self.faults
                .push(order, 0, fault.remedy("name the right file"));
            return None;
        }
        self.guard(order, path);
        match String::from_utf8(bytes) {
            Ok(text) => match SourceFile::new(order, path, text) {
                Ok(file) => Some(file),
                Err(error) => {
                    let fault = refuse("the folder of this file cannot be found").source(&error);
                    self.faults
                        .push(order, 0, fault.remedy("name it by its absolute path"));
                    None
                }
            },
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let fault = Fault::new(
                    code::CONFIG_SYNTAX,
                    object,
                    format!("the file is not UTF-8 text (byte {at})"),
                );
                self.faults
                    .push(order, at, fault.remedy("save it as UTF-8"));
                None
            }
        }
    }

    /// Notes who else may write a file or folder.
    fn guard(&mut self, order: usize, path: &Path) {
        let mut path = path;
        // What is not there yet will be made where its folder, or one above it, lets it.
        while !self.drafts.is_empty() && !path.exists() {
            match path.parent().filter(|above| !above.as_os_str().is_empty()) {
                Some(above) => path = above,
                None => path = Path::new("."),
            }
        }
        match trust::unsafe_for(path, Keep::FromWriting) {
            Ok(None) => {}
            Ok(Some(found)) => self.faults.push(order, 0, unsafe_fault(&found)),
            Err(error) => {
                let object = path.display().to_string();
                let fault = Fault::new(code::CONFIG_FILE, object, "its rights cannot be read");
                let remedy = "let the agent's user look at it and at the folders above it";
                self.faults
                    .push(order, 0, fault.source(&error).remedy(remedy));
            }
        }
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
        let spool_dir = raw.restore.and_then(|restore| {
            check.idle_key(&restore.spool_dir, "`spool_dir`");
            Some(file.resolve(restore.spool_dir?.get_ref()))
        });
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

    fn group_files(&mut self, folder: &Path) -> Vec<PathBuf> {
        let order = self.files;
        let object = folder.display().to_string();
        let listed = fs::read_dir(folder).and_then(|entries| {
            let paths = entries
                .take(MAX_GROUPS + 1)
                .map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<Result<Vec<_>, _>>()
        });
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let fault = Fault::new(code::CONFIG_FILE, object, "the folder cannot be read");
                let remedy = "make it a folder that the agent's user can read";
                self.faults
                    .push(order, 0, fault.source(&error).remedy(remedy));
                return Vec::new();
            }
        };
        let drafted = self.drafts.iter().map(|draft| &draft.path);
        let drafted = drafted.filter(|path| path.parent() == Some(folder));
        let new: Vec<PathBuf> = drafted
            .filter(|path| !paths.contains(path))
            .cloned()
            .collect();
        paths.extend(new);
        if paths.is_empty() && !folder.exists() {
            return paths;
        }
        self.guard(order, folder);
        if paths.len() > MAX_GROUPS {
            let fault = Fault::new(code::CONFIG_FILE, object, "more than 1000 files of groups");
            self.faults.push(
                order,
                0,
                fault.remedy("name the right folder in `groups_dir`"),
            );
            return Vec::new();
        }
        paths.retain(|path| {
            path.extension().is_some_and(|ending| ending == "toml")
                && path
                    .file_name()
                    .is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."))
        });
        paths.sort();
        paths
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
