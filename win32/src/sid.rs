//! Security identifiers and tokens.

use std::ffi::{OsString, c_void};
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    GetTokenInformation, IsValidSid, LookupAccountSidW, SID_NAME_USE, TOKEN_GROUPS,
    TOKEN_INFORMATION_CLASS, TOKEN_QUERY, TOKEN_USER, TokenGroups, TokenUser,
};
use windows_sys::Win32::System::SystemServices::SE_GROUP_ENABLED;
use windows_sys::Win32::System::Threading::OpenProcessToken;

use crate::check;

/// Longest name of an account or its domain that is read, in UTF-16 units.
const NAME_MAX: usize = 512;

/// An identifier in its text form, `S-1-5-18`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sid(pub(crate) String);

/// `NT AUTHORITY\SYSTEM`.
pub(crate) fn system() -> Sid {
    Sid("S-1-5-18".to_owned())
}

/// `BUILTIN\Administrators`.
pub(crate) fn administrators() -> Sid {
    Sid("S-1-5-32-544".to_owned())
}

/// `NT SERVICE\TrustedInstaller`, who owns what Windows itself brings.
pub(crate) fn installer() -> Sid {
    Sid("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464".to_owned())
}

/// Reads an identifier.
///
/// # Safety
/// `sid` must point to readable memory that holds an identifier.
pub(crate) unsafe fn read(sid: *mut c_void) -> io::Result<Sid> {
    // SAFETY: promised by the caller.
    if sid.is_null() || unsafe { IsValidSid(sid) } == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: a valid identifier, and a pointer that outlives the call.
    check(unsafe { ConvertSidToStringSidW(sid, &raw mut text) })?;
    let mut length = 0;
    // SAFETY: the call gave text with its end.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: `length` units were just counted.
    let units = unsafe { std::slice::from_raw_parts(text, length) };
    let read = OsString::from_wide(units).to_string_lossy().into_owned();
    // SAFETY: the text is freed once, as its call asks.
    unsafe { LocalFree(text.cast()) };
    Ok(Sid(read))
}

/// `DOMAIN\name` of an identifier; its text form where nobody knows it.
///
/// # Safety
/// As [`read`].
pub(crate) unsafe fn name(sid: *mut c_void) -> String {
    let (mut account, mut domain) = (vec![0_u16; NAME_MAX], vec![0_u16; NAME_MAX]);
    let (mut account_length, mut domain_length) = (NAME_MAX as u32, NAME_MAX as u32);
    let mut kind: SID_NAME_USE = 0;
    // SAFETY: promised by the caller; two buffers of the lengths said.
    let known = unsafe {
        LookupAccountSidW(
            ptr::null(),
            sid,
            account.as_mut_ptr(),
            &raw mut account_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if known == 0 {
        // SAFETY: promised by the caller.
        return unsafe { read(sid) }.map_or_else(|_| "an unknown account".to_owned(), |sid| sid.0);
    }
    let text = |units: &[u16], length: u32| {
        let units = units.get(..length as usize).unwrap_or_default();
        OsString::from_wide(units).to_string_lossy().into_owned()
    };
    let (account, domain) = (text(&account, account_length), text(&domain, domain_length));
    if domain.is_empty() {
        account
    } else {
        format!(r"{domain}\{account}")
    }
}

/// The token of a process.
pub(crate) fn token_of(process: HANDLE) -> io::Result<OwnedHandle> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: a handle of a process, and one that outlives the call.
    check(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: a handle that was opened for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// What a token says; the words are aligned as its structures ask.
fn ask(token: &OwnedHandle, class: TOKEN_INFORMATION_CLASS) -> io::Result<Vec<u64>> {
    let mut needed = 0;
    // SAFETY: asks for the length alone.
    unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            class,
            ptr::null_mut(),
            0,
            &raw mut needed,
        )
    };
    let mut words = vec![0_u64; (needed as usize).div_ceil(8).max(8)];
    let length = (words.len() * 8) as u32;
    // SAFETY: a buffer of `length` bytes.
    check(unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            class,
            words.as_mut_ptr().cast(),
            length,
            &raw mut needed,
        )
    })?;
    Ok(words)
}

/// The user of a token.
pub(crate) fn user_of(token: &OwnedHandle) -> io::Result<Sid> {
    let words = ask(token, TokenUser)?;
    // SAFETY: the call wrote this structure at the start of the words, and what it points to
    // behind it.
    unsafe { read((*words.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

/// Whether a token acts for an administrator.
pub(crate) fn is_administrator(token: &OwnedHandle) -> io::Result<bool> {
    let words = ask(token, TokenGroups)?;
    let groups = words.as_ptr().cast::<TOKEN_GROUPS>();
    // SAFETY: the call wrote this structure at the start of the words.
    let count = unsafe { (*groups).GroupCount } as usize;
    // SAFETY: as many of them stand behind the count, within the words.
    let groups = unsafe { std::slice::from_raw_parts((&raw const (*groups).Groups).cast(), count) };
    let wanted = administrators();
    Ok(groups
        .iter()
        .any(|group: &windows_sys::Win32::Security::SID_AND_ATTRIBUTES| {
            // A group that is there only to be refused ("deny only") is not enabled.
            group.Attributes & SE_GROUP_ENABLED.cast_unsigned() != 0
                // SAFETY: as above.
                && unsafe { read(group.Sid) }.is_ok_and(|sid| sid == wanted)
        }))
}
