//! The sidecar of an image: what a cartridge is besides its data, and what goes wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::drive::{Done, Errno};
use super::super::os;

/// Smallest zone of early warning by default, in bytes; else a sixteenth of the capacity.
const ZONE_MIN: u64 = 1 << 20;
/// Longest sidecar that is read, in bytes.
const META_MAX: u64 = 1 << 20;

/// `NAME.tap.meta`, as JSON. All of it may be left out; without the file a cartridge is unlimited.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Meta {
    /// Version of this form.
    pub(crate) format: u32,
    /// Barcode.
    pub(crate) barcode: Option<String>,
    /// Bytes at which the physical end lies.
    pub(crate) capacity: Option<u64>,
    /// Bytes before it at which the drive begins to warn.
    pub(crate) early_warning: Option<u64>,
    /// The tab is set.
    pub(crate) write_protected: bool,
    /// Written once.
    pub(crate) worm: bool,
    /// Put into a running drive, it is not noticed by an error (some libraries are like that).
    pub(crate) quiet: bool,
    /// Warnings that the drive would give, one a line.
    pub(crate) alerts: String,
    /// TapeAlert flags that are set, 1 to 64; who asks for them clears them.
    pub(crate) flags: Vec<u8>,
    /// What goes wrong.
    pub(crate) faults: Vec<Fault>,
}

/// Something that goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// At which operation.
    on: On,
    /// So many of them go well before, counted from loading.
    #[serde(default)]
    after: u64,
    /// How often.
    #[serde(default = "once")]
    times: u64,
    /// Name of the error number.
    #[serde(default)]
    error: Number,
    /// It is done all the same, but said to have failed for want of room.
    #[serde(default)]
    pub(super) lands: bool,
    /// TapeAlert flags that the drive raises with it.
    #[serde(default)]
    pub(super) flags: Vec<u8>,
}

const fn once() -> u64 {
    1
}

/// Operations that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum On {
    /// Reading a block.
    Read,
    /// Writing a block.
    Write,
    /// Writing a filemark, or a sync.
    Mark,
    /// Spacing.
    Space,
    /// Going to an address.
    Locate,
    /// Asking for the address.
    Tell,
    /// Rewinding.
    Rewind,
}

/// Error numbers that drives give.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Number {
    /// Medium or hardware error, reset.
    #[default]
    Eio,
    /// Early warning.
    Enospc,
    /// The drive is gone.
    Enxio,
    /// The cartridge is gone.
    Enomedium,
}

impl Fault {
    pub(super) fn errno(&self) -> Errno {
        match self.error {
            Number::Eio => Errno::IO,
            Number::Enospc => Errno::NOSPC,
            Number::Enxio => Errno::NXIO,
            Number::Enomedium => Errno::NOMEDIUM,
        }
    }
}

impl Meta {
    /// Bytes before the physical end in which the drive warns.
    pub(crate) fn zone(&self) -> u64 {
        let sixteenth = self.capacity.unwrap_or(0) / 16;
        self.early_warning.unwrap_or(sixteenth.max(ZONE_MIN))
    }
}

/// Faults with how often each operation was seen.
#[derive(Debug)]
pub(super) struct Planted {
    faults: Vec<(Fault, u64)>,
}

impl Planted {
    pub(super) fn new(meta: &Meta) -> Self {
        let faults = meta.faults.iter().map(|fault| (fault.clone(), 0)).collect();
        Self { faults }
    }

    /// Counts an operation; gives the fault that strikes it.
    pub(super) fn strike(&mut self, on: On) -> Option<Fault> {
        let mut struck = None;
        for (fault, seen) in self.faults.iter_mut().filter(|(fault, _)| fault.on == on) {
            *seen += 1;
            if *seen > fault.after && *seen - fault.after <= fault.times {
                struck = struck.or_else(|| Some(fault.clone()));
            }
        }
        struck
    }
}

/// Where the sidecar of an image lies.
fn meta_path(image: &Path) -> PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(".meta");
    PathBuf::from(name)
}

/// Reads the sidecar; EINVAL when it is not one.
pub(super) fn read(image: &Path) -> Done<Meta> {
    let path = meta_path(image);
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Meta::default()),
        Ok(found) if found.len() <= META_MAX => {}
        _ => return Err(Errno::INVAL),
    }
    let bytes = fs::read(&path).map_err(|error| os::errno(&error))?;
    serde_json::from_slice(&bytes).map_err(|_| Errno::INVAL)
}

/// The flags that are set, which are not from now on.
pub(super) fn take_flags(image: &Path) -> Done<Vec<u8>> {
    let mut meta = read(image)?;
    let flags = std::mem::take(&mut meta.flags);
    if !flags.is_empty() {
        write(image, &meta)?;
    }
    Ok(flags)
}

/// Writes the sidecar of a new image, or another one in its place.
pub(super) fn write(image: &Path, meta: &Meta) -> Done {
    let text = serde_json::to_vec_pretty(meta).map_err(|_| Errno::INVAL)?;
    let (path, mut made) = (meta_path(image), meta_path(image).into_os_string());
    made.push(".new");
    let written = fs::write(&made, text).and_then(|()| fs::rename(&made, path));
    written.map_err(|error| os::errno(&error))
}
