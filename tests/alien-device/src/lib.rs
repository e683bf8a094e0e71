//! A plugin that was built for another layout of the plugin API.

#![allow(unsafe_code)] // a door made by hand, because the right one would be right
#![allow(missing_docs)] // abi_stable's attribute writes an undocumented static

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

/// Looks like the module of revision 1, but gives another table.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = DeviceModuleV1Ref)))]
#[sabi(missing_field(panic))]
pub struct DeviceModuleV1 {
    /// A number where a table belongs.
    #[sabi(last_prefix_field)]
    pub table: extern "C" fn() -> u64,
}

impl RootModule for DeviceModuleV1Ref {
    abi_stable::declare_root_module_statics! {DeviceModuleV1Ref}

    const BASE_NAME: &'static str = "twinset_device";
    const NAME: &'static str = "twinset_device";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}

extern "C" fn table() -> u64 {
    0
}

/// The door.
#[abi_stable::export_root_module]
pub fn module() -> DeviceModuleV1Ref {
    DeviceModuleV1 { table }.leak_into_prefix()
}
