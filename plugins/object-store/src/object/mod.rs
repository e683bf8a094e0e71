//! The device, in the order of a volume's day: options, client, mount and lock, sections, records;
//! then what the store says of it: look, inspect, probe.
//!
//! `client.rs` alone knows the clouds, `names.rs` alone what a key means, `runner.rs` alone the
//! runtime behind the synchronous border.

mod bucket;
mod client;
mod credentials;
mod device;
mod errors;
mod facts;
mod holder;
mod inspect;
mod leftovers;
mod listing;
mod lock;
mod look;
mod mount;
mod names;
mod options;
mod os;
mod pace;
mod probe;
mod reader;
mod record;
mod retain;
mod runner;
mod seal;
mod upload;
mod uploads;
mod wire;
mod work;

#[cfg(test)]
mod tests;

use twinset_plugin_api::{
    Capabilities, Description, Device, DeviceClass, DeviceError, Host, OpenRequest, Plugin,
};

use device::Store;
use runner::Runner;

/// What one call may move at most, in bytes. As the disk plugin: mirrors of one set are compared.
const TRANSFER_MAX: u32 = 64 * 1024 * 1024;

/// The plugin: any number of buckets.
pub(crate) struct ObjectPlugin;

impl Plugin for ObjectPlugin {
    fn describe() -> Description {
        Description {
            vendor: "Twinset".into(),
            product: "Object store".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            class: DeviceClass::DISK,
            capabilities: Capabilities::RANDOM_REMOVE
                | Capabilities::RANDOM_READ
                | Capabilities::APPEND
                | Capabilities::LOCK_ACROSS_HOSTS
                | Capabilities::REPAIR
                | Capabilities::REMOVE_RECORDS
                | Capabilities::METERED_READ,
            block_sizes: (512, 64 * 1024),
            alignment: 1,
            transfer_sizes: (1, TRANSFER_MAX),
            bytes_held: upload::BYTES_HELD,
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        let options = options::parse(request.options)?;
        let runner = Runner::new(host)?;
        let bucket = runner.enter(|| client::connect(&options))?;
        Ok(Box::new(Store::new(bucket, runner, request)))
    }
}
