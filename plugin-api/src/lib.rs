//! The border between the Twinset agent and device plugins, revision 1 (draft).
//!
//! A plugin is a `cdylib` that brings devices: folders, tape drives, object stores. Its author
//! implements [`Plugin`] and [`Device`] in safe Rust and writes `export_device!(MyPlugin);`. What
//! happens at the border is done here, once for all:
//!
//! * [`v1`]: the frozen table of plain functions and the `repr(C)` values they take;
//! * [`door`]: the two symbols by which an agent finds the table;
//! * the shim: catches panics, checks what comes from the host, keeps the last error;
//! * [`Host`]: what the agent offers back: log, clock, the wish to stop.
//!
//! No Rust type whose layout is the compiler's own crosses the border, and no panic does.

#![allow(unsafe_code)] // this crate is one of the rooms: raw pointers become safe values here

/// The example of the README is compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod device;
pub mod door;
mod host;
mod outcome;
mod shim;
#[cfg(test)]
mod tests;
pub mod v1;

pub use device::{
    Access, Checked, Description, Device, DeviceError, DeviceStatus, Disposition, Inspection,
    Leftover, Mount, Observation, Observed, OpenRequest, Plugin, RecordEntry, SectionEntry,
    SectionMode, SectionRequest, SpanRequest, VolumeEntry,
};
pub use host::{Host, Level};
pub use outcome::{Capabilities, DeviceClass, Outcome};

/// For `export_device!` alone.
#[doc(hidden)]
pub mod __private {
    pub use crate::door::{rust_door, table_v1};
    pub use abi_stable::library::LibHeader;
}
