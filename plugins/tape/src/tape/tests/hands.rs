//! One drive, and a person who changes its cartridges.

use std::fs;

use twinset_plugin_api::{Access, Device, Mount, Outcome};

use super::rows::span;
use super::{BLOCK, KEY, NEW, Shelf, bytes, get, listed, outcome, put, section};

impl Shelf {
    /// Takes the cartridge out and lays it aside.
    fn aside(&self, name: &str) {
        fs::rename(self.image(), self.folder.path().join(name)).unwrap();
    }

    /// Puts one in.
    fn insert(&self, name: &str) {
        fs::rename(self.folder.path().join(name), self.image()).unwrap();
    }
}

/// Where the section that waits is cut.
const CUT: u64 = 4 * BLOCK as u64;

/// A tape with a set, and a second section that waits for the next cartridge.
fn awaiting() -> (Shelf, Box<dyn Device>) {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    assert_eq!(outcome(span(&mut *device, CUT)), Outcome::NEEDS_OPERATOR);
    (shelf, device)
}

fn foreign() -> Vec<u8> {
    [&8_u32.to_le_bytes()[..], b"VOL1THEM", &8_u32.to_le_bytes()].concat()
}

#[test]
fn a_row_is_written_and_read_with_one_drive() {
    let shelf = Shelf::new();
    let first = shelf.with_set(2 * BLOCK);
    let other = Shelf::new();
    let mut device = other.open(Access::Write);
    device.mount(Mount::Blank("of.another.volume")).unwrap();
    put(&mut *device, 0, "header.mtf", NEW, b"theirs");
    drop(device);
    let mut device = shelf.mounted();
    let data = bytes(6 * BLOCK);
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&data[..4 * BLOCK]).unwrap();
    // Nobody changed it yet; then nothing, somebody's, another set's, a protected one.
    let asks = |device: &mut dyn Device, why: &str| {
        let error = span(device, CUT).unwrap_err();
        assert_eq!(error.outcome, Outcome::NEEDS_OPERATOR, "{why}");
        let begins = "put a blank cartridge in: number 2 of this row";
        assert!(error.text.starts_with(begins), "{error:?}");
        assert!(error.text.contains(why), "{error:?}");
    };
    asks(&mut *device, "it belongs to volume");
    shelf.aside("one");
    asks(&mut *device, "there is no such tape");
    fs::write(shelf.image(), foreign()).unwrap();
    asks(&mut *device, "VOL1THEM");
    assert_eq!(fs::read(shelf.image()).unwrap(), foreign());
    let theirs = fs::read(other.image()).unwrap();
    fs::copy(other.image(), shelf.image()).unwrap();
    asks(&mut *device, "of.another.volume");
    assert_eq!(fs::read(shelf.image()).unwrap(), theirs);
    fs::write(shelf.image(), b"").unwrap();
    shelf.sidecar(&serde_json::json!({ "write_protected": true }));
    asks(&mut *device, "write-protected");
    shelf.sidecar(&serde_json::json!({}));
    span(&mut *device, CUT).unwrap();
    device.write(&data[4 * BLOCK..]).unwrap();
    device.end_section().unwrap();
    device.put_record("verdict.2", b"{two}").unwrap();
    // What lies on the first one: it is asked for, and a wrong one is not taken for it.
    device.open_section(1).unwrap();
    let mut buffer = vec![0; BLOCK];
    let error = device.read(&mut buffer).unwrap_err();
    assert_eq!(error.outcome, Outcome::NEEDS_OPERATOR);
    assert!(
        error.text.starts_with("put tape 1 of this row in"),
        "{error:?}"
    );
    shelf.aside("two");
    fs::copy(other.image(), shelf.image()).unwrap();
    let error = device.read(&mut buffer).unwrap_err();
    assert!(error.text.contains("of.another.volume"), "{error:?}");
    shelf.insert("one");
    assert!(get(&mut *device, 1) == first);
    // To write, the last one must come back.
    assert_eq!(
        outcome(device.put_record("r", b"")),
        Outcome::NEEDS_OPERATOR
    );
    shelf.aside("one");
    shelf.insert("two");
    device.put_record("r", b"").unwrap();
    assert_eq!(listed(&mut *device).len(), 4);
}

#[test]
fn the_last_cartridge_of_a_row_must_be_in_the_drive() {
    let (shelf, mut device) = awaiting();
    shelf.aside("one");
    fs::write(shelf.image(), b"").unwrap();
    span(&mut *device, CUT).unwrap();
    device.end_section().unwrap();
    drop(device);
    shelf.aside("two");
    shelf.insert("one");
    let before = fs::read(shelf.image()).unwrap();
    for access in [Access::Read, Access::Write] {
        let mut device = shelf.open(access);
        let error = device.mount(Mount::Existing(KEY)).unwrap_err();
        assert_eq!(error.outcome, Outcome::NO_MEDIUM);
        assert!(error.text.contains("tape 1 goes on on tape 2"), "{error:?}");
    }
    assert!(fs::read(shelf.image()).unwrap() == before);
    shelf.aside("one");
    shelf.insert("two");
    let mut device = shelf.mounted();
    assert_eq!(get(&mut *device, 2), b"{manifest}", "it is carried on");
    assert_eq!(listed(&mut *device).len(), 4);
}

/// Nobody came, and the run was given up: the cartridge goes back in, and the next run goes on.
#[test]
fn a_run_that_waited_in_vain_is_taken_back() {
    let (shelf, mut device) = awaiting();
    device.abort_section().unwrap();
    put(&mut *device, 3, "y", NEW, b"again");
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(get(&mut *device, 3), b"again");
    assert_eq!(super::left(&mut *device), [""; 0]);
}
