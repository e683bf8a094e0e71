//! Full media and failing devices.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::{Value, json};

use super::{goes_on, nothing_published};
use crate::support::{Mounted, World, generated};

fn fails_with(code: &str, family: u16, fault: Value) {
    let (mut world, before) = World::with_set(2, 2, 1 << 17);
    let files = generated(world.path(), 2, 6 << 20, 2);
    world.configure(|media| {
        media.fault(2, family, fault.clone());
    });
    let ran = world.import(&files);
    assert_eq!(ran.code, 1, "{fault}: {}", ran.stdout);
    ran.failed(code);
    nothing_published(&world, &before);
    goes_on(&mut world, &before);
}

#[test]
fn a_disk_that_fills_in_the_middle_of_one_mirror_publishes_nothing() {
    for at in [0, 1, 4096, (1 << 20) - 1, 1 << 20, 3 << 20] {
        fails_with("TW2010", 1, json!({ "fail_write_at": at, "only_index": 3 }));
    }
}

#[test]
fn a_disk_that_fills_when_the_section_is_closed_publishes_nothing() {
    fails_with(
        "TW2010",
        2,
        json!({ "fail_call": "end_section", "only_index": 3 }),
    );
}

#[test]
fn a_disk_that_fills_in_the_manifest_publishes_nothing() {
    fails_with(
        "TW2010",
        1,
        json!({ "fail_call": "write", "only_index": 4, "times": 1 }),
    );
    fails_with(
        "TW2010",
        2,
        json!({ "fail_call": "begin_section", "only_index": 4, "times": 1 }),
    );
}

/// Not even a void fits any more: what was sealed is kept, and recover decides.
#[test]
fn a_disk_that_stays_full_in_the_manifest_publishes_nothing() {
    let (mut world, before) = World::with_set(2, 2, 1 << 17);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 100, "only_index": 4 }));
    });
    world.import(&before).ended(1).failed("TW2010");
    assert_ne!(world.sets()[1]["state"], "published");
    world.exports(1, 0, &before);
    goes_on(&mut world, &before);
}

#[test]
fn a_disk_that_fails_in_the_middle_of_one_mirror_publishes_nothing() {
    fails_with(
        "TW2007",
        1,
        json!({ "fail_write_at": 70_000, "errno": 5, "only_index": 3 }),
    );
    for call in ["begin_section", "end_section"] {
        fails_with(
            "TW2007",
            2,
            json!({ "fail_call": call, "errno": 5, "only_index": 3 }),
        );
    }
}

#[test]
fn a_verdict_that_one_mirror_cannot_take_is_told_and_published_by_recover() {
    let (mut world, before) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_call": "put_record" }));
    });
    world.import(&before).ended(1).failed("TW2010");
    world.exports(2, 0, &before);
    goes_on(&mut world, &before);
    assert!(world.sets().iter().all(|set| set["state"] == "published"));
}

#[test]
fn a_real_small_disk_that_fills_publishes_nothing() {
    for family in 1..=2 {
        let mut world = World::blank(2, 2);
        let Some(_mounted) = Mounted::new(&world.device(2, family), "size=2m") else {
            return;
        };
        world.json(&["media", "format", "payroll"]).ended(0);
        let before = generated(world.path(), 1, 1 << 17, 2);
        world.import(&before).ended(0);
        let files = generated(world.path(), 2, 12 << 20, 2);
        let fault = world.import(&files).ended(1).failed("TW2010");
        let device = world.device(2, family);
        assert!(
            fault["object"]
                .as_str()
                .unwrap()
                .contains(device.to_str().unwrap()),
            "{fault}"
        );
        nothing_published(&world, &before);
        goes_on(&mut world, &before);
    }
}

/// Room for the data, and a page more or less for manifest and verdict.
#[test]
fn a_real_small_disk_may_fill_at_any_step() {
    let mut ends = Vec::new();
    for pages in 0..5 {
        let mut world = World::blank(1, 2);
        let Some(mounted) = Mounted::new(&world.device(2, 1), "size=4m") else {
            return;
        };
        world.json(&["media", "format", "payroll"]).ended(0);
        let before = generated(world.path(), 1, 1 << 16, 1);
        world.import(&before).ended(0);
        let volume = world.volume(2, 1);
        let used: u64 = fs::read_dir(&volume)
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len().div_ceil(4096))
            .sum();
        let data = fs::metadata(&before[0]).unwrap().len().div_ceil(4096);
        mounted.remount(&format!("size={}", (used + data + pages) * 4096));
        let ran = world.import(&before);
        ends.push(ran.code);
        if ran.code != 0 {
            ran.failed("TW2010");
        }
        mounted.remount("size=4m");
        goes_on(&mut world, &before);
    }
    assert!(ends.contains(&1) && ends.contains(&0), "{ends:?}");
}

#[test]
fn a_read_only_folder_is_named() {
    let world = World::blank(1, 2);
    let Some(mounted) = Mounted::new(&world.device(2, 1), "size=2m") else {
        return;
    };
    world.json(&["media", "format", "payroll"]).ended(0);
    let before = generated(world.path(), 1, 1 << 16, 1);
    world.import(&before).ended(0);
    mounted.remount("ro");
    let fault = world.import(&before).ended(1).failed("3240");
    let device = world.device(2, 1);
    assert!(
        fault["object"]
            .as_str()
            .unwrap()
            .contains(device.to_str().unwrap()),
        "{fault}"
    );
    assert!(
        fault["causes"][0]
            .as_str()
            .unwrap()
            .contains("Read-only file system"),
        "{fault}"
    );
    world.verify(0);
    mounted.remount("rw");
    nothing_published(&world, &before);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let world = World::blank(1, 2);
    fs::create_dir_all(world.path().join("m2")).unwrap();
    fs::write(world.device(2, 1), "a file").unwrap();
    let ran = world.json(&["media", "format", "payroll"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let fault = ran.object()["error"].clone();
    assert!(
        fault["object"].as_str().unwrap().contains("m2/f1"),
        "{fault}"
    );
    assert_eq!(fs::read(world.device(2, 1)).unwrap(), b"a file");
    assert!(crate::support::snapshot(&world.device(1, 1)).is_empty());
}
