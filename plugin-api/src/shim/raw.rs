//! Pointers from the host, checked and turned into borrows for the length of one call.

use crate::v1::TextV1;
use crate::{DeviceError, Outcome};

fn refuse(what: &str) -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, format!("the host passed {what}"))
}

/// The text that the host lends.
///
/// # Safety
/// `text.bytes` is null or points to `text.len` readable bytes that nobody writes during `'a`.
pub(super) unsafe fn text<'a>(text: TextV1, max: usize) -> Result<&'a str, DeviceError> {
    if text.len > max {
        return Err(refuse(&format!(
            "a text of {} bytes, at most {max} are allowed",
            text.len
        )));
    }
    // SAFETY: passed on from the caller.
    let bytes = unsafe { bytes(text.bytes, text.len) }?;
    std::str::from_utf8(bytes).map_err(|_| refuse("a text that is not UTF-8"))
}

/// The bytes that the host lends for reading.
///
/// # Safety
/// `bytes` is null or points to `len` readable bytes that nobody writes during `'a`.
pub(super) unsafe fn bytes<'a>(bytes: *const u8, len: usize) -> Result<&'a [u8], DeviceError> {
    if len == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() || isize::try_from(len).is_err() {
        return Err(refuse("bytes without an address"));
    }
    // SAFETY: not null, `len` fits an `isize`, readable by the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(bytes, len) })
}

/// A host buffer for writing.
///
/// # Safety
/// `buffer` is null or points to `len` initialised `T`s that only this call uses during `'a`.
pub(super) unsafe fn buffer<'a, T>(buffer: *mut T, len: usize) -> Result<&'a mut [T], DeviceError> {
    if len == 0 {
        return Ok(&mut []);
    }
    let fits = len
        .checked_mul(size_of::<T>())
        .is_some_and(|size| isize::try_from(size).is_ok());
    if buffer.is_null() || !fits || !buffer.is_aligned() {
        return Err(refuse("a buffer without an address"));
    }
    // SAFETY: not null, aligned, size fits an `isize`, writable by the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer, len) })
}

/// Where the host wants one value.
///
/// # Safety
/// As [`buffer`] for one `T`.
pub(super) unsafe fn out<'a, T>(place: *mut T) -> Result<&'a mut T, DeviceError> {
    if place.is_null() || !place.is_aligned() {
        return Err(refuse("no place for a result"));
    }
    // SAFETY: not null, aligned, valid by the caller's promise.
    Ok(unsafe { &mut *place })
}

/// A value that the host lends for reading.
///
/// # Safety
/// `value` is null or points to a valid `T` that nobody writes during `'a`.
pub(super) unsafe fn value<'a, T>(value: *const T) -> Result<&'a T, DeviceError> {
    if value.is_null() || !value.is_aligned() {
        return Err(refuse("no request"));
    }
    // SAFETY: not null, aligned, valid by the caller's promise.
    Ok(unsafe { &*value })
}
