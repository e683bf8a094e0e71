//! Structs that cross the border, equal on Linux x86-64 and 64-bit Windows (facts/vdi.md 1.5).

use std::mem::{align_of, offset_of, size_of};

/// Both sides' wishes and the outcome of negotiation.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VdConfig {
    pub(super) device_count: u32,
    pub(super) features: u32,
    pub(super) prefix_zone_size: u32,
    pub(super) alignment: u32,
    pub(super) soft_file_mark_block_size: u32,
    pub(super) eom_warning_size: u32,
    /// Milliseconds; 0 is infinite.
    pub(super) server_time_out: u32,
    pub(super) block_size: u32,
    pub(super) max_io_depth: u32,
    pub(super) max_transfer_size: u32,
    pub(super) buffer_area_size: u32,
}

/// One command, in memory of the library's that the client may only read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct VdcCommand {
    pub(super) code: i32,
    pub(super) size: i32,
    pub(super) position: i64,
    pub(super) buffer: *mut u8,
}

const _: () = assert!(size_of::<VdConfig>() == 44 && align_of::<VdConfig>() == 4);
const _: () = assert!(offset_of!(VdConfig, server_time_out) == 24);
const _: () = assert!(offset_of!(VdConfig, block_size) == 28);
const _: () = assert!(offset_of!(VdConfig, buffer_area_size) == 40);

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<VdcCommand>() == 24 && align_of::<VdcCommand>() == 8);
const _: () = assert!(offset_of!(VdcCommand, size) == 4);
const _: () = assert!(offset_of!(VdcCommand, position) == 8);
const _: () = assert!(offset_of!(VdcCommand, buffer) == 16);
