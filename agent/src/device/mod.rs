//! Devices behind plugins: load a plugin file, open its devices, give each a thread of its own.
//!
//! In reading order: [`PluginFile`] (load.rs: trust, hash, doors), [`Handle`] (call.rs: one opened
//! device, safe calls), [`Lane`] (lane.rs: the thread that makes the calls, with a deadline),
//! [`DeviceFault`] (fault.rs: what went wrong, for people).
//!
//! Only this room loads libraries and calls plugins. It knows nothing of media sets.

#![allow(unsafe_code)] // one of the rooms: raw calls into plugin files become safe methods here

mod call;
mod door;
mod elf;
mod fault;
mod lane;
mod list;
mod load;
mod os;
mod services;
mod trust;

pub use call::{Canceller, Handle};
pub use fault::DeviceFault;
pub use lane::{Lane, LaneLimits, Pending, abandoned_lanes, settle};
pub use list::{LEFTOVERS_MAX, RECORDS_MAX, SECTIONS_MAX, VOLUMES_MAX};
pub use load::{LoadPolicy, PluginFile};
pub use twinset_plugin_api::{
    Access, Capabilities, Checked, Description, DeviceClass, DeviceStatus, Disposition, Inspection,
    Leftover, Mount, Observation, Observed, Outcome, RecordEntry, SectionEntry, SectionMode,
    SectionRequest, VolumeEntry,
};
