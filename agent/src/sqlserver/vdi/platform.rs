//! The interface as each system has it, under the same names.

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod linux;
#[cfg(target_os = "linux")]
mod safety;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(in crate::sqlserver) use linux::BY_INSTANCE;
#[cfg(target_os = "linux")]
pub use linux::VdiLibrary;
#[cfg(target_os = "linux")]
pub(super) use linux::{NO_DEVICE, NOT_CREATED, NOT_OPENED, RawDevice, RawSet, SHARED_OBJECTS};
#[cfg(windows)]
pub(in crate::sqlserver) use windows::BY_INSTANCE;
#[cfg(windows)]
pub use windows::VdiLibrary;
#[cfg(windows)]
pub(super) use windows::{NO_DEVICE, NOT_CREATED, NOT_OPENED, RawDevice, RawSet, SHARED_OBJECTS};
