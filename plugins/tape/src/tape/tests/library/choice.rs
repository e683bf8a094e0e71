//! Which cartridge a row goes on with: looked at, refused, changed, written over.

use std::fs;

use serde_json::{Value, json};
use twinset_plugin_api::{Access, Device, Mount, Outcome};

use super::super::rows::span;
use super::super::{BLOCK, KEY, NEW, bytes, get, left, outcome, section};
use super::{Library, foreign, go_over};

/// What nobody has looked at is never named on the full tape: wherever the run dies, the row ends
/// where it ended, and nothing is asked of the operator.
#[test]
fn a_cartridge_is_looked_at_before_the_full_one_names_it() {
    let library = Library::new(2);
    fs::write(library.image("V00002"), foreign()).unwrap();
    let (mut device, first) = library.begun(0, KEY);
    let dies = |device: &mut dyn Device, outcome_then| {
        device.begin_section(&section(3, "x", NEW)).unwrap();
        device.write(&bytes(4 * BLOCK)).unwrap();
        assert_eq!(outcome(span(device, 4 * BLOCK as u64)), outcome_then);
    };
    let taken_back = || {
        let mut device = library.mounted(0, KEY);
        for name in left(&mut *device) {
            device.remove_leftover(&name).unwrap();
        }
        assert_eq!(left(&mut *device), [""; 0]);
        device
    };
    // With the foreign one in the drive.
    dies(&mut *device, Outcome::NEEDS_OPERATOR);
    assert_eq!(library.inside(0), "V00002");
    drop(device);
    let mut device = taken_back();
    // With the one in its place in the drive, and no label on it.
    let fault = json!({ "faults": [{ "on": "write", "times": 9 }] });
    library.add("V00003", b"");
    library.meta("V00003", &fault);
    dies(&mut *device, Outcome::PERMANENT);
    drop(device);
    library.meta("V00003", &json!({}));
    let mut device = taken_back();
    let over = go_over(&mut *device, 3);
    drop(device);
    let mut device = library.mounted(0, KEY);
    assert!(get(&mut *device, 3) == over);
    assert!(get(&mut *device, 1) == first);
    assert_eq!(fs::read(library.image("V00002")).unwrap(), foreign());
    // Without the third one nobody takes the first for the last.
    drop(device);
    fs::rename(library.image("V00003"), library.folder.path().join("away")).unwrap();
    fs::remove_file(library.folder.path().join("drive-0")).unwrap();
    let error = library
        .device(Access::Write, 0, &json!({}))
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert!(
        error.text.contains("goes on on tape 2 (V00003)"),
        "{error:?}"
    );
}

/// A run that waits for a cartridge after one was refused can be given up.
#[test]
fn a_section_is_given_up_while_another_cartridge_is_in_the_drive() {
    let library = Library::new(2);
    fs::write(library.image("V00002"), foreign()).unwrap();
    let (mut device, first) = library.begun(0, KEY);
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    let cut = 4 * BLOCK as u64;
    assert_eq!(outcome(span(&mut *device, cut)), Outcome::NEEDS_OPERATOR);
    // What is closed takes nothing more.
    assert_eq!(outcome(device.write(b"more")), Outcome::PERMANENT);
    assert_eq!(outcome(device.end_section()), Outcome::PERMANENT);
    device.abort_section().unwrap();
    assert_eq!(library.inside(0), "V00001");
    library.add("V00003", b"");
    let over = go_over(&mut *device, 3);
    drop(device);
    let mut device = library.mounted(0, KEY);
    assert_eq!(left(&mut *device), [""; 0]);
    assert!(get(&mut *device, 1) == first && get(&mut *device, 3) == over);
    assert_eq!(fs::read(library.image("V00002")).unwrap(), foreign());
}

/// Cartridges that cannot be read are passed by; where none can, it is the drive's fault.
#[test]
fn what_cannot_be_read_is_left_alone() {
    let library = Library::new(6);
    let (mut device, _) = library.begun(0, KEY);
    let unreadable = |name: &str| {
        fs::write(library.image(name), foreign()).unwrap();
        library.meta(name, &json!({ "faults": [{ "on": "read", "times": 99 }] }));
    };
    unreadable("V00002");
    unreadable("V00003");
    let over = go_over(&mut *device, 3);
    assert_eq!(library.inside(0), "V00004");
    assert!(get(&mut *device, 3) == over);
    drop(device);
    let mut device = library.mounted(0, KEY);
    unreadable("V00005");
    device.begin_section(&section(5, "x", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    assert_eq!(
        outcome(span(&mut *device, 4 * BLOCK as u64)),
        Outcome::PERMANENT
    );
}

/// Somebody put another cartridge in the place of one that was looked at: the full one is told the
/// next choice before that is touched.
#[test]
fn one_that_was_changed_since_it_was_looked_at_is_corrected() {
    let library = Library::new(3);
    let (device, first) = library.begun(0, KEY);
    drop(device);
    for end in ["tap", "tap.meta"] {
        let at = |name: &str| library.folder.path().join(format!("{name}.{end}"));
        fs::rename(at("V00001"), at("V00009")).unwrap();
    }
    fs::remove_file(library.folder.path().join("drive-0")).unwrap();
    // On the way to the ninth the second and the third are seen.
    let mut device = library.mounted(0, KEY);
    assert_eq!(library.inside(0), "V00009");
    fs::write(library.image("V00002"), foreign()).unwrap();
    let over = go_over(&mut *device, 3);
    assert_eq!(library.inside(0), "V00003");
    drop(device);
    fs::write(library.folder.path().join("drive-0"), "V00009").unwrap();
    let mut device = library.mounted(0, KEY);
    assert!(get(&mut *device, 1) == first && get(&mut *device, 3) == over);
    assert_eq!(fs::read(library.image("V00002")).unwrap(), foreign());
}

/// What lies there may have taken the place of a tape of ours, so the operator says where the row
/// ends.
#[test]
fn who_wrote_over_the_last_tape_is_told_of_it() {
    let library = Library::new(6);
    let (mut device, first) = library.begun(0, KEY);
    let over = go_over(&mut *device, 3);
    device.begin_section(&section(5, "y", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    span(&mut *device, 4 * BLOCK as u64).unwrap();
    drop(device);
    fs::write(library.image("V00003"), foreign()).unwrap();
    let mount = |more: &Value| {
        let mut device = library.device(Access::Write, 0, more);
        device.mount(Mount::Existing(KEY)).map(|()| device)
    };
    let error = mount(&json!({})).map(drop).unwrap_err();
    for part in [
        "tape 2 goes on on tape 3 (V00003), which is another one by now: it holds data that begins \
         with `VOL1THEM`",
        "`last = 2`",
    ] {
        assert!(error.text.contains(part), "{error:?}");
    }
    let mut device = mount(&json!({ "last": 2 })).unwrap();
    for name in left(&mut *device) {
        device.remove_leftover(&name).unwrap();
    }
    drop(device);
    let mut device = mount(&json!({})).unwrap();
    assert!(get(&mut *device, 1) == first && get(&mut *device, 3) == over);
    assert_eq!(fs::read(library.image("V00003")).unwrap(), foreign());
}
