//! The two doors through which an agent reaches a plugin's table.
//!
//! The Rust door is an abi_stable root module, one frozen type for each revision; the agent checks
//! its whole layout before it calls anything. The C door is one plain symbol for each revision,
//! checked by size and revision. Behind both lies the same table.

use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, LibHeader, RootModule, RootModuleResult};
use abi_stable::package_version_strings;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

use crate::Plugin;
use crate::shim;
use crate::v1::DeviceTableV1;

/// Symbol of the C door of revision 1: `const DeviceTableV1 *twinset_device_table_v1(void)`.
pub const C_DOOR_V1: &str = "twinset_device_table_v1";

/// The root module of revision 1.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = DeviceModuleV1Ref)))]
#[sabi(missing_field(panic))]
pub struct DeviceModuleV1 {
    /// Gives the table, which lives as long as the process.
    #[sabi(last_prefix_field)]
    pub table: extern "C" fn() -> *const DeviceTableV1,
}

impl RootModule for DeviceModuleV1Ref {
    abi_stable::declare_root_module_statics! {DeviceModuleV1Ref}

    const BASE_NAME: &'static str = "twinset_device";
    const NAME: &'static str = "twinset_device";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

fn module<P: Plugin>() -> DeviceModuleV1Ref {
    DeviceModuleV1 {
        table: table_v1::<P>,
    }
    .leak_into_prefix()
}

extern "C" fn construct<P: Plugin>() -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(module::<P>)
}

/// The table of plugin `P`.
pub extern "C" fn table_v1<P: Plugin>() -> *const DeviceTableV1 {
    shim::table::<P>()
}

/// The header that the Rust door exports. Made by `export_device!`.
#[doc(hidden)]
#[must_use]
pub const fn rust_door<P: Plugin>() -> LibHeader {
    // SAFETY: `construct` returns the erased form of a `DeviceModuleV1Ref`, the type named here.
    unsafe {
        LibHeader::from_constructor::<DeviceModuleV1Ref>(construct::<P>, CheckTypeLayout::Yes)
    }
}

/// Makes the two doors of a plugin file: `export_device!(MyPlugin);`, once in a `cdylib`, where
/// `MyPlugin` implements [`Plugin`].
#[macro_export]
macro_rules! export_device {
    ($plugin:ty) => {
        const _: () = {
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static RUST_DOOR: $crate::__private::LibHeader =
                $crate::__private::rust_door::<$plugin>();

            #[unsafe(export_name = "twinset_device_table_v1")]
            extern "C" fn c_door() -> *const $crate::v1::DeviceTableV1 {
                $crate::__private::table_v1::<$plugin>()
            }
        };
    };
}
