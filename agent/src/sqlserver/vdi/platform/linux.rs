//! The interface on Linux: `libsqlvdi.so`, two C++ classes without virtual members.
//!
//! Members are called as C functions with `this` as the first argument, under the names that the
//! Itanium ABI gives them (facts/vdi.md 1.3). The COM binding for Windows stands beside this file
//! with the same names. A C++ exception that leaves the library ends the process: Rust cannot
//! catch it, and to go on with a broken set would be worse.

use std::ffi::{CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use rustix::fs::Mode;
use rustix::thread::UnshareFlags;
use twinset_domain::{Fault, code};

use super::safety;
use crate::sqlserver::vdi::codes::Vde;
use crate::sqlserver::vdi::layout::{VdConfig, VdcCommand};

/// Where the system keeps shared memory and semaphores.
pub(in crate::sqlserver::vdi) const SHARED_OBJECTS: Option<&str> = Some("/dev/shm");
/// There is one instance on a host, and the interface knows no names.
pub(in crate::sqlserver) const BY_INSTANCE: bool = false;
/// What helps where a set cannot be created.
pub(in crate::sqlserver::vdi) const NOT_CREATED: &str = "run the service as a user of the group mssql, and check that /dev/shm is writable and shared \
     with SQL Server (no PrivateIPC, no other container)";
/// What helps where SQL Server does not come.
pub(in crate::sqlserver::vdi) const NOT_OPENED: &str = "check that the instance runs on this host and shares /dev/shm with the agent, that the \
     agent's user is in the group mssql, and what the statement waits for; where it may wait that \
     long, raise open_timeout of the instance";
/// What helps where a device cannot be opened.
pub(in crate::sqlserver::vdi) const NO_DEVICE: &str =
    "with several families on Linux: set families = 1; else see SQL Server's error log";

type Structor = unsafe extern "C-unwind" fn(*mut c_void);
type CreateFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_char, *mut VdConfig) -> c_int;
type GetConfigurationFn = unsafe extern "C-unwind" fn(*mut c_void, c_long, *mut VdConfig) -> c_int;
type OpenDeviceFn =
    unsafe extern "C-unwind" fn(*mut c_void, *mut c_char, *mut *mut c_void) -> c_int;
type PlainFn = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;
type GetCommandFn = unsafe extern "C-unwind" fn(*mut c_void, c_long, *mut *mut VdcCommand) -> c_int;
type CompleteCommandFn =
    unsafe extern "C-unwind" fn(*mut c_void, *mut VdcCommand, c_int, c_ulong, i64) -> c_int;
type GetHandleFn = unsafe extern "C-unwind" fn(*mut c_void, *mut u8, *mut c_uint) -> c_int;

// The header says `time_t` and `unsigned long`, which the mangled names spell `l` and `m`.
const _: () = assert!(size_of::<c_long>() == 8 && size_of::<c_ulong>() == 8);

const CTOR: &[&str] = &[
    "_ZN22ClientVirtualDeviceSetC1Ev",
    "_ZN22ClientVirtualDeviceSetC2Ev",
];
const DTOR: &[&str] = &[
    "_ZN22ClientVirtualDeviceSetD1Ev",
    "_ZN22ClientVirtualDeviceSetD2Ev",
];
const CREATE: &[&str] = &["_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig"];
const GET_CONFIGURATION: &[&str] = &["_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig"];
const OPEN_DEVICE: &[&str] = &["_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice"];
const CLOSE: &[&str] = &["_ZN22ClientVirtualDeviceSet5CloseEv"];
const SIGNAL_ABORT: &[&str] = &["_ZN22ClientVirtualDeviceSet11SignalAbortEv"];
const GET_BUFFER_HANDLE: &[&str] = &["_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj"];
const GET_COMMAND: &[&str] = &["_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command"];
const COMPLETE_COMMAND: &[&str] = &["_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml"];

/// The loaded library with every member resolved. It is never unloaded: its own threads may live.
pub struct VdiLibrary {
    path: PathBuf,
    _library: ManuallyDrop<Library>,
    ctor: Structor,
    dtor: Structor,
    create: CreateFn,
    get_configuration: GetConfigurationFn,
    open_device: OpenDeviceFn,
    close: PlainFn,
    signal_abort: PlainFn,
    get_command: GetCommandFn,
    complete_command: CompleteCommandFn,
}

impl fmt::Debug for VdiLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VdiLibrary")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl VdiLibrary {
    /// Loads the library at an absolute path and resolves every member, so that no job meets a
    /// missing one halfway.
    ///
    /// # Errors
    /// `TW4004` with the loader's own words, or the name of the missing member; the faults of the
    /// path check when others may write the file or a folder above it.
    pub fn load(path: &Path) -> Result<Arc<Self>, Fault> {
        let real = safety::check(path)?;
        // SAFETY: loading runs the library's initialisers. The path comes from the configuration
        // and was checked: only administrators can have put the file there.
        let library =
            unsafe { Library::open(Some(&real), RTLD_NOW | RTLD_LOCAL) }.map_err(|e| {
                fault(path, "the VDI library cannot be loaded").source(&e).remedy(
                "check vdi_library; if the loader misses another library, start the service with \
                 LD_LIBRARY_PATH=/opt/mssql/lib",
            )
            })?;
        let library = ManuallyDrop::new(library);
        // SAFETY: each type below is the signature of the member of that name (facts/vdi.md 1.2
        // and 1.3), with `this` in front, as the Itanium ABI passes it.
        unsafe {
            // Resolved to prove the version; sharing buffers with other processes is not used.
            symbol::<GetHandleFn>(&library, path, GET_BUFFER_HANDLE)?;
            Ok(Arc::new(Self {
                ctor: symbol(&library, path, CTOR)?,
                dtor: symbol(&library, path, DTOR)?,
                create: symbol(&library, path, CREATE)?,
                get_configuration: symbol(&library, path, GET_CONFIGURATION)?,
                open_device: symbol(&library, path, OPEN_DEVICE)?,
                close: symbol(&library, path, CLOSE)?,
                signal_abort: symbol(&library, path, SIGNAL_ABORT)?,
                get_command: symbol(&library, path, GET_COMMAND)?,
                complete_command: symbol(&library, path, COMPLETE_COMMAND)?,
                path: path.to_owned(),
                _library: library,
            }))
        }
    }

    /// Where it was loaded from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn fault(path: &Path, message: impl Into<String>) -> Fault {
    Fault::new(code::VDI_LIBRARY, path.display().to_string(), message)
}

/// Finds a member under one of its names.
///
/// # Safety
/// `T` must be the function pointer type of that member.
unsafe fn symbol<T: Copy>(library: &Library, path: &Path, names: &[&str]) -> Result<T, Fault> {
    for name in names {
        // SAFETY: passed on to the caller.
        if let Ok(found) = unsafe { library.get::<T>(*name) } {
            return Ok(*found);
        }
    }
    let name = names.first().copied().unwrap_or_default();
    Err(fault(
        path,
        format!("this version of the VDI library has no symbol {name}"),
    )
    .remedy(
        "set vdi_library to the libsqlvdi.so of the installed SQL Server, or update SQL Server",
    ))
}

/// Room for the C++ object. The header says 8 bytes; more is given in case the real class is
/// larger than its header.
#[repr(C, align(16))]
struct Room([u8; 256]);

/// One `ClientVirtualDeviceSet`. Its methods may be called from any thread (facts/vdi.md 3.2).
pub(in crate::sqlserver::vdi) struct RawSet {
    library: Arc<VdiLibrary>,
    object: NonNull<Room>,
}

// SAFETY: the interface allows its set methods from any thread; the object is only reached through
// them, and `close` and drop have it to themselves (see `set.rs`).
unsafe impl Send for RawSet {}
// SAFETY: as above.
unsafe impl Sync for RawSet {}

impl RawSet {
    pub(in crate::sqlserver::vdi) fn new(library: &Arc<VdiLibrary>) -> Result<Self, Vde> {
        let room = Box::new(Room([0; 256]));
        let object = NonNull::from(Box::leak(room));
        // SAFETY: `object` is a zeroed block, larger and more aligned than the class.
        unsafe { (library.ctor)(object.as_ptr().cast()) };
        Ok(Self {
            library: Arc::clone(library),
            object,
        })
    }

    fn this(&self) -> *mut c_void {
        self.object.as_ptr().cast()
    }

    /// The library copies both arguments; they are only lent.
    pub(in crate::sqlserver::vdi) fn create(
        &self,
        _instance: Option<&str>,
        name: &CString,
        config: &VdConfig,
    ) -> Result<(), Vde> {
        let mut config = *config;
        with_open_mask(|| {
            let name = name.as_ptr().cast_mut();
            // SAFETY: `this` is a constructed set; the library does not write to the name.
            check(unsafe { (self.library.create)(self.this(), name, &mut config) })
        })
    }

    pub(in crate::sqlserver::vdi) fn get_configuration(&self, slice: i64) -> Result<VdConfig, Vde> {
        let mut config = VdConfig::default();
        with_open_mask(|| {
            // SAFETY: `this` is a constructed set, `config` is ours to be written.
            check(unsafe { (self.library.get_configuration)(self.this(), slice, &mut config) })
        })?;
        Ok(config)
    }

    pub(in crate::sqlserver::vdi) fn open_device(&self, name: &CString) -> Result<RawDevice, Vde> {
        let mut device = Carried(ptr::null_mut());
        with_open_mask(|| {
            let name = name.as_ptr().cast_mut();
            // SAFETY: `this` is a constructed set, `device` is ours to be written; the library
            // does not write to the name.
            check(unsafe { (self.library.open_device)(self.this(), name, device.slot()) })
        })?;
        let object = NonNull::new(device.0).ok_or(Vde(-1))?;
        Ok(RawDevice {
            library: Arc::clone(&self.library),
            object,
        })
    }

    pub(in crate::sqlserver::vdi) fn signal_abort(&self) -> Result<(), Vde> {
        // SAFETY: `this` is a constructed set; this call is allowed from any thread.
        check(unsafe { (self.library.signal_abort)(self.this()) })
    }

    /// Afterwards every device and buffer of the set is dead.
    pub(in crate::sqlserver::vdi) fn close(&self) -> Result<(), Vde> {
        // SAFETY: `this` is a constructed set; the caller holds no device and no buffer.
        check(unsafe { (self.library.close)(self.this()) })
    }
}

impl Drop for RawSet {
    fn drop(&mut self) {
        // SAFETY: the object was constructed in `new`, is destroyed once, and nobody else has it.
        unsafe {
            (self.library.dtor)(self.this());
            drop(Box::from_raw(self.object.as_ptr()));
        }
    }
}

/// One `ClientVirtualDevice`; the library's own memory, dead after the set's `Close`.
pub(in crate::sqlserver::vdi) struct RawDevice {
    library: Arc<VdiLibrary>,
    object: NonNull<c_void>,
}

// SAFETY: a device may be used by any one thread at a time, and `RawDevice` is not `Sync`.
unsafe impl Send for RawDevice {}

impl RawDevice {
    /// The next command, copied, with the pointer it is completed by.
    pub(in crate::sqlserver::vdi) fn get_command(
        &self,
        slice: i64,
    ) -> Result<(NonNull<VdcCommand>, VdcCommand), Vde> {
        let mut command: *mut VdcCommand = ptr::null_mut();
        // SAFETY: the device is alive (its set is not closed before it is let go), `command` is
        // ours to be written.
        check(unsafe { (self.library.get_command)(self.object.as_ptr(), slice, &mut command) })?;
        let command = NonNull::new(command).ok_or(Vde(-1))?;
        // SAFETY: the library returned success, so this is one of its commands; it is copied once
        // and never read again, whatever the other process does to it.
        Ok((command, unsafe { command.as_ptr().read_volatile() }))
    }

    pub(in crate::sqlserver::vdi) fn complete_command(
        &self,
        command: NonNull<VdcCommand>,
        code: i32,
        bytes: u64,
    ) -> Result<(), Vde> {
        // SAFETY: the device is alive; a pointer that is no active command is answered with
        // VD_E_INVALID and not followed.
        check(unsafe {
            (self.library.complete_command)(self.object.as_ptr(), command.as_ptr(), code, bytes, 0)
        })
    }
}

/// Everything but zero is an answer other than success; unknown positive codes count as failures.
fn check(code: c_int) -> Result<(), Vde> {
    if code == 0 { Ok(()) } else { Err(Vde(code)) }
}

/// A pointer that the library writes, carried between threads that do not use it.
struct Carried(*mut c_void);

// SAFETY: the pointer is only handed back to the thread that asked for it.
unsafe impl Send for Carried {}

impl Carried {
    fn slot(&mut self) -> *mut *mut c_void {
        &mut self.0
    }
}

/// Runs a call that may make shared memory or semaphores, which the server's user must be able to
/// open for writing: with a file mode mask of 0 (facts/vdi.md 1.11).
///
/// The mask belongs to a thread's file system context, which threads share unless they part from
/// it. So the call runs on a thread of its own that has parted; nobody else's files become
/// writable for the world meanwhile. Where a container forbids parting, the mask of the whole
/// process is 0 for the length of the call, one such call at a time.
fn with_open_mask<R: Send>(call: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let helper = scope.spawn(|| {
            // SAFETY: only the file system context is parted, on a thread that ends with the call.
            match unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) } {
                Ok(()) => {
                    rustix::process::umask(Mode::empty());
                    call()
                }
                Err(_) => with_process_mask(call),
            }
        });
        match helper.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn with_process_mask<R>(call: impl FnOnce() -> R) -> R {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = rustix::process::umask(Mode::empty());
    let result = call();
    rustix::process::umask(before);
    result
}
