//! The frozen table of calls.

use abi_stable::StableAbi;

use super::{
    DescriptionV1, DeviceHandleV1, ErrorV1, HostServicesV1, InspectionV1, LeftoverV1,
    ObservationV1, OpenRequestV1, RecordEntryV1, SectionEntryV1, SectionRequestV1, SpanRequestV1,
    StatusV1, TextV1, VolumeEntryV1,
};

/// Every call of a device, as plain functions. All of them are there; a device that lacks one
/// answers `NOT_SUPPORTED`.
///
/// Rules for all calls: the return value is an `Outcome`; out values are written only as said; all
/// pointers are valid for the call alone. `describe`, `open`, `cancel` may be called from any
/// thread, the others from one thread at a time (the device's lane). After a failed call
/// `last_error` gives the text. `close` is called exactly once and frees the handle.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct DeviceTableV1 {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Revision of the border, 1.
    pub revision: u32,
    /// Says what the plugin is; touches no device.
    pub describe: unsafe extern "C" fn(out: *mut DescriptionV1, error: *mut ErrorV1) -> u32,
    /// Opens a device. On success `out` is the handle, on failure `error` is filled.
    pub open: unsafe extern "C" fn(
        request: *const OpenRequestV1,
        host: *const HostServicesV1,
        out: *mut *mut DeviceHandleV1,
        error: *mut ErrorV1,
    ) -> u32,
    /// Closes a device, lets go of its lock and frees the handle, also when it fails.
    pub close: unsafe extern "C" fn(handle: *mut DeviceHandleV1) -> u32,
    /// Brings a volume in (`MOUNT_*`).
    pub mount: unsafe extern "C" fn(handle: *mut DeviceHandleV1, mode: u32, key: TextV1) -> u32,
    /// Lets the volume go (`UNMOUNT_*`).
    pub unmount: unsafe extern "C" fn(handle: *mut DeviceHandleV1, disposition: u32) -> u32,
    /// Fills at most `max` volumes whose key sorts after `after`; `got` says how many.
    pub volumes: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        after: TextV1,
        out: *mut VolumeEntryV1,
        max: usize,
        got: *mut usize,
    ) -> u32,
    /// Fills at most `max` sections with a number above `after` (all when `after_known` is 0).
    pub sections: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        after_known: u32,
        after: u64,
        out: *mut SectionEntryV1,
        max: usize,
        got: *mut usize,
    ) -> u32,
    /// Begins a section.
    pub begin_section:
        unsafe extern "C" fn(handle: *mut DeviceHandleV1, request: *const SectionRequestV1) -> u32,
    /// Takes all `len` bytes or fails.
    pub write:
        unsafe extern "C" fn(handle: *mut DeviceHandleV1, bytes: *const u8, len: usize) -> u32,
    /// Makes what was written durable; the section stays open.
    pub sync: unsafe extern "C" fn(handle: *mut DeviceHandleV1) -> u32,
    /// Makes the section durable and puts it in its place.
    pub end_section: unsafe extern "C" fn(handle: *mut DeviceHandleV1) -> u32,
    /// Gives the open section up.
    pub abort_section: unsafe extern "C" fn(handle: *mut DeviceHandleV1) -> u32,
    /// Goes on with the open section on the next medium.
    pub span:
        unsafe extern "C" fn(handle: *mut DeviceHandleV1, request: *const SpanRequestV1) -> u32,
    /// Opens a closed section for reading; `length` is its size in bytes.
    pub open_section:
        unsafe extern "C" fn(handle: *mut DeviceHandleV1, index: u64, length: *mut u64) -> u32,
    /// Moves the reading position, in bytes from the start.
    pub seek: unsafe extern "C" fn(handle: *mut DeviceHandleV1, offset: u64) -> u32,
    /// Reads some bytes; `got` is 0 only at the end of the section.
    pub read: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        buffer: *mut u8,
        size: usize,
        got: *mut usize,
    ) -> u32,
    /// Writes a record, durable and create-only.
    pub put_record: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        name: TextV1,
        bytes: *const u8,
        len: usize,
    ) -> u32,
    /// Reads a record; `TOO_SMALL` with the needed size in `got` when it does not fit.
    pub get_record: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        name: TextV1,
        buffer: *mut u8,
        size: usize,
        got: *mut usize,
    ) -> u32,
    /// Fills at most `max` records whose name sorts after `after`.
    pub list_records: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        after: TextV1,
        out: *mut RecordEntryV1,
        max: usize,
        got: *mut usize,
    ) -> u32,
    /// Removes a record.
    pub remove_record: unsafe extern "C" fn(handle: *mut DeviceHandleV1, name: TextV1) -> u32,
    /// Removes a closed section.
    pub remove_section: unsafe extern "C" fn(handle: *mut DeviceHandleV1, index: u64) -> u32,
    /// Removes this section and all after it.
    pub truncate: unsafe extern "C" fn(handle: *mut DeviceHandleV1, index: u64) -> u32,
    /// Fills at most `max` leftovers whose name sorts after `after`.
    pub leftovers: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        after: TextV1,
        out: *mut LeftoverV1,
        max: usize,
        got: *mut usize,
    ) -> u32,
    /// Removes unfinished work by its name; never a foreign file.
    pub remove_leftover: unsafe extern "C" fn(handle: *mut DeviceHandleV1, name: TextV1) -> u32,
    /// Medium, space, alerts.
    pub status: unsafe extern "C" fn(handle: *mut DeviceHandleV1, out: *mut StatusV1) -> u32,
    /// What the medium itself says of a closed section; its bytes are not read.
    pub inspect_section: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        index: u64,
        out: *mut InspectionV1,
    ) -> u32,
    /// Fills at most `max` observations of the mounted volume's storage, in the order to be told.
    pub probe: unsafe extern "C" fn(
        handle: *mut DeviceHandleV1,
        out: *mut ObservationV1,
        max: usize,
        got: *mut usize,
    ) -> u32,
    /// Makes a running call return soon. Any thread, any time before `close`; returns at once.
    pub cancel: unsafe extern "C" fn(handle: *mut DeviceHandleV1) -> u32,
    /// The last failure of this handle.
    pub last_error: unsafe extern "C" fn(handle: *mut DeviceHandleV1, out: *mut ErrorV1) -> u32,
}
