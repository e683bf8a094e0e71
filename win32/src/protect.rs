//! Secrets sealed to this machine (DPAPI).

use std::io;
use std::ptr;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData,
    CryptUnprotectData,
};

use crate::check;

fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(CRYPT_INTEGER_BLOB {
        cbData: length,
        // The calls read these bytes and never write them.
        pbData: bytes.as_ptr().cast_mut(),
    })
}

/// Copies what a call allocated, and gives it back, emptied.
fn take(made: &CRYPT_INTEGER_BLOB) -> Vec<u8> {
    // SAFETY: the call gave so many bytes, for us alone.
    let bytes = unsafe { std::slice::from_raw_parts_mut(made.pbData, made.cbData as usize) };
    let copy = bytes.to_vec();
    bytes.fill(0);
    // SAFETY: freed once, as the call asks.
    unsafe { LocalFree(made.pbData.cast()) };
    copy
}

/// Seals bytes to this machine: any account of it can open them, no other machine can. Who may
/// read the file that holds them is said by its access list.
///
/// # Errors
/// What the system says.
pub fn seal(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let plain = blob(bytes)?;
    // SAFETY: a number and a null pointer.
    let mut sealed: CRYPT_INTEGER_BLOB = unsafe { std::mem::zeroed() };
    // SAFETY: both outlive the call; the rest is not used.
    check(unsafe {
        CryptProtectData(
            &raw const plain,
            ptr::null(),
            ptr::null(),
            ptr::null(),
            ptr::null(),
            CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut sealed,
        )
    })?;
    Ok(take(&sealed))
}

/// Opens what was sealed on this machine.
///
/// # Errors
/// It was sealed elsewhere, or changed; what the system says.
pub fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
    let sealed = blob(sealed)?;
    // SAFETY: a number and a null pointer.
    let mut plain: CRYPT_INTEGER_BLOB = unsafe { std::mem::zeroed() };
    // SAFETY: both outlive the call; the rest is not used.
    check(unsafe {
        CryptUnprotectData(
            &raw const sealed,
            ptr::null_mut(),
            ptr::null(),
            ptr::null(),
            ptr::null(),
            CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut plain,
        )
    })?;
    Ok(take(&plain))
}
