//! Who may touch a file: access lists that keep everybody out but administrators, SYSTEM and the
//! agent's own user, and a look at those of others.

use std::ffi::{OsStr, c_void};
use std::fs::File;
use std::io;
use std::os::windows::io::FromRawHandle;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{
    GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, INHERIT_ONLY_ACE,
    OWNER_SECURITY_INFORMATION, SECURITY_ATTRIBUTES, SetFileSecurityW,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, DELETE, FILE_APPEND_DATA, FILE_ATTRIBUTE_NORMAL,
    FILE_DELETE_CHILD, FILE_READ_DATA, FILE_SHARE_READ, FILE_WRITE_DATA, WRITE_DAC, WRITE_OWNER,
};

use crate::sid::{self, Sid};
use crate::text::{wide, wide_path};
use crate::{check, check_code, process};

/// Kinds of entries that allow, all of the same form: an entry, and one with a condition.
const ALLOWS: [u8; 2] = [0, 9];
/// Kinds of entries that deny, or that allow nothing.
const HARMLESS: [u8; 4] = [1, 2, 10, 17];
/// Where the identifier stands in an entry of [`ALLOWS`].
const SID_AT: usize = 8;
/// The creator of a file: means its owner, who is looked at by himself.
const CREATOR: &str = "S-1-3-0";
/// The owner's rights.
const OWNER_RIGHTS: &str = "S-1-3-4";

/// What others are kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Changing the content of a file, or the names of a folder.
    Writing,
    /// That, and reading.
    Reading,
    /// Putting another in the place of what lies in a folder. To add names is allowed: so every
    /// user may in the root of a volume.
    Replacing,
}

impl Keep {
    const fn rights(self) -> u32 {
        let replace = DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
        let write = replace | FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE;
        match self {
            Self::Replacing => replace,
            Self::Writing => write,
            Self::Reading => write | FILE_READ_DATA | GENERIC_READ,
        }
    }
}

/// Who can touch a file that should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It belongs to this account.
    Owner(String),
    /// This account may read it.
    Reads(String),
    /// This account may change it.
    Writes(String),
    /// It has no access list, which lets everybody do everything.
    Everybody,
    /// An entry of its list cannot be understood.
    Unknown,
}

/// A descriptor that the system allocated.
struct Descriptor(*mut c_void);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: allocated by a call that asks for this, freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// Full rights for administrators, SYSTEM and our own user, for nobody else; what is above is not
/// inherited.
fn private_text(inherited: bool) -> io::Result<String> {
    let flags = if inherited { "OICI" } else { "" };
    let Sid(own) = process::own_user()?;
    Ok(format!(
        "D:P(A;{flags};FA;;;SY)(A;{flags};FA;;;BA)(A;{flags};FA;;;{own})"
    ))
}

fn descriptor(text: &str) -> io::Result<Descriptor> {
    let text = wide(OsStr::new(text))?;
    let mut made: *mut c_void = ptr::null_mut();
    // SAFETY: a text with its end, and a pointer that outlives the call.
    check(unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut made,
            ptr::null_mut(),
        )
    })?;
    Ok(Descriptor(made))
}

/// Calls something that makes an object which nobody else may touch.
pub(crate) fn with_private<T>(
    inherited: bool,
    make: impl FnOnce(*const SECURITY_ATTRIBUTES) -> T,
) -> io::Result<T> {
    let descriptor = descriptor(&private_text(inherited)?)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    Ok(make(&raw const attributes))
}

/// Makes a file that must not exist, which nobody else may touch from its first byte on.
///
/// # Errors
/// `AlreadyExists`, and what the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    let path = wide_path(path)?;
    // SAFETY: a text with its end and attributes that outlive the call.
    let handle = with_private(false, |attributes| unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            FILE_SHARE_READ,
            attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            ptr::null_mut(),
        )
    })?;
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a handle that was opened for us alone.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Makes a folder, and those above it, where they are missing. What is made lets nobody else in,
/// and neither does what will lie in it.
///
/// # Errors
/// What the system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_private_folder(above)?;
    }
    let name = wide_path(path)?;
    // SAFETY: a text with its end and attributes that outlive the call.
    let made = with_private(true, |attributes| unsafe {
        CreateDirectoryW(name.as_ptr(), attributes)
    })?;
    match check(made) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// The access list of a file, with the descriptor that holds it.
fn list_of(path: &Path) -> io::Result<(Descriptor, *mut c_void, *mut ACL)> {
    let path = wide_path(path)?;
    let mut owner: *mut c_void = ptr::null_mut();
    let mut list: *mut ACL = ptr::null_mut();
    let mut whole: *mut c_void = ptr::null_mut();
    // SAFETY: a text with its end, and pointers that outlive the call; they point into `whole`.
    check_code(unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            ptr::null_mut(),
            &raw mut list,
            ptr::null_mut(),
            &raw mut whole,
        )
    })?;
    Ok((Descriptor(whole), owner, list))
}

/// Gives a file the access list of another.
///
/// # Errors
/// What the system says.
pub fn like(path: &Path, old: &Path) -> io::Result<()> {
    let (whole, ..) = list_of(old)?;
    set_list(path, &whole)
}

/// Gives a file the access list of a descriptor, as it stands: nothing is inherited besides.
fn set_list(path: &Path, like: &Descriptor) -> io::Result<()> {
    let path = wide_path(path)?;
    // SAFETY: a text with its end, and a descriptor that lives.
    check(unsafe { SetFileSecurityW(path.as_ptr(), DACL_SECURITY_INFORMATION, like.0) })
}

/// Looks for somebody who may do what others are kept from. Administrators, SYSTEM, the installer
/// of Windows and our own user may.
///
/// # Errors
/// Owner and list cannot be read.
pub fn stranger(path: &Path, keep: Keep) -> io::Result<Option<Stranger>> {
    let trusted = [
        sid::system(),
        sid::administrators(),
        sid::installer(),
        process::own_user()?,
        Sid(CREATOR.to_owned()),
        Sid(OWNER_RIGHTS.to_owned()),
    ];
    let (_whole, owner, list) = list_of(path)?;
    // SAFETY: the call gave an identifier within the descriptor, which lives.
    if !trusted.contains(&unsafe { sid::read(owner) }?) {
        // SAFETY: as above.
        return Ok(Some(Stranger::Owner(unsafe { sid::name(owner) })));
    }
    if list.is_null() {
        return Ok(Some(Stranger::Everybody));
    }
    // SAFETY: the call gave a list within the descriptor, which lives.
    let count = unsafe { (*list).AceCount };
    for index in 0..u32::from(count) {
        let mut entry: *mut c_void = ptr::null_mut();
        // SAFETY: a list that lives, a number below its count, a pointer that outlives the call.
        check(unsafe { GetAce(list, index, &raw mut entry) })?;
        // SAFETY: the call gave an entry, which lives as long as the list.
        if let Some(found) = unsafe { judge(entry, keep.rights(), &trusted) } {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// One entry of a list.
///
/// # Safety
/// `entry` must point to an entry of a valid list.
unsafe fn judge(entry: *mut c_void, kept: u32, trusted: &[Sid]) -> Option<Stranger> {
    // SAFETY: every entry begins so.
    let head = unsafe { *entry.cast::<ACE_HEADER>() };
    // What only heirs get says nothing about this one.
    if u32::from(head.AceFlags) & INHERIT_ONLY_ACE != 0 || HARMLESS.contains(&head.AceType) {
        return None;
    }
    if !ALLOWS.contains(&head.AceType) || usize::from(head.AceSize) <= SID_AT {
        return Some(Stranger::Unknown);
    }
    // SAFETY: entries that allow have their rights behind the head, and the identifier behind
    // them, all within the size that was just looked at.
    let (rights, who) = unsafe {
        let bytes = entry.cast::<u8>();
        (
            bytes
                .add(size_of::<ACE_HEADER>())
                .cast::<u32>()
                .read_unaligned(),
            bytes.add(SID_AT).cast::<c_void>(),
        )
    };
    // SAFETY: as above.
    let Ok(account) = (unsafe { sid::read(who) }) else {
        return Some(Stranger::Unknown);
    };
    if rights & kept == 0 || trusted.contains(&account) {
        return None;
    }
    // SAFETY: as above.
    let name = unsafe { sid::name(who) };
    Some(if rights & Keep::Writing.rights() & kept != 0 {
        Stranger::Writes(name)
    } else {
        Stranger::Reads(name)
    })
}

#[cfg(test)]
pub(crate) mod tests_only {
    use super::*;

    /// Makes a file with an access list.
    pub(crate) fn create_with(path: &Path, text: &str) -> io::Result<()> {
        drop(File::create_new(path)?);
        set_list(path, &descriptor(text)?)
    }
}
