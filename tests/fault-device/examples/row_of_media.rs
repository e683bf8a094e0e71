//! The disk plugin on folders of a given size in a row, `1`, `2`, ... below `path`: what a changer
//! with small cartridges is to the agent, without a drive.

#![forbid(unsafe_code)]

#[path = "../../../plugins/disk/src/disk/mod.rs"]
mod disk;
#[path = "../src/row/mod.rs"]
mod row;

use twinset_plugin_api::{
    Capabilities, Description, Device, DeviceError, Host, OpenRequest, Plugin,
};

struct Rows;

impl Plugin for Rows {
    fn describe() -> Description {
        let disk = disk::DiskPlugin::describe();
        Description {
            product: "Row".into(),
            capabilities: disk.capabilities | Capabilities::SPAN,
            ..disk
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        Ok(Box::new(row::Row::open(request, host)?))
    }
}

twinset_plugin_api::export_device!(Rows);
