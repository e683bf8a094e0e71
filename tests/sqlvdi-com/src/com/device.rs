//! A virtual device: `IClientVirtualDevice`.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::set::{Line, code, locked, succeeded};
use super::{Count, DEVICE, Guid, QueryInterface, UNKNOWN, apartment, query, returns};
use crate::room::Buffer;
use crate::wire::{Ask, Completion};

/// `VDC_Command`.
#[repr(C)]
struct VdcCommand {
    code: i32,
    size: i32,
    position: i64,
    buffer: *mut u8,
}

const _: () = assert!(size_of::<VdcCommand>() == 24);

/// `VDC_Read`.
const READ: i32 = 1;
/// `VDC_Write`.
const WRITE: i32 = 2;

#[repr(C)]
struct DeviceTable {
    query_interface: QueryInterface,
    add_ref: Count,
    release: Count,
    get_command: unsafe extern "system" fn(*mut c_void, u32, *mut *mut VdcCommand) -> i32,
    complete_command: unsafe extern "system" fn(*mut c_void, *mut VdcCommand, u32, u32, u64) -> i32,
}

static TABLE: DeviceTable = DeviceTable {
    query_interface,
    add_ref,
    release,
    get_command,
    complete_command,
};

/// A command in the client's hands.
struct Held {
    token: u64,
    code: i32,
    size: usize,
    buffer: Option<Buffer>,
    // What the client's pointer leads to; never moved.
    _command: Box<VdcCommand>,
}

// SAFETY: the address inside the command is only given to the client.
unsafe impl Send for Held {}

struct Desk {
    line: Line,
    /// By the address that the client knows.
    held: BTreeMap<usize, Held>,
    /// Spoilt buffers, used again.
    free: Vec<Buffer>,
}

/// The object.
#[repr(C)]
pub(super) struct DeviceObject {
    table: &'static DeviceTable,
    count: AtomicU32,
    transfer: usize,
    closed: Arc<Mutex<bool>>,
    desk: Mutex<Desk>,
}

impl DeviceObject {
    /// A new one, with one count for the caller.
    pub(super) fn new(line: Line, transfer: usize, closed: Arc<Mutex<bool>>) -> *mut c_void {
        let desk = Desk {
            line,
            held: BTreeMap::new(),
            free: Vec::new(),
        };
        Box::into_raw(Box::new(Self {
            table: &TABLE,
            count: AtomicU32::new(1),
            transfer,
            closed,
            desk: Mutex::new(desk),
        }))
        .cast()
    }

    fn is_closed(&self) -> bool {
        *locked(&self.closed)
    }

    fn command(&self, timeout: u32) -> Result<*mut VdcCommand, i32> {
        apartment()?;
        if self.is_closed() {
            return Err(returns::NOT_OPEN);
        }
        let mut desk = locked(&self.desk);
        let answer = desk.line.ask(&Ask::Command(timeout));
        succeeded(&answer)?;
        let told = answer.command().map_err(|_| returns::UNEXPECTED)?;
        let size = usize::try_from(told.size).map_err(|_| returns::UNEXPECTED)?;
        let buffer = told
            .has_buffer
            .then(|| self.buffer(&mut desk))
            .transpose()?;
        let mut buffer = match buffer {
            Some(_) if size > self.transfer => return Err(returns::UNEXPECTED),
            buffer => buffer,
        };
        if let Some(buffer) = buffer.as_mut().filter(|_| told.code == WRITE) {
            let room = buffer.data().get_mut(..told.data.len());
            room.ok_or(returns::UNEXPECTED)?.copy_from_slice(&told.data);
        }
        let mut command = Box::new(VdcCommand {
            code: told.code,
            size: told.size,
            position: told.position,
            buffer: buffer.as_ref().map_or(ptr::null_mut(), Buffer::address),
        });
        let address: *mut VdcCommand = &raw mut *command;
        let held = Held {
            token: told.token,
            code: told.code,
            size,
            buffer,
            _command: command,
        };
        desk.held.insert(address.addr(), held);
        Ok(address)
    }

    /// A buffer that nobody has touched since it came back.
    fn buffer(&self, desk: &mut Desk) -> Result<Buffer, i32> {
        let Some(mut buffer) = desk.free.pop() else {
            return Ok(Buffer::new(self.transfer));
        };
        if buffer.is_spoilt() && buffer.guards_hold() {
            Ok(buffer)
        } else {
            // The client wrote into a buffer that it had given back.
            Err(returns::UNEXPECTED)
        }
    }

    fn complete(&self, address: usize, done: Completion) -> Result<(), i32> {
        apartment()?;
        if self.is_closed() {
            return Err(returns::PROTOCOL);
        }
        let mut desk = locked(&self.desk);
        let Some(mut held) = desk.held.remove(&address) else {
            return Err(returns::INVALID);
        };
        let mut data = Vec::new();
        if let Some(buffer) = &mut held.buffer {
            if !buffer.guards_hold() {
                return Err(returns::UNEXPECTED);
            }
            if held.code == READ {
                let length = held.size.min(done.bytes as usize);
                data = buffer.data().get(..length).unwrap_or_default().to_vec();
            }
            buffer.spoil();
        }
        desk.free.extend(held.buffer);
        let token = held.token;
        succeeded(&desk.line.ask(&Ask::Complete(Completion {
            token,
            data,
            ..done
        })))
    }
}

/// # Safety
/// `this` is a device with a count of the caller's.
unsafe fn object<'a>(this: *mut c_void) -> &'a DeviceObject {
    // SAFETY: by the contract above.
    unsafe { &*this.cast::<DeviceObject>() }
}

unsafe extern "system" fn query_interface(
    this: *mut c_void,
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: as COM calls it.
    unsafe { query(this, &object(this).count, &[UNKNOWN, DEVICE], wanted, out) }
}

unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
    // SAFETY: as COM calls it.
    unsafe { object(this) }
        .count
        .fetch_add(1, Ordering::Relaxed)
        + 1
}

unsafe extern "system" fn release(this: *mut c_void) -> u32 {
    // SAFETY: as COM calls it.
    let left = unsafe { object(this) }.count.fetch_sub(1, Ordering::AcqRel) - 1;
    if left == 0 {
        // SAFETY: the last count is gone, and the object came from a box.
        drop(unsafe { Box::from_raw(this.cast::<DeviceObject>()) });
    }
    left
}

unsafe extern "system" fn get_command(
    this: *mut c_void,
    timeout: u32,
    out: *mut *mut VdcCommand,
) -> i32 {
    if out.is_null() {
        return returns::INVALID;
    }
    // SAFETY: not null, and writable by the signature.
    unsafe { out.write(ptr::null_mut()) };
    // SAFETY: as COM calls it.
    match unsafe { object(this) }.command(timeout) {
        Ok(command) => {
            // SAFETY: as above.
            unsafe { out.write(command) };
            0
        }
        Err(code) => code,
    }
}

unsafe extern "system" fn complete_command(
    this: *mut c_void,
    command: *mut VdcCommand,
    completion: u32,
    bytes: u32,
    position: u64,
) -> i32 {
    let done = Completion {
        token: 0,
        code: completion,
        bytes,
        position,
        data: Vec::new(),
    };
    // SAFETY: as COM calls it; the command is looked up by its address and not followed.
    code(unsafe { object(this) }.complete(command.addr(), done))
}
