//! Where the system differs: files, locks and drives; one body for each system.

#[cfg(unix)]
mod linux;
#[cfg(unix)]
mod st;
#[cfg(unix)]
mod trust;
#[cfg(any(windows, test))]
mod win32;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use linux::*;
#[cfg(windows)]
pub(crate) use windows::*;
