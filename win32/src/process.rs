//! Processes: when they began, whether they live, whose they are.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FILETIME, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use crate::check;
use crate::sid::{self, Sid};

/// A process as the system tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// When it began, in 100 ns since 1601: with its id it is never another one.
    pub started: u64,
    /// Whether it has ended and is only remembered by somebody's handle.
    pub ended: bool,
}

fn open(id: u32, rights: u32) -> io::Result<OwnedHandle> {
    // SAFETY: no pointer is passed.
    let handle = unsafe { OpenProcess(rights, 0, id) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a handle that was opened for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Looks at a process; `None` when there is none of that id.
///
/// # Errors
/// It may not be looked at.
pub fn look(id: u32) -> io::Result<Option<Process>> {
    let process = match open(id, PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE) {
        Ok(process) => process,
        // So the call says that there is no such id.
        Err(error) if error.raw_os_error() == Some(ERROR_INVALID_PARAMETER.cast_signed()) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut times = [FILETIME {
        dwLowDateTime: 0,
        dwHighDateTime: 0,
    }; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: a handle with the right to ask, and four structures that outlive the call.
    check(unsafe { GetProcessTimes(process.as_raw_handle(), created, exited, kernel, user) })?;
    // SAFETY: a handle with the right to wait; no time is waited.
    let waited = unsafe { WaitForSingleObject(process.as_raw_handle(), 0) };
    let started = u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime);
    Ok(Some(Process {
        started,
        ended: waited != WAIT_TIMEOUT,
    }))
}

/// Whether a process acts for our own user, for SYSTEM or for an administrator.
///
/// # Errors
/// It may not be looked at, which a stranger's may not.
pub(crate) fn is_trusted(id: u32) -> io::Result<bool> {
    let process = open(id, PROCESS_QUERY_LIMITED_INFORMATION)?;
    let token = sid::token_of(process.as_raw_handle())?;
    let user = sid::user_of(&token)?;
    Ok(user == own_user()? || user == sid::system() || sid::is_administrator(&token)?)
}

/// The user of this process.
pub(crate) fn own_user() -> io::Result<Sid> {
    // SAFETY: a number that stands for this process, and needs no closing.
    let process = unsafe { GetCurrentProcess() };
    sid::user_of(&sid::token_of(process)?)
}
