//! The values that cross the border. Who allocates frees; nobody keeps a pointer after a call.

use abi_stable::StableAbi;

use super::{NAME_MAX, TEXT_MAX};

/// UTF-8 text that its owner lends for the length of a call; not closed by a zero byte.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct TextV1 {
    /// First byte; may be null when `len` is 0.
    pub bytes: *const u8,
    /// Bytes.
    pub len: usize,
}

/// A short text by value: at most 255 bytes of UTF-8.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct NameV1 {
    /// Bytes used.
    pub len: u32,
    /// UTF-8; what follows `len` bytes means nothing.
    pub bytes: [u8; NAME_MAX + 1],
}

/// A device that a plugin opened. Only the plugin knows what is in it.
#[repr(C)]
#[derive(StableAbi)]
pub struct DeviceHandleV1 {
    opaque: u8,
}

/// What a plugin is and can do.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Default)]
pub struct DescriptionV1 {
    /// Vendor.
    pub vendor: NameV1,
    /// Product.
    pub product: NameV1,
    /// Version of the plugin.
    pub version: NameV1,
    /// `DeviceClass`.
    pub class: u32,
    /// `Capabilities` bits.
    pub capabilities: u32,
    /// Smallest block in bytes, a power of two.
    pub block_min: u32,
    /// Largest block in bytes, a power of two.
    pub block_max: u32,
    /// Wanted alignment of buffers in bytes, a power of two.
    pub alignment: u32,
    /// Smallest transfer in bytes.
    pub transfer_min: u32,
    /// Largest transfer in bytes.
    pub transfer_max: u32,
    /// Zero.
    pub reserved: u32,
    /// Bytes of payload a lane may hold beyond the buffer it was lent.
    pub bytes_held: u64,
}

/// What the host offers a plugin. The plugin copies it; the functions stay valid for ever and may
/// be called from any thread, with a key that has ended they do nothing.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct HostServicesV1 {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Revision of the border.
    pub revision: u32,
    /// Names the opened device to the functions below.
    pub key: u64,
    /// Writes one line to the host's log.
    pub log: unsafe extern "C" fn(key: u64, level: u32, text: TextV1),
    /// Milliseconds since 1970-01-01 UTC by the host's clock.
    pub now: unsafe extern "C" fn(key: u64) -> i64,
    /// 1 when the call that runs should return soon.
    pub should_stop: unsafe extern "C" fn(key: u64) -> u32,
}

/// What `open` is given.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct OpenRequestV1 {
    /// Options as JSON.
    pub options: TextV1,
    /// Identity of the agent.
    pub agent_id: TextV1,
    /// One of `ACCESS_*`.
    pub access: u32,
    /// Zero.
    pub reserved: u32,
}

/// What `begin_section` is given.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct SectionRequestV1 {
    /// Number of the section.
    pub index: u64,
    /// Name for people.
    pub name: TextV1,
    /// The run that writes.
    pub run_id: [u8; 16],
    /// 1 when `expected_length` is known.
    pub length_known: u32,
    /// One of `SECTION_*`.
    pub mode: u32,
    /// Bytes expected.
    pub expected_length: u64,
}

/// What `span` is given.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct SpanRequestV1 {
    /// Bytes of the section on the media so far.
    pub cut: u64,
    /// Closes the part on this medium.
    pub note: *const u8,
    /// Bytes of `note`.
    pub note_len: usize,
    /// Media header of the next medium.
    pub header: *const u8,
    /// Bytes of `header`.
    pub header_len: usize,
}

/// The failure of a call, by value.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ErrorV1 {
    /// Outcome it belongs to.
    pub outcome: u32,
    /// The operating system's number, or 0.
    pub os_code: i32,
    /// Bytes of the call that were taken before it failed.
    pub accepted: u64,
    /// Bytes used of `text`.
    pub text_len: u32,
    /// Zero.
    pub reserved: u32,
    /// UTF-8.
    pub text: [u8; TEXT_MAX],
}

/// One volume of a list.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Default)]
pub struct VolumeEntryV1 {
    /// Key to mount it by.
    pub key: NameV1,
    /// 1 when `sections` is known.
    pub sections_known: u32,
    /// Sections on it.
    pub sections: u64,
}

/// One closed section of a list.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Default)]
pub struct SectionEntryV1 {
    /// Number.
    pub index: u64,
    /// Bytes.
    pub length: u64,
    /// Name for people.
    pub name: NameV1,
}

/// One record of a list.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Default)]
pub struct RecordEntryV1 {
    /// Bytes.
    pub length: u64,
    /// Name.
    pub name: NameV1,
}

/// One leftover of a list.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Default)]
pub struct LeftoverV1 {
    /// Bytes.
    pub length: u64,
    /// Number of the section it was to become.
    pub index: u64,
    /// 1 when `run_id` is known: unfinished work of a run, else a foreign file.
    pub run_known: u32,
    /// 1 when `index` is known.
    pub index_known: u32,
    /// The run.
    pub run_id: [u8; 16],
    /// Name on the medium.
    pub name: NameV1,
}

/// State of device and volume.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StatusV1 {
    /// 1 when `free` is known.
    pub free_known: u32,
    /// 1 when `capacity` is known.
    pub capacity_known: u32,
    /// Free bytes.
    pub free: u64,
    /// Bytes in all.
    pub capacity: u64,
    /// Bytes used of `alerts`.
    pub alerts_len: u32,
    /// Zero.
    pub reserved: u32,
    /// Warnings, one a line.
    pub alerts: [u8; TEXT_MAX],
}

/// What a medium says of a closed section without its bytes being read.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct InspectionV1 {
    /// One of `CHECKED_*`.
    pub checked: u32,
    /// 1 when `locked_until` is known: the medium refuses to remove the section.
    pub locked: u32,
    /// Milliseconds since 1970-01-01 UTC; the largest number where no end is known.
    pub locked_until: i64,
    /// Bytes used of `differs`.
    pub differs_len: u32,
    /// Zero.
    pub reserved: u32,
    /// UTF-8: how it differs from what was written.
    pub differs: [u8; TEXT_MAX],
}

/// One observation of the storage behind a volume.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ObservationV1 {
    /// One of `OBSERVED_*`.
    pub level: u32,
    /// Bytes used of `text`.
    pub text_len: u32,
    /// UTF-8.
    pub text: [u8; TEXT_MAX],
}
