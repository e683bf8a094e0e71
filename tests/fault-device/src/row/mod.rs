//! A row of folders, each a disk device of its own, as one volume.

mod device;
mod sections;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use twinset_plugin_api::{
    Access, Device, DeviceError, Host, Mount, OpenRequest, Outcome, Plugin, SectionMode,
};

use crate::disk::DiskPlugin;

/// Bytes of a block: what a full medium took is a whole number of them.
const BLOCK: u64 = 4096;
/// How the records begin that say how much of a section counts on a medium.
const PART: &str = "part.";
/// Entries of one page of a disk device: more than any test makes.
const MANY: usize = 100_000;

/// The options.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Where the folders lie.
    path: PathBuf,
    /// Bytes of data on a medium up to its warning.
    medium_bytes: u64,
    /// Bytes of data behind the warning.
    #[serde(default)]
    reserve: u64,
    /// Media there are; a further one comes with a file `more` in `path`.
    #[serde(default = "many")]
    media: usize,
}

const fn many() -> usize {
    usize::MAX
}

/// A section that is written.
struct Open {
    index: u64,
    name: String,
    run_id: [u8; 16],
    mode: SectionMode,
    /// First byte on the medium that is written.
    from: u64,
    /// Bytes written there.
    here: u64,
    /// The device was asked again behind its warning.
    warned: bool,
    /// The part on the last medium is closed; the next medium is awaited.
    closed: bool,
    /// Which medium of the row.
    medium: usize,
}

/// A section that is read: its media with their parts.
struct Reading {
    parts: Vec<(usize, u64)>,
    at: u64,
    index: u64,
    /// The medium on which the section is open.
    open: Option<usize>,
}

/// Where a section lies.
struct Lies {
    /// Media and what counts on each.
    parts: Vec<(usize, u64)>,
    /// The run that began it, where its last part is not there.
    begun: Option<[u8; 16]>,
}

/// The device.
pub(crate) struct Row {
    options: Options,
    agent: String,
    access: Access,
    host: Host,
    key: String,
    media: Vec<Box<dyn Device>>,
    open: Option<Open>,
    reading: Option<Reading>,
}

impl Row {
    pub(crate) fn open(request: &OpenRequest<'_>, host: Host) -> Result<Self, DeviceError> {
        let options: Options = serde_json::from_str(request.options)
            .map_err(|error| DeviceError::new(Outcome::BAD_OPTION, format!("options: {error}")))?;
        Ok(Self {
            options,
            agent: request.agent_id.to_owned(),
            access: request.access,
            host,
            key: String::new(),
            media: Vec::new(),
            open: None,
            reading: None,
        })
    }

    fn folder(&self, medium: usize) -> PathBuf {
        self.options.path.join((medium + 1).to_string())
    }

    /// The disk device in the folder of a medium.
    fn disk(&self, folder: &Path) -> Result<Box<dyn Device>, DeviceError> {
        fs::create_dir_all(folder)
            .map_err(|error| DeviceError::new(Outcome::PERMANENT, error.to_string()))?;
        let options = json!({ "path": folder }).to_string();
        let request = OpenRequest {
            options: &options,
            agent_id: &self.agent,
            access: self.access,
        };
        DiskPlugin::open(&request, self.host.clone())
    }

    /// A further medium, which must be blank.
    fn blank(&mut self) -> Result<(), DeviceError> {
        let more = self.options.path.join("more");
        let number = self.media.len() + 1;
        let begun = self.folder(self.media.len()).exists();
        let mine = begun || self.media.len() < self.options.media;
        if !mine && fs::remove_file(&more).is_err() {
            let text = format!("put a blank medium in: number {number} of this row");
            return Err(DeviceError::new(Outcome::NEEDS_OPERATOR, text));
        }
        let folder = self.folder(self.media.len());
        let mut disk = self.disk(&folder)?;
        if folder.join(&self.key).exists() && !self.media.is_empty() {
            // A kill came between the medium and its header.
            disk.mount(Mount::Existing(&self.key))?;
            for left in disk.leftovers("", MANY)? {
                disk.remove_leftover(&left.name)?;
            }
        } else {
            disk.mount(Mount::Blank(&self.key))?;
        }
        self.media.push(disk);
        Ok(())
    }

    fn last(&mut self) -> Result<&mut Box<dyn Device>, DeviceError> {
        let none = || DeviceError::new(Outcome::NO_MEDIUM, "nothing is mounted");
        self.media.last_mut().ok_or_else(none)
    }

    fn medium(&mut self, medium: usize) -> Result<&mut Box<dyn Device>, DeviceError> {
        let none = || DeviceError::new(Outcome::NO_MEDIUM, format!("medium {medium} is not there"));
        self.media.get_mut(medium).ok_or_else(none)
    }

    /// What lies of a section on the media of the row.
    fn lies(&mut self, index: u64) -> Result<Lies, DeviceError> {
        let (mut parts, mut begun) = (Vec::new(), None);
        for medium in 0..self.media.len() {
            let disk = self.medium(medium)?;
            let found = disk.sections(index.checked_sub(1), 1)?;
            let Some(found) = found.first().filter(|found| found.index == index) else {
                continue;
            };
            let length = match disk.get_record(&format!("{PART}{index}")) {
                Ok(text) => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let (length, run) = text.split_once(' ').unwrap_or_default();
                    begun = u128::from_str_radix(run, 16).ok().map(u128::to_be_bytes);
                    length.parse().unwrap_or(found.length)
                }
                Err(error) if error.outcome == Outcome::NOT_FOUND => {
                    begun = None;
                    found.length
                }
                Err(error) => return Err(error),
            };
            parts.push((medium, length));
        }
        if index == 0 {
            // The header of the medium that is written stands for the row.
            parts = parts.split_off(parts.len().saturating_sub(1));
        }
        Ok(Lies { parts, begun })
    }

    /// How much of a section counts on each medium, in order; nothing of one that was not ended.
    fn parts(&mut self, index: u64) -> Result<Vec<(usize, u64)>, DeviceError> {
        let lies = self.lies(index)?;
        Ok(if lies.begun.is_some() {
            Vec::new()
        } else {
            lies.parts
        })
    }

    /// Bytes of data on a medium.
    fn used(&mut self, medium: usize) -> Result<u64, DeviceError> {
        let sections = self.medium(medium)?.sections(None, MANY)?;
        let data = sections.iter().filter(|section| section.index % 2 == 1);
        Ok(data.map(|section| section.length).sum())
    }
}
