//! A virtual device set: `IClientVirtualDeviceSet2`.

use std::ffi::c_void;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, ptr};

use super::device::DeviceObject;
use super::{Count, Guid, POINTER, QueryInterface, SET, SET_2, UNKNOWN, apartment, query, returns};
use crate::wire::{Answer, Ask, DOOR};

/// Longest text that is read from a client, in UTF-16 units.
const MAX_TEXT: usize = 512;
/// Words of a `VDConfig`.
type Config = [u32; 11];

#[repr(C)]
struct SetTable {
    query_interface: QueryInterface,
    add_ref: Count,
    release: Count,
    create: unsafe extern "system" fn(*mut c_void, *const u16, *mut Config) -> i32,
    get_configuration: unsafe extern "system" fn(*mut c_void, u32, *mut Config) -> i32,
    open_device: unsafe extern "system" fn(*mut c_void, *const u16, *mut *mut c_void) -> i32,
    close: unsafe extern "system" fn(*mut c_void) -> i32,
    signal_abort: unsafe extern "system" fn(*mut c_void) -> i32,
    open_in_secondary: unsafe extern "system" fn(*mut c_void, *const u16) -> i32,
    get_buffer_handle: unsafe extern "system" fn(*mut c_void, *mut u8, *mut u32) -> i32,
    map_buffer_handle: unsafe extern "system" fn(*mut c_void, u32, *mut *mut u8) -> i32,
    create_ex: unsafe extern "system" fn(*mut c_void, *const u16, *const u16, *mut Config) -> i32,
    open_in_secondary_ex: unsafe extern "system" fn(*mut c_void, *const u16, *const u16) -> i32,
}

static TABLE: SetTable = SetTable {
    query_interface,
    add_ref,
    release,
    create,
    get_configuration,
    open_device,
    close,
    signal_abort,
    open_in_secondary,
    get_buffer_handle,
    map_buffer_handle,
    create_ex,
    open_in_secondary_ex,
};

/// The door, as one connection sees it.
pub(super) struct Line(TcpStream);

impl Line {
    fn to_door() -> io::Result<Self> {
        let door = std::env::var(DOOR).map_err(io::Error::other)?;
        let stream = TcpStream::connect(door)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// A call; a server that is gone has aborted the set.
    pub(super) fn ask(&mut self, ask: &Ask) -> Answer {
        let asked = ask.say(&mut self.0);
        asked
            .and_then(|()| Answer::hear(&mut self.0))
            .unwrap_or_else(|_| returns::ABORT.into())
    }
}

/// A set between `CreateEx` and `Close`.
struct Open {
    name: String,
    /// The set lives as long as this connection.
    owner: Mutex<Line>,
    /// Aborts past whoever waits for an answer on the other one.
    bell: Mutex<Line>,
    granted: Mutex<Option<Config>>,
    /// Turns true with `Close`; its devices answer "not open" then.
    closed: Arc<Mutex<bool>>,
}

/// The object.
#[repr(C)]
pub(super) struct SetObject {
    table: &'static SetTable,
    count: AtomicU32,
    open: Mutex<Option<Arc<Open>>>,
}

impl SetObject {
    /// A new one, with one count for the caller.
    pub(super) fn new() -> *mut c_void {
        Box::into_raw(Box::new(Self {
            table: &TABLE,
            count: AtomicU32::new(1),
            open: Mutex::new(None),
        }))
        .cast()
    }

    fn opened(&self) -> Result<Arc<Open>, i32> {
        apartment()?;
        locked(&self.open).clone().ok_or(returns::PROTOCOL)
    }

    fn create(&self, instance: Option<String>, name: String, config: Config) -> Result<(), i32> {
        apartment()?;
        let mut open = locked(&self.open);
        if open.is_some() {
            return Err(returns::PROTOCOL);
        }
        let line = || Line::to_door().map_err(|_| returns::UNEXPECTED);
        let (mut owner, mut bell) = (line()?, line()?);
        succeeded(&owner.ask(&Ask::Create {
            instance,
            name: name.clone(),
            config,
        }))?;
        succeeded(&bell.ask(&Ask::Join { name: name.clone() }))?;
        *open = Some(Arc::new(Open {
            name,
            owner: Mutex::new(owner),
            bell: Mutex::new(bell),
            granted: Mutex::new(None),
            closed: Arc::default(),
        }));
        Ok(())
    }

    fn configuration(&self, timeout: u32) -> Result<Config, i32> {
        let open = self.opened()?;
        let answer = locked(&open.owner).ask(&Ask::Configuration(timeout));
        succeeded(&answer)?;
        let config = answer.config().map_err(|_| returns::UNEXPECTED)?;
        *locked(&open.granted) = Some(config);
        Ok(config)
    }

    fn open_device(&self, name: String) -> Result<*mut c_void, i32> {
        let open = self.opened()?;
        let granted = locked(&open.granted).ok_or(returns::PROTOCOL)?;
        let mut line = Line::to_door().map_err(|_| returns::UNEXPECTED)?;
        let set = open.name.clone();
        succeeded(&line.ask(&Ask::Join { name: set }))?;
        succeeded(&line.ask(&Ask::Open { name }))?;
        // The tenth word: the largest transfer.
        Ok(DeviceObject::new(
            line,
            granted[9] as usize,
            Arc::clone(&open.closed),
        ))
    }

    fn close(&self) -> Result<(), i32> {
        apartment()?;
        let open = locked(&self.open).take().ok_or(returns::PROTOCOL)?;
        let answer = locked(&open.owner).ask(&Ask::Close);
        *locked(&open.closed) = true;
        succeeded(&answer)
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn succeeded(answer: &Answer) -> Result<(), i32> {
    if answer.code == 0 {
        Ok(())
    } else {
        Err(answer.code)
    }
}

pub(super) fn code(outcome: Result<(), i32>) -> i32 {
    outcome.err().unwrap_or(0)
}

/// # Safety
/// `this` is a set with a count of the caller's.
unsafe fn object<'a>(this: *mut c_void) -> &'a SetObject {
    // SAFETY: by the contract above.
    unsafe { &*this.cast::<SetObject>() }
}

/// A client's text.
///
/// # Safety
/// `text` is null or ends with a zero.
unsafe fn text(text: *const u16) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: every unit up to the first zero may be read.
    let end = (0..MAX_TEXT).find(|at| unsafe { text.add(*at).read() } == 0)?;
    // SAFETY: just read.
    String::from_utf16(unsafe { std::slice::from_raw_parts(text, end) }).ok()
}

pub(super) unsafe extern "system" fn query_interface(
    this: *mut c_void,
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: as COM calls it.
    unsafe {
        query(
            this,
            &object(this).count,
            &[UNKNOWN, SET, SET_2],
            wanted,
            out,
        )
    }
}

unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
    // SAFETY: as COM calls it.
    unsafe { object(this) }
        .count
        .fetch_add(1, Ordering::Relaxed)
        + 1
}

pub(super) unsafe extern "system" fn release(this: *mut c_void) -> u32 {
    // SAFETY: as COM calls it.
    let left = unsafe { object(this) }.count.fetch_sub(1, Ordering::AcqRel) - 1;
    if left == 0 {
        // SAFETY: the last count is gone, and the object came from a box.
        let set = unsafe { Box::from_raw(this.cast::<SetObject>()) };
        // The library closes what its client forgot.
        let _ = set.close();
    }
    left
}

unsafe extern "system" fn create(_: *mut c_void, _: *const u16, _: *mut Config) -> i32 {
    // It takes the instance from the environment, and nobody should use it.
    returns::NOT_SUPPORTED
}

unsafe extern "system" fn get_configuration(
    this: *mut c_void,
    timeout: u32,
    out: *mut Config,
) -> i32 {
    if out.is_null() {
        return returns::INVALID;
    }
    // SAFETY: as COM calls it.
    match unsafe { object(this) }.configuration(timeout) {
        Ok(config) => {
            // SAFETY: not null, and writable by the signature.
            unsafe { out.write_unaligned(config) };
            0
        }
        Err(code) => code,
    }
}

unsafe extern "system" fn open_device(
    this: *mut c_void,
    name: *const u16,
    out: *mut *mut c_void,
) -> i32 {
    if out.is_null() {
        return POINTER;
    }
    // SAFETY: not null, and writable by the signature.
    unsafe { out.write(ptr::null_mut()) };
    // SAFETY: as COM calls it, with a text that ends.
    let (set, name) = unsafe { (object(this), text(name)) };
    match name
        .ok_or(returns::INVALID)
        .and_then(|name| set.open_device(name))
    {
        Ok(device) => {
            // SAFETY: as above.
            unsafe { out.write(device) };
            0
        }
        Err(code) => code,
    }
}

unsafe extern "system" fn close(this: *mut c_void) -> i32 {
    // SAFETY: as COM calls it.
    code(unsafe { object(this) }.close())
}

unsafe extern "system" fn signal_abort(this: *mut c_void) -> i32 {
    // SAFETY: as COM calls it.
    let open = unsafe { object(this) }.opened();
    code(open.and_then(|open| succeeded(&locked(&open.bell).ask(&Ask::Abort))))
}

unsafe extern "system" fn open_in_secondary(_: *mut c_void, _: *const u16) -> i32 {
    returns::NOT_SUPPORTED
}

unsafe extern "system" fn get_buffer_handle(_: *mut c_void, _: *mut u8, _: *mut u32) -> i32 {
    returns::NOT_SUPPORTED
}

unsafe extern "system" fn map_buffer_handle(_: *mut c_void, _: u32, _: *mut *mut u8) -> i32 {
    returns::NOT_SUPPORTED
}

unsafe extern "system" fn create_ex(
    this: *mut c_void,
    instance: *const u16,
    name: *const u16,
    config: *mut Config,
) -> i32 {
    if config.is_null() {
        return returns::INVALID;
    }
    // SAFETY: as COM calls it, with texts that end and a configuration to be read.
    let (set, named, name, config) = unsafe {
        let config = config.read_unaligned();
        (object(this), text(instance), text(name), config)
    };
    let Some(name) = name else {
        return returns::INVALID;
    };
    if named.is_none() && !instance.is_null() {
        return returns::INVALID;
    }
    code(set.create(named, name, config))
}

unsafe extern "system" fn open_in_secondary_ex(
    _: *mut c_void,
    _: *const u16,
    _: *const u16,
) -> i32 {
    returns::NOT_SUPPORTED
}
