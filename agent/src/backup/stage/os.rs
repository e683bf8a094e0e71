//! What the stage folder needs of the operating system.

use std::io;
use std::path::Path;

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
