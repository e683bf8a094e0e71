//! A file for a whole database.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a new file that its owner and group alone may read: it holds a whole database.
#[cfg(unix)]
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(path)
}

/// Makes a new file that administrators, SYSTEM and our own user alone may read: it holds a whole
/// database.
#[cfg(windows)]
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    twinset_win32::security::create_private(path)
}
