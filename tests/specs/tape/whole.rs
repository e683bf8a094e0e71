//! A media set on tapes, from format to repair.

use std::fs;

use serde_json::json;

use super::{BLOCK, blank, files, formatted, image};
use crate::support::{World, damage_bit, generated};

#[test]
fn what_was_imported_is_exported_verified_and_shown() {
    let world = formatted(2, 2);
    let first = generated(world.path(), 1, 3_000_000, 2);
    let second = generated(world.path(), 2, 200_000, 2);
    world.import(&first).ended(0);
    world.import(&second).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    world.exports(1, 0, &first);
    world.exports(2, 0, &second);
    let positions: Vec<_> = world
        .sets()
        .iter()
        .map(|set| set["position"].clone())
        .collect();
    assert_eq!(positions, [1, 2]);
}

#[test]
fn the_tape_file_behind_the_header_is_the_native_backup() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 500_000, 1);
    world.import(&source).ended(0);
    let native = fs::read(&source[0]).unwrap();
    for mirror in [1, 2] {
        let files = files(&image(&world, mirror, 1));
        assert!(files[1] == native, "mirror {mirror}");
        assert_eq!(&files[0][..4], b"TAPE");
        assert_eq!(files.len(), 5, "header, data, label, manifest, verdict");
    }
}

#[test]
fn a_lost_catalog_is_rebuilt_from_the_tapes() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 500_000, 1);
    world.import(&source).ended(0);
    fs::remove_dir_all(world.path().join("state")).unwrap();
    world.json(&["catalog", "rebuild", "--from-media"]).ended(0);
    world.exports(1, 0, &source);
}

#[test]
fn a_tape_is_shown_alone() {
    let world = formatted(2, 2);
    let source = generated(world.path(), 1, 500_000, 2);
    world.import(&source).ended(0);
    let device = json!({ "image": image(&world, 2, 2) }).to_string();
    let line = ["media", "show", "--plugin", "tape", "--device", &device];
    let shown = world.json(&line);
    let shown = shown.ended(0).result();
    assert_eq!(shown["sets"].as_array().unwrap().len(), 1, "{shown}");
}

/// A chunk that is bad on one mirror comes from its twin, and a repair writes the section again
/// behind what is there.
#[test]
fn a_damaged_tape_is_healed_from_its_twin() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 9 << 20, 1);
    world.import(&source).ended(0);
    let tape = image(&world, 2, 1);
    damage_bit(&tape, 8 * (5 << 20));
    world.exports(1, 0, &source);
    let damage = world.verify(3)["damage"].clone();
    assert_eq!(damage[0]["slot"]["mirror"], json!(2), "{damage}");
    world.json(&["media", "repair", "payroll"]).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    // The twin is gone: what was written anew stands alone.
    fs::remove_file(image(&world, 1, 1)).unwrap();
    let (ran, _folder) = world.export(1);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

#[test]
fn a_new_tape_takes_the_place_of_a_lost_one() {
    let mut world = formatted(1, 2);
    let source = generated(world.path(), 1, 2 << 20, 1);
    world.configure(|media| media.set = "min_mirrors = 1".to_owned());
    world.import(&source).ended(0);
    fs::rename(image(&world, 2, 1), world.path().join("gone.tap")).unwrap();
    // A run goes on without it; an empty tape is never taken for it.
    fs::write(image(&world, 2, 1), b"").unwrap();
    let second = generated(world.path(), 2, 1 << 20, 1);
    world.import(&second).ended(3);
    assert_eq!(fs::metadata(image(&world, 2, 1)).unwrap().len(), 0);
    let line = ["media", "repair", "payroll", "--mirror", "2"];
    world.json(&line).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    fs::remove_file(image(&world, 1, 1)).unwrap();
    for (position, files) in [(1, &source), (2, &second)] {
        let (ran, _folder) = world.export(position);
        let written = ran.ended(3).result()["files"][0]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(fs::read(written).unwrap() == fs::read(&files[0]).unwrap());
    }
}

/// Behind the end of a tape nothing goes: where nobody brings a further one in time, the run fails
/// and says so, and nothing of it stays.
#[test]
fn a_full_tape_fails_the_run_and_keeps_the_sets_before_it() {
    let mut world = blank(1, 2);
    world.configure(|media| {
        media.set = "medium_wait = \"0s\"\n".to_owned();
        for options in media.tapes.values_mut() {
            options["capacity"] = json!(8 << 20);
        }
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let first = generated(world.path(), 1, 2 << 20, 1);
    world.import(&first).ended(0);
    let second = generated(world.path(), 2, 9 << 20, 1);
    let fault = world.import(&second).failed("TW2007").to_string();
    assert!(
        fault.contains("put a blank cartridge in: number 2"),
        "{fault}"
    );
    world.exports(1, 0, &first);
    assert_eq!(world.verify(0)["damage"], json!([]));
    let third = generated(world.path(), 3, 1 << 20, 1);
    world.import(&third).ended(0);
    assert_eq!(world.sets().len(), 2);
}

#[test]
fn a_media_set_is_destroyed_and_its_tapes_are_used_again() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 1 << 20, 1);
    world.import(&source).ended(0);
    let set = world.json(&["media", "show", "payroll"]).ended(0).result();
    let id = set["media_set"].as_str().unwrap().to_owned();
    world.json(&["media", "format", "payroll"]).failed("4030");
    let line = ["media", "format", "payroll", "--destroy", &id];
    world.json(&line).ended(0);
    world.import(&source).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    assert_eq!(files(&image(&world, 1, 1)).len(), 5);
}

/// Mirrors of one media set are of one class.
#[test]
fn a_tape_and_a_folder_are_no_mirrors_of_one_set() {
    let mut world = World::blank(1, 2);
    let tape = json!({ "image": world.path().join("a.tap"), "block_size": BLOCK });
    world.configure(|media| {
        media.tapes.insert((2, 1), tape);
    });
    world.json(&["media", "format", "payroll"]).failed("3011");
}
