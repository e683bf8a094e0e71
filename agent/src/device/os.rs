//! Operating system calls of this room.

use std::path::Path;

#[cfg(unix)]
pub(super) use libloading::os::unix::Library;
#[cfg(windows)]
pub(super) use libloading::os::windows::Library;

/// Opens a library for ever, with all symbols resolved now and its names kept to itself.
///
/// # Errors
/// The loader's text.
#[cfg(unix)]
pub(super) fn open_library(path: &Path) -> Result<&'static Library, libloading::Error> {
    use libloading::os::unix::{RTLD_LOCAL, RTLD_NOW};
    // SAFETY: running the initialisers of the file is what the operator asked for by naming it in
    // the configuration; `trust` has checked that nobody else could have written it.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }?;
    // Never unloaded: thread-local destructors of the plugin may still be due.
    Ok(Box::leak(Box::new(library)))
}

/// Opens a library for ever. What it needs is looked for in the system's folder alone: others may
/// put new files beside it.
///
/// # Errors
/// The loader's text.
#[cfg(windows)]
pub(super) fn open_library(path: &Path) -> Result<&'static Library, libloading::Error> {
    use libloading::os::windows::LOAD_LIBRARY_SEARCH_SYSTEM32;
    // SAFETY: running the initialisers of the file is what the operator asked for by naming it in
    // the configuration; `trust` has checked that nobody else could have written it.
    let library = unsafe { Library::load_with_flags(path, LOAD_LIBRARY_SEARCH_SYSTEM32) }?;
    // Never unloaded: thread-local destructors of the plugin may still be due.
    Ok(Box::leak(Box::new(library)))
}

/// Disk full, in the numbers of this system: no space, or over quota.
#[cfg(unix)]
pub(super) const fn is_disk_full(os_code: i32) -> bool {
    const ENOSPC: i32 = 28;
    const EDQUOT: i32 = 122;
    os_code == ENOSPC || os_code == EDQUOT
}

/// Disk full, in the numbers of this system: no space, no space for this handle, over quota.
#[cfg(windows)]
pub(super) const fn is_disk_full(os_code: i32) -> bool {
    const DISK_FULL: i32 = 112;
    const HANDLE_DISK_FULL: i32 = 39;
    const DISK_QUOTA_EXCEEDED: i32 = 1295;
    matches!(os_code, DISK_FULL | HANDLE_DISK_FULL | DISK_QUOTA_EXCEEDED)
}
