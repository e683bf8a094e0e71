#![allow(clippy::unwrap_used, clippy::panic)]

use abi_stable::library::ROOT_MODULE_LOADER_NAME;

use crate::v1::{DeviceTableV1, ErrorV1, NameV1, TEXT_MAX};
use crate::{DeviceError, Outcome};

mod through_the_table;

#[test]
fn the_rust_door_has_the_name_that_hosts_look_for() {
    // `export_device!` needs the name as a literal.
    assert_eq!(
        ROOT_MODULE_LOADER_NAME,
        "_1as_0lib_1header_0root_bmodule_bloader"
    );
}

#[test]
fn the_table_of_revision_1_keeps_its_size() {
    assert_eq!(size_of::<DeviceTableV1>(), 8 + 29 * size_of::<usize>());
}

#[test]
fn a_name_of_255_bytes_crosses_and_a_longer_one_does_not() {
    let longest = "n".repeat(255);
    assert_eq!(
        NameV1::new(&longest).unwrap().text(),
        Some(longest.as_str())
    );
    assert!(NameV1::new(&"n".repeat(256)).is_none());
}

#[test]
fn a_name_with_a_wrong_length_or_broken_text_is_refused() {
    let mut name = NameV1::new("ok").unwrap();
    name.len = 257;
    assert_eq!(name.text(), None);
    name.len = u32::MAX;
    assert_eq!(name.text(), None);
    name.len = 2;
    name.bytes[0] = 0xff;
    assert_eq!(name.text(), None);
}

#[test]
fn a_long_text_is_cut_between_two_characters() {
    let error = DeviceError::new(Outcome::PERMANENT, "ü".repeat(TEXT_MAX));
    let back = DeviceError::from(&ErrorV1::from(&error));
    assert_eq!(back.text, "ü".repeat(TEXT_MAX / 2));
    let mut lying = ErrorV1::from(&error);
    lying.text_len = u32::MAX;
    assert_eq!(DeviceError::from(&lying).text.len(), TEXT_MAX);
}
