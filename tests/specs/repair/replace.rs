//! An empty device in the place of one that is gone for good.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::json;

use super::step::{all_take_part, left_behind};
use super::{is_as_before, mirrors_are_equal, repair, volumes};
use crate::damage::scarred::Scarred;
use crate::support::{World, snapshot};

const ONTO: [&str; 5] = ["media", "repair", "payroll", "--mirror", "2"];

#[test]
fn a_lost_mirror_is_built_again_on_empty_devices_byte_for_byte() {
    let media = Scarred::new();
    let before = volumes(&media.world);
    fs::remove_dir_all(media.world.path().join("m2")).unwrap();
    let report = repair(&media.world, 3);
    assert_eq!(
        report["steps"],
        json!([]),
        "not without the operator's word"
    );
    let left = report["unhealed"].to_string();
    assert!(left.contains("--mirror 2"), "{left}");
    assert!(!media.world.path().join("m2").exists());
    let report = media.world.json(&ONTO).ended(0).result();
    assert_eq!(report["unhealed"], json!([]));
    is_as_before(&media.world, &before, "replaced");
    let again = media.world.json(&ONTO).ended(0).result();
    assert_eq!(again["steps"], json!([]));
    media.exports(0, 0);
}

#[test]
fn one_volume_of_a_mirror_is_replaced_alone() {
    let media = Scarred::new();
    let before = volumes(&media.world);
    fs::remove_dir_all(media.world.volume(2, 1)).unwrap();
    let report = media.world.json(&ONTO).ended(0).result();
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps[0]["deed"], "put-header", "{report}");
    assert!(steps.iter().all(|step| step["slot"]["family"] == 1));
    is_as_before(&media.world, &before, "replaced");
}

#[test]
fn a_replacement_takes_what_only_several_damaged_mirrors_have_together() {
    let (world, files) = World::with_set(1, 3, 9 << 20);
    let before = volumes(&world);
    crate::support::damage_bit(&world.file(1, 1, "0001."), 8);
    crate::support::damage_bit(&world.file(3, 1, "0001."), (5 << 20) * 8);
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    world.json(&ONTO).ended(0);
    world.verify(3);
    repair(&world, 0);
    is_as_before(&world, &before, "all three");
    world.exports(1, 0, &files);
}

#[test]
fn a_device_with_files_of_others_is_no_replacement() {
    let media = Scarred::new();
    let device = media.world.device(2, 2);
    fs::remove_dir_all(&device).unwrap();
    fs::create_dir_all(&device).unwrap();
    fs::write(device.join("letter.txt"), "dear").unwrap();
    media.world.json(&ONTO).ended(5).failed("TW3002");
    let files = snapshot(&device);
    assert_eq!(files.len(), 1, "{:?}", files.keys());
    fs::remove_file(device.join("letter.txt")).unwrap();
    media.world.json(&ONTO).ended(0);
    media.world.verify(0);
}

/// A device with another media set's volume is somebody's.
#[test]
fn a_device_with_another_media_set_is_no_replacement() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    let other = World::formatted(1, 2);
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    fs::rename(other.device(2, 1), world.device(2, 1)).unwrap();
    let before = snapshot(&world.device(2, 1));
    let report = world.json(&ONTO).ended(3).result();
    assert_eq!(report["steps"], json!([]));
    assert!(snapshot(&world.device(2, 1)) == before);
}

#[test]
fn a_mirror_out_of_step_comes_back_on_an_empty_device() {
    let (mut world, _) = left_behind(2, 2);
    fs::remove_dir_all(world.path().join("m2")).unwrap();
    let report = world.json(&ONTO).ended(0).result();
    assert_eq!(report["in_step"], json!([2]));
    mirrors_are_equal(&world);
    all_take_part(&mut world);
}

#[test]
fn a_full_replacement_is_named_and_goes_on_when_there_is_room() {
    let media = Scarred::new();
    let before = volumes(&media.world);
    let mut world = media.world;
    fs::remove_dir_all(world.path().join("m2")).unwrap();
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 1_000_000, "errno": 28 }));
    });
    let report = world.json(&ONTO).ended(3).result();
    let left = report["unhealed"].to_string();
    assert!(left.contains("TW2010"), "{left}");
    assert!(
        report["steps"].as_array().unwrap().len() > 3,
        "family 2 went on"
    );
    world.heal_devices();
    world.json(&ONTO).ended(0);
    is_as_before(&world, &before, "replaced");
}
