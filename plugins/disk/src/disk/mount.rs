//! Volumes of a path: finding, making, opening, locking one.

use std::path::{Path, PathBuf};

use twinset_plugin_api::{Access, DeviceError, Leftover, Mount, Outcome, VolumeEntry};

use super::errors::{failed, misused};
use super::listing;
use super::lock::Lock;
use super::names::{self, LOCK};
use super::os::{self, Errno, Folder};
use super::shelf::Shelf;

/// Keys that a message names before it stops.
const NAMED_KEYS: usize = 8;

/// A mounted volume.
#[derive(Debug)]
pub(crate) struct Volume {
    /// Its folder.
    pub(crate) folder: Shelf,
    /// Where it lies, if it was mounted to be made: one that holds nothing in the end goes again.
    made: Option<PathBuf>,
    /// Held under write access.
    _lock: Option<Lock>,
}

impl Drop for Volume {
    /// A format that failed leaves no folder with nothing but a lock behind.
    fn drop(&mut self) {
        let Some(path) = &self.made else { return };
        let names = self.folder.names().unwrap_or_default();
        if names.iter().all(|name| name == LOCK) {
            // Whoever waits for the lock finds that its file is gone, and makes another.
            let _ = self.folder.remove(LOCK);
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Who mounts.
pub(crate) struct Who<'a> {
    pub(crate) agent: &'a str,
    pub(crate) access: Access,
    /// Unlike any other, for a work name.
    pub(crate) mark: [u8; 16],
}

/// Brings a volume in.
pub(crate) fn mount(path: &Path, wanted: Mount<'_>, who: &Who<'_>) -> Result<Volume, DeviceError> {
    match wanted {
        Mount::Existing(key) => {
            names::check_key(key)?;
            let folder = open_existing(path, key)?;
            let lock = lock(&folder, who)?;
            Ok(Volume {
                folder: Shelf::new(folder, lock.is_some()),
                made: None,
                _lock: lock,
            })
        }
        Mount::Blank(key) => {
            names::check_key(key)?;
            if who.access == Access::Read {
                return Err(misused("a blank volume needs write access"));
            }
            let folder = make(path, key)?;
            let lock = lock(&folder, who)?;
            let folder = Shelf::new(folder, lock.is_some());
            check_blank(&folder, key)?;
            Ok(Volume {
                folder,
                made: Some(path.join(key)),
                _lock: lock,
            })
        }
    }
}

fn lock(folder: &Folder, who: &Who<'_>) -> Result<Option<Lock>, DeviceError> {
    let host = os::host_name();
    match who.access {
        Access::Read => Ok(None),
        Access::Write => Lock::take(folder, who.agent, &host).map(Some),
        Access::TakeOver => Lock::take_over(folder, who.agent, &host, &who.mark).map(Some),
    }
}

fn open_existing(path: &Path, key: &str) -> Result<Folder, DeviceError> {
    let shown = path.display();
    let root = match os::open_folder(path) {
        Ok(root) => root,
        Err(Errno::NOENT | Errno::NOTDIR) => {
            let text = format!("the folder {shown} does not exist; is its share mounted?");
            return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
        }
        Err(errno) => return Err(failed("open", &shown.to_string(), errno)),
    };
    match root.folder(key) {
        Ok(folder) => return Ok(folder),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(failed("open", &format!("{shown}/{key}"), errno)),
    }
    let others: Vec<String> = volumes(path)?
        .into_iter()
        .map(|volume| volume.key)
        .collect();
    if others.is_empty() {
        let text = format!("{shown} holds no volume {key}; is its share mounted?");
        return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
    }
    let more = if others.len() > NAMED_KEYS {
        ", ..."
    } else {
        ""
    };
    let named = others
        .iter()
        .take(NAMED_KEYS)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!("{shown} holds no volume {key}, but {named}{more}");
    Err(DeviceError::new(Outcome::WRONG_MEDIUM, text))
}

/// Makes the folder of a volume and those above it, each name durable.
fn make(path: &Path, key: &str) -> Result<Folder, DeviceError> {
    let volume = path.join(key);
    let mut steps: Vec<PathBuf> = volume.ancestors().map(Path::to_path_buf).collect();
    steps.reverse();
    for step in steps {
        if step.parent().is_none() || step.is_dir() {
            continue;
        }
        os::make_folder(&step)
            .map_err(|errno| failed("make the folder", &step.display().to_string(), errno))?;
    }
    let shown = volume.display().to_string();
    let root = os::open_folder(path).map_err(|errno| failed("open", &shown, errno))?;
    root.folder(key)
        .map_err(|errno| failed("open", &shown, errno))
}

fn check_blank(folder: &Shelf, key: &str) -> Result<(), DeviceError> {
    let sections = listing::find_sections(folder)?;
    let records = listing::find_records(folder)?;
    if sections.len() + records.len() == 0 {
        return Ok(());
    }
    let text = format!(
        "volume {key} is not blank: it holds {} sections and {} records",
        sections.len(),
        records.len()
    );
    Err(DeviceError::new(Outcome::EXISTS, text))
}

/// The volumes below a path: folders that hold at least one section, by key.
pub(crate) fn volumes(path: &Path) -> Result<Vec<VolumeEntry>, DeviceError> {
    let shown = path.display().to_string();
    let root = match os::open_folder(path) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(errno) => return Err(failed("open", &shown, errno)),
    };
    let mut volumes = Vec::new();
    for key in root
        .names()
        .map_err(|errno| failed("read", &shown, errno))?
    {
        if names::check_key(&key).is_err() {
            continue;
        }
        // What is no folder, or closed to us, is no volume of ours.
        let Ok(folder) = root.folder(&key) else {
            continue;
        };
        let folder = Shelf::new(folder, false);
        let sections = match listing::find_sections(&folder) {
            Ok(sections) => sections,
            // A damaged volume is still one; mounting it tells what is wrong.
            Err(_) => {
                volumes.push(VolumeEntry {
                    key,
                    sections: None,
                });
                continue;
            }
        };
        if sections.len() > 0 {
            volumes.push(VolumeEntry {
                key,
                sections: Some(sections.len() as u64),
            });
        }
    }
    volumes.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(volumes)
}

/// What file systems put into their own root.
const LOST_AND_FOUND: &str = "lost+found";

/// Files and folders beside the volumes that no volume of ours explains, by name: what formatting
/// asks about before it makes a volume here.
pub(crate) fn foreign(path: &Path) -> Result<Vec<Leftover>, DeviceError> {
    let shown = path.display().to_string();
    let root = match os::open_folder(path) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(errno) => return Err(failed("open", &shown, errno)),
    };
    let names = root
        .names()
        .map_err(|errno| failed("read", &shown, errno))?;
    // A folder that holds nothing foreign is a volume, or one whose format was cut off.
    let ours = |name: &str| {
        let folder = names::check_key(name)
            .ok()
            .and_then(|()| root.folder(name).ok());
        folder.is_some_and(|folder| {
            listing::leftovers(&Shelf::new(folder, false), None)
                .is_ok_and(|left| left.iter().all(|left| left.run_id.is_some()))
        })
    };
    let mut foreign: Vec<Leftover> = names
        .iter()
        .filter(|name| *name != LOST_AND_FOUND && !ours(name))
        .map(|name| listing::beside(name.clone()))
        .collect();
    foreign.sort_by(|a, b| a.name.cmp(&b.name));
    foreign.dedup_by(|a, b| a.name == b.name);
    Ok(foreign)
}
