//! The last sound configuration, kept in the state folder: what a faulty file falls back to.
//!
//! It holds the text of every file as it was when all of them were sound together. A file that can
//! no longer be used is read from there, the others as they stand; a file that was never sound is
//! left out. Where that does not fit together, all files are read from there. Secrets stand in the
//! files by reference alone, so none is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twinset_domain::{Fault, Moment, code};

use super::load::{Instead, Loaded, read};
use super::write::{Over, Readers, put};
use super::{Config, state_dir};

/// Its name in the state folder.
const NAME: &str = "last-good.json";
/// Longest such file, in bytes: a thousand groups and the agent's file, escaped.
const MAX_FILE: u64 = 64 << 20;

/// Files that were sound together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The agent's file, absolute.
    pub file: PathBuf,
    /// When they were kept, in seconds of UTC.
    pub since: Moment,
    /// The text of each file, by its path as it was read.
    pub texts: BTreeMap<PathBuf, String>,
}

/// The configuration that holds.
#[derive(Debug)]
pub struct Standing {
    /// It.
    pub config: Config,
    /// What is wrong with the files as they stand.
    pub faults: Vec<Fault>,
    /// Files that are read as they were last sound; one that never was is left out.
    pub older: Vec<PathBuf>,
    /// Since when those forms are kept.
    pub since: Option<Moment>,
    /// The texts of all files, when none is faulty.
    texts: BTreeMap<PathBuf, String>,
}

/// Reads the configuration; what is faulty, as it was last sound.
///
/// # Errors
/// Every fault, where nothing sound is kept.
pub fn standing(path: &Path) -> Result<Standing, Vec<Fault>> {
    let first = read(path, &Instead::default());
    let faults = match first.config {
        Ok(config) => {
            return Ok(Standing {
                config,
                faults: Vec::new(),
                older: Vec::new(),
                since: None,
                texts: first.texts,
            });
        }
        Err(faults) => faults,
    };
    let Some(kept) = kept(path) else {
        return Err(faults);
    };
    let some = Instead {
        texts: pick(&kept, &first.faulty),
        without: without(&kept, &first.faulty),
        all: false,
    };
    let all = Instead {
        texts: kept.texts.clone(),
        without: Vec::new(),
        all: true,
    };
    for (instead, older) in [
        (some, first.faulty.clone()),
        (all, kept.texts.keys().cloned().collect()),
    ] {
        let Loaded { config, .. } = read(path, &instead);
        if let Ok(config) = config {
            return Ok(Standing {
                config,
                faults,
                older,
                since: Some(kept.since),
                texts: BTreeMap::new(),
            });
        }
    }
    Err(faults)
}

fn pick(kept: &Kept, faulty: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let known = faulty
        .iter()
        .filter_map(|file| kept.texts.get_key_value(file));
    known
        .map(|(file, text)| (file.clone(), text.clone()))
        .collect()
}

fn without(kept: &Kept, faulty: &[PathBuf]) -> Vec<PathBuf> {
    let never = faulty.iter().filter(|file| !kept.texts.contains_key(*file));
    never.cloned().collect()
}

/// What is kept for a configuration, if its state folder can be told and holds it.
fn kept(path: &Path) -> Option<Kept> {
    let folder = state_dir(path).ok()?;
    let mut text = String::new();
    let file = File::open(folder.join(NAME)).ok()?;
    file.take(MAX_FILE).read_to_string(&mut text).ok()?;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    // Of this configuration, not of another that shared the folder.
    (kept.file == std::path::absolute(path).ok()?).then_some(kept)
}

impl Standing {
    /// Keeps the files as the last sound ones, unless they are kept already or one is faulty.
    ///
    /// # Errors
    /// [`code::STATE_DIR`].
    pub fn keep(&self, now: Moment) -> Result<(), Fault> {
        if !self.faults.is_empty() {
            return Ok(());
        }
        let folder = &self.config.agent.state_dir;
        let file = &self.config.file;
        if kept(file).is_some_and(|kept| kept.texts == self.texts) {
            return Ok(());
        }
        let kept = Kept {
            file: file.clone(),
            since: now,
            texts: self.texts.clone(),
        };
        let path = folder.join(NAME);
        let text = serde_json::to_string(&kept).map_err(io::Error::other);
        let written = text.and_then(|text| put(&path, &text, Over::File, Readers::Agent));
        written.map_err(|error| {
            let object = path.display().to_string();
            Fault::new(
                code::STATE_DIR,
                object,
                "the sound configuration cannot be kept",
            )
            .source(&error)
            .remedy("the agent's user needs to write to state_dir")
        })
    }
}

impl Standing {
    /// That older forms hold, if they do.
    #[must_use]
    pub fn told(&self) -> Option<Fault> {
        let first = self.faults.first()?;
        let older: Vec<String> = self
            .older
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let since = self.since.map(|since| since.to_string());
        let message = format!(
            "the configuration has {} faults and is not used as it stands: {} as last sound and \
             kept on {}, or left out; first: {} {}: {}",
            self.faults.len(),
            older.join(", "),
            since.unwrap_or_default(),
            first.code,
            first.object,
            first.message
        );
        let fault = Fault::new(code::CONFIG_KEPT, "configuration", message);
        Some(fault.remedy("twinset config check names every fault; set them right"))
    }
}
