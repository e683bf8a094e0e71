//! COM: the class, its tables, its counts (facts/vdi.md 2).
#![allow(unsafe_code)]

mod device;
mod set;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use set::SetObject;

/// `GUID`, as COM lays it out.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guid(u32, u16, u16, [u8; 8]);

const fn vdi(first: u32, second: u16, third: u16, tail: [u8; 2]) -> Guid {
    let [a, b] = tail;
    Guid(
        first,
        second,
        third,
        [a, b, 0x00, 0xC0, 0x4F, 0xC2, 0x17, 0x59],
    )
}

/// `IClientVirtualDevice`.
pub(crate) const DEVICE: Guid = vdi(0x4070_0424, 0x0080, 0x11D2, [0x85, 0x1F]);
/// `IClientVirtualDeviceSet`, and the class.
pub(crate) const SET: Guid = vdi(0x4070_0425, 0x0080, 0x11D2, [0x85, 0x1F]);
/// `IClientVirtualDeviceSet2`.
pub(crate) const SET_2: Guid = vdi(0xD0E6_EB07, 0x7A62, 0x11D2, [0x85, 0x73]);
/// `IUnknown`.
pub(crate) const UNKNOWN: Guid = Guid(0, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
/// `IClassFactory`.
const CLASS_FACTORY: Guid = Guid(1, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);

const fn hresult(code: u32) -> i32 {
    code.cast_signed()
}

/// `E_NOINTERFACE`.
pub(crate) const NO_INTERFACE: i32 = hresult(0x8000_4002);
/// `E_POINTER`.
pub(crate) const POINTER: i32 = hresult(0x8000_4003);
/// `CO_E_NOTINITIALIZED`.
const NOT_INITIALIZED: i32 = hresult(0x8004_01F0);
/// `RPC_E_WRONG_THREAD`.
const WRONG_THREAD: i32 = hresult(0x8001_010E);
/// `CLASS_E_CLASSNOTAVAILABLE`.
const CLASS_NOT_AVAILABLE: i32 = hresult(0x8004_0111);
/// `CLASS_E_NOAGGREGATION`.
const NO_AGGREGATION: i32 = hresult(0x8004_0110);

/// Codes of the interface.
pub(crate) mod returns {
    use super::hresult;

    pub(crate) const NOT_OPEN: i32 = hresult(0x8077_0002);
    pub(crate) const ABORT: i32 = hresult(0x8077_0004);
    pub(crate) const INVALID: i32 = hresult(0x8077_0006);
    pub(crate) const NOT_SUPPORTED: i32 = hresult(0x8077_0009);
    pub(crate) const UNEXPECTED: i32 = hresult(0x8077_000B);
    pub(crate) const PROTOCOL: i32 = hresult(0x8077_000C);
}

pub(crate) type QueryInterface =
    unsafe extern "system" fn(*mut c_void, *const Guid, *mut *mut c_void) -> i32;
pub(crate) type Count = unsafe extern "system" fn(*mut c_void) -> u32;

#[link(name = "ole32")]
unsafe extern "system" {
    fn CoGetApartmentType(kind: *mut i32, qualifier: *mut i32) -> i32;
}

/// `APTTYPE_MTA`.
const MULTITHREADED: i32 = 1;

/// The rule of the interface: whoever calls has joined the multithreaded apartment. The real
/// library trusts in it.
pub(crate) fn apartment() -> Result<(), i32> {
    let (mut kind, mut qualifier) = (-1, -1);
    // SAFETY: two numbers to be written.
    match unsafe { CoGetApartmentType(&raw mut kind, &raw mut qualifier) } {
        0 if kind == MULTITHREADED => Ok(()),
        0 => Err(WRONG_THREAD),
        _ => Err(NOT_INITIALIZED),
    }
}

/// Gives a count away with the object's address, if `wanted` is one of its faces.
///
/// # Safety
/// `wanted` and `out` are null or valid; `this` is the object that `count` belongs to.
pub(crate) unsafe fn query(
    this: *mut c_void,
    count: &AtomicU32,
    faces: &[Guid],
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    if wanted.is_null() || out.is_null() {
        return POINTER;
    }
    // SAFETY: not null, and a GUID by the caller's contract.
    let known = faces.contains(unsafe { &*wanted });
    let given = if known { this } else { ptr::null_mut() };
    // SAFETY: not null, and writable by the caller's contract.
    unsafe { out.write(given) };
    if !known {
        return NO_INTERFACE;
    }
    count.fetch_add(1, Ordering::Relaxed);
    0
}

#[repr(C)]
struct FactoryTable {
    query_interface: QueryInterface,
    add_ref: Count,
    release: Count,
    create_instance:
        unsafe extern "system" fn(*mut c_void, *mut c_void, *const Guid, *mut *mut c_void) -> i32,
    lock_server: unsafe extern "system" fn(*mut c_void, i32) -> i32,
}

/// The one factory; it lives as long as the DLL, which is never let go.
#[repr(C)]
struct Factory(&'static FactoryTable);

static TABLE: FactoryTable = FactoryTable {
    query_interface: factory_query,
    add_ref: factory_count,
    release: factory_count,
    create_instance: factory_create,
    lock_server: factory_lock,
};
static FACTORY: Factory = Factory(&TABLE);
static FACTORY_COUNT: AtomicU32 = AtomicU32::new(1);

unsafe extern "system" fn factory_query(
    this: *mut c_void,
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: the caller's pointers, as COM has them.
    unsafe { query(this, &FACTORY_COUNT, &[UNKNOWN, CLASS_FACTORY], wanted, out) }
}

unsafe extern "system" fn factory_count(_: *mut c_void) -> u32 {
    1
}

unsafe extern "system" fn factory_create(
    _: *mut c_void,
    outer: *mut c_void,
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    if !outer.is_null() {
        return NO_AGGREGATION;
    }
    if let Err(code) = apartment() {
        return code;
    }
    let object = SetObject::new();
    // SAFETY: a new object with one count, which is given back whatever came of the question.
    unsafe {
        let code = set::query_interface(object, wanted, out);
        set::release(object);
        code
    }
}

unsafe extern "system" fn factory_lock(_: *mut c_void, _: i32) -> i32 {
    0
}

/// # Safety
/// As COM calls it: two GUIDs, and a place for an address.
#[unsafe(no_mangle)]
unsafe extern "system" fn DllGetClassObject(
    class: *const Guid,
    wanted: *const Guid,
    out: *mut *mut c_void,
) -> i32 {
    if class.is_null() {
        return POINTER;
    }
    // SAFETY: not null, and a GUID by the contract of the call.
    if unsafe { *class } != SET {
        return CLASS_NOT_AVAILABLE;
    }
    let factory = (&raw const FACTORY).cast_mut().cast::<c_void>();
    // SAFETY: the caller's pointers, as COM has them; nothing is ever written to the factory.
    unsafe { factory_query(factory, wanted, out) }
}

/// # Safety
/// As COM calls it.
#[unsafe(no_mangle)]
unsafe extern "system" fn DllCanUnloadNow() -> i32 {
    // S_FALSE: objects may be out.
    1
}
