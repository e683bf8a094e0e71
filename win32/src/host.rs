//! What the system knows of this host.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::ptr;

use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegGetValueW,
};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW,
};

use crate::text::wide;
use crate::{check, check_code};

/// Longest text that is read, in UTF-16 units.
const TEXT_MAX: usize = 512;

/// The name of this host; of a node, not of a cluster.
///
/// # Errors
/// What the system says.
pub fn name() -> io::Result<String> {
    let mut text = vec![0_u16; TEXT_MAX];
    let mut length = TEXT_MAX as u32;
    // SAFETY: a buffer of `length` units; the call writes the used ones into `length`.
    check(unsafe {
        GetComputerNameExW(
            ComputerNamePhysicalDnsHostname,
            text.as_mut_ptr(),
            &raw mut length,
        )
    })?;
    text.truncate(length as usize);
    Ok(OsString::from_wide(&text).to_string_lossy().into_owned())
}

/// The id that was made when Windows was installed (`MachineGuid`).
///
/// # Errors
/// What the system says.
pub fn machine_id() -> io::Result<String> {
    registry_text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")
}

/// A text below `HKEY_LOCAL_MACHINE`, as 64-bit programs see it; an empty name is the key's own.
///
/// # Errors
/// What the system says; `NotFound` where there is none.
pub fn registry_text(key: &str, value: &str) -> io::Result<String> {
    let (key, value) = (wide(OsStr::new(key))?, wide(OsStr::new(value))?);
    let mut text = vec![0_u16; TEXT_MAX];
    let mut bytes = (TEXT_MAX * 2) as u32;
    // SAFETY: two texts with their ends, and a buffer of `bytes` bytes, into which the call writes
    // text that ends, or nothing.
    check_code(unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY,
            ptr::null_mut(),
            text.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    })?;
    text.truncate((bytes / 2).saturating_sub(1) as usize);
    Ok(OsString::from_wide(&text).to_string_lossy().into_owned())
}
