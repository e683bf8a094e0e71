//! The calls that answer with a list: the host gives room for a page of entries.

use super::open::call;
use super::raw;
use crate::v1::{
    DeviceHandleV1, Entry, LeftoverV1, NAME_MAX, ObservationV1, PAGE_MAX, RecordEntryV1,
    SectionEntryV1, TextV1, VolumeEntryV1,
};
use crate::{DeviceError, Leftover, Observation, Outcome, RecordEntry, SectionEntry, VolumeEntry};

/// Copies a page of entries into the host's room.
///
/// # Safety
/// `out` is null or has room for `max` entries; `got` is null or a place of the host's.
unsafe fn give<E: Entry>(
    out: *mut E::Raw,
    max: usize,
    got: *mut usize,
    list: impl FnOnce(usize) -> Result<Vec<E>, DeviceError>,
) -> Result<(), DeviceError> {
    let max = max.min(PAGE_MAX);
    // SAFETY: passed on from the caller.
    let (room, got) = unsafe { (raw::buffer(out, max)?, raw::out(got)?) };
    *got = 0;
    let entries = list(max)?;
    // Entries beyond the page are asked for again, with a later `after`.
    for (place, entry) in room.iter_mut().zip(&entries) {
        *place = entry.to_raw().ok_or_else(|| {
            DeviceError::new(
                Outcome::PERMANENT,
                "a name in a list is longer than 255 bytes",
            )
        })?;
        *got += 1;
    }
    Ok(())
}

/// `DeviceTableV1::volumes`.
pub(super) unsafe extern "C" fn volumes(
    handle: *mut DeviceHandleV1,
    after: TextV1,
    out: *mut VolumeEntryV1,
    max: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: the table's rules bind the host: handle, text and room are valid for this call.
    unsafe {
        call(handle, |device| {
            let after = raw::text(after, NAME_MAX)?;
            give::<VolumeEntry>(out, max, got, |max| device.volumes(after, max))
        })
    }
}

/// `DeviceTableV1::sections`.
pub(super) unsafe extern "C" fn sections(
    handle: *mut DeviceHandleV1,
    after_known: u32,
    after: u64,
    out: *mut SectionEntryV1,
    max: usize,
    got: *mut usize,
) -> u32 {
    let after = (after_known != 0).then_some(after);
    // SAFETY: as in `volumes`.
    unsafe {
        call(handle, |device| {
            give::<SectionEntry>(out, max, got, |max| device.sections(after, max))
        })
    }
}

/// `DeviceTableV1::list_records`.
pub(super) unsafe extern "C" fn list_records(
    handle: *mut DeviceHandleV1,
    after: TextV1,
    out: *mut RecordEntryV1,
    max: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: as in `volumes`.
    unsafe {
        call(handle, |device| {
            let after = raw::text(after, NAME_MAX)?;
            give::<RecordEntry>(out, max, got, |max| device.list_records(after, max))
        })
    }
}

/// `DeviceTableV1::leftovers`.
pub(super) unsafe extern "C" fn leftovers(
    handle: *mut DeviceHandleV1,
    after: TextV1,
    out: *mut LeftoverV1,
    max: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: as in `volumes`.
    unsafe {
        call(handle, |device| {
            let after = raw::text(after, NAME_MAX)?;
            give::<Leftover>(out, max, got, |max| device.leftovers(after, max))
        })
    }
}

/// `DeviceTableV1::probe`.
pub(super) unsafe extern "C" fn probe(
    handle: *mut DeviceHandleV1,
    out: *mut ObservationV1,
    max: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: as in `volumes`.
    unsafe {
        call(handle, |device| {
            give::<Observation>(out, max, got, |_| device.probe())
        })
    }
}
