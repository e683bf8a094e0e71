//! What goes wrong at a drive.

use std::fs;

use serde_json::json;
use twinset_plugin_api::{Access, Mount, Outcome};

use super::{BLOCK, KEY, NEW, Shelf, bytes, get, left, listed, outcome, put, records, section};

#[test]
fn an_error_in_the_middle_makes_no_hole() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    for after in 0..12 {
        let fault = json!({ "on": "write", "after": after });
        shelf.sidecar(&json!({ "faults": [fault] }));
        let mut device = shelf.mounted();
        let whole = bytes(8 * BLOCK);
        let mut run = || {
            device.begin_section(&section(3, "x", NEW))?;
            device.write(&whole)?;
            device.end_section()
        };
        let ran = run();
        if let Err(error) = &ran {
            assert_eq!(error.outcome, Outcome::PERMANENT, "{after}: {error:?}");
            // Nothing more of this section goes to the tape.
            assert!(
                device.write(&whole).is_err() && device.end_section().is_err(),
                "{after}"
            );
            assert_eq!(listed(&mut *device).len(), 3);
            device.abort_section().unwrap();
            device.put_record(&format!("failed.{after}"), b"").unwrap();
        } else {
            assert!(get(&mut *device, 3) == whole);
            device.begin_section(&section(5, "y", NEW)).unwrap();
            device.abort_section().unwrap();
        }
        drop(device);
        shelf.sidecar(&json!({}));
        let mut device = shelf.mounted();
        assert_eq!(left(&mut *device), [""; 0], "{after}");
        assert_eq!(
            listed(&mut *device).len(),
            if ran.is_ok() { 4 } else { 3 },
            "{after}"
        );
        if ran.is_ok() {
            return;
        }
    }
    panic!("no run went well");
}

#[test]
fn a_filemark_that_fails_ends_nothing() {
    for after in 0..2 {
        let shelf = Shelf::new();
        shelf.with_set(BLOCK);
        shelf.sidecar(&json!({ "faults": [{ "on": "mark", "after": after }] }));
        let mut device = shelf.mounted();
        device.begin_section(&section(3, "x", NEW)).unwrap();
        device.write(&bytes(2 * BLOCK)).unwrap();
        assert_eq!(outcome(device.end_section()), Outcome::PERMANENT);
        device.abort_section().unwrap();
        drop(device);
        shelf.sidecar(&json!({}));
        let mut device = shelf.mounted();
        assert_eq!(
            (left(&mut *device).len(), listed(&mut *device).len()),
            (0, 3),
            "{after}"
        );
    }
}

#[test]
fn another_cartridge_in_the_middle_is_not_written() {
    let (shelf, other) = (Shelf::new(), Shelf::new());
    shelf.with_set(BLOCK);
    other.with_set(10 * BLOCK);
    let theirs = fs::read(other.image()).unwrap();
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(3 * BLOCK)).unwrap();
    // Another tape of the same volume key: only its label tells them apart.
    shelf.put_in(&other.image());
    assert_eq!(outcome(device.write(&bytes(BLOCK))), Outcome::PERMANENT);
    for _ in 0..3 {
        assert!(device.write(&bytes(BLOCK)).is_err());
        assert!(device.end_section().is_err());
    }
    assert_eq!(outcome(device.abort_section()), Outcome::WRONG_MEDIUM);
    assert_eq!(outcome(device.put_record("r", b"")), Outcome::WRONG_MEDIUM);
    drop(device);
    assert!(fs::read(shelf.image()).unwrap() == theirs);
}

#[test]
fn a_change_that_nobody_tells_is_found_before_the_next_tape_file() {
    let (shelf, other) = (Shelf::new(), Shelf::new());
    shelf.with_set(BLOCK);
    other.with_set(10 * BLOCK);
    let theirs = fs::read(other.image()).unwrap();
    let mut device = shelf.mounted();
    shelf.sidecar(&json!({ "quiet": true }));
    shelf.put_in(&other.image());
    assert!(device.begin_section(&section(3, "x", NEW)).is_err());
    assert_eq!(outcome(device.put_record("r", b"")), Outcome::WRONG_MEDIUM);
    drop(device);
    assert!(fs::read(shelf.image()).unwrap() == theirs);
}

#[test]
fn a_bad_block_costs_its_reader_and_nobody_else() {
    let shelf = Shelf::new();
    let whole = shelf.with_set(5 * BLOCK);
    // Block 3 of tape file 1: behind header, label, mark and two blocks.
    let mut image = fs::read(shelf.image()).unwrap();
    let header = b"TAPE header".len();
    let at = 8 + header + header % 2 + 8 + 1024 + 4 + 2 * (BLOCK + 8);
    image[at + 3] |= 0x80;
    image[at + 4 + BLOCK + 3] |= 0x80;
    fs::write(shelf.image(), &image).unwrap();
    let mut device = shelf.mounted();
    device.open_section(1).unwrap();
    let mut buffer = vec![0; BLOCK];
    for block in [0, 2, 1, 2, 4, 3] {
        device.seek(block * BLOCK as u64).unwrap();
        let read = device.read(&mut buffer);
        match block {
            2 => assert_eq!(outcome(read), Outcome::PERMANENT),
            _ => {
                assert_eq!(read.unwrap(), BLOCK);
                assert!(
                    buffer == whole[block as usize * BLOCK..][..BLOCK],
                    "{block}"
                );
            }
        }
    }
    device.put_record("still", b"well").unwrap();
    assert_eq!(records(&mut *device), ["still", "verdict.1"]);
}

#[test]
fn a_full_tape_says_how_much_it_took_and_keeps_room_for_the_manifest() {
    let shelf = Shelf::new();
    let room = 1 << 20;
    shelf.sidecar(&json!({ "capacity": room, "early_warning": 200_000 }));
    let mut device = shelf.blank();
    put(&mut *device, 0, "header.mtf", NEW, b"h");
    device.begin_section(&section(1, "x", NEW)).unwrap();
    let piece = bytes(10_000);
    let mut taken = 0;
    let error = loop {
        match device.write(&piece) {
            Ok(()) => taken += piece.len() as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(error.outcome, Outcome::END_OF_MEDIUM);
    taken += error.accepted;
    assert_eq!(taken % BLOCK as u64, 0, "whole blocks");
    assert!((800_000..900_000).contains(&taken), "{taken}");
    device.end_section().unwrap();
    put(&mut *device, 2, "manifest.json", NEW, &bytes(50_000));
    device.put_record("verdict.1", b"{}").unwrap();
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(get(&mut *device, 1).len() as u64, taken);
    assert!(get(&mut *device, 2) == bytes(50_000));
}

/// Some drives write the block that meets early warning and say that they did not.
#[test]
fn a_block_that_landed_is_not_written_twice() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let fault = json!({ "on": "write", "after": 2, "lands": true });
    shelf.sidecar(&json!({ "faults": [fault] }));
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    let whole = bytes(6 * BLOCK);
    let error = device.write(&whole).unwrap_err();
    assert_eq!(
        (error.outcome, error.accepted),
        (Outcome::END_OF_MEDIUM, 3 * BLOCK as u64)
    );
    device.write(&whole[3 * BLOCK..]).unwrap();
    device.end_section().unwrap();
    assert!(get(&mut *device, 3) == whole);
}

#[test]
fn a_protected_tape_is_read_and_not_written() {
    let shelf = Shelf::new();
    let whole = shelf.with_set(2 * BLOCK);
    shelf.sidecar(&json!({ "write_protected": true }));
    let mut device = shelf.mounted();
    assert!(get(&mut *device, 1) == whole);
    assert_eq!(
        outcome(device.put_record("r", b"")),
        Outcome::WRITE_PROTECTED
    );
    drop(device);
    let blank = Shelf::new();
    fs::write(blank.image(), b"").unwrap();
    blank.sidecar(&json!({ "write_protected": true }));
    let mut device = blank.open(Access::Write);
    assert_eq!(
        outcome(device.mount(Mount::Blank(KEY))),
        Outcome::WRITE_PROTECTED
    );
}

#[test]
fn a_tape_that_is_written_once_gives_work_up_by_a_word() {
    let shelf = Shelf::new();
    shelf.sidecar(&json!({ "worm": true }));
    shelf.with_set(BLOCK);
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(3 * BLOCK)).unwrap();
    device.abort_section().unwrap();
    assert_eq!(left(&mut *device), [""; 0]);
    put(&mut *device, 3, "x", NEW, b"again");
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(
        (get(&mut *device, 3), left(&mut *device).len()),
        (b"again".to_vec(), 0)
    );
    // A torn one as well.
    device.begin_section(&section(5, "y", NEW)).unwrap();
    device.write(&bytes(3 * BLOCK)).unwrap();
    drop(device);
    let mut device = shelf.mounted();
    for name in left(&mut *device) {
        device.remove_leftover(&name).unwrap();
    }
    assert_eq!(left(&mut *device), [""; 0]);
    put(&mut *device, 5, "y", NEW, b"y");
    assert_eq!(get(&mut *device, 3), b"again");
}
