//! Folders, as every room needs them: private ones, durable names, free room.

mod os;

use std::io;
use std::path::Path;

/// Makes a folder that only our own user and administrators may enter; an existing one is left as
/// it is.
///
/// # Errors
/// The system's.
pub fn make_private(path: &Path) -> io::Result<()> {
    os::make_private(path)
}

/// Makes the names in a folder durable.
///
/// # Errors
/// The system's.
pub fn sync(path: &Path) -> io::Result<()> {
    os::sync(path)
}

/// Bytes that a file in the folder may still take; `None` when the system does not say.
#[must_use]
pub fn free(path: &Path) -> Option<u64> {
    os::free(path)
}
