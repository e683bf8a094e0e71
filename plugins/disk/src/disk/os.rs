//! Every operating system call of this plugin; one body for each system.
//!
//! Files are reached from the open folder of their volume, so that a folder that is renamed or
//! unmounted underneath cannot swap volumes in the middle of a run: on Linux by names in the open
//! folder, on Windows by a folder that nobody can rename while it is open.

#[cfg(unix)]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use linux::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// What a folder entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A regular file of so many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}
