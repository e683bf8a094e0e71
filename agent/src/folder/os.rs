//! What folders need of the operating system.

use std::io;
use std::path::Path;

#[cfg(unix)]
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(windows)]
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    twinset_win32::security::make_private_folder(path)
}

#[cfg(unix)]
pub(super) fn sync(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

#[cfg(windows)]
pub(super) fn sync(path: &Path) -> io::Result<()> {
    twinset_win32::file::sync_folder(path)
}

#[cfg(unix)]
pub(super) fn free(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(windows)]
pub(super) fn free(path: &Path) -> Option<u64> {
    twinset_win32::file::space(path).ok().map(|(free, _)| free)
}
