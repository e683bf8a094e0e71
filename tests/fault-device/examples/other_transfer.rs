//! The disk plugin, but it takes other transfers: no mirror for a disk.

#![forbid(unsafe_code)]

#[path = "../../../plugins/disk/src/disk/mod.rs"]
mod disk;

use twinset_plugin_api::{Description, Device, DeviceError, Host, OpenRequest, Plugin};

struct Unlike;

impl Plugin for Unlike {
    fn describe() -> Description {
        Description {
            transfer_sizes: (1, 1 << 16),
            ..disk::DiskPlugin::describe()
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        disk::DiskPlugin::open(request, host)
    }
}

twinset_plugin_api::export_device!(Unlike);
