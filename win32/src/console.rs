//! The console: what is typed is not shown.

use std::io;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::System::Console::{ENABLE_ECHO_INPUT, GetConsoleMode, SetConsoleMode};

/// The console as it was; it is so again when this is dropped.
#[derive(Debug)]
pub struct Silence(Option<u32>);

/// Stops the echo of standard input, where that is a console.
#[must_use]
pub fn without_echo() -> Silence {
    let input = io::stdin();
    let mut before = 0;
    // SAFETY: the handle of standard input, and a number that outlives the call.
    if unsafe { GetConsoleMode(input.as_raw_handle(), &raw mut before) } == 0 {
        return Silence(None);
    }
    // SAFETY: as above.
    let set = unsafe { SetConsoleMode(input.as_raw_handle(), before & !ENABLE_ECHO_INPUT) };
    Silence((set != 0).then_some(before))
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            // SAFETY: the handle of standard input.
            unsafe { SetConsoleMode(io::stdin().as_raw_handle(), before) };
        }
    }
}
