//! The interface on Windows: COM, class `MSSQL_ClientVirtualDeviceSet`. The calls themselves are
//! `twinset_win32::vdi`; here their numbers become the faults that Linux has.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use twinset_domain::{Fault, code};
use twinset_win32::{host, vdi};

use crate::sqlserver::vdi::codes::Vde;
use crate::sqlserver::vdi::layout::{VdConfig, VdcCommand};
use crate::trust::{self, Keep};

/// Windows frees shared memory with its last process.
pub(in crate::sqlserver::vdi) const SHARED_OBJECTS: Option<&str> = None;
/// A set is made for one instance, by its name.
pub(in crate::sqlserver) const BY_INSTANCE: bool = true;
/// What helps where a set cannot be created.
pub(in crate::sqlserver::vdi) const NOT_CREATED: &str = "run the agent on the host of the instance, as a service or from a console that was started as \
     administrator; the Application log (source SQLVDI) tells the other side of this";
/// What helps where SQL Server does not come.
pub(in crate::sqlserver::vdi) const NOT_OPENED: &str = "check that the instance runs on this host, and what the statement waits for; the Application \
     log (source SQLVDI) tells the other side of this; where it may wait that long, raise \
     open_timeout of the instance";
/// What helps where a device cannot be opened.
pub(in crate::sqlserver::vdi) const NO_DEVICE: &str =
    "see SQL Server's error log, and the Application log (source SQLVDI)";

/// `REGDB_E_CLASSNOTREG`.
const NOT_REGISTERED: u32 = 0x8004_0154;
/// `CLASS_E_CLASSNOTAVAILABLE`, `E_ACCESSDENIED`: what a process without an administrator's rights
/// is told (facts/vdi.md 5, 8).
const NOT_ELEVATED: [u32; 2] = [0x8004_0111, 0x8007_0005];
/// `HRESULT_FROM_WIN32(ERROR_BAD_EXE_FORMAT)`, `ERROR_MOD_NOT_FOUND`.
const NOT_LOADED: [u32; 2] = [0x8007_00C1, 0x8007_007E];

/// SQL Server's class, registered and tried.
#[derive(Debug)]
pub struct VdiLibrary {
    path: PathBuf,
}

impl VdiLibrary {
    /// Finds the class in the registry, looks who may change its DLL, and makes one object of it,
    /// so that no job finds out halfway. The path of the configuration is not asked: COM has one
    /// DLL for all instances of a host.
    ///
    /// # Errors
    /// `TW4004` where the class is not registered, others may change its DLL, or COM makes none.
    pub fn load(_: &Path) -> Result<Arc<Self>, Fault> {
        let path = registered()?;
        let shown = path.display().to_string();
        let looked = trust::unsafe_for(&path, Keep::FromWriting).map_err(|error| {
            Fault::new(
                code::VDI_LIBRARY,
                &shown,
                "SQL Server's DLL cannot be looked at",
            )
            .source(&error)
            .remedy(REPAIR)
        })?;
        if let Some(found) = looked {
            let message = format!(
                "others than the administrator may change {}",
                found.path.display()
            );
            return Err(Fault::new(code::VDI_LIBRARY, shown, message).remedy(found.take_back));
        }
        joined().map_err(|hresult| refused(&shown, hresult))?;
        match vdi::Set::new() {
            Ok(_) => Ok(Arc::new(Self { path })),
            Err(hresult) => Err(refused(&shown, hresult)),
        }
    }

    /// The DLL that the registry names.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const REPAIR: &str = "repair the installation of SQL Server (shared features), or register its \
                      sqlvdi.dll as an administrator: regsvr32 sqlvdi.dll; the agent must run on \
                      the host of the instance. Meanwhile backups go through a folder: source = \
                      \"stage\"";

/// The DLL of the class, as administrators registered it for 64-bit programs.
fn registered() -> Result<PathBuf, Fault> {
    match host::registry_text(vdi::SERVER_KEY, "") {
        Ok(path) if Path::new(&path).is_absolute() => Ok(PathBuf::from(path)),
        Ok(path) => Err(not_registered().cause(format!("the registry says {path:?}"))),
        Err(error) => Err(not_registered().source(&error)),
    }
}

fn not_registered() -> Fault {
    let message = "SQL Server's class of virtual devices is not registered on this host";
    Fault::new(code::VDI_LIBRARY, "sqlvdi.dll", message).remedy(REPAIR)
}

/// COM, once for the process.
fn joined() -> Result<(), i32> {
    static JOINED: OnceLock<Result<(), i32>> = OnceLock::new();
    *JOINED.get_or_init(vdi::join)
}

fn refused(path: &str, hresult: i32) -> Fault {
    let number = hresult.cast_unsigned();
    let (message, remedy) = if number == NOT_REGISTERED {
        return not_registered().cause(Vde(hresult));
    } else if NOT_ELEVATED.contains(&number) {
        (
            "SQL Server's class of virtual devices wants the rights of an administrator",
            "run the agent as its service, or start the console as administrator",
        )
    } else if NOT_LOADED.contains(&number) {
        (
            "SQL Server's DLL of virtual devices cannot be loaded",
            "it must be the 64-bit one; repair the installation of SQL Server (shared features)",
        )
    } else {
        (
            "SQL Server's class of virtual devices cannot be used",
            REPAIR,
        )
    };
    Fault::new(code::VDI_LIBRARY, path, message)
        .cause(Vde(hresult))
        .remedy(remedy)
}

/// A virtual device set.
pub(in crate::sqlserver::vdi) struct RawSet(vdi::Set);

impl RawSet {
    pub(in crate::sqlserver::vdi) fn new(_: &Arc<VdiLibrary>) -> Result<Self, Vde> {
        vdi::Set::new().map(Self).map_err(Vde)
    }

    pub(in crate::sqlserver::vdi) fn create(
        &self,
        instance: Option<&str>,
        name: &CStr,
        config: &VdConfig,
    ) -> Result<(), Vde> {
        let name = name.to_string_lossy();
        self.0.create(instance, &name, words(config)).map_err(Vde)
    }

    pub(in crate::sqlserver::vdi) fn get_configuration(&self, slice: i64) -> Result<VdConfig, Vde> {
        let words = self.0.configuration(milliseconds(slice)).map_err(Vde)?;
        Ok(config(words))
    }

    pub(in crate::sqlserver::vdi) fn open_device(&self, name: &CStr) -> Result<RawDevice, Vde> {
        let device = self.0.open_device(&name.to_string_lossy());
        device.map(RawDevice).map_err(Vde)
    }

    pub(in crate::sqlserver::vdi) fn signal_abort(&self) -> Result<(), Vde> {
        self.0.abort().map_err(Vde)
    }

    /// Afterwards every device and buffer of the set is dead.
    pub(in crate::sqlserver::vdi) fn close(&self) -> Result<(), Vde> {
        self.0.close().map_err(Vde)
    }
}

/// A virtual device.
pub(in crate::sqlserver::vdi) struct RawDevice(vdi::Device);

impl RawDevice {
    /// The next command, copied, with the pointer it is completed by.
    pub(in crate::sqlserver::vdi) fn get_command(
        &self,
        slice: i64,
    ) -> Result<(NonNull<VdcCommand>, VdcCommand), Vde> {
        let (raw, told) = self.0.command(milliseconds(slice)).map_err(Vde)?;
        let command = VdcCommand {
            code: told.code,
            size: told.size,
            position: told.position,
            buffer: told.buffer,
        };
        Ok((raw.cast(), command))
    }

    pub(in crate::sqlserver::vdi) fn complete_command(
        &self,
        command: NonNull<VdcCommand>,
        code: i32,
        bytes: u64,
    ) -> Result<(), Vde> {
        // No command moves more than the 4 MiB of a transfer.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let completed = self.0.complete(command.cast(), code.cast_unsigned(), bytes);
        completed.map_err(Vde)
    }
}

/// A slice, which is never negative here; `INFINITE` is not asked for.
fn milliseconds(slice: i64) -> u32 {
    u32::try_from(slice).unwrap_or(0)
}

/// The words of a configuration, in the header's order.
const fn words(config: &VdConfig) -> vdi::Config {
    [
        config.device_count,
        config.features,
        config.prefix_zone_size,
        config.alignment,
        config.soft_file_mark_block_size,
        config.eom_warning_size,
        config.server_time_out,
        config.block_size,
        config.max_io_depth,
        config.max_transfer_size,
        config.buffer_area_size,
    ]
}

/// The configuration of its words.
const fn config(words: vdi::Config) -> VdConfig {
    VdConfig {
        device_count: words[0],
        features: words[1],
        prefix_zone_size: words[2],
        alignment: words[3],
        soft_file_mark_block_size: words[4],
        eom_warning_size: words[5],
        server_time_out: words[6],
        block_size: words[7],
        max_io_depth: words[8],
        max_transfer_size: words[9],
        buffer_area_size: words[10],
    }
}
