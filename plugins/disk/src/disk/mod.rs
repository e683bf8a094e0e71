//! The device, in the order of a volume's day: options, mount and lock, sections, records.
//!
//! `os.rs` alone calls the operating system, `names.rs` alone knows what a file name means, `shelf.rs` alone
//! remembers names.

mod device;
mod errors;
mod listing;
mod lock;
mod mount;
mod names;
mod options;
mod os;
mod reader;
mod record;
mod shelf;
mod work;

use twinset_plugin_api::{
    Capabilities, Description, Device, DeviceClass, DeviceError, Host, OpenRequest, Plugin,
};

pub(crate) use device::Disk;

/// What one call may move at most, in bytes.
const TRANSFER_MAX: u32 = 64 * 1024 * 1024;

/// The plugin: any number of folders.
pub(crate) struct DiskPlugin;

impl Plugin for DiskPlugin {
    fn describe() -> Description {
        Description {
            vendor: "Twinset".into(),
            product: "Disk".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            class: DeviceClass::DISK,
            capabilities: Capabilities::RANDOM_REMOVE
                | Capabilities::RANDOM_READ
                | Capabilities::APPEND
                | Capabilities::LOCK_ACROSS_HOSTS
                | Capabilities::REPAIR
                | Capabilities::REMOVE_RECORDS,
            block_sizes: (512, 64 * 1024),
            alignment: 1,
            transfer_sizes: (1, TRANSFER_MAX),
            bytes_held: 0,
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        let options = options::parse(request.options)?;
        Ok(Box::new(Disk::new(options, request, host)))
    }
}
