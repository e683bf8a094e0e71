//! The client's side through `dlopen`, and helpers to play the server.

use std::ffi::{CString, c_char, c_int, c_long, c_uint, c_ulong};
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use sqlvdi::abi::{VdConfig, VdcCommand, features};
use sqlvdi::server::{Knobs, Negotiated, ServerDevice, ServerSet};

pub(crate) type This = *mut [u64; 1];
type Nullary = unsafe extern "C" fn(This) -> c_int;

macro_rules! entries {
    ($($name:ident: $ty:ty = $symbol:literal;)*) => {
        /// The library's entries, looked up by their mangled names.
        pub(crate) struct Entries { $(pub(crate) $name: $ty,)* }
        impl Entries {
            fn load(library: &Library) -> Self {
                // SAFETY: the signatures are those of facts/vdi.md 1.2.
                unsafe { Self { $($name: *library.get($symbol.as_bytes()).unwrap(),)* } }
            }
        }
        /// Every symbol the fact sheet lists.
        pub(crate) const SYMBOLS: &[&str] = &[$($symbol),*];
    };
}

entries! {
    c1: unsafe extern "C" fn(This) = "_ZN22ClientVirtualDeviceSetC1Ev";
    c2: unsafe extern "C" fn(This) = "_ZN22ClientVirtualDeviceSetC2Ev";
    d1: unsafe extern "C" fn(This) = "_ZN22ClientVirtualDeviceSetD1Ev";
    d2: unsafe extern "C" fn(This) = "_ZN22ClientVirtualDeviceSetD2Ev";
    create: unsafe extern "C" fn(This, *mut c_char, *mut VdConfig) -> c_int
        = "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig";
    configuration: unsafe extern "C" fn(This, c_long, *mut VdConfig) -> c_int
        = "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig";
    open_device: unsafe extern "C" fn(This, *mut c_char, *mut This) -> c_int
        = "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice";
    close: Nullary = "_ZN22ClientVirtualDeviceSet5CloseEv";
    signal_abort: Nullary = "_ZN22ClientVirtualDeviceSet11SignalAbortEv";
    secondary: unsafe extern "C" fn(This, *mut c_char) -> c_int
        = "_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc";
    buffer_handle: unsafe extern "C" fn(This, *mut u8, *mut c_uint) -> c_int
        = "_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj";
    map_handle: unsafe extern "C" fn(This, c_int, *mut *mut u8) -> c_int
        = "_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh";
    register_closed: unsafe extern "C" fn(This)
        = "_ZN22ClientVirtualDeviceSet20RegisterDeviceClosedEv";
    device_c1: unsafe extern "C" fn(This) = "_ZN19ClientVirtualDeviceC1Ev";
    device_c2: unsafe extern "C" fn(This) = "_ZN19ClientVirtualDeviceC2Ev";
    device_d1: unsafe extern "C" fn(This) = "_ZN19ClientVirtualDeviceD1Ev";
    device_d2: unsafe extern "C" fn(This) = "_ZN19ClientVirtualDeviceD2Ev";
    get_command: unsafe extern "C" fn(This, c_long, *mut *mut VdcCommand) -> c_int
        = "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command";
    complete: unsafe extern "C" fn(This, *mut VdcCommand, c_int, c_ulong, c_long) -> c_int
        = "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml";
}

pub(crate) fn library_path() -> PathBuf {
    sqlvdi::locate().expect("libsqlvdi.so lies beside the test program")
}

pub(crate) fn vdi() -> &'static Entries {
    static ENTRIES: OnceLock<Entries> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        // SAFETY: our own library; loading it runs no initialisers of ours.
        let library = unsafe { Library::open(Some(library_path()), RTLD_NOW | RTLD_LOCAL) };
        let library = library.unwrap();
        let entries = Entries::load(&library);
        std::mem::forget(library);
        entries
    })
}

/// A name no other test uses.
pub(crate) fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "test-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A set object in 8 bytes of our memory, full of rubbish before its constructor runs.
pub(crate) struct Set(Box<[u64; 1]>);

// SAFETY: the set's methods may be called from any thread (facts/vdi.md 3.2).
unsafe impl Send for Set {}
// SAFETY: as above.
unsafe impl Sync for Set {}

impl Set {
    pub(crate) fn new() -> Self {
        let mut memory = Box::new([0xdead_beef_dead_beef]);
        // SAFETY: 8 bytes of our own, as the class needs.
        unsafe { (vdi().c1)(&raw mut *memory) };
        Self(memory)
    }

    /// A set created under a fresh name, ready for a server.
    pub(crate) fn created(devices: u32) -> (Self, String) {
        let (set, name) = (Self::new(), fresh_name());
        let config = VdConfig {
            device_count: devices,
            ..VdConfig::default()
        };
        assert_eq!(set.create(&name, &config), 0);
        (set, name)
    }

    fn this(&self) -> This {
        (&raw const *self.0).cast_mut()
    }

    pub(crate) fn create(&self, name: &str, config: &VdConfig) -> i32 {
        let (name, mut config) = (CString::new(name).unwrap(), *config);
        // SAFETY: live pointers; the library copies what it needs.
        unsafe { (vdi().create)(self.this(), name.as_ptr().cast_mut(), &raw mut config) }
    }

    pub(crate) fn configuration(&self, timeout: i64) -> Result<VdConfig, i32> {
        let mut config = VdConfig::default();
        // SAFETY: live pointers.
        match unsafe { (vdi().configuration)(self.this(), timeout, &raw mut config) } {
            0 => Ok(config),
            code => Err(code),
        }
    }

    pub(crate) fn open(&self, name: &str) -> Result<Device, i32> {
        let name = CString::new(name).unwrap();
        let mut device: This = 0x1000 as This;
        // SAFETY: live pointers.
        let code =
            unsafe { (vdi().open_device)(self.this(), name.as_ptr().cast_mut(), &raw mut device) };
        assert_eq!(
            code == 0,
            !device.is_null(),
            "out pointer is null exactly on failure"
        );
        if code == 0 {
            Ok(Device(device))
        } else {
            Err(code)
        }
    }

    pub(crate) fn close(&self) -> i32 {
        // SAFETY: a constructed object.
        unsafe { (vdi().close)(self.this()) }
    }

    pub(crate) fn abort(&self) -> i32 {
        // SAFETY: a constructed object.
        unsafe { (vdi().signal_abort)(self.this()) }
    }

    pub(crate) fn open_in_secondary(&self, name: &str) -> i32 {
        let name = CString::new(name).unwrap();
        // SAFETY: live pointers.
        unsafe { (vdi().secondary)(self.this(), name.as_ptr().cast_mut()) }
    }

    pub(crate) fn handle_of(&self, buffer: *mut u8) -> Result<u32, i32> {
        let mut handle = 0;
        // SAFETY: live pointers.
        match unsafe { (vdi().buffer_handle)(self.this(), buffer, &raw mut handle) } {
            0 => Ok(handle),
            code => Err(code),
        }
    }

    pub(crate) fn map_handle(&self, handle: i32) -> Result<*mut u8, i32> {
        let mut buffer = null_mut();
        // SAFETY: live pointers.
        match unsafe { (vdi().map_handle)(self.this(), handle, &raw mut buffer) } {
            0 => Ok(buffer),
            code => Err(code),
        }
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // SAFETY: constructed in new, destroyed once.
        unsafe { (vdi().d1)(self.this()) };
    }
}

/// A device the library handed out.
#[derive(Clone, Copy)]
pub(crate) struct Device(This);

// SAFETY: a device may be used by one thread at a time; the tests keep to that.
unsafe impl Send for Device {}

impl Device {
    pub(crate) fn get(&self, timeout: i64) -> Result<*mut VdcCommand, i32> {
        let mut command = null_mut();
        // SAFETY: a device of a set that lives.
        match unsafe { (vdi().get_command)(self.0, timeout, &raw mut command) } {
            0 => Ok(command),
            code => Err(code),
        }
    }

    /// The next command and its contents.
    pub(crate) fn next(&self) -> Result<(*mut VdcCommand, VdcCommand), i32> {
        // SAFETY: the library's own structure.
        self.get(-1).map(|command| (command, unsafe { *command }))
    }

    pub(crate) fn complete(&self, command: *mut VdcCommand, code: i32, bytes: u64) -> i32 {
        // SAFETY: a device of a set that lives; any command pointer may be passed.
        unsafe { (vdi().complete)(self.0, command, code, bytes, 0) }
    }
}

/// The bytes of a command's data zone.
#[allow(clippy::mut_from_ref)]
pub(crate) fn data(command: &VdcCommand) -> &mut [u8] {
    // SAFETY: between GetCommand and CompleteCommand the zone is ours; the tests that break
    // this rule do so with raw pointers.
    unsafe { std::slice::from_raw_parts_mut(command.buffer, command.size as usize) }
}

pub(crate) fn names(set: &str, devices: usize) -> Vec<String> {
    let more = (1..devices).map(|index| format!("{set}-{index}"));
    std::iter::once(set.to_owned()).chain(more).collect()
}

pub(crate) fn negotiated(set: &str, devices: usize) -> Negotiated {
    Negotiated {
        features: features::WRITE_MEDIA | features::COMPLETE_ENABLED,
        block_size: 512,
        max_transfer_size: 65536,
        buffer_count: 0,
        device_names: names(set, devices),
    }
}

pub(crate) fn quick_knobs() -> Knobs {
    Knobs {
        open_wait: Duration::from_secs(10),
        ..Knobs::default()
    }
}

/// A set that has gone all the way to its open devices on both sides.
pub(crate) struct Session {
    pub(crate) server: ServerSet,
    pub(crate) ends: Vec<ServerDevice>,
    pub(crate) devices: Vec<Device>,
    pub(crate) set: Set,
}

impl Session {
    pub(crate) fn with(config: VdConfig, knobs: Knobs, wanted: Negotiated) -> Self {
        let (set, name) = (Set::new(), wanted.device_names[0].clone());
        assert_eq!(set.create(&name, &config), 0);
        let mut server = ServerSet::open_with(&name, knobs).unwrap();
        server.configure(wanted.clone()).unwrap();
        set.configuration(1000).unwrap();
        let open = |name: &String| set.open(name).unwrap();
        let devices: Vec<_> = wanted.device_names.iter().map(open).collect();
        let ends = (0..devices.len())
            .map(|index| server.device(index).unwrap())
            .collect();
        Self {
            server,
            ends,
            devices,
            set,
        }
    }

    pub(crate) fn new(devices: u32) -> Self {
        let name = fresh_name();
        let config = VdConfig {
            device_count: devices,
            ..VdConfig::default()
        };
        Self::with(config, quick_knobs(), negotiated(&name, devices as usize))
    }

    pub(crate) fn reading(devices: u32) -> Self {
        let name = fresh_name();
        let config = VdConfig {
            device_count: devices,
            ..VdConfig::default()
        };
        let mut wanted = negotiated(&name, devices as usize);
        wanted.features = features::READ_MEDIA;
        Self::with(config, quick_knobs(), wanted)
    }
}
