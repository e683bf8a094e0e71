//! Files and folders: places that are durable, room, identity, locks.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, ERROR_LOCK_VIOLATION,
    ERROR_NOT_SUPPORTED, GENERIC_READ, GENERIC_WRITE, HANDLE,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_SEQUENTIAL_SCAN,
    FILE_SHARE_READ, FILE_SHARE_WRITE, FlushFileBuffers, GetDiskFreeSpaceExW,
    GetFileInformationByHandle, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
    MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW, UnlockFile,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::check;
use crate::text::{verbatim, wide_path};

/// Where the byte lies that [`try_lock`] locks: behind every content, since a locked byte can be
/// neither read nor written by others.
const LOCKED_BYTE: u64 = 1 << 62;

pub(crate) fn raw(file: &File) -> HANDLE {
    file.as_raw_handle()
}

/// Puts `from` in the place of `to`, which must not exist. The new name is on the disk when this
/// returns.
///
/// # Errors
/// `AlreadyExists`, and what the system says.
pub fn place(from: &Path, to: &Path) -> io::Result<()> {
    rename(from, to, MOVEFILE_WRITE_THROUGH)
}

/// Puts `from` in the place of `to`, whatever file is there; durable as [`place`].
///
/// # Errors
/// What the system says; access denied when somebody has the old one open.
pub fn replace(from: &Path, to: &Path) -> io::Result<()> {
    rename(from, to, MOVEFILE_WRITE_THROUGH | MOVEFILE_REPLACE_EXISTING)
}

fn rename(from: &Path, to: &Path, flags: u32) -> io::Result<()> {
    let (from, to) = (wide_path(from)?, wide_path(to)?);
    // SAFETY: both are texts with their ends, alive during the call.
    check(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) })
}

/// Bytes that this process may still write in a folder (its quota counts), and bytes in all.
///
/// # Errors
/// What the system says.
pub fn space(folder: &Path) -> io::Result<(u64, u64)> {
    let mut folder = verbatim(folder)?.into_os_string();
    // A share is asked for by a name that ends so.
    folder.push(r"\");
    let folder = crate::text::wide(&folder)?;
    let (mut free, mut size) = (0, 0);
    // SAFETY: a text with its end, and two numbers that outlive the call; the third is not asked.
    check(unsafe {
        GetDiskFreeSpaceExW(
            folder.as_ptr(),
            &raw mut free,
            &raw mut size,
            ptr::null_mut(),
        )
    })?;
    Ok((free, size))
}

/// Which file an open one is: the number of its volume, and its own.
///
/// # Errors
/// What the system says.
pub fn identity(file: &File) -> io::Result<(u32, u64)> {
    // SAFETY: all fields are plain numbers, for which zero is a value.
    let mut facts: BY_HANDLE_FILE_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: an open handle, and a structure that outlives the call.
    check(unsafe { GetFileInformationByHandle(raw(file), &raw mut facts) })?;
    let index = u64::from(facts.nFileIndexHigh) << 32 | u64::from(facts.nFileIndexLow);
    Ok((facts.dwVolumeSerialNumber, index))
}

/// Opens a folder. While it is open nobody can rename or remove it.
///
/// # Errors
/// What the system says; `NotADirectory` for a file.
pub fn open_folder(path: &Path) -> io::Result<File> {
    let folder = OpenOptions::new()
        .access_mode(GENERIC_READ)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(verbatim(path)?)?;
    if folder.metadata()?.is_dir() {
        Ok(folder)
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

/// Makes the names in a folder durable, where the file system takes the question. NTFS writes
/// its own log in order, so that what was flushed behind a name carries the name with it; a file
/// system that knows no flushing of folders answers so, and is left in peace.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = OpenOptions::new()
        .access_mode(GENERIC_READ | GENERIC_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(verbatim(path)?)?;
    // SAFETY: an open handle.
    match check(unsafe { FlushFileBuffers(raw(&folder)) }) {
        Err(error) if is_unknown_here(&error) => Ok(()),
        other => other,
    }
}

/// The file system does not know a call.
fn is_unknown_here(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    let unknown = [
        ERROR_INVALID_FUNCTION,
        ERROR_NOT_SUPPORTED,
        ERROR_INVALID_PARAMETER,
    ];
    code.is_some_and(|code| unknown.contains(&code))
}

/// Takes the exclusive lock that stands for a whole file; false when another handle has it. It
/// ends with the handle. Others can still read the file.
///
/// # Errors
/// What the system says.
pub fn try_lock(file: &File) -> io::Result<bool> {
    // SAFETY: plain numbers and a null event, for which zero is a value.
    let mut place: OVERLAPPED = unsafe { std::mem::zeroed() };
    place.Anonymous.Anonymous.Offset = LOCKED_BYTE as u32;
    place.Anonymous.Anonymous.OffsetHigh = (LOCKED_BYTE >> 32) as u32;
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: the file was opened for synchronous use, so the call is over when it returns.
    let taken = check(unsafe { LockFileEx(raw(file), flags, 0, 1, 0, &raw mut place) });
    match taken {
        Ok(()) => Ok(true),
        Err(error) => match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING) => Ok(false),
            _ => Err(error),
        },
    }
}

/// Lets go of the lock that [`File::lock`] and its kin took with this handle. The standard library
/// asks a second time, for a shared lock beside an exclusive one, and takes no other answer than
/// one that Wine does not give.
///
/// # Errors
/// What the system says; that no lock is held.
pub fn unlock(file: &File) -> io::Result<()> {
    // SAFETY: an open handle.
    check(unsafe { UnlockFile(raw(file), 0, 0, u32::MAX, u32::MAX) })
}

/// Options for a file that is read from start to end.
pub fn in_order(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(FILE_FLAG_SEQUENTIAL_SCAN)
}
