//! Sections: whole or invisible, in the order of their numbers, whatever their size.

use twinset_plugin_api::{Access, Device, Mount, Outcome, SectionMode, SectionRequest};

use super::world::{KEY, RUN, World, bytes, get, put, refused, section};
use crate::object::bucket::Limits;
use crate::object::upload::{Plan, plan};

const MIB: u64 = 1 << 20;

#[test]
fn a_section_is_invisible_until_it_is_ended_and_then_it_is_all_there() {
    let world = World::new();
    let mut device = world.blank();
    device
        .begin_section(&section(1, "Payroll.full.bak"))
        .unwrap();
    device.write(b"first ").unwrap();
    device.write(b"second").unwrap();
    assert!(device.sections(None, 9).unwrap().is_empty());
    assert!(device.leftovers("", 9).unwrap().is_empty());
    device.end_section().unwrap();
    let found = device.sections(None, 9).unwrap();
    assert_eq!(
        (found[0].index, found[0].length, found[0].name.as_str()),
        (1, 12, "Payroll.full.bak")
    );
    assert_eq!(get(&mut device, 1), b"first second");
    let keys = world.keys();
    assert!(keys[0].starts_with("data/00000001.5a5a"), "{keys:?}");
    assert!(keys[0].ends_with("/Payroll.full.bak"), "{keys:?}");
    assert_eq!(&keys[1..], ["lock", "sections/00000001", "store.json"]);
}

#[test]
fn large_sections_go_up_in_parts_and_no_more_of_them_than_a_lane_may_hold() {
    let world = World::new();
    let mut device = world.blank();
    let whole = bytes(70 * MIB + 123);
    device.begin_section(&section(1, "a.bak")).unwrap();
    for piece in whole.chunks(1_300_000) {
        device.write(piece).unwrap();
    }
    assert!(
        world
            .keys()
            .iter()
            .any(|key| key.starts_with("work/00000001."))
    );
    device.end_section().unwrap();
    assert!(!world.keys().iter().any(|key| key.starts_with("work/")));
    assert!(get(&mut device, 1) == whole);
    let most = world.memory.most.load(std::sync::atomic::Ordering::SeqCst);
    assert!(most <= 3, "{most} parts at a time");
    assert_eq!(
        device.sections(None, 9).unwrap()[0].length,
        whole.len() as u64
    );
}

#[test]
fn a_section_that_outgrows_its_object_goes_on_in_the_next() {
    let mut world = World::new();
    world.limits.parts = 2;
    let mut device = world.blank();
    for (index, length) in [(1, 40 * MIB + 5), (3, 32 * MIB), (5, 12 * MIB), (7, 0)] {
        let whole = bytes(length);
        put(&mut device, index, "a.bak", &whole);
        assert!(get(&mut device, index) == whole, "{length}");
    }
    let keys = world.keys();
    for (begins, ends) in [
        ("data/00000001.", "a.bak.0003"),
        ("data/00000003.", "a.bak.0002"),
    ] {
        let there = |key: &&String| key.starts_with(begins) && key.ends_with(ends);
        assert!(
            keys.iter().any(|key| there(&key)),
            "{begins}...{ends}: {keys:?}"
        );
    }
    // Reading begins anywhere, across the objects too.
    let length = device.open_section(1).unwrap();
    device.seek(12 * MIB - 3).unwrap();
    let mut buffer = [0; 3];
    assert_eq!(device.read(&mut buffer).unwrap(), 3);
    assert_eq!(device.read(&mut buffer).unwrap(), 3);
    let whole = bytes(40 * MIB + 5);
    let from = usize::try_from(12 * MIB).unwrap();
    assert_eq!(buffer, whole[from..from + 3]);
    device.seek(length).unwrap();
    assert_eq!(device.read(&mut buffer).unwrap(), 0);
    assert_eq!(
        refused(device.seek(length + 1)).outcome,
        Outcome::END_OF_SECTION
    );
}

#[test]
fn parts_are_planned_from_the_expected_length_and_the_limits() {
    let limits = Limits {
        parts: 10_000,
        object: 5 << 40,
    };
    let small = Plan {
        part: 5 << 20,
        in_flight: 3,
        parts: 10_000,
    };
    assert_eq!(plan(None, limits, 3), small);
    assert_eq!(plan(Some(48 << 30), limits, 3), small);
    assert_eq!(plan(None, limits, 1).in_flight, 1);
    let large = Plan {
        part: 10 << 20,
        in_flight: 1,
        parts: 10_000,
    };
    assert_eq!(plan(Some(1 << 40), limits, 3), large);
    let tight = Limits {
        parts: 10_000,
        object: 1 << 30,
    };
    assert_eq!(plan(None, tight, 3).parts, 204);
}

#[test]
fn synced_bytes_are_in_complete_objects() {
    let world = World::new();
    let mut device = world.blank();
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.sync().unwrap();
    let whole = bytes(11 * MIB);
    device.write(&whole).unwrap();
    device.sync().unwrap();
    device.sync().unwrap();
    assert!(world.keys().iter().any(|key| key.ends_with("/a.bak")));
    device.write(b"and more").unwrap();
    device.sync().unwrap();
    assert!(world.keys().iter().any(|key| key.ends_with("/a.bak.0002")));
    device.end_section().unwrap();
    assert!(get(&mut device, 1) == [&whole[..], b"and more"].concat());
}

#[test]
fn a_number_is_given_once_whatever_the_name() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 1, "a.bak", b"a");
    let fault = refused(device.begin_section(&section(1, "b.bak")));
    assert_eq!(fault.outcome, Outcome::EXISTS);
    assert_eq!(get(&mut device, 1), b"a");
}

#[test]
fn a_section_that_appeared_meanwhile_is_not_replaced() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 1, "a.bak", b"theirs");
    let seal = format!("sql-a/{KEY}/sections/00000001");
    world.remove(&seal);
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.write(b"ours").unwrap();
    world.put(&seal, b"{\"format\":1}");
    assert_eq!(refused(device.end_section()).outcome, Outcome::EXISTS);
    device.abort_section().unwrap();
    assert!(
        refused(device.open_section(1))
            .text
            .contains("the seal is damaged")
    );
}

#[test]
fn an_aborted_section_leaves_nothing_and_its_number_is_free() {
    let world = World::new();
    let mut device = world.blank();
    let before = world.keys();
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.write(&bytes(30 * MIB)).unwrap();
    device.abort_section().unwrap();
    device.abort_section().unwrap();
    assert_eq!(world.keys(), before);
    put(&mut device, 1, "a.bak", b"again");
}

#[test]
fn leftovers_tell_run_and_section_and_foreign_objects_are_left_alone() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 3, "kept.bak", b"kept");
    device.begin_section(&section(7, "a.bak")).unwrap();
    // No whole number of parts: what is left over ends its object.
    device.write(&bytes(21 * MIB)).unwrap();
    device.sync().unwrap();
    drop(device);
    world.put(&format!("sql-a/{KEY}/notes.txt"), b"mine");
    let mut device = world.existing(Access::Write);
    let left = device.leftovers("", 9).unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!((left[0].run_id, left[0].index), (Some(RUN), Some(7)));
    assert_eq!(left[0].length, 21 * MIB);
    assert_eq!((left[1].name.as_str(), left[1].run_id), ("notes.txt", None));
    assert_eq!(device.leftovers(&left[0].name, 9).unwrap(), left[1..]);
    assert!(device.remove_leftover("notes.txt").is_err());
    assert!(device.remove_leftover("../notes.txt").is_err());
    device.remove_leftover(&left[0].name).unwrap();
    assert_eq!(device.leftovers("", 9).unwrap(), left[1..]);
    assert_eq!(get(&mut device, 3), b"kept");
}

#[test]
fn a_section_is_never_a_leftover_whatever_lies_beside_it() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 1, "a.bak", b"sound");
    let keys = world.keys();
    let attempt = keys[0].split('/').nth(1).unwrap().to_owned();
    // The run died between seal and tidying.
    world.put(&format!("sql-a/{KEY}/work/{attempt}"), b"{}");
    // A repair died before its seal.
    let other = format!("00000001.{}.{:016x}", "b".repeat(32), 7);
    world.put(&format!("sql-a/{KEY}/data/{other}/a.bak"), b"half");
    assert_eq!(device.sections(None, 9).unwrap()[0].length, 5);
    let left = device.leftovers("", 9).unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
    for left in left {
        device.remove_leftover(&left.name).unwrap();
    }
    assert_eq!(device.leftovers("", 9).unwrap(), []);
    assert_eq!(world.keys(), keys);
    // Even when it is asked for by name.
    device.remove_leftover(&attempt).unwrap();
    assert_eq!(get(&mut device, 1), b"sound");
}

#[test]
fn a_repaired_section_replaces_the_damaged_one_when_it_is_whole() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 1, "a.bak", b"damaged");
    let repair = SectionRequest {
        mode: SectionMode::Repair,
        ..section(1, "a.bak")
    };
    device.begin_section(&repair).unwrap();
    device.write(b"sound").unwrap();
    assert_eq!(get(&mut device, 1), b"damaged");
    device.end_section().unwrap();
    assert_eq!(get(&mut device, 1), b"sound");
    let data = world
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("data/"));
    assert_eq!(data.count(), 1);
    // What was removed by hand is made anew.
    device.remove_section(1).unwrap();
    device.begin_section(&repair).unwrap();
    device.write(b"new").unwrap();
    device.end_section().unwrap();
    assert_eq!(get(&mut device, 1), b"new");
}

#[test]
fn a_section_whose_bytes_were_cut_or_removed_shows_it() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 1, "a.bak", b"whole bytes");
    let key = format!("sql-a/{KEY}/{}", world.keys()[0]);
    world.put(&key, b"whole");
    assert_eq!(device.sections(None, 9).unwrap()[0].length, 5);
    assert_eq!(get(&mut device, 1), b"whole");
    world.remove(&key);
    let found = device.sections(None, 9).unwrap();
    assert_eq!((found[0].length, found[0].name.as_str()), (0, "a.bak"));
    assert_eq!(get(&mut device, 1), b"");
}

#[test]
fn removal_takes_one_section_and_truncation_takes_the_rest() {
    let world = World::new();
    let mut device = world.blank();
    for index in 0..6 {
        put(&mut device, index, "s", b"x");
    }
    device.remove_section(1).unwrap();
    assert_eq!(
        refused(device.remove_section(1)).outcome,
        Outcome::NOT_FOUND
    );
    device.truncate(4).unwrap();
    let left: Vec<u64> = device
        .sections(None, 9)
        .unwrap()
        .iter()
        .map(|s| s.index)
        .collect();
    assert_eq!(left, [0, 2, 3]);
    assert_eq!(world.keys().len(), 2 * 3 + 2, "{:?}", world.keys());
}

#[test]
fn sections_come_page_by_page_and_from_anywhere() {
    let world = World::new();
    let mut device = world.blank();
    for index in [1, 2, 5, 9, 12, 10_000, 10_001] {
        put(&mut device, index, "s", b"x");
    }
    let mut all = Vec::new();
    loop {
        let after = all.last().copied();
        let page = device.sections(after, 2).unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page.iter().map(|entry| entry.index));
    }
    assert_eq!(all, [1, 2, 5, 9, 12, 10_000, 10_001]);
    let tail = device.sections(Some(11), 9).unwrap();
    assert_eq!(
        tail.iter().map(|s| s.index).collect::<Vec<_>>(),
        [12, 10_000, 10_001]
    );
}

#[test]
fn calls_out_of_order_and_names_that_lead_elsewhere_are_refused() {
    let world = World::new();
    let mut device = world.open("a", Access::Write);
    assert_eq!(
        refused(device.sections(None, 9)).outcome,
        Outcome::NO_MEDIUM
    );
    let fault = refused(device.mount(Mount::Existing(KEY)));
    assert_eq!(fault.outcome, Outcome::NO_MEDIUM);
    assert!(device.mount(Mount::Blank("../x")).is_err());
    let mut device = world.blank();
    assert!(
        refused(device.end_section())
            .text
            .contains("no section is begun")
    );
    assert!(
        refused(device.write(b"x"))
            .text
            .contains("no section is begun")
    );
    assert!(
        refused(device.read(&mut [0]))
            .text
            .contains("no section is open")
    );
    assert_eq!(refused(device.open_section(9)).outcome, Outcome::NOT_FOUND);
    for name in ["../x", "a/b", "", "x.record", "a b"] {
        assert_eq!(
            refused(device.begin_section(&section(1, name))).outcome,
            Outcome::PERMANENT
        );
    }
    let mut reader = world.open("b", Access::Read);
    let fault = refused(reader.mount(Mount::Existing("another")));
    assert_eq!(fault.outcome, Outcome::NO_MEDIUM);
    put(&mut device, 0, "header.mtf", b"h");
    let fault = refused(reader.mount(Mount::Existing("another")));
    assert_eq!(fault.outcome, Outcome::WRONG_MEDIUM);
    assert!(fault.text.contains(KEY), "{}", fault.text);
    reader.mount(Mount::Existing(KEY)).unwrap();
    let fault = refused(reader.begin_section(&section(1, "a")));
    assert_eq!(fault.outcome, Outcome::WRITE_PROTECTED);
}
