//! What lies on the media of both agents, read from the files themselves.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::hosts::{AGENTS, Pair};

/// Longest first line of a manifest.
const MAX_FACTS: u64 = 1 << 20;
/// The media sets of an agent, with what their folders bear behind its name.
pub(super) const SETS: [(&str, &str); 2] = [("payroll", ""), ("payroll-log", "-log")];

/// A backup set.
#[derive(Clone, Debug)]
pub(super) struct OnMedia {
    /// Whose media.
    pub(super) agent: &'static str,
    /// Key of the media set.
    pub(super) key: &'static str,
    pub(super) position: u64,
    /// What `media show` says of it.
    pub(super) state: String,
    pub(super) kind: String,
    /// GUID of SQL Server's set.
    pub(super) set: String,
    /// What its manifests say, one of each mirror that holds it.
    pub(super) manifests: Vec<Value>,
}

impl OnMedia {
    pub(super) fn is_published(&self) -> bool {
        self.state == "published"
    }

    /// A fact of SQL Server's set, as its manifest has it.
    pub(super) fn fact(&self, name: &str) -> &Value {
        let first = self.manifests.first();
        first.map_or(&Value::Null, |facts| &facts["sets"][0][name])
    }

    /// Where it is, in words.
    pub(super) fn place(&self) -> String {
        let Self { agent, key, .. } = self;
        format!("{} {key}:{} of {agent}", self.kind, self.position)
    }
}

/// Everything on the media of both, by agent, media set and position.
pub(super) fn all(pair: &Pair) -> io::Result<Vec<OnMedia>> {
    let mut found = Vec::new();
    for agent in AGENTS {
        for (key, suffix) in SETS {
            let shown = pair.json(agent, &["media", "show", key])?.object();
            let sets = shown["result"]["sets"].as_array().cloned();
            let manifests = [1, 2]
                .into_iter()
                .map(|mirror| manifests(&pair.path().join(format!("{agent}/m{mirror}{suffix}"))))
                .collect::<io::Result<Vec<_>>>()?
                .concat();
            for set in sets.unwrap_or_default() {
                let word = |name: &str| set[name].as_str().unwrap_or_default().to_owned();
                let position = set["position"].as_u64().unwrap_or(0);
                let of_it = manifests
                    .iter()
                    .filter(|facts| facts["position"] == position);
                found.push(OnMedia {
                    agent,
                    key,
                    position,
                    state: word("state"),
                    kind: word("kind"),
                    set: word("set").to_lowercase(),
                    manifests: of_it.cloned().collect(),
                });
            }
        }
    }
    Ok(found)
}

/// The facts of all manifests of a device, media set by media set.
fn manifests(device: &Path) -> io::Result<Vec<Value>> {
    let mut found = Vec::new();
    for volume in folders(device)? {
        for entry in fs::read_dir(&volume)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".manifest.json") {
                found.push(facts(&path)?);
            }
        }
    }
    Ok(found)
}

fn facts(manifest: &Path) -> io::Result<Value> {
    let mut line = Vec::new();
    BufReader::new(File::open(manifest)?.take(MAX_FACTS)).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

/// The volumes of a device; none when there is no such device yet.
fn folders(device: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(device) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}
