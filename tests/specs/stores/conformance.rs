//! What every device must do, done to the plugin file through its door, with each server.

use serde_json::Value;
use twinset::device::{Handle, Mount, Outcome, SectionMode};

use super::server::{Access, Server, bytes, get, mounted, open, put, section};
use super::with_each;

const KEY: &str = "6a1f7c1e-0000-4000-8000-000000000001";
const NEW: SectionMode = SectionMode::New;

fn blank(server: &Server) -> (Value, Handle) {
    let options = server.place();
    let mut device = open(&options, "an-agent", Access::Write);
    device.mount(Mount::Blank(KEY)).unwrap();
    (options, device)
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn sections_of_every_size_come_back_whole_and_in_order() {
    with_each(|server| {
        let (options, mut device) = blank(server);
        let lengths = [
            0,
            1,
            4096,
            (8 << 20) - 1,
            8 << 20,
            (8 << 20) + 1,
            45_000_001,
        ];
        for (index, length) in (0..).zip(lengths) {
            put(&mut device, index, "s.bak", NEW, &bytes(length));
        }
        let found = device.sections().unwrap();
        let told: Vec<usize> = found
            .iter()
            .map(|s| usize::try_from(s.length).unwrap())
            .collect();
        assert_eq!(told, lengths);
        assert!(found.iter().all(|s| s.name == "s.bak"));
        drop(device);
        let mut device = mounted(&options, Access::Read);
        for (index, length) in (0..).zip(lengths) {
            assert!(get(&mut device, index) == bytes(length), "{length}");
        }
        assert_eq!(device.sections_after(Some(4)).unwrap(), found[5..]);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn reading_begins_anywhere_and_ends_at_the_end() {
    with_each(|server| {
        let (_, mut device) = blank(server);
        let whole = bytes(23_000_000);
        put(&mut device, 1, "a.bak", NEW, &whole);
        let length = device.open_section(1).unwrap();
        let mut buffer = vec![0; 100_000];
        for at in [22_000_000, 0, 4_194_303, 4_194_305, 13_000_000, 12_999_999] {
            device.seek(at).unwrap();
            let got = device.read(&mut buffer).unwrap();
            let from = usize::try_from(at).unwrap();
            assert!(got > 0 && buffer[..got] == whole[from..from + got], "{at}");
        }
        device.seek(length).unwrap();
        assert_eq!(device.read(&mut buffer).unwrap(), 0);
        let fault = device.seek(length + 1).unwrap_err();
        assert_eq!(fault.outcome, Outcome::END_OF_SECTION);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn nothing_is_overwritten_and_nothing_unfinished_is_seen() {
    with_each(|server| {
        let (options, mut device) = blank(server);
        put(&mut device, 1, "a.bak", NEW, b"a");
        let fault = device.begin_section(&section(1, "b.bak", NEW)).unwrap_err();
        assert_eq!(fault.outcome, Outcome::EXISTS);
        device.begin_section(&section(3, "c.bak", NEW)).unwrap();
        device.write(&bytes(30 << 20)).unwrap();
        assert_eq!(device.sections().unwrap().len(), 1);
        device.abort_section().unwrap();
        assert_eq!(device.leftovers().unwrap(), []);
        device.put_record("verdict.1", b"one").unwrap();
        let fault = device.put_record("verdict.1", b"two").unwrap_err();
        assert_eq!(fault.outcome, Outcome::EXISTS);
        assert_eq!(device.get_record("verdict.1").unwrap(), b"one");
        let mut again = open(&options, "an-agent", Access::Write);
        let fault = again.mount(Mount::Blank(KEY)).unwrap_err();
        assert_eq!(fault.outcome, Outcome::LOCKED);
        drop(device);
        let fault = again.mount(Mount::Blank(KEY)).unwrap_err();
        assert_eq!(fault.outcome, Outcome::EXISTS);
        assert_eq!(again.leftovers().unwrap(), []);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_dead_upload_is_a_leftover_that_names_its_run_and_goes_without_trace() {
    with_each(|server| {
        let (options, mut device) = blank(server);
        put(&mut device, 0, "header.mtf", NEW, b"h");
        device.begin_section(&section(7, "a.bak", NEW)).unwrap();
        device.write(&bytes(30 << 20)).unwrap();
        drop(device);
        let mut device = mounted(&options, Access::Write);
        let left = device.leftovers().unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!((left[0].run_id, left[0].index), (Some([0x5a; 16]), Some(7)));
        device.remove_leftover(&left[0].name).unwrap();
        assert_eq!(device.leftovers().unwrap(), []);
        put(&mut device, 7, "a.bak", NEW, b"again");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_repair_takes_the_place_of_the_damaged_section() {
    with_each(|server| {
        let (_, mut device) = blank(server);
        put(&mut device, 1, "a.bak", NEW, &bytes(20 << 20));
        put(&mut device, 1, "a.bak", SectionMode::Repair, b"sound");
        assert_eq!(get(&mut device, 1), b"sound");
        assert_eq!(device.sections().unwrap()[0].length, 5);
        assert_eq!(device.leftovers().unwrap(), []);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn synced_bytes_and_what_follows_are_one_section() {
    with_each(|server| {
        let (_, mut device) = blank(server);
        let whole = bytes(20_000_000);
        device.begin_section(&section(1, "a.bak", NEW)).unwrap();
        for piece in whole.chunks(9_000_000) {
            device.write(piece).unwrap();
            device.sync().unwrap();
        }
        device.end_section().unwrap();
        assert!(get(&mut device, 1) == whole);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_section_that_was_announced_larger_than_one_object_goes_up_in_larger_parts() {
    with_each(|server| {
        let (_, mut device) = blank(server);
        let whole = bytes(31_000_000);
        let mut request = section(1, "a.bak", NEW);
        request.expected_length = Some(1 << 40);
        device.begin_section(&request).unwrap();
        for piece in whole.chunks(1 << 20) {
            device.write(piece).unwrap();
        }
        device.end_section().unwrap();
        assert!(get(&mut device, 1) == whole);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn records_and_sections_are_listed_however_many_and_removed_one_by_one() {
    with_each(|server| {
        let (_, mut device) = blank(server);
        for n in 0..40 {
            device.put_record(&format!("r{n:04}"), b"xy").unwrap();
        }
        device.put_record("large", &bytes(1 << 20)).unwrap();
        assert_eq!(device.get_record("large").unwrap(), bytes(1 << 20));
        device.remove_record("r0000").unwrap();
        let fault = device.remove_record("r0000").unwrap_err();
        assert_eq!(fault.outcome, Outcome::NOT_FOUND);
        assert_eq!(device.list_records().unwrap().len(), 40);
        for index in 0..6 {
            put(&mut device, index, "s", NEW, b"x");
        }
        device.remove_section(1).unwrap();
        let fault = device.remove_section(1).unwrap_err();
        assert_eq!(fault.outcome, Outcome::NOT_FOUND);
        device.truncate(4).unwrap();
        let left: Vec<u64> = device.sections().unwrap().iter().map(|s| s.index).collect();
        assert_eq!(left, [0, 2, 3]);
        assert_eq!(device.leftovers().unwrap(), []);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn these_servers_honour_what_one_writer_needs() {
    with_each(|server| {
        let (options, mut device) = blank(server);
        assert_eq!(device.status().unwrap().alerts, "", "{}", server.name);
        put(&mut device, 0, "header.mtf", NEW, b"h");
        let mut other = open(&options, "another-agent", Access::Write);
        let fault = other.mount(Mount::Existing(KEY)).unwrap_err();
        assert_eq!(fault.outcome, Outcome::LOCKED);
        assert!(fault.text.starts_with("an-agent\t"), "{fault}");
        let mut over = open(&options, "another-agent", Access::TakeOver);
        over.mount(Mount::Existing(KEY)).unwrap();
        // Who lost the lock seals nothing.
        device.begin_section(&section(1, "late.bak", NEW)).unwrap();
        device.write(b"late").unwrap();
        assert_eq!(device.end_section().unwrap_err().outcome, Outcome::LOCKED);
        device.abort_section().unwrap();
        assert_eq!(over.sections().unwrap().len(), 1);
    });
}
