//! The calls on Windows, and what its numbers mean.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use twinset_plugin_api::Outcome;
use twinset_win32::{file, host, text};

use super::Entry;

/// The number of an error. Numbers that mean the same to this plugin are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(i32);

/// What a call gives.
pub(crate) type Result<T> = std::result::Result<T, Errno>;

impl Errno {
    /// `ERROR_FILE_NOT_FOUND`, and the path or the share of it.
    pub(crate) const NOENT: Self = Self(2);
    /// `ERROR_DIRECTORY`: a file where a folder belongs.
    pub(crate) const NOTDIR: Self = Self(267);
    /// `ERROR_ALREADY_EXISTS`.
    pub(crate) const EXIST: Self = Self(183);
    /// `ERROR_DISK_FULL`.
    const NOSPC: Self = Self(112);
    /// `ERROR_STOPPED_ON_SYMLINK`.
    const LOOP: Self = Self(681);
    /// `ERROR_GEN_FAILURE`, for an error without a number.
    const UNKNOWN: Self = Self(31);
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            // The file, the path or the drive is not there.
            Some(2 | 3 | 15) => Self::NOENT,
            Some(80 | 183) => Self::EXIST,
            Some(code) => Self(code),
            None if error.kind() == io::ErrorKind::NotADirectory => Self::NOTDIR,
            None => Self::UNKNOWN,
        }
    }
}

impl From<Errno> for io::Error {
    fn from(Errno(code): Errno) -> Self {
        Self::from_raw_os_error(code)
    }
}

/// What an error is to the agent.
pub(crate) fn outcome(error: &io::Error) -> Outcome {
    match error.raw_os_error() {
        // Disk full, handle disk full, quota, file too large for the file system.
        Some(112 | 39 | 1295 | 223) => Outcome::END_OF_MEDIUM,
        // Access denied, write protected, no rights in the network, a read-only volume.
        Some(5 | 19 | 65 | 6009) => Outcome::WRITE_PROTECTED,
        Some(2 | 3 | 15) => Outcome::NOT_FOUND,
        // The file or folder exists, or is not empty.
        Some(80 | 183 | 145) => Outcome::EXISTS,
        // Not ready, sharing or lock violation, a share that comes and goes (network path, busy,
        // name deleted, unexpected error, session, semaphore timeout), a host short of something.
        Some(
            4 | 8 | 14 | 21 | 32 | 33 | 51 | 53 | 54 | 55 | 59 | 64 | 67 | 71 | 121 | 170 | 1231
            | 1232 | 1450 | 1460,
        ) => Outcome::TRANSIENT,
        _ => Outcome::PERMANENT,
    }
}

/// Whether a call met a symbolic link.
pub(crate) fn met_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.0)
}

/// Whether a file of this name would be a device, or be out of reach for other programs.
pub(crate) fn is_reserved(name: &str) -> bool {
    text::is_reserved(name)
}

/// An open folder, which nobody can rename or remove meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _open: File,
}

/// When a folder's names last changed: never known. FAT counts in steps of two seconds and shares
/// tell late, so names are read each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp;

impl PartialEq for Stamp {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

fn entry(facts: &Metadata) -> Entry {
    let kind = facts.file_type();
    // A junction counts as a link; a file whose content a filter keeps elsewhere is a file.
    if kind.is_symlink() {
        Entry::Link
    } else if kind.is_dir() {
        Entry::Folder
    } else if kind.is_file() {
        Entry::File(facts.len())
    } else {
        Entry::Other
    }
}

/// The path as the calls below take it: of any length.
pub(crate) fn place(path: &Path) -> PathBuf {
    text::verbatim(path).unwrap_or_else(|_| path.to_owned())
}

/// Opens a folder by its path; links on the way are the administrator's affair.
pub(crate) fn open_folder(path: &Path) -> Result<Folder> {
    let open = file::open_folder(path).map_err(|error| match error.raw_os_error() {
        // Nothing in the drive, no such server, no such share.
        Some(21 | 53 | 67) => Errno::NOENT,
        _ => Errno::from(error),
    })?;
    Ok(Folder {
        path: path.to_owned(),
        _open: open,
    })
}

/// Makes one folder and makes its name durable; true when it was made now.
pub(crate) fn make_folder(path: &Path) -> Result<bool> {
    match fs::create_dir(path).map_err(Errno::from) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(false),
        Err(errno) => return Err(errno),
    }
    if let Some(parent) = path.parent() {
        file::sync_folder(parent)?;
    }
    Ok(true)
}

impl Folder {
    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a folder in this one; a link is refused.
    pub(crate) fn folder(&self, name: &str) -> Result<Self> {
        if self.entry(name)? == Entry::Link {
            return Err(Errno::LOOP);
        }
        open_folder(&self.at(name))
    }

    /// The names in it, in no order; a name that is not Unicode comes with replacement characters
    /// and is never ours.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    /// When a name in it last came or went.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn changed(&self) -> Result<Stamp> {
        Ok(Stamp)
    }

    /// What `name` is, without following a link.
    pub(crate) fn entry(&self, name: &str) -> Result<Entry> {
        Ok(entry(&fs::symlink_metadata(self.at(name))?))
    }

    /// Creates a file that must not exist. It inherits the access list of its folder.
    pub(crate) fn create(&self, name: &str) -> Result<File> {
        Ok(File::create_new(self.at(name))?)
    }

    /// Opens a file for reading.
    pub(crate) fn read(&self, name: &str) -> Result<File> {
        self.open(name, file::in_order(OpenOptions::new().read(true)))
    }

    /// Opens a file for reading and writing, and creates it where it is missing.
    pub(crate) fn read_write(&self, name: &str) -> Result<File> {
        let mut options = OpenOptions::new();
        self.open(name, options.read(true).write(true).create(true))
    }

    fn open(&self, name: &str, options: &OpenOptions) -> Result<File> {
        if self.entry(name) == Ok(Entry::Link) {
            return Err(Errno::LOOP);
        }
        Ok(options.open(self.at(name))?)
    }

    /// Puts `from` in the place of `to`, which must not exist.
    pub(crate) fn place(&self, from: &str, to: &str) -> Result<()> {
        // Windows moves a file onto itself and says nothing.
        if from == to {
            return Err(Errno::EXIST);
        }
        Ok(file::place(&self.at(from), &self.at(to))?)
    }

    /// Puts `from` in the place of `to`, whatever is there.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Result<()> {
        Ok(file::replace(&self.at(from), &self.at(to))?)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        Ok(fs::remove_file(self.at(name))?)
    }

    /// Makes the names in it durable.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(file::sync_folder(&self.path)?)
    }

    /// Free bytes for us, and bytes in all.
    pub(crate) fn space(&self) -> Result<(u64, u64)> {
        Ok(file::space(&self.path)?)
    }
}

/// What an open file is.
pub(crate) fn file_entry(file: &File) -> Result<Entry> {
    Ok(entry(&file.metadata()?))
}

/// True when the two are one file.
pub(crate) fn is_same_file(folder: &Folder, name: &str, file: &File) -> Result<bool> {
    let other = folder.read(name)?;
    Ok(file::identity(file)? == file::identity(&other)?)
}

/// Takes what it can of `bytes`: how many, and why not all.
pub(crate) fn write(mut file: &File, bytes: &[u8]) -> (u64, Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        match file.write(&bytes[taken..]) {
            // A file system that takes nothing and says nothing is full.
            Ok(0) => return (taken as u64, Err(Errno::NOSPC)),
            Ok(written) => taken += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken as u64, Err(error.into())),
        }
    }
    (taken as u64, Ok(()))
}

/// The system has no such question; it keeps what was written until it needs the memory.
pub(crate) const fn forget(_file: &File, _offset: u64, _len: u64) {}

/// Said when the file was opened.
pub(crate) const fn will_read_in_order(_file: &File) {}

/// Takes the exclusive lock of a file (`LockFileEx`); false when another open file has it. A share
/// carries it to its server, so that it holds between hosts.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    file::try_lock(file)
}

/// Name of this host.
pub(crate) fn host_name() -> String {
    host::name().unwrap_or_default()
}
