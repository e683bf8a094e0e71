//! The three requests of the `st` driver. The only unsafe code of this plugin.
#![allow(unsafe_code)]

use std::fs::File;

use rustix::ioctl::{Getter, Opcode, Setter, ioctl, opcode};

use super::super::super::drive::{Done, Errno};

/// `struct mtop`.
#[repr(C)]
struct Operation {
    op: i16,
    count: i32,
}

/// `struct mtget`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Get {
    kind: core::ffi::c_long,
    residual: core::ffi::c_long,
    registers: core::ffi::c_long,
    /// `GMT_*` bits.
    pub(super) general: core::ffi::c_long,
    errors: core::ffi::c_long,
    /// Tape file, -1 when unknown.
    pub(super) file: i32,
    /// Block of the file, -1 when unknown.
    block: i32,
}

/// `struct mtpos`.
#[repr(C)]
struct Position {
    block: core::ffi::c_long,
}

const MTIOCTOP: Opcode = opcode::write::<Operation>(b'm', 1);
const MTIOCGET: Opcode = opcode::read::<Get>(b'm', 2);
const MTIOCPOS: Opcode = opcode::read::<Position>(b'm', 3);

fn own(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

/// `MTIOCTOP`: one operation, so many times.
pub(super) fn operate(file: &File, op: i16, count: i32) -> Done {
    // SAFETY: the opcode is that of <linux/mtio.h> for a `struct mtop`, whose layout `Operation`
    // has; the driver reads it and keeps nothing.
    let done = unsafe {
        ioctl(
            file,
            Setter::<MTIOCTOP, Operation>::new(Operation { op, count }),
        )
    };
    done.map_err(own)
}

/// `MTIOCGET`: state of drive and cartridge.
pub(super) fn get(file: &File) -> Done<Get> {
    // SAFETY: the opcode is that of <linux/mtio.h> for a `struct mtget`, whose layout `Get` has;
    // the driver fills all of it when it succeeds, and every bit pattern is lawful.
    let got = unsafe { ioctl(file, Getter::<MTIOCGET, Get>::new()) };
    got.map_err(own)
}

/// `MTIOCPOS`: the logical block that comes next.
pub(super) fn position(file: &File) -> Done<core::ffi::c_long> {
    // SAFETY: as for `get`, with `struct mtpos`.
    let position = unsafe { ioctl(file, Getter::<MTIOCPOS, Position>::new()) };
    position.map(|position| position.block).map_err(own)
}
