//! Operating system calls of this room. Linux; a second body for Windows will stand beside it.

use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// Opens a library for ever, with all symbols resolved now and its names kept to itself.
///
/// # Errors
/// The loader's text.
pub(super) fn open_library(path: &Path) -> Result<&'static Library, libloading::Error> {
    // SAFETY: running the initialisers of the file is what the operator asked for by naming it in
    // the configuration; `trust` has checked that nobody else could have written it.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }?;
    // Never unloaded: thread-local destructors of the plugin may still be due.
    Ok(Box::leak(Box::new(library)))
}

/// Disk full, in the numbers of this system: no space, or over quota.
pub(super) const fn is_disk_full(os_code: i32) -> bool {
    const ENOSPC: i32 = 28;
    const EDQUOT: i32 = 122;
    os_code == ENOSPC || os_code == EDQUOT
}
