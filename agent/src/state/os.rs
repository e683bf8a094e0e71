//! What the state folder needs of the operating system.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens a lock file, making it if needed.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Lets go of a lock that this open file has.
#[cfg(unix)]
pub(super) fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

/// Lets go of a lock that this open file has.
#[cfg(windows)]
pub(super) fn unlock(file: &File) -> io::Result<()> {
    twinset_win32::file::unlock(file)
}

/// The machine's own id, if it has one.
#[cfg(unix)]
pub(super) fn machine_id() -> Option<Vec<u8>> {
    fs::read("/etc/machine-id").ok().filter(|id| id.len() >= 32)
}

/// The machine's own id, if it has one.
#[cfg(windows)]
pub(super) fn machine_id() -> Option<Vec<u8>> {
    let id = twinset_win32::host::machine_id().ok()?;
    Some(id.into_bytes()).filter(|id| id.len() >= 32)
}
