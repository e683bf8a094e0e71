//! The Virtual Device Interface: SQL Server's own way to hand its backup stream to a program on
//! the same host.
//!
//! In the order of a backup: [`VdiLibrary::load`], [`VdiSet::create`] before the statement is
//! sent, [`VdiSet::configure`] while it runs, [`VdiSet::open_device`] and [`drive_backup`] or
//! [`drive_restore`] on one thread per device, [`VdiSet::close`]. [`VdiSet::aborter`] stops
//! everything from any thread.
//!
//! Two rules are kept by types alone. A buffer is touched only between the command that brings it
//! and its completion: a command that was lent out comes back only when the last clone of its
//! lease is gone. And the set, whose memory the buffers are, is closed only when no device and no
//! lease is left; a lane that hangs keeps the memory mapped until the process ends.

mod codes;
mod core;
#[allow(unsafe_code)]
mod device;
mod drive;
mod layout;
mod leftover;
mod pace;
mod platform;
mod set;

pub use self::core::VdiAborter;
pub use codes::{Win32, feature};
pub use device::VdiDevice;
pub use drive::{
    BackupSink, DeviceEnd, End, RestoreSource, SinkFault, drive_backup, drive_restore,
};
pub use leftover::remove_leftovers;
pub(super) use platform::BY_INSTANCE;
pub use platform::VdiLibrary;
pub use set::{Negotiated, NotConfigured, VdiSet, set_name};

#[cfg(test)]
mod tests;
