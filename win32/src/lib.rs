//! The calls of Win32 that Twinset makes beyond Rust's standard library, as safe functions.
//!
//! One crate for agent and plugins, so that `unsafe` for Windows lives in one room. It decides
//! nothing: what an answer means is said by the `os` module of the room that asks. Empty on other
//! systems. Sources: the pages of each call in the Windows API reference.

#![cfg(windows)]
#![allow(unsafe_code)]

pub mod console;
pub mod event_log;
pub mod file;
pub mod host;
pub mod pipe;
pub mod process;
pub mod protect;
pub mod security;
mod sid;
pub mod tape;
pub mod text;
pub mod vdi;

use std::io;

/// The error of a call that answers with a BOOL.
pub(crate) fn check(answer: i32) -> io::Result<()> {
    if answer == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// The error of a call that answers with its number.
pub(crate) fn check_code(code: u32) -> io::Result<()> {
    match code {
        0 => Ok(()),
        other => Err(io::Error::from_raw_os_error(other.cast_signed())),
    }
}

#[cfg(test)]
mod tests;
