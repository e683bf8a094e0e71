//! The Application log of Windows.

use std::ffi::OsStr;
use std::io;
use std::ptr;

use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
    RegisterEventSourceW, ReportEventW,
};

use crate::check;
use crate::text::wide;

/// How grave an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Information,
    /// Somebody should look.
    Warning,
    /// Something failed.
    Error,
}

/// Writes one entry. Without a registered message file the viewer shows the text behind a line
/// that says so.
///
/// # Errors
/// What the system says.
pub fn report(source: &str, level: Level, id: u32, text: &str) -> io::Result<()> {
    let source = wide(OsStr::new(source))?;
    let text = wide(OsStr::new(&text.replace('\0', " ")))?;
    let kind = match level {
        Level::Information => EVENTLOG_INFORMATION_TYPE,
        Level::Warning => EVENTLOG_WARNING_TYPE,
        Level::Error => EVENTLOG_ERROR_TYPE,
    };
    // SAFETY: a text with its end; no name of a host means this one.
    let log = unsafe { RegisterEventSourceW(ptr::null(), source.as_ptr()) };
    if log.is_null() {
        return Err(io::Error::last_os_error());
    }
    let texts = [text.as_ptr()];
    // SAFETY: the handle of above, and one text with its end.
    let told = check(unsafe {
        ReportEventW(
            log,
            kind,
            0,
            id,
            ptr::null_mut(),
            1,
            0,
            texts.as_ptr(),
            ptr::null(),
        )
    });
    // SAFETY: the handle of above, given back once.
    unsafe { DeregisterEventSource(log) };
    told
}
