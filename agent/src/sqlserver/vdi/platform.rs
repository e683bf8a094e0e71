//! The interface as each system has it, under the same names.

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod linux;
#[cfg(target_os = "linux")]
mod safety;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::VdiLibrary;
#[cfg(target_os = "linux")]
pub(super) use linux::{RawDevice, RawSet, SHARED_OBJECTS};
#[cfg(windows)]
pub use windows::VdiLibrary;
#[cfg(windows)]
pub(super) use windows::{RawDevice, RawSet, SHARED_OBJECTS};
