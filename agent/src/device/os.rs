//! Operating system calls of this room. Linux; a second body for Windows will stand beside it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// Write permission for group or others.
const OTHERS_WRITE: u32 = 0o022;
/// In a sticky folder only an entry's owner may rename or remove it.
const STICKY: u32 = 0o1000;

/// Who may change an entry of the file system.
pub(super) struct Rights {
    /// Owner's uid.
    pub(super) owner: u32,
    /// Permission bits.
    pub(super) mode: u32,
    /// The owner is root or the user this process runs as.
    pub(super) owner_trusted: bool,
    /// Nobody but the owner may replace what is in it.
    pub(super) closed: bool,
}

pub(super) fn rights(metadata: &Metadata) -> Rights {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    let own = rustix::process::geteuid().as_raw();
    let sticky_folder = metadata.is_dir() && mode & STICKY != 0;
    Rights {
        owner,
        mode,
        owner_trusted: owner == 0 || owner == own,
        // The rights of a symbolic link mean nothing; its folder's do.
        closed: mode & OTHERS_WRITE == 0 || sticky_folder || metadata.is_symlink(),
    }
}

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
