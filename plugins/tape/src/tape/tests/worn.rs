//! Tapes that were cut off: whatever a crash leaves, what was promised is there and nothing else.

use std::fs;

use twinset_plugin_api::{Access, Mount};

use super::{BLOCK, KEY, NEW, Shelf, bytes, get, left, listed, put, records};

/// A tape with two sets, cut at every object and in the middle of each.
#[test]
fn every_cut_leaves_what_was_ended_before_it() {
    let shelf = Shelf::new();
    let first = shelf.with_set(3 * BLOCK + 5);
    let at_first = fs::metadata(shelf.image()).unwrap().len();
    let mut device = shelf.mounted();
    put(&mut *device, 3, "p.log.trn", NEW, &bytes(2 * BLOCK));
    put(&mut *device, 4, "manifest.json", NEW, b"{second}");
    drop(device);
    let whole = fs::read(shelf.image()).unwrap();
    for cut in (at_first..whole.len() as u64).step_by(509) {
        fs::write(shelf.image(), &whole[..cut as usize]).unwrap();
        let mut device = shelf.mounted();
        let told = listed(&mut *device);
        assert!(
            told.len() >= 3 && told[..3].iter().map(|s| s.0).eq([0, 1, 2]),
            "{cut}"
        );
        assert_eq!(records(&mut *device), ["verdict.1"]);
        assert!(get(&mut *device, 1) == first);
        // Unfinished work is told, can be removed, and the tape goes on.
        for name in left(&mut *device) {
            device.remove_leftover(&name).unwrap();
        }
        assert_eq!(left(&mut *device), [""; 0], "{cut}");
        let next = told.last().unwrap().0 + 1;
        put(&mut *device, next | 1, "again.trn", NEW, b"again");
        drop(device);
        let mut device = shelf.mounted();
        assert_eq!(left(&mut *device), [""; 0], "{cut}");
        assert_eq!(get(&mut *device, next | 1), b"again");
        assert!(get(&mut *device, 1) == first);
    }
}

/// The driver of a killed process writes a filemark: a torn tape file looks closed.
#[test]
fn a_filemark_behind_torn_work_makes_it_no_section() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let sound = fs::read(shelf.image()).unwrap();
    let mut device = shelf.mounted();
    put(&mut *device, 3, "p.log.trn", NEW, &bytes(2 * BLOCK));
    put(&mut *device, 4, "manifest.json", NEW, &bytes(3 * BLOCK));
    drop(device);
    let whole = fs::read(shelf.image()).unwrap();
    let record = BLOCK + 8;
    for blocks in 1..=6 {
        let label = 1024 + 8;
        // Behind: data, mark, label, mark, label of the manifest, its blocks.
        let ends = [
            record,
            2 * record + 4 + label + 4 + label,
            2 * record + 4 + label + 4,
        ];
        let cut = sound.len() + ends[blocks % 3] + (blocks / 3) % 2 * record;
        let mut torn = whole[..cut].to_vec();
        torn.extend([0; 4]);
        fs::write(shelf.image(), &torn).unwrap();
        let mut device = shelf.open(Access::Write);
        device.mount(Mount::Existing(KEY)).unwrap();
        assert!(listed(&mut *device).iter().all(|s| s.0 != 4), "{blocks}");
        for name in left(&mut *device) {
            device.remove_leftover(&name).unwrap();
        }
        device.put_record("after", b"all").unwrap();
        drop(device);
        let mut device = shelf.mounted();
        assert_eq!(left(&mut *device), [""; 0]);
        assert_eq!(records(&mut *device), ["after", "verdict.1"]);
    }
}

#[test]
fn what_is_written_behind_unfinished_work_leaves_it_there() {
    let shelf = Shelf::new();
    shelf.with_set(BLOCK);
    let mut device = shelf.mounted();
    device.begin_section(&super::section(3, "x", NEW)).unwrap();
    device.write(&bytes(5 * BLOCK)).unwrap();
    drop(device);
    // Torn: the closing filemark did not come any more.
    let bytes = fs::read(shelf.image()).unwrap();
    fs::write(shelf.image(), &bytes[..bytes.len() - 4]).unwrap();
    let mut device = shelf.mounted();
    assert_eq!(left(&mut *device), ["tape-file-000005"]);
    device.put_record("out-of-step.2", b"why").unwrap();
    assert_eq!(left(&mut *device), ["tape-file-000005"]);
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(left(&mut *device), ["tape-file-000005"]);
    assert_eq!(records(&mut *device), ["out-of-step.2", "verdict.1"]);
    device.remove_leftover("tape-file-000005").unwrap();
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(left(&mut *device), [""; 0]);
    assert_eq!(records(&mut *device), ["out-of-step.2", "verdict.1"]);
}
