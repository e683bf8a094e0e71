//! SQL Server's Virtual Device Interface, as COM has it.
//!
//! Ids, the order of the tables and the structures are those of the vendor's `vdi.h` (facts/vdi.md
//! 1.5 and 2). Calls come from the multithreaded apartment, which [`join`] makes for the whole
//! process: a thread that joined no apartment of its own is in it then, so none has to be prepared,
//! and none leaves it while an object lives.

use std::ffi::{OsStr, c_void};
use std::ptr::{self, NonNull};

use windows_sys::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, CoCreateInstance, CoIncrementMTAUsage,
};
use windows_sys::core::GUID;

use crate::text::wide;

/// The class of device sets, which is the id of its first interface too.
pub const CLASS: GUID = GUID::from_u128(0x40700425_0080_11d2_851f_00c04fc21759);
/// `IClientVirtualDeviceSet2`.
pub const SET_2: GUID = GUID::from_u128(0xd0e6eb07_7a62_11d2_8573_00c04fc21759);
/// Where the class names its DLL, below `HKEY_LOCAL_MACHINE`.
pub const SERVER_KEY: &str =
    r"SOFTWARE\Classes\CLSID\{40700425-0080-11D2-851F-00C04FC21759}\InprocServer32";

/// `E_POINTER`: success that brought nothing.
const NOTHING_CAME: i32 = 0x8000_4003_u32.cast_signed();
/// `E_INVALIDARG`.
const NOT_A_TEXT: i32 = 0x8007_0057_u32.cast_signed();

/// `VDConfig`: eleven words of 32 bits, in the header's order.
pub type Config = [u32; 11];

/// `VDC_Command`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// `VDC_` number.
    pub code: i32,
    /// Bytes to move, or a count.
    pub size: i32,
    /// Of devices with positions.
    pub position: i64,
    /// The data, in the library's memory; null for commands without any.
    pub buffer: *mut u8,
}

type This = *mut c_void;

/// The members that every interface begins with.
#[repr(C)]
struct Unknown {
    _query_interface: usize,
    _add_ref: usize,
    release: unsafe extern "system" fn(This) -> u32,
}

/// `IClientVirtualDeviceSet2`. Members that are not called are places only.
#[repr(C)]
struct SetTable {
    unknown: Unknown,
    _create: usize,
    get_configuration: unsafe extern "system" fn(This, u32, *mut Config) -> i32,
    open_device: unsafe extern "system" fn(This, *const u16, *mut This) -> i32,
    close: unsafe extern "system" fn(This) -> i32,
    signal_abort: unsafe extern "system" fn(This) -> i32,
    _open_in_secondary: usize,
    _get_buffer_handle: usize,
    _map_buffer_handle: usize,
    create_ex: unsafe extern "system" fn(This, *const u16, *const u16, *mut Config) -> i32,
    _open_in_secondary_ex: usize,
}

/// `IClientVirtualDevice`.
#[repr(C)]
struct DeviceTable {
    unknown: Unknown,
    get_command: unsafe extern "system" fn(This, u32, *mut *mut Command) -> i32,
    complete_command: unsafe extern "system" fn(This, *mut Command, u32, u32, u64) -> i32,
}

/// Joins the process to the multithreaded apartment, for as long as it lives.
///
/// # Errors
/// COM's HRESULT.
pub fn join() -> Result<(), i32> {
    let mut cookie = ptr::null_mut();
    // SAFETY: a place for the cookie, which is kept by never giving it back.
    check(unsafe { CoIncrementMTAUsage(&raw mut cookie) })
}

/// Success is what is not negative.
fn check(code: i32) -> Result<(), i32> {
    if code < 0 { Err(code) } else { Ok(()) }
}

fn text(text: &str) -> Result<Vec<u16>, i32> {
    wide(OsStr::new(text)).map_err(|_| NOT_A_TEXT)
}

/// An object of COM, with one count of ours.
struct Object<T>(NonNull<*const T>);

impl<T> Object<T> {
    fn of(pointer: This) -> Result<Self, i32> {
        NonNull::new(pointer.cast()).map(Self).ok_or(NOTHING_CAME)
    }

    fn this(&self) -> This {
        self.0.as_ptr().cast()
    }

    fn table(&self) -> &T {
        // SAFETY: an object begins with the address of its table, which lives as long as the DLL,
        // and the DLL as long as the object.
        unsafe { &**self.0.as_ptr() }
    }
}

impl<T> Drop for Object<T> {
    fn drop(&mut self) {
        // SAFETY: every table begins with the members of IUnknown; the count is given back once.
        unsafe {
            let table = (*self.0.as_ptr()).cast::<Unknown>();
            ((*table).release)(self.this());
        }
    }
}

/// One device set. Its members may be called from any thread.
pub struct Set(Object<SetTable>);

// SAFETY: the interface allows the members of a set from any thread of the multithreaded apartment
// (facts/vdi.md 3.2), and every thread of this process is in it.
unsafe impl Send for Set {}
// SAFETY: as above.
unsafe impl Sync for Set {}

impl Set {
    /// A new object of the class, after [`join`].
    ///
    /// # Errors
    /// COM's HRESULT, such as 0x80040154 where the class is not registered.
    pub fn new() -> Result<Self, i32> {
        let mut object = ptr::null_mut();
        // SAFETY: two ids and a place for the object.
        check(unsafe {
            CoCreateInstance(
                &CLASS,
                ptr::null_mut(),
                CLSCTX_INPROC_SERVER,
                &SET_2,
                &raw mut object,
            )
        })?;
        Object::of(object).map(Self)
    }

    /// `CreateEx`. `instance` is the bare name of the instance; `None` is the default one.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn create(&self, instance: Option<&str>, name: &str, config: Config) -> Result<(), i32> {
        let (instance, name) = (instance.map(text).transpose()?, text(name)?);
        let instance = instance.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let mut config = config;
        // SAFETY: the object is alive, both texts end, the configuration may be written.
        check(unsafe {
            (self.0.table().create_ex)(self.0.this(), instance, name.as_ptr(), &raw mut config)
        })
    }

    /// `GetConfiguration`, which waits so many milliseconds.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn configuration(&self, timeout: u32) -> Result<Config, i32> {
        let mut config = [0; 11];
        // SAFETY: the object is alive, the configuration may be written.
        check(unsafe {
            (self.0.table().get_configuration)(self.0.this(), timeout, &raw mut config)
        })?;
        Ok(config)
    }

    /// `OpenDevice`.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn open_device(&self, name: &str) -> Result<Device, i32> {
        let name = text(name)?;
        let mut device = ptr::null_mut();
        // SAFETY: the object is alive, the text ends, there is a place for the device.
        check(unsafe {
            (self.0.table().open_device)(self.0.this(), name.as_ptr(), &raw mut device)
        })?;
        Object::of(device).map(Device)
    }

    /// `SignalAbort`.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn abort(&self) -> Result<(), i32> {
        // SAFETY: the object is alive; this call is allowed from any thread.
        check(unsafe { (self.0.table().signal_abort)(self.0.this()) })
    }

    /// `Close`. Whoever still has a device or a buffer of the set must not touch it any more.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs; the set is closed all the same.
    pub fn close(&self) -> Result<(), i32> {
        // SAFETY: the object is alive.
        check(unsafe { (self.0.table().close)(self.0.this()) })
    }
}

/// One device, of one thread at a time.
pub struct Device(Object<DeviceTable>);

// SAFETY: a device may be used by any one thread at a time, and `Device` is not `Sync`.
unsafe impl Send for Device {}

impl Device {
    /// `GetCommand`, which waits so many milliseconds: the command, copied once and never read
    /// again, and the address by which it is completed.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn command(&self, timeout: u32) -> Result<(NonNull<Command>, Command), i32> {
        let mut command: *mut Command = ptr::null_mut();
        // SAFETY: the object is alive, there is a place for the address.
        check(unsafe { (self.0.table().get_command)(self.0.this(), timeout, &raw mut command) })?;
        let command = NonNull::new(command).ok_or(NOTHING_CAME)?;
        // SAFETY: success came with one of the library's commands.
        Ok((command, unsafe { command.as_ptr().read_volatile() }))
    }

    /// `CompleteCommand`, with a Win32 number and the bytes that moved. An address that is no
    /// active command is answered with `VD_E_INVALID` and not followed.
    ///
    /// # Errors
    /// `VD_E_` and other HRESULTs.
    pub fn complete(&self, command: NonNull<Command>, code: u32, bytes: u32) -> Result<(), i32> {
        // SAFETY: the object is alive; the address is looked up.
        check(unsafe {
            (self.0.table().complete_command)(self.0.this(), command.as_ptr(), code, bytes, 0)
        })
    }
}

#[cfg(test)]
mod tests;
