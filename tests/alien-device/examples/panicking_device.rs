//! A plugin that panics when it is asked what it is.

use twinset_plugin_api::{Description, Device, DeviceError, Host, OpenRequest, Plugin};

struct Panicking;

impl Plugin for Panicking {
    #[allow(clippy::panic, reason = "the planted fault")]
    fn describe() -> Description {
        panic!("who am I");
    }

    fn open(_: &OpenRequest<'_>, _: Host) -> Result<Box<dyn Device>, DeviceError> {
        Err(DeviceError::not_supported("open"))
    }
}

twinset_plugin_api::export_device!(Panicking);
