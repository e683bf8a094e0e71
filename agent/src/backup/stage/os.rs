//! What the stage folder needs of the operating system.

use std::io;
use std::path::Path;

/// Makes names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Makes names in a folder durable.
#[cfg(windows)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    twinset_win32::file::sync_folder(path)
}

/// Bytes that a file in the folder may still take; `None` when the system does not say.
#[cfg(unix)]
pub(crate) fn free(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Bytes that a file in the folder may still take; `None` when the system does not say.
#[cfg(windows)]
pub(crate) fn free(path: &Path) -> Option<u64> {
    twinset_win32::file::space(path).ok().map(|(free, _)| free)
}

/// Whether this process may make files in a folder, and the folder's permissions.
#[cfg(unix)]
pub(super) fn access(path: &Path) -> io::Result<(bool, Option<u32>)> {
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{Access, access};

    let mode = std::fs::metadata(path)?.permissions().mode();
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    Ok((access(path, wanted).is_ok(), Some(mode)))
}

/// Access lists are SQL Server's and the administrator's business here; a run finds out.
#[cfg(windows)]
pub(super) fn access(path: &Path) -> io::Result<(bool, Option<u32>)> {
    Ok((!std::fs::metadata(path)?.permissions().readonly(), None))
}
