//! The calls on Linux, and what its numbers mean.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    Advice, AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, fadvise, fstat, fstatvfs,
    linkat, mkdirat, openat, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::retry_on_intr;
pub(crate) use rustix::io::{Errno, Result};
use twinset_plugin_api::Outcome;

use super::Entry;

/// Backups are not for everybody's eyes.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// When a folder's names last changed, by its file system's clock: seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(i64, u64);

fn entry(stat: &rustix::fs::Stat) -> Entry {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Entry::File(u64::try_from(stat.st_size).unwrap_or(0)),
        FileType::Directory => Entry::Folder,
        FileType::Symlink => Entry::Link,
        _ => Entry::Other,
    }
}

/// What an error is to the agent.
pub(crate) fn outcome(error: &io::Error) -> Outcome {
    let Some(errno) = Errno::from_io_error(error) else {
        return Outcome::PERMANENT;
    };
    match errno {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Outcome::END_OF_MEDIUM,
        Errno::ROFS | Errno::ACCESS | Errno::PERM => Outcome::WRITE_PROTECTED,
        Errno::NOENT => Outcome::NOT_FOUND,
        Errno::EXIST | Errno::NOTEMPTY => Outcome::EXISTS,
        // A share that comes and goes, or a host short of something for the moment.
        Errno::STALE
        | Errno::TIMEDOUT
        | Errno::AGAIN
        | Errno::NFILE
        | Errno::MFILE
        | Errno::NOMEM
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH
        | Errno::NETDOWN
        | Errno::HOSTDOWN
        | Errno::CONNRESET => Outcome::TRANSIENT,
        _ => Outcome::PERMANENT,
    }
}

/// Whether a call met a symbolic link.
pub(crate) fn met_link(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::LOOP | Errno::MLINK))
}

/// Whether a file of this name would be something else here. Every name is a name.
pub(crate) const fn is_reserved(_name: &str) -> bool {
    false
}

/// The path as the calls below take it.
pub(crate) fn place(path: &Path) -> PathBuf {
    path.to_owned()
}

/// Opens a folder by its path; links on the way are the administrator's affair.
pub(crate) fn open_folder(path: &Path) -> Result<Folder> {
    open_folder_at(path, OFlags::empty())
}

fn open_folder_at(path: &Path, flags: OFlags) -> Result<Folder> {
    let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| openat(CWD, path, flags, Mode::empty())).map(Folder)
}

/// Makes one folder and makes its name durable; true when it was made now.
pub(crate) fn make_folder(path: &Path) -> Result<bool> {
    match retry_on_intr(|| mkdirat(CWD, path, Mode::from_raw_mode(FOLDER_MODE))) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(false),
        Err(errno) => return Err(errno),
    }
    if let Some(parent) = path.parent() {
        open_folder(parent)?.sync()?;
    }
    Ok(true)
}

impl Folder {
    /// Opens a folder in this one; a link is refused.
    pub(crate) fn folder(&self, name: &str) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match retry_on_intr(|| openat(&self.0, name, flags, Mode::empty())) {
            // For a link the system says "not a directory"; it is clearer to call it a link.
            Err(Errno::NOTDIR) if self.entry(name) == Ok(Entry::Link) => Err(Errno::LOOP),
            other => other.map(Self),
        }
    }

    /// The names in it, in no order; a name that is not UTF-8 comes with replacement characters
    /// and is never ours.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if name != "." && name != ".." {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    /// When a name in it last came or went.
    pub(crate) fn changed(&self) -> Result<Stamp> {
        let stat = fstat(&self.0)?;
        // Both are of types that differ between machines.
        Ok(Stamp(stat.st_mtime as i64, stat.st_mtime_nsec as u64))
    }

    /// What `name` is, without following a link.
    pub(crate) fn entry(&self, name: &str) -> Result<Entry> {
        let stat = retry_on_intr(|| statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW))?;
        Ok(entry(&stat))
    }

    /// Creates a file that must not exist.
    pub(crate) fn create(&self, name: &str) -> Result<File> {
        self.open_file(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    /// Opens a file for reading. `NONBLOCK`: a pipe of that name must not hang us.
    pub(crate) fn read(&self, name: &str) -> Result<File> {
        self.open_file(name, OFlags::RDONLY | OFlags::NONBLOCK)
    }

    /// Opens a file for reading and writing, and creates it where it is missing.
    pub(crate) fn read_write(&self, name: &str) -> Result<File> {
        self.open_file(name, OFlags::RDWR | OFlags::CREATE)
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE_MODE);
        retry_on_intr(|| openat(&self.0, name, flags, mode)).map(File::from)
    }

    /// Puts `from` in the place of `to`, which must not exist: rename without replacing, else link
    /// and unlink, else claim the name first (for file systems that have neither).
    pub(crate) fn place(&self, from: &str, to: &str) -> Result<()> {
        let flags = RenameFlags::NOREPLACE;
        match retry_on_intr(|| renameat_with(&self.0, from, &self.0, to, flags)) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            other => return other,
        }
        match retry_on_intr(|| linkat(&self.0, from, &self.0, to, AtFlags::empty())) {
            Ok(()) => {
                self.sync()?;
                return self.remove(from);
            }
            Err(Errno::EXIST) => return Err(Errno::EXIST),
            Err(_) => {}
        }
        // An empty file beside a work file of its number counts as unfinished (`listing.rs`).
        drop(self.create(to)?);
        self.replace(from, to)
    }

    /// Puts `from` in the place of `to`, whatever is there.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Result<()> {
        retry_on_intr(|| renameat(&self.0, from, &self.0, to))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        retry_on_intr(|| unlinkat(&self.0, name, AtFlags::empty()))
    }

    /// Makes the names in it durable.
    pub(crate) fn sync(&self) -> Result<()> {
        match retry_on_intr(|| rustix::fs::fsync(&self.0)) {
            // Some network file systems cannot sync a folder; there the server does it itself.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            other => other,
        }
    }

    /// Free bytes for us, and bytes in all.
    pub(crate) fn space(&self) -> Result<(u64, u64)> {
        let space = fstatvfs(&self.0)?;
        let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
        Ok((bytes(space.f_bavail), bytes(space.f_blocks)))
    }
}

/// What an open file is.
pub(crate) fn file_entry(file: &File) -> Result<Entry> {
    Ok(entry(&fstat(file)?))
}

/// True when the two are one file.
pub(crate) fn is_same_file(folder: &Folder, name: &str, file: &File) -> Result<bool> {
    let (a, b) = (
        fstat(file)?,
        statat(&folder.0, name, AtFlags::SYMLINK_NOFOLLOW)?,
    );
    Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
}

/// Takes what it can of `bytes`: how many, and why not all.
pub(crate) fn write(file: &File, bytes: &[u8]) -> (u64, Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        match retry_on_intr(|| rustix::io::write(file, &bytes[taken..])) {
            // A file system that takes nothing and says nothing is full.
            Ok(0) => return (taken as u64, Err(Errno::NOSPC)),
            Ok(written) => taken += written,
            Err(errno) => return (taken as u64, Err(errno)),
        }
    }
    (taken as u64, Ok(()))
}

/// Lets the page cache go of `len` bytes at `offset`. For bytes that are not written yet the
/// system begins to write them, without waiting.
pub(crate) fn forget(file: &File, offset: u64, len: u64) {
    // Advice: a failure costs memory, not correctness.
    let _ = fadvise(
        file,
        offset,
        std::num::NonZeroU64::new(len),
        Advice::DontNeed,
    );
}

/// Says that the file will be read from start to end.
pub(crate) fn will_read_in_order(file: &File) {
    // Advice, as above.
    let _ = fadvise(file, 0, None, Advice::Sequential);
}

/// Takes the exclusive lock of a file; false when another open file has it. `flock` belongs to the
/// open file (two devices of one process exclude each other too), and NFS carries it to its server,
/// so that it holds between hosts.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Name of this host.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
