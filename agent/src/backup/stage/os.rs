//! What the stage folder needs of the operating system.

use std::io;
use std::path::Path;

/// Makes names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Folders cannot be synced here; the file system journals names by itself.
#[cfg(windows)]
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Bytes that a file in the folder may still take; `None` when the system does not say.
#[cfg(unix)]
pub(super) fn free(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Bytes that a file in the folder may still take; `None` when the system does not say.
#[cfg(windows)]
pub(super) fn free(_path: &Path) -> Option<u64> {
    None
}
