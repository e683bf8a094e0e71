//! A plugin with the C door alone, as one written in C has it. Its device refuses its options.

#![allow(unsafe_code)] // exports a symbol

use twinset_plugin_api::door::table_v1;
use twinset_plugin_api::v1::DeviceTableV1;
use twinset_plugin_api::{
    Description, Device, DeviceClass, DeviceError, Host, OpenRequest, Outcome, Plugin,
};

struct Stubborn;

impl Plugin for Stubborn {
    fn describe() -> Description {
        Description {
            vendor: "Example".into(),
            product: "C device".into(),
            version: "1.0".into(),
            class: DeviceClass::DISK,
            capabilities: 0,
            block_sizes: (512, 4096),
            alignment: 1,
            transfer_sizes: (1, 1 << 20),
            bytes_held: 0,
        }
    }

    fn open(request: &OpenRequest<'_>, _: Host) -> Result<Box<dyn Device>, DeviceError> {
        let text = format!("options: {} refused", request.options);
        Err(DeviceError::new(Outcome::BAD_OPTION, text))
    }
}

/// The door.
#[unsafe(no_mangle)]
pub extern "C" fn twinset_device_table_v1() -> *const DeviceTableV1 {
    table_v1::<Stubborn>()
}
