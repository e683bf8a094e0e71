//! The client's end: what a backup program reaches through the exported symbols.

mod device;
mod set;

pub(crate) use device::ClientDevice;
pub(crate) use set::{ClientSet, locked};
