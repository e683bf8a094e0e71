//! The disk plugin, but it says that it is a tape: no mirror for a disk.

#![forbid(unsafe_code)]

#[path = "../../../plugins/disk/src/disk/mod.rs"]
mod disk;

use twinset_plugin_api::{
    Description, Device, DeviceClass, DeviceError, Host, OpenRequest, Plugin,
};

struct Unlike;

impl Plugin for Unlike {
    fn describe() -> Description {
        Description {
            class: DeviceClass::TAPE,
            ..disk::DiskPlugin::describe()
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        disk::DiskPlugin::open(request, host)
    }
}

twinset_plugin_api::export_device!(Unlike);
