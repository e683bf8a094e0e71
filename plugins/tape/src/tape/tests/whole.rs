//! What was written comes back, in this life and the next.

use twinset_plugin_api::{Access, Mount, Outcome, SectionMode};

use super::{BLOCK, KEY, NEW, Shelf, bytes, get, left, listed, outcome, put, records, section};

#[test]
fn sections_of_every_size_come_back_whole_and_in_order() {
    let shelf = Shelf::new();
    let mut device = shelf.blank();
    let lengths = [
        0,
        1,
        BLOCK,
        BLOCK - 1,
        BLOCK,
        BLOCK + 1,
        3_000_001,
        0,
        77,
        3 * BLOCK,
    ];
    for (index, length) in (0..).zip(lengths) {
        put(&mut *device, index, "s.bak", NEW, &bytes(length));
    }
    let told = listed(&mut *device);
    let expected: Vec<(u64, u64, String)> = (0..)
        .zip(lengths)
        .map(|(index, length)| (index, length as u64, "s.bak".to_owned()))
        .collect();
    assert_eq!(told, expected);
    drop(device);
    let mut device = shelf.open(Access::Read);
    device.mount(Mount::Existing(KEY)).unwrap();
    assert_eq!(listed(&mut *device), expected);
    for (index, length) in lengths.into_iter().enumerate().rev() {
        let index = index as u64;
        assert!(get(&mut *device, index) == bytes(length), "{index}");
    }
    assert_eq!(left(&mut *device), [""; 0]);
}

#[test]
fn reading_begins_anywhere_and_ends_at_the_end() {
    let shelf = Shelf::new();
    let whole = shelf.with_set(100_000);
    let mut device = shelf.mounted();
    let length = device.open_section(1).unwrap();
    let mut buffer = vec![0; 10_000];
    for at in [99_999, 0, 4095, 4096, 4097, 50_000, 49_999, 8192] {
        device.seek(at).unwrap();
        let got = device.read(&mut buffer).unwrap();
        let from = at as usize;
        assert!(got > 0 && buffer[..got] == whole[from..from + got], "{at}");
    }
    device.seek(length).unwrap();
    assert_eq!(device.read(&mut buffer).unwrap(), 0);
    assert_eq!(outcome(device.seek(length + 1)), Outcome::END_OF_SECTION);
}

#[test]
fn nothing_is_overwritten_and_nothing_unfinished_is_seen() {
    let shelf = Shelf::new();
    let whole = shelf.with_set(50_000);
    let mut device = shelf.mounted();
    let again = device.begin_section(&section(1, "b.bak", NEW));
    assert_eq!(outcome(again), Outcome::EXISTS);
    device.begin_section(&section(3, "c.bak", NEW)).unwrap();
    device.write(&bytes(20_000)).unwrap();
    device.sync().unwrap();
    device.write(&bytes(20_000)).unwrap();
    assert_eq!(listed(&mut *device).len(), 3);
    device.abort_section().unwrap();
    assert_eq!(left(&mut *device), [""; 0]);
    assert_eq!(
        outcome(device.put_record("verdict.1", b"x")),
        Outcome::EXISTS
    );
    // What follows the section that was given up stands in its place.
    put(&mut *device, 3, "c.bak", NEW, b"short");
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(left(&mut *device), [""; 0]);
    assert!(get(&mut *device, 1) == whole);
    assert_eq!(get(&mut *device, 3), b"short");
    assert_eq!(device.get_record("verdict.1").unwrap(), b"{verdict}");
}

#[test]
fn a_repair_is_written_behind_and_stands_from_then_on() {
    let shelf = Shelf::new();
    shelf.with_set(50_000);
    let mut device = shelf.mounted();
    put(&mut *device, 1, "p.full.bak", SectionMode::Repair, b"sound");
    put(
        &mut *device,
        2,
        "void.000002.json",
        SectionMode::Repair,
        b"{void}",
    );
    for life in 0..2 {
        assert_eq!(get(&mut *device, 1), b"sound", "{life}");
        let told = listed(&mut *device);
        assert_eq!(told[2], (2, 6, "void.000002.json".to_owned()), "{life}");
        drop(device);
        device = shelf.mounted();
    }
}

#[test]
fn records_go_by_a_word_and_cutting_takes_all_behind() {
    let shelf = Shelf::new();
    shelf.with_set(9000);
    let mut device = shelf.mounted();
    device.put_record("in-step.2", b"").unwrap();
    device.remove_record("verdict.1").unwrap();
    assert_eq!(
        outcome(device.remove_record("verdict.1")),
        Outcome::NOT_FOUND
    );
    assert_eq!(records(&mut *device), ["in-step.2"]);
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(records(&mut *device), ["in-step.2"]);
    assert_eq!(outcome(device.truncate(2)), Outcome::PERMANENT);
    device.truncate(1).unwrap();
    assert_eq!(listed(&mut *device).len(), 1);
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(
        (listed(&mut *device).len(), records(&mut *device).len()),
        (1, 0)
    );
    device.truncate(0).unwrap();
    drop(device);
    // Given free, it may become anybody's.
    let mut device = shelf.open(Access::Write);
    assert_eq!(
        outcome(device.mount(Mount::Existing(KEY))),
        Outcome::NO_MEDIUM
    );
    device.mount(Mount::Blank("another")).unwrap();
    put(&mut *device, 0, "header.mtf", NEW, b"h");
    assert_eq!(device.volumes("", 9).unwrap()[0].key, "another");
}

#[test]
fn a_tape_has_one_user_who_is_named() {
    let shelf = Shelf::new();
    let mut device = shelf.blank();
    put(&mut *device, 0, "header.mtf", NEW, b"h");
    for access in [Access::Write, Access::Read] {
        let mut other = shelf.open(access);
        let error = other.mount(Mount::Existing(KEY)).unwrap_err();
        assert_eq!(error.outcome, Outcome::LOCKED);
        assert!(error.text.starts_with("an-agent\t"), "{error:?}");
    }
    drop(device);
    let mut reader = shelf.open(Access::Read);
    reader.mount(Mount::Existing(KEY)).unwrap();
    let put = reader.put_record("hold.1", b"");
    assert_eq!(outcome(put), Outcome::WRITE_PROTECTED);
}

#[test]
fn a_key_is_compared_up_to_its_dots() {
    let shelf = Shelf::new();
    shelf.with_set(1);
    let set = "6a1f7c1e-0000-4000-8000-000000000001";
    for (key, mounts) in [
        (set, true),
        (KEY, true),
        (&set[..9], false),
        ("other", false),
    ] {
        let mut device = shelf.open(Access::Read);
        assert_eq!(device.mount(Mount::Existing(key)).is_ok(), mounts, "{key}");
    }
}
