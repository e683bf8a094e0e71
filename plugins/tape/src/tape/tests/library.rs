//! Drives that share a library: who takes which cartridge, and how a row is found again.

mod choice;
mod looks;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_plugin_api::{Access, Device, Host, Mount, OpenRequest, Outcome, Plugin};

use super::super::{TapePlugin, os};
use super::rows::{SMALL, span};
use super::{BLOCK, KEY, NEW, bytes, get, left, outcome, put, records, section};

const TWIN: &str = "6a1f7c1e-0000-4000-8000-000000000001.m2.f1";

struct Library {
    folder: TempDir,
}

impl Library {
    /// So many blank cartridges, `V00001` and on.
    fn new(cartridges: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Self { folder };
        for number in 1..=cartridges {
            library.add(&format!("V{number:05}"), b"");
        }
        library
    }

    fn image(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.tap"))
    }

    fn add(&self, name: &str, content: &[u8]) {
        fs::write(self.image(name), content).unwrap();
        self.meta(name, &json!({}));
    }

    fn meta(&self, name: &str, more: &Value) {
        let mut meta = json!({ "capacity": SMALL });
        for (key, value) in more.as_object().unwrap() {
            meta[key] = value.clone();
        }
        let path = self.folder.path().join(format!("{name}.tap.meta"));
        fs::write(path, meta.to_string()).unwrap();
    }

    /// What is in a drive.
    fn inside(&self, drive: u32) -> String {
        fs::read_to_string(self.folder.path().join(format!("drive-{drive}"))).unwrap_or_default()
    }

    fn device(&self, access: Access, drive: u32, more: &Value) -> Box<dyn Device> {
        let mut options = json!({
            "library": self.folder.path(), "block_size": BLOCK, "drive_element": drive,
        });
        for (key, value) in more.as_object().unwrap() {
            options[key] = value.clone();
        }
        let request = OpenRequest {
            options: &options.to_string(),
            agent_id: "an-agent",
            access,
        };
        TapePlugin::open(&request, Host::silent()).unwrap()
    }

    fn mounted(&self, drive: u32, key: &str) -> Box<dyn Device> {
        let mut device = self.device(Access::Write, drive, &json!({}));
        device.mount(Mount::Existing(key)).unwrap();
        device
    }

    /// A new row with a set.
    fn begun(&self, drive: u32, key: &str) -> (Box<dyn Device>, Vec<u8>) {
        let mut device = self.device(Access::Write, drive, &json!({}));
        device.mount(Mount::Blank(key)).unwrap();
        put(&mut *device, 0, "header.mtf", NEW, b"TAPE header 1");
        let data = bytes(3 * BLOCK + 5);
        put(&mut *device, 1, "p.full.bak", NEW, &data);
        put(&mut *device, 2, "manifest.json", NEW, b"{manifest}");
        device.put_record("verdict.1", b"{verdict}").unwrap();
        (device, data)
    }
}

/// A set that goes on on the next cartridge.
fn go_over(device: &mut dyn Device, index: u64) -> Vec<u8> {
    let data = bytes(6 * BLOCK + 3);
    device.begin_section(&section(index, "x", NEW)).unwrap();
    device.write(&data[..4 * BLOCK]).unwrap();
    span(device, 4 * BLOCK as u64).unwrap();
    device.write(&data[4 * BLOCK..]).unwrap();
    device.end_section().unwrap();
    data
}

fn foreign() -> Vec<u8> {
    [&8_u32.to_le_bytes()[..], b"VOL1THEM", &8_u32.to_le_bytes()].concat()
}

/// A drive that does not answer is not fed with the whole library.
#[test]
fn a_dead_drive_ends_the_search() {
    let library = Library::new(3);
    drop(library.begun(0, KEY));
    fs::remove_file(library.folder.path().join("drive-0")).unwrap();
    let dead = json!({ "faults": [{ "on": "rewind", "after": 0, "times": 99, "error": "ENXIO" }] });
    library.add("A00001", b"");
    library.meta("A00001", &dead);
    let mut device = library.device(Access::Read, 0, &json!({}));
    let error = device.mount(Mount::Existing(KEY)).unwrap_err();
    assert!(error.text.contains("does not answer"), "{}", error.text);
    assert_eq!(library.inside(0), "A00001");
}

#[test]
fn two_drives_take_turns_and_leave_alone_what_is_not_theirs() {
    let library = Library::new(5);
    library.add("CLNU01L1", b"");
    library.add("U00001", &foreign());
    library.add("V00003", &foreign());
    let (mut one, first) = library.begun(0, KEY);
    let (mut two, _) = library.begun(1, TWIN);
    assert_eq!(library.inside(0), "V00001");
    assert_eq!(library.inside(1), "V00002");
    // Nobody has looked at the third one yet: it is brought, looked at, and put back.
    let over = go_over(&mut *one, 3);
    assert_eq!(library.inside(0), "V00004");
    assert!(go_over(&mut *two, 3) == over);
    assert_eq!(library.inside(1), "V00005");
    for name in ["U00001", "V00003"] {
        assert_eq!(fs::read(library.image(name)).unwrap(), foreign());
    }
    assert!(fs::read(library.image("CLNU01L1")).unwrap().is_empty());
    // Each is read from wherever it lies, by the drive of its row.
    assert!(get(&mut *one, 1) == first);
    assert_eq!(library.inside(0), "V00001");
    assert!(get(&mut *one, 3) == over);
    assert!(get(&mut *two, 1) == first);
    // The last one is brought back before it is written.
    one.put_record("verdict.2", b"{two}").unwrap();
    assert_eq!(library.inside(0), "V00004");
    let told = one.probe().unwrap();
    let told: Vec<_> = told.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "V00004: tape 2 of this row",
            "V00002: in drive 1, which is not this one",
            "slot 1 (CLNU01L1): a cleaning cartridge",
            "slot 2 (U00001): it holds data that begins with `VOL1THEM`",
            "slot 3 (V00001): tape 1 of this row",
            "slot 5 (V00003): it holds data that begins with `VOL1THEM`",
            "slot 7 (V00005): not looked at yet",
        ]
    );
    drop((one, two));
    // With one drive for both, and only a part of the library.
    let mut reader = library.device(Access::Read, 0, &json!({ "barcodes": "V*" }));
    reader.mount(Mount::Existing(KEY)).unwrap();
    assert_eq!(records(&mut *reader), ["verdict.1", "verdict.2"]);
    drop(reader);
    fs::remove_file(library.folder.path().join("drive-1")).unwrap();
    let mut reader = library.device(Access::Read, 0, &json!({}));
    reader.mount(Mount::Existing(TWIN)).unwrap();
    assert!(get(&mut *reader, 3) == over);
}

#[test]
fn a_row_is_found_by_what_its_tapes_say() {
    let library = Library::new(4);
    let (mut device, first) = library.begun(0, KEY);
    go_over(&mut *device, 3);
    let over = go_over(&mut *device, 5);
    assert_eq!(library.inside(0), "V00003");
    assert!(get(&mut *device, 1) == first);
    drop(device);
    // The first one was left in the drive: it names the second, and that one the third.
    assert_eq!(library.inside(0), "V00001");
    let mut device = library.mounted(0, KEY);
    assert_eq!(library.inside(0), "V00003");
    assert!(get(&mut *device, 5) == over);
    drop(device);
    // Another drive looks through the slots.
    fs::remove_file(library.folder.path().join("drive-0")).unwrap();
    let mut device = library.mounted(1, KEY);
    assert!(get(&mut *device, 1) == first);
    drop(device);
    let volumes = library.device(Access::Read, 1, &json!({})).volumes("", 9);
    assert_eq!(volumes.unwrap()[0].key, KEY);
    // Without the last one nothing is written, and the others are not looked through in vain.
    fs::rename(library.image("V00003"), library.folder.path().join("away")).unwrap();
    let error = library
        .device(Access::Write, 1, &json!({}))
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert_eq!(error.outcome, Outcome::NO_MEDIUM);
    assert!(
        error.text.contains("goes on on tape 3 (V00003)"),
        "{error:?}"
    );
}

#[test]
fn a_tape_that_is_not_in_the_library_is_asked_for() {
    let library = Library::new(3);
    let (mut device, first) = library.begun(0, KEY);
    go_over(&mut *device, 3);
    let away = library.folder.path().join("away");
    fs::rename(library.image("V00001"), &away).unwrap();
    device.open_section(1).unwrap();
    let error = device.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.outcome, Outcome::NEEDS_OPERATOR);
    let begins = "put tape 1 of this row in, last seen as V00001; there is: V00001 is not in";
    assert!(error.text.starts_with(begins), "{error:?}");
    // Somebody puts another one in its place.
    fs::write(library.image("V00001"), foreign()).unwrap();
    let error = device.read(&mut [0; 10]).unwrap_err();
    assert!(error.text.contains("VOL1THEM"), "{error:?}");
    fs::rename(&away, library.image("V00001")).unwrap();
    assert!(get(&mut *device, 1) == first);
}

#[test]
fn a_library_without_a_blank_cartridge_says_what_it_has() {
    let library = Library::new(2);
    fs::write(library.image("V00002"), foreign()).unwrap();
    let (mut device, _) = library.begun(0, KEY);
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    let cut = 4 * BLOCK as u64;
    let asks = |device: &mut dyn Device| {
        let error = span(device, cut).unwrap_err();
        assert_eq!(error.outcome, Outcome::NEEDS_OPERATOR, "{error:?}");
        error.text
    };
    // The second one is looked at once, and not brought again.
    for _ in 0..2 {
        let text = asks(&mut *device);
        assert!(text.contains("; V00002: it holds data") || text.contains("is: V00002: it holds"));
        assert!(
            text.contains("slot 1 (V00001): tape 1 of this row"),
            "{text}"
        );
    }
    library.add("V00003", b"");
    span(&mut *device, cut).unwrap();
    assert_eq!(library.inside(0), "V00003");
    assert_eq!(fs::read(library.image("V00002")).unwrap(), foreign());
    device.end_section().unwrap();
    drop(device);
    // The first one names the third.
    fs::write(library.folder.path().join("drive-0"), "V00001").unwrap();
    let mut device = library.mounted(0, KEY);
    assert_eq!(library.inside(0), "V00003");
    assert!(get(&mut *device, 3) == bytes(4 * BLOCK));
}

/// The next cartridge was chosen and nothing written to it: the row ends where it ended.
#[test]
fn a_run_that_died_at_the_page_turn_is_taken_back() {
    let library = Library::new(3);
    let (mut device, first) = library.begun(0, KEY);
    library.meta(
        "V00002",
        &json!({ "faults": [{ "on": "write", "times": 9 }] }),
    );
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(4 * BLOCK)).unwrap();
    assert_eq!(
        outcome(span(&mut *device, 4 * BLOCK as u64)),
        Outcome::PERMANENT
    );
    drop(device);
    library.meta("V00002", &json!({}));
    let mut device = library.mounted(0, KEY);
    let found = left(&mut *device);
    assert!(!found.is_empty());
    for name in found {
        device.remove_leftover(&name).unwrap();
    }
    assert!(get(&mut *device, 1) == first);
    let over = go_over(&mut *device, 3);
    drop(device);
    let mut device = library.mounted(0, KEY);
    assert!(get(&mut *device, 3) == over);
    assert_eq!(left(&mut *device), [""; 0]);
}

#[test]
fn a_drive_and_a_cartridge_have_one_user() {
    let library = Library::new(2);
    let (device, _) = library.begun(0, KEY);
    let again = library
        .device(Access::Read, 0, &json!({}))
        .mount(Mount::Existing(KEY));
    assert_eq!(outcome(again), Outcome::LOCKED);
    drop(device);
    let claim = || os::claim(library.folder.path(), "V00002").unwrap();
    let held = claim();
    assert!(held.is_some() && claim().is_none());
    // A chosen one is not taken by another run.
    let blank = library
        .device(Access::Write, 1, &json!({}))
        .mount(Mount::Blank(TWIN));
    assert_eq!(outcome(blank), Outcome::NO_MEDIUM);
    drop(held);
    library.begun(1, TWIN);
    assert_eq!(library.inside(1), "V00002");
}
