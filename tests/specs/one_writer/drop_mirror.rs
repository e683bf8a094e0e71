//! A mirror is given up explicitly, recorded on the others, and never asked for again.

use std::fs;

use super::{forget, other_agent};
use crate::support::{World, copy, sections, snapshot};

fn drop_mirror(mirror: &str) -> [&str; 5] {
    ["media", "drop-mirror", "payroll", mirror, "--yes"]
}

/// A world whose second mirror is gone.
fn without_second(mirrors: u8) -> (World, Vec<std::path::PathBuf>, std::path::PathBuf) {
    let (world, files) = World::with_set(1, mirrors, 1 << 16);
    let aside = world.path().join("aside");
    fs::rename(world.path().join("m2"), &aside).unwrap();
    (world, files, aside)
}

#[test]
fn giving_a_mirror_up_asks_first() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let before = snapshot(&world.path().join("m1"));
    let line = ["media", "drop-mirror", "payroll", "2"];
    world.json(&line).ended(5).failed("TW5006");
    assert_eq!(snapshot(&world.path().join("m1")), before);
    world.import(&files).ended(0);
}

#[test]
fn without_the_dropped_mirror_all_goes_on_and_nothing_is_degraded() {
    let (world, files, aside) = without_second(2);
    world.import(&files).ended(1).failed("3240");
    let dropped = world.json(&drop_mirror("2")).ended(0).result();
    assert_eq!(dropped["plan"]["left"], serde_json::json!([1]));
    assert_eq!(world.import(&files).ended(0).result()["position"], 2);
    assert_eq!(world.verify(0)["damage"], serde_json::json!([]));
    world.exports(2, 0, &files);
    let shown = world.json(&["media", "show", "payroll"]).ended(0).result();
    let state = shown["volumes"][1]["state"].as_str().unwrap();
    assert!(state.starts_with("dropped"), "{state}");
    // It comes back after months: nothing is written to it, nothing new is sought there.
    fs::rename(&aside, world.path().join("m2")).unwrap();
    let before = snapshot(&world.path().join("m2"));
    assert_eq!(world.import(&files).ended(0).result()["position"], 3);
    assert_eq!(world.verify(0)["volumes"], 1);
    for position in 1..=3 {
        world.exports(position, 0, &files);
    }
    assert_eq!(snapshot(&world.path().join("m2")), before);
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(snapshot(&world.path().join("m2")), before);
}

#[test]
fn a_lost_catalog_with_a_missing_mirror_waits_until_it_is_back_or_dropped() {
    for min in [None, Some("min_mirrors = 1")] {
        let (mut world, files) = World::with_set(1, 2, 1 << 16);
        if let Some(min) = min {
            world.configure(|media| media.set = min.into());
        }
        forget(&world);
        fs::rename(world.path().join("m2"), world.path().join("aside")).unwrap();
        let before = snapshot(&world.path().join("m1"));
        world.import(&files).ended(1).failed("3240");
        assert_eq!(snapshot(&world.path().join("m1")), before);
        world.json(&drop_mirror("2")).ended(0);
        assert_eq!(world.import(&files).ended(0).result()["position"], 2);
    }
}

#[test]
fn too_few_whole_mirrors_are_never_left() {
    let (mut world, files, _) = without_second(3);
    world.configure(|media| media.set = "min_mirrors = 2".into());
    world.json(&drop_mirror("2")).ended(0);
    world.import(&files).ended(0);
    let fault = world.json(&drop_mirror("3")).ended(1).failed("3240");
    assert!(
        fault["remedy"].as_str().unwrap().contains("min_mirrors"),
        "{fault}"
    );
    world.configure(|media| media.set = "min_mirrors = 1".into());
    world.json(&drop_mirror("3")).ended(0);
    world.json(&drop_mirror("1")).ended(1).failed("3240");
    world.json(&drop_mirror("4")).ended(2).failed("TW1007");
    assert_eq!(world.import(&files).ended(0).result()["position"], 3);
}

#[test]
fn a_mirror_that_holds_what_the_others_lack_is_not_dropped() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    copy(&world.path().join("m1"), &world.path().join("old"));
    world.import(&files).ended(0);
    copy(&world.path().join("old"), &world.path().join("m1"));
    world.json(&drop_mirror("2")).ended(1).failed("3210");
    world.exports(2, 3, &files);
}

#[test]
fn another_agent_drops_no_mirror() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    other_agent(&world, &drop_mirror("2"))
        .ended(5)
        .failed("TW3006");
}

#[test]
fn what_a_killed_drop_began_is_finished_and_not_said_twice() {
    let (world, files, _) = without_second(3);
    world.json(&drop_mirror("2")).ended(0);
    let whole = ["m1", "m3"].map(|mirror| snapshot(&world.path().join(mirror)));
    fs::remove_file(world.file(3, 1, "mirror-dropped.")).unwrap();
    world.json(&drop_mirror("2")).ended(0);
    assert_eq!(
        ["m1", "m3"].map(|mirror| snapshot(&world.path().join(mirror))),
        whole
    );
    let names = sections(&world.volume(1, 1));
    let said = names
        .iter()
        .filter(|name| name.starts_with("mirror-dropped."));
    assert_eq!(said.count(), 1);
    world.import(&files).ended(0);
}
