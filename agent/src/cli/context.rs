//! What every verb begins with: the checked configuration, plugins, state folder, catalog.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use twinset_domain::{FamilyNo, Fault, MirrorNo, Shape, Slot};
use twinset_format::card::Card;

use super::args::SetArgs;
use super::{interrupt, key, stored};
use crate::backup::desk::{Desk, Target};
use crate::catalog::Catalog;
use crate::clock;
use crate::config::{self, Config, Group, LEAST_MEMORY, MediaSet};
use crate::device::{LoadPolicy, PluginFile};
use crate::media::inventory::{self, SetOnMedia};
use crate::media::known;
use crate::media::patience::Patience;
use crate::media::volume::Place;
use crate::media::writer::Onlooker;
use crate::report::{Output, Progress};
use crate::restore::open::{self, OpenSet};
use crate::state::StateDir;

/// The progress of a command, as the media engine tells it things.
struct Told(Arc<dyn Progress>);

impl Onlooker for Told {
    fn note(&self, text: &str) {
        self.0.note(text);
    }

    fn operator(&self, device: &str, wish: &str) {
        self.0.operator(device, wish);
    }
}

/// Reads wait for media that a person has to bring.
pub(super) fn patience(output: &Output) -> Patience {
    Patience {
        onlooker: Arc::new(Told(output.progress())),
        stop: interrupt::flag(),
    }
}

/// A configuration in use.
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) state: StateDir,
    pub(super) catalog: Catalog,
    /// The service started this process: it keeps the book of alerts and the states itself.
    pub(super) attended: bool,
}

impl Context {
    /// Loads everything.
    ///
    /// # Errors
    /// Every fault of the configuration, or why state or catalog cannot be used.
    pub(super) fn open(path: &Path, output: &Output) -> Result<Self, Vec<Fault>> {
        Self::of(config::load(path)?, output)
    }

    /// Loads everything; what is faulty, as it was last sound: for who must go on as the service
    /// does.
    ///
    /// # Errors
    /// As [`Context::open`].
    pub(super) fn open_standing(path: &Path, output: &Output) -> Result<Self, Vec<Fault>> {
        let standing = config::standing(path)?;
        if let Some(fault) = standing.told() {
            output.warn(format!("{}: {}", fault.code, fault.message));
        }
        Self::of(standing.config, output)
    }

    fn of(config: Config, output: &Output) -> Result<Self, Vec<Fault>> {
        for note in &config.notes {
            output.warn(format!("{}: {}", note.place, note.text));
        }
        let opened = StateDir::open(&config.agent.state_dir)
            .map(|state| state.signing(key::signer(&config)))
            .and_then(|state| Ok((Catalog::open(state.path())?, state)));
        let (catalog, state) = opened.map_err(|fault| vec![fault])?;
        Ok(Self {
            config,
            state,
            catalog,
            attended: false,
        })
    }

    /// Whether the service started this process. A job of it has its part of the memory, not all.
    pub(super) fn attended(&mut self, attended: bool) {
        self.attended = attended;
        if attended {
            let agent = &mut self.config.agent;
            let parts = u64::try_from(agent.max_parallel).unwrap_or(1).max(1);
            agent.memory_limit = (agent.memory_limit / parts).max(LEAST_MEMORY);
        }
    }

    /// Loads a plugin by its name in the configuration.
    pub(super) fn plugin(&self, name: &str) -> Result<Arc<PluginFile>, Fault> {
        plugin(&self.config, name, Some(self.state.path().join("reports")))
    }

    /// Opens a media set for reading; missing volumes are no error.
    pub(super) fn open_set(&self, target: &Target) -> Result<OpenSet, Fault> {
        let known = self.catalog.media_set(&target.key)?.map(|known| known.id);
        open::open(target, self.state.agent, known)
    }

    /// Opens a media set for a look: only what the catalog does not remember is read, and then
    /// remembered.
    pub(super) fn look_at(&mut self, target: &Target) -> Result<(OpenSet, Vec<Card>), Fault> {
        let known = self.catalog.media_set(&target.key)?.map(|known| known.id);
        let cards = self.catalog.sets(&target.key)?;
        let remembered = known::of(&cards);
        let mut opened = open::open_beside(target, self.state.agent, known, &remembered)?;
        let states: BTreeMap<_, _> = cards
            .iter()
            .map(|card| (card.position, card.state))
            .collect();
        let differs = |set: &SetOnMedia| {
            states
                .get(&set.position)
                .is_some_and(|state| *state != set.state)
        };
        if opened.sets.iter().any(differs) {
            opened.sets = inventory::read(&opened.matrix);
        }
        let new = opened
            .sets
            .iter()
            .filter(|set| !set.manifests.is_empty() || !states.contains_key(&set.position));
        let new: Vec<Card> = new.filter_map(SetOnMedia::card).collect();
        // What a missing volume would tell may be another thing: then nothing is remembered.
        if let Some(id) = known.filter(|_| !new.is_empty() && opened.matrix.is_whole()) {
            self.catalog.remember(&target.key, id, &new)?;
        }
        Ok((opened, cards))
    }

    /// The media set of the configuration with its devices.
    pub(super) fn target(&self, set: &MediaSet, database: Option<&str>) -> Result<Target, Fault> {
        let reports = Some(self.state.path().join("reports"));
        target(&self.config, set, database, reports)
    }

    /// The same media set as the agents of a group's other partners write it, for reading: both
    /// agents' sets are one replica (design 4.6). Nothing where agents share one.
    pub(super) fn others(
        &self,
        group: &Group,
        set: &MediaSet,
        database: Option<&str>,
    ) -> Result<Vec<Target>, Fault> {
        let reports = || Some(self.state.path().join("reports"));
        let agents = self.config.others(group, set).into_iter();
        agents
            .map(|agent| target_of_agent(&self.config, set, (agent, database), reports()))
            .collect()
    }
}

/// A media set of the configuration with its devices; what plugins refuse is reported into a folder,
/// if one is given.
pub(super) fn target(
    config: &Config,
    set: &MediaSet,
    database: Option<&str>,
    reports: Option<PathBuf>,
) -> Result<Target, Fault> {
    target_of_agent(config, set, (&config.agent.name, database), reports)
}

fn target_of_agent(
    config: &Config,
    set: &MediaSet,
    (agent, database): (&str, Option<&str>),
    reports: Option<PathBuf>,
) -> Result<Target, Fault> {
    let devices = set.devices(agent, database)?;
    let mut places = Vec::new();
    for (mirror, devices) in (1..).zip(&devices) {
        for (family, spec) in (1..).zip(devices) {
            let slot = Slot {
                mirror: MirrorNo(mirror),
                family: FamilyNo(family),
            };
            places.push(Place {
                slot,
                label: label(&spec.plugin, &spec.options),
                plugin: plugin(config, &spec.plugin, reports.clone())?,
                options: spec.options.clone(),
                deadline: set.device_deadline,
                medium_wait: set.medium_wait,
            });
        }
    }
    let key = match agent == config.agent.name {
        true => set.key_of(database),
        false => set.key_of_other(agent, database),
    };
    let mirrors = u8::try_from(devices.len()).unwrap_or(u8::MAX);
    Ok(Target {
        key,
        shape: Shape {
            families: set.families,
            mirrors,
        },
        places,
        min_mirrors: set.min_mirrors,
        recipe: stored::recipe(set),
        keys: stored::keys(set),
    })
}

/// A plugin file and its pin.
type Pinned = (PathBuf, Option<[u8; 32]>);

/// Plugin files that this process has loaded: none is ever unloaded, and a device that hangs is
/// barred for everybody who shares its file.
static LOADED: Mutex<BTreeMap<Pinned, Arc<PluginFile>>> = Mutex::new(BTreeMap::new());

/// Loads a plugin by its name in the configuration, once; a refusal is reported into a folder, if
/// one is given.
pub(super) fn plugin(
    config: &Config,
    name: &str,
    report_dir: Option<PathBuf>,
) -> Result<Arc<PluginFile>, Fault> {
    let plugin = config.plugin(name)?;
    let mut policy = load_policy();
    policy.sha256 = plugin
        .sha256
        .map(|digest| twinset_format::canonical::hex(&digest));
    policy.report_dir = report_dir;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (plugin.path.clone(), plugin.sha256);
    if let Some(known) = loaded.get(&key) {
        return Ok(Arc::clone(known));
    }
    let file = PluginFile::load(&plugin.path, &policy)?;
    loaded.insert(key, Arc::clone(&file));
    Ok(file)
}

/// How plugin files are loaded, without a pin.
pub(super) fn load_policy() -> LoadPolicy {
    LoadPolicy::new(|| clock::now().0.saturating_mul(1000))
}

/// How messages name a device: by its path where it has one.
pub(super) fn label(plugin: &str, options: &str) -> String {
    let path = serde_json::from_str::<serde_json::Value>(options)
        .ok()
        .and_then(|options| Some(options.get("path")?.as_str()?.to_owned()));
    path.unwrap_or_else(|| format!("{plugin} {options}"))
}

/// The media set that was typed, and its devices.
pub(super) fn target_of(context: &Context, args: &SetArgs) -> Result<(MediaSet, Target), Fault> {
    let set = context.config.media_set(&args.set)?.clone();
    let mut target = context.target(&set, args.database.as_deref())?;
    if let Some(id) = args.id
        && context
            .catalog
            .media_set(&target.key)?
            .map(|known| known.id)
            != Some(id)
    {
        target.key = format!("{}@{id}", target.key);
    }
    Ok((set, target))
}

/// What a story in the room of backups works with.
pub(super) fn desk<'a>(context: &'a mut Context, progress: &'a dyn Progress) -> Desk<'a> {
    let stop = interrupt::flag();
    Desk {
        state: &context.state,
        catalog: &mut context.catalog,
        progress,
        stop,
    }
}
