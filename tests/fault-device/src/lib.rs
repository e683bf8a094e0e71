//! The disk plugin with planted faults, for tests that need a device to go wrong.
//!
//! With `TWINSET_FAULT_KEEPS` in the environment its devices cannot remove single sections.
//!
//! Options: `path` as for the disk plugin, and the faults of `faults::Faults`. Calls are named as
//! in the device contract (`write`, `end_section`, ...). The sources of the disk plugin are
//! compiled in, because plugins are `cdylib` only.

#![forbid(unsafe_code)]

#[path = "../../../plugins/disk/src/disk/mod.rs"]
mod disk;
mod faults;
mod faulty;

use serde_json::json;
use twinset_plugin_api::{
    Capabilities, Description, Device, DeviceError, Host, OpenRequest, Plugin,
};

/// The plugin.
struct FaultPlugin;

impl Plugin for FaultPlugin {
    fn describe() -> Description {
        let disk = disk::DiskPlugin::describe();
        // What a plugin says of itself holds for all its devices, so no option can change it.
        let keeps = std::env::var_os("TWINSET_FAULT_KEEPS").is_some();
        let lacks = if keeps {
            Capabilities::RANDOM_REMOVE
        } else {
            0
        };
        Description {
            product: "Fault".into(),
            capabilities: disk.capabilities & !lacks,
            ..disk
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        let faults = faults::parse(request.options)?;
        let options = json!({ "path": faults.path }).to_string();
        let inner = OpenRequest {
            options: &options,
            ..request.clone()
        };
        let inner = disk::DiskPlugin::open(&inner, host.clone())?;
        let mut device = faulty::Faulty::new(inner, faults, host);
        device.strike("open")?;
        Ok(Box::new(device))
    }
}

twinset_plugin_api::export_device!(FaultPlugin);
