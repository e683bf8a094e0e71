//! A plugin that was built with a later major version of the plugin API.

#![allow(unsafe_code)] // a door made by hand, because the right one would be right
#![allow(missing_docs)] // abi_stable's attribute writes an undocumented static

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

/// Another module.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = DeviceModuleV9Ref)))]
#[sabi(missing_field(panic))]
pub struct DeviceModuleV9 {
    /// A number.
    #[sabi(last_prefix_field)]
    pub number: u64,
}

impl RootModule for DeviceModuleV9Ref {
    abi_stable::declare_root_module_statics! {DeviceModuleV9Ref}

    const BASE_NAME: &'static str = "twinset_device";
    const NAME: &'static str = "twinset_device";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("9.0.0");
}

/// The door.
#[abi_stable::export_root_module]
pub fn module() -> DeviceModuleV9Ref {
    DeviceModuleV9 { number: 9 }.leak_into_prefix()
}
