//! A plugin with the C door and a table of revision 2.

#![allow(unsafe_code)] // exports a symbol

/// Size and revision, as every table begins.
static TABLE: [u32; 2] = [8, 2];

/// The door.
#[unsafe(no_mangle)]
pub extern "C" fn twinset_device_table_v1() -> *const [u32; 2] {
    &raw const TABLE
}
