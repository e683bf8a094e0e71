//! The device, from the drive upwards: `drive` and its two kinds (`os/st`, `image`), `head` knows where
//! the tape stands, `label` what a tape file says of itself, `medium` one tape, `changer` a library,
//! `device` the calls.

mod changer;
mod device;
mod drive;
mod errno;
mod errors;
mod head;
mod health;
mod image;
mod index;
mod label;
mod left;
mod medium;
mod mount;
mod options;
mod os;
mod program;
mod reader;
mod scan;
mod source;
mod station;
mod told;
mod work;

use twinset_plugin_api::{
    Capabilities, Description, Device, DeviceClass, DeviceError, Host, OpenRequest, Plugin,
};

pub(crate) use device::Tape;

/// What one call may move at most, in bytes.
const TRANSFER_MAX: u32 = 64 * 1024 * 1024;

/// The plugin: a drive or an image each device.
pub(crate) struct TapePlugin;

impl Plugin for TapePlugin {
    fn describe() -> Description {
        Description {
            vendor: "Twinset".into(),
            product: "Tape".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            class: DeviceClass::TAPE,
            capabilities: Capabilities::APPEND | Capabilities::REPAIR | Capabilities::SPAN,
            block_sizes: (options::BLOCK_MIN, options::BLOCK_MAX),
            alignment: 1,
            transfer_sizes: (1, TRANSFER_MAX),
            bytes_held: u64::from(options::BLOCK_MAX),
        }
    }

    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError> {
        let options = options::parse(request.options)?;
        options.check_programs()?;
        Ok(Box::new(Tape::new(options, request, host)))
    }
}

#[cfg(test)]
mod tests;
