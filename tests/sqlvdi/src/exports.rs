//! The exported symbols: the members of two C++ classes under their mangled names.
//!
//! Both classes are one pointer wide; the pointer is ours. Nothing may unwind into the
//! caller, so each call answers "internal error" to a panic.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::abi::{VdConfig, VdcCommand, returns};
use crate::client::{ClientDevice, ClientSet};

/// A `ClientVirtualDeviceSet` or `ClientVirtualDevice` in the caller's memory.
type This<T> = *mut *const T;

fn guarded(act: impl FnOnce() -> i32) -> c_int {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(returns::UNEXPECTED)
}

/// The object behind `this`.
///
/// # Safety
/// `this` is null or points to an object that its constructor filled and whose destructor
/// has not run; the result must not be used after that.
unsafe fn object<'a, T>(this: This<T>) -> Option<&'a T> {
    if this.is_null() {
        return None;
    }
    // SAFETY: by the contract above the pointer word is readable, at any alignment.
    let inner = unsafe { this.read_unaligned() };
    // SAFETY: the word is null after destruction, else it points to a live object of ours.
    unsafe { inner.as_ref() }
}

/// A caller's string, or `None` if it is null or not UTF-8.
///
/// # Safety
/// `text` is null or a C string.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string by the contract above.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// Stores a result where the caller wants it.
///
/// # Safety
/// `out` is null or writable.
unsafe fn store<T>(out: *mut T, value: T) -> bool {
    if out.is_null() {
        return false;
    }
    // SAFETY: not null, and writable by the contract above.
    unsafe { out.write_unaligned(value) };
    true
}

macro_rules! exported {
    ($($symbol:literal, $name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)? $body:block)*) => {$(
        #[unsafe(export_name = $symbol)]
        unsafe extern "C" fn $name($($arg: $ty),*) $(-> $out)? $body
    )*};
}

fn construct_set(this: This<ClientSet>) {
    let inner = Box::into_raw(Box::<ClientSet>::default()).cast_const();
    // SAFETY: the caller gives its object's 8 bytes, with any content.
    unsafe { store(this, inner) };
}

fn destroy_set(this: This<ClientSet>) {
    if this.is_null() {
        return;
    }
    // SAFETY: the caller destroys an object it constructed.
    let inner = unsafe { this.read_unaligned() };
    // SAFETY: the object's own memory; from now on it is seen as empty.
    unsafe { store(this, std::ptr::null()) };
    if !inner.is_null() {
        // SAFETY: the pointer came from Box::into_raw in the constructor.
        drop(unsafe { Box::from_raw(inner.cast_mut()) });
    }
}

exported! {
    "_ZN22ClientVirtualDeviceSetC1Ev", set_c1(this: This<ClientSet>) { construct_set(this) }
    "_ZN22ClientVirtualDeviceSetC2Ev", set_c2(this: This<ClientSet>) { construct_set(this) }
    "_ZN22ClientVirtualDeviceSetD1Ev", set_d1(this: This<ClientSet>) { destroy_set(this) }
    "_ZN22ClientVirtualDeviceSetD2Ev", set_d2(this: This<ClientSet>) { destroy_set(this) }

    "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig",
    set_create(this: This<ClientSet>, name: *mut c_char, config: *const VdConfig) -> c_int {
        guarded(|| {
            // SAFETY: the three pointers are the caller's, valid or null as C++ has it.
            let given = unsafe { (object(this), text(name), !config.is_null()) };
            let (Some(set), Some(name), true) = given else {
                return returns::INVALID;
            };
            // SAFETY: not null, and a VDConfig by the signature.
            set.create(name, &unsafe { config.read_unaligned() })
        })
    }

    "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig",
    set_configuration(this: This<ClientSet>, timeout: c_long, out: *mut VdConfig) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| match unsafe { object(this) } {
            Some(set) if !out.is_null() => match set.get_configuration(timeout) {
                Ok(config) => {
                    // SAFETY: not null, and writable by the signature.
                    unsafe { store(out, config) };
                    returns::OK
                }
                Err(code) => code,
            },
            _ => returns::INVALID,
        })
    }

    "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice",
    set_open_device(
        this: This<ClientSet>,
        name: *mut c_char,
        out: *mut This<ClientDevice>
    ) -> c_int {
        guarded(|| {
            // SAFETY: the out pointer is null or writable.
            let can_store = unsafe { store(out, std::ptr::null_mut()) };
            // SAFETY: the caller's pointers, valid or null.
            let given = unsafe { (object(this), text(name)) };
            let (Some(set), Some(name), true) = (given.0, given.1, can_store) else {
                return returns::INVALID;
            };
            match set.open_device(name) {
                Ok(device) => {
                    // The set keeps another count until it dies; this one is for the
                    // pointer in the client's hands, which nobody ever gives back.
                    let object = Box::into_raw(Box::new(Arc::into_raw(device)));
                    // SAFETY: checked above to be writable.
                    unsafe { store(out, object) };
                    returns::OK
                }
                Err(code) => code,
            }
        })
    }

    "_ZN22ClientVirtualDeviceSet5CloseEv", set_close(this: This<ClientSet>) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| unsafe { object(this) }.map_or(returns::INVALID, ClientSet::close))
    }

    "_ZN22ClientVirtualDeviceSet11SignalAbortEv", set_abort(this: This<ClientSet>) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| unsafe { object(this) }.map_or(returns::INVALID, ClientSet::signal_abort))
    }

    "_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc",
    set_secondary(this: This<ClientSet>, name: *mut c_char) -> c_int {
        // SAFETY: the caller's pointers, valid or null.
        guarded(|| match unsafe { (object(this), text(name)) } {
            (Some(set), Some(name)) => set.open_in_secondary(name),
            _ => returns::INVALID,
        })
    }

    "_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj",
    set_buffer_handle(this: This<ClientSet>, buffer: *mut u8, out: *mut c_uint) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| match unsafe { object(this) } {
            Some(set) => match set.buffer_handle(buffer) {
                // SAFETY: null or writable by the signature.
                Ok(handle) if unsafe { store(out, handle) } => returns::OK,
                Ok(_) => returns::INVALID,
                Err(code) => code,
            },
            None => returns::INVALID,
        })
    }

    "_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh",
    set_map_handle(this: This<ClientSet>, handle: c_int, out: *mut *mut u8) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| match unsafe { object(this) } {
            Some(set) => match set.map_buffer(handle) {
                // SAFETY: null or writable by the signature.
                Ok(address) if unsafe { store(out, address) } => returns::OK,
                Ok(_) => returns::INVALID,
                Err(code) => code,
            },
            None => returns::INVALID,
        })
    }

    // The real member counts closed devices for its own library; ours counts by lane.
    "_ZN22ClientVirtualDeviceSet20RegisterDeviceClosedEv",
    set_device_closed(_this: This<ClientSet>) {}

    "_ZN19ClientVirtualDeviceC1Ev", device_c1(this: This<ClientDevice>) {
        // SAFETY: the caller gives its object's 8 bytes; a device nobody opened is empty.
        unsafe { store(this, std::ptr::null()) };
    }
    "_ZN19ClientVirtualDeviceC2Ev", device_c2(this: This<ClientDevice>) {
        // SAFETY: as for C1.
        unsafe { store(this, std::ptr::null()) };
    }
    "_ZN19ClientVirtualDeviceD1Ev", device_d1(this: This<ClientDevice>) {
        // SAFETY: as for C1; devices of a set belong to the set, so nothing is freed.
        unsafe { store(this, std::ptr::null()) };
    }
    "_ZN19ClientVirtualDeviceD2Ev", device_d2(this: This<ClientDevice>) {
        // SAFETY: as for D1.
        unsafe { store(this, std::ptr::null()) };
    }

    "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command",
    device_get(this: This<ClientDevice>, timeout: c_long, out: *mut *mut VdcCommand) -> c_int {
        guarded(|| {
            // SAFETY: null or writable by the signature.
            if !unsafe { store(out, std::ptr::null_mut()) } {
                return returns::INVALID;
            }
            // SAFETY: an object of the caller's, or null.
            match unsafe { object(this) }.map(|device| device.get_command(timeout)) {
                Some(Ok(command)) => {
                    // SAFETY: just written to.
                    unsafe { store(out, command) };
                    returns::OK
                }
                Some(Err(code)) => code,
                None => returns::NOT_OPEN,
            }
        })
    }

    "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml",
    device_complete(
        this: This<ClientDevice>,
        command: *mut VdcCommand,
        code: c_int,
        bytes: c_ulong,
        position: c_long
    ) -> c_int {
        // SAFETY: an object of the caller's, or null.
        guarded(|| match unsafe { object(this) } {
            Some(device) => device.complete(command, code, bytes, position),
            None => returns::PROTOCOL,
        })
    }
}
