//! The calls that are not lists, in the order of the table.

use super::open::call;
use super::raw;
use crate::v1::{
    self, DeviceHandleV1, InspectionV1, NAME_MAX, RECORD_MAX, SectionRequestV1, SpanRequestV1,
    StatusV1, TextV1,
};
use crate::{DeviceError, Disposition, Mount, Outcome, SectionMode, SectionRequest, SpanRequest};

// SAFETY (for every block of this file): the table's rules bind the host: the handle came from
// `open`, only its lane calls, and every pointer is valid for the length of the call.

fn unknown(what: &str, number: u32) -> DeviceError {
    DeviceError::new(
        Outcome::NOT_SUPPORTED,
        format!("the host asked for unknown {what} {number}"),
    )
}

/// `DeviceTableV1::mount`.
pub(super) unsafe extern "C" fn mount(handle: *mut DeviceHandleV1, mode: u32, key: TextV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let key = raw::text(key, NAME_MAX)?;
            device.mount(match mode {
                v1::MOUNT_EXISTING => Mount::Existing(key),
                v1::MOUNT_BLANK => Mount::Blank(key),
                other => return Err(unknown("mount mode", other)),
            })
        })
    }
}

/// `DeviceTableV1::unmount`.
pub(super) unsafe extern "C" fn unmount(handle: *mut DeviceHandleV1, disposition: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            device.unmount(match disposition {
                v1::UNMOUNT_KEEP => Disposition::Keep,
                v1::UNMOUNT_EJECT => Disposition::Eject,
                other => return Err(unknown("disposition", other)),
            })
        })
    }
}

/// `DeviceTableV1::begin_section`.
pub(super) unsafe extern "C" fn begin_section(
    handle: *mut DeviceHandleV1,
    request: *const SectionRequestV1,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let request = raw::value(request)?;
            device.begin_section(&SectionRequest {
                index: request.index,
                name: raw::text(request.name, NAME_MAX)?,
                run_id: request.run_id,
                expected_length: (request.length_known != 0).then_some(request.expected_length),
                mode: match request.mode {
                    v1::SECTION_NEW => SectionMode::New,
                    v1::SECTION_REPAIR => SectionMode::Repair,
                    other => return Err(unknown("section mode", other)),
                },
            })
        })
    }
}

/// `DeviceTableV1::write`.
pub(super) unsafe extern "C" fn write(
    handle: *mut DeviceHandleV1,
    bytes: *const u8,
    len: usize,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.write(raw::bytes(bytes, len)?)) }
}

/// `DeviceTableV1::sync`.
pub(super) unsafe extern "C" fn sync(handle: *mut DeviceHandleV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.sync()) }
}

/// `DeviceTableV1::end_section`.
pub(super) unsafe extern "C" fn end_section(handle: *mut DeviceHandleV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.end_section()) }
}

/// `DeviceTableV1::abort_section`.
pub(super) unsafe extern "C" fn abort_section(handle: *mut DeviceHandleV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.abort_section()) }
}

/// `DeviceTableV1::span`.
pub(super) unsafe extern "C" fn span(
    handle: *mut DeviceHandleV1,
    request: *const SpanRequestV1,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let request = raw::value(request)?;
            if request.note_len > RECORD_MAX || request.header_len > RECORD_MAX {
                let text = format!("note and header have at most {RECORD_MAX} bytes each");
                return Err(DeviceError::new(Outcome::NOT_SUPPORTED, text));
            }
            device.span(&SpanRequest {
                cut: request.cut,
                note: raw::bytes(request.note, request.note_len)?,
                header: raw::bytes(request.header, request.header_len)?,
            })
        })
    }
}

/// `DeviceTableV1::open_section`.
pub(super) unsafe extern "C" fn open_section(
    handle: *mut DeviceHandleV1,
    index: u64,
    length: *mut u64,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let length = raw::out(length)?;
            *length = device.open_section(index)?;
            Ok(())
        })
    }
}

/// `DeviceTableV1::seek`.
pub(super) unsafe extern "C" fn seek(handle: *mut DeviceHandleV1, offset: u64) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.seek(offset)) }
}

/// `DeviceTableV1::read`.
pub(super) unsafe extern "C" fn read(
    handle: *mut DeviceHandleV1,
    buffer: *mut u8,
    size: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let (buffer, got) = (raw::buffer(buffer, size)?, raw::out(got)?);
            *got = 0;
            let read = device.read(buffer)?;
            if read > size {
                let text = format!("read says {read} bytes of at most {size}");
                return Err(DeviceError::new(Outcome::PERMANENT, text));
            }
            *got = read;
            Ok(())
        })
    }
}

/// `DeviceTableV1::put_record`.
pub(super) unsafe extern "C" fn put_record(
    handle: *mut DeviceHandleV1,
    name: TextV1,
    bytes: *const u8,
    len: usize,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            if len > RECORD_MAX {
                let text = format!("a record of {len} bytes, at most {RECORD_MAX} are allowed");
                return Err(DeviceError::new(Outcome::NOT_SUPPORTED, text));
            }
            device.put_record(raw::text(name, NAME_MAX)?, raw::bytes(bytes, len)?)
        })
    }
}

/// `DeviceTableV1::get_record`.
pub(super) unsafe extern "C" fn get_record(
    handle: *mut DeviceHandleV1,
    name: TextV1,
    buffer: *mut u8,
    size: usize,
    got: *mut usize,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let (buffer, got) = (raw::buffer(buffer, size)?, raw::out(got)?);
            *got = 0;
            let record = device.get_record(raw::text(name, NAME_MAX)?)?;
            *got = record.len();
            let Some(room) = buffer.get_mut(..record.len()) else {
                let text = format!("the record has {} bytes", record.len());
                return Err(DeviceError::new(Outcome::TOO_SMALL, text));
            };
            room.copy_from_slice(&record);
            Ok(())
        })
    }
}

/// `DeviceTableV1::remove_record`.
pub(super) unsafe extern "C" fn remove_record(handle: *mut DeviceHandleV1, name: TextV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            device.remove_record(raw::text(name, NAME_MAX)?)
        })
    }
}

/// `DeviceTableV1::remove_section`.
pub(super) unsafe extern "C" fn remove_section(handle: *mut DeviceHandleV1, index: u64) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.remove_section(index)) }
}

/// `DeviceTableV1::truncate`.
pub(super) unsafe extern "C" fn truncate(handle: *mut DeviceHandleV1, index: u64) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { call(handle, |device| device.truncate(index)) }
}

/// `DeviceTableV1::remove_leftover`.
pub(super) unsafe extern "C" fn remove_leftover(handle: *mut DeviceHandleV1, name: TextV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            device.remove_leftover(raw::text(name, NAME_MAX)?)
        })
    }
}

/// `DeviceTableV1::status`.
pub(super) unsafe extern "C" fn status(handle: *mut DeviceHandleV1, out: *mut StatusV1) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let out = raw::out(out)?;
            *out = StatusV1::from(&device.status()?);
            Ok(())
        })
    }
}

/// `DeviceTableV1::inspect_section`.
pub(super) unsafe extern "C" fn inspect_section(
    handle: *mut DeviceHandleV1,
    index: u64,
    out: *mut InspectionV1,
) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        call(handle, |device| {
            let out = raw::out(out)?;
            *out = InspectionV1::from(&device.inspect_section(index)?);
            Ok(())
        })
    }
}
