//! A named pipe between processes of one host that trust each other.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::FromRawHandle;
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, GetNamedPipeClientProcessId, GetNamedPipeServerProcessId,
    PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES,
    PIPE_WAIT, WaitNamedPipeW,
};

use crate::file::raw;
use crate::text::wide;
use crate::{check, process, security};

/// Bytes that the system keeps of each direction.
const BUFFER: u32 = 64 << 10;
/// How long a client waits for a free end of the pipe.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pipe that is listened on: the end that waits for the next client.
#[derive(Debug)]
pub struct Listener {
    name: String,
    waiting: Mutex<File>,
}

impl Listener {
    /// Makes a pipe `\\.\pipe\<name>`, which nobody else may have made, and which only
    /// administrators, SYSTEM and our own user may open, from this host.
    ///
    /// # Errors
    /// Access denied when there is one of that name already; what the system says.
    pub fn new(name: &str) -> io::Result<Self> {
        let name = format!(r"\\.\pipe\{name}");
        let waiting = instance(&name, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
        Ok(Self {
            name,
            waiting: Mutex::new(waiting),
        })
    }

    /// The next client.
    ///
    /// # Errors
    /// What the system says.
    pub fn accept(&self) -> io::Result<File> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the handle of a pipe's end, opened for synchronous use.
        match check(unsafe { ConnectNamedPipe(raw(&waiting), ptr::null_mut()) }) {
            Ok(()) => {}
            // Connected between making and asking.
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_CONNECTED.cast_signed()) => {}
            Err(error) => return Err(error),
        }
        // The next end is there before this one is used: a pipe without a free end is busy, one
        // without any end would look as if nobody listened.
        let next = instance(&self.name, 0)?;
        Ok(std::mem::replace(&mut *waiting, next))
    }
}

fn instance(name: &str, flags: u32) -> io::Result<File> {
    let name = wide(OsStr::new(name))?;
    let mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    // SAFETY: a text with its end and attributes that outlive the call.
    let handle = security::with_private(false, |attributes| unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | flags,
            mode,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            attributes,
        )
    })?;
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a handle that was opened for us alone.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Opens a pipe as a client. The server learns who we are and cannot act for us.
///
/// # Errors
/// `NotFound` when nobody listens; what the system says.
pub fn connect(name: &str) -> io::Result<File> {
    let name = format!(r"\\.\pipe\{name}");
    let until = Instant::now() + PATIENCE;
    loop {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .security_qos_flags(SECURITY_IDENTIFICATION);
        match options.open(&name) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed()) => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(error);
                }
                let wanted = wide(OsStr::new(&name))?;
                let left = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
                // Whatever it answers, the next attempt to open finds out.
                // SAFETY: a text with its end.
                unsafe { WaitNamedPipeW(wanted.as_ptr(), left) };
            }
            other => return other,
        }
    }
}

/// Whether the client of a pipe acts for our own user, SYSTEM or an administrator.
///
/// # Errors
/// It may not be looked at.
pub fn client_is_trusted(pipe: &File) -> io::Result<bool> {
    let mut id = 0;
    // SAFETY: the handle of a pipe's end, and a number that outlives the call.
    check(unsafe { GetNamedPipeClientProcessId(raw(pipe), &raw mut id) })?;
    process::is_trusted(id)
}

/// Whether the server of a pipe acts for our own user, SYSTEM or an administrator: any program
/// may make a pipe of any name.
///
/// # Errors
/// It may not be looked at.
pub fn server_is_trusted(pipe: &File) -> io::Result<bool> {
    let mut id = 0;
    // SAFETY: the handle of a pipe's end, and a number that outlives the call.
    check(unsafe { GetNamedPipeServerProcessId(raw(pipe), &raw mut id) })?;
    process::is_trusted(id)
}
