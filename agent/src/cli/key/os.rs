//! A file for a key.

use std::io::{self, Write};
use std::path::Path;

/// Writes a new file that its owner alone may read, durable when it returns.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Administrators and SYSTEM may read it too.
#[cfg(windows)]
fn create(path: &Path) -> io::Result<std::fs::File> {
    twinset_win32::security::create_private(path)
}
