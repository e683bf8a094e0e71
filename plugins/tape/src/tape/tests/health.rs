//! Flags of TapeAlert through the device: asked for where nothing is lost by it.

use std::fs;

use serde_json::{Value, json};
use twinset_plugin_api::{Access, Mount};

use super::{BLOCK, KEY, NEW, Shelf, bytes, get, put, section};

fn flags(shelf: &Shelf) -> Value {
    let path = shelf.folder.path().join("a.tap.meta");
    let meta: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    meta["flags"].clone()
}

#[test]
fn they_are_told_and_the_tape_goes_on() {
    let shelf = Shelf::new();
    let first = shelf.with_set(3 * BLOCK);
    shelf.sidecar(&json!({ "flags": [21], "barcode": "B1" }));
    let mut device = shelf.mounted();
    assert_eq!(flags(&shelf), json!([]));
    let told = device.status().unwrap().alerts;
    assert!(
        told.starts_with("warning: clean periodic (TapeAlert 21): "),
        "{told}"
    );
    assert!(told.contains("(cartridge B1 was in it); "), "{told}");
    // Behind the question all is as it was.
    put(&mut *device, 3, "p.log.trn", NEW, &bytes(2 * BLOCK));
    assert_eq!(device.status().unwrap().alerts, told);
    assert!(get(&mut *device, 1) == first);
    drop(device);
    assert_eq!(shelf.mounted().status().unwrap().alerts, "");
}

#[test]
fn a_drive_is_not_asked_while_data_are_in_its_buffer() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    shelf.sidecar(&json!({ "barcode": "B1" }));
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "p.log.trn", NEW)).unwrap();
    device.write(&bytes(2 * BLOCK)).unwrap();
    shelf.sidecar(&json!({ "flags": [3], "barcode": "B1" }));
    assert_eq!(device.status().unwrap().alerts, "");
    assert_eq!(flags(&shelf), json!([3]));
    device.write(&bytes(BLOCK)).unwrap();
    device.end_section().unwrap();
    let told = device.status().unwrap().alerts;
    assert!(
        told.contains("hard error (TapeAlert 3), cartridge B1: "),
        "{told}"
    );
    assert_eq!(flags(&shelf), json!([]));
    assert_eq!(get(&mut *device, 3).len(), 3 * BLOCK);
}

#[test]
fn another_cartridge_behind_the_question_is_not_written_to() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let foreign = [&4_u32.to_le_bytes()[..], b"THEM", &4_u32.to_le_bytes()].concat();
    let mut device = shelf.mounted();
    device.status().unwrap();
    // It comes without a word: the question may have had it.
    shelf.sidecar(&json!({ "quiet": true }));
    let other = shelf.folder.path().join("b.tap");
    fs::write(&other, &foreign).unwrap();
    shelf.put_in(&other);
    device
        .begin_section(&section(3, "p.log.trn", NEW))
        .unwrap_err();
    device.put_record("verdict.2", b"{}").unwrap_err();
    drop(device);
    assert_eq!(fs::read(shelf.image()).unwrap(), foreign);
}

#[test]
fn readers_leave_them() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    shelf.sidecar(&json!({ "flags": [20] }));
    let mut device = shelf.open(Access::Read);
    device.mount(Mount::Existing(KEY)).unwrap();
    assert_eq!(device.status().unwrap().alerts, "");
    drop(device);
    assert_eq!(flags(&shelf), json!([20]));
}

#[test]
fn a_sidecar_that_cannot_be_read_any_more_stops_nobody() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let mut device = shelf.mounted();
    fs::write(shelf.folder.path().join("a.tap.meta"), "not JSON").unwrap();
    assert_eq!(device.status().unwrap().alerts, "");
    put(&mut *device, 3, "p.log.trn", NEW, &bytes(BLOCK));
    assert_eq!(get(&mut *device, 3).len(), BLOCK);
}
