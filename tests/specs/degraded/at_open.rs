//! A mirror that cannot take part when the run begins.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::Value;

use super::{lenient, mount, reads, statements, unmount, went_on_without};
use crate::support::{World, copy, damage_bit, generated};

/// The loss is said once, on the mirror that is left, and the next run needs no new word.
fn goes_on(spoil: impl FnOnce(&World)) {
    let (world, first) = lenient(1, 2);
    spoil(&world);
    let second = generated(world.path(), 2, 1 << 16, 1);
    let result = went_on_without(&world.import(&second), &[2]);
    assert_eq!(result["position"], 2);
    assert_eq!(result["mirrors"], serde_json::json!([1]));
    assert_eq!(statements(&world, 1, 1).len(), 1);
    let third = generated(world.path(), 3, 1 << 16, 1);
    assert_eq!(went_on_without(&world.import(&third), &[2])["position"], 3);
    assert_eq!(statements(&world, 1, 1).len(), 1, "said once is enough");
    for (position, files) in [(2, &second), (3, &third)] {
        reads(&world, position, files);
    }
    reads(&world, 1, &first);
}

#[test]
fn an_unmounted_mirror_falls_out_of_step_and_runs_go_on() {
    goes_on(|world| unmount(world, 2));
}

#[test]
fn an_emptied_mirror_is_never_formatted_and_runs_go_on() {
    goes_on(|world| fs::remove_dir_all(world.volume(2, 1)).unwrap());
}

#[test]
fn a_mirror_with_a_damaged_header_is_not_written_and_runs_go_on() {
    goes_on(|world| damage_bit(&world.file(2, 1, "0000."), 8 * 200));
}

#[test]
fn with_every_mirror_needed_nothing_is_written() {
    let (mut world, _) = lenient(1, 2);
    world.configure(|media| media.set.clear());
    unmount(&world, 2);
    let files = generated(world.path(), 2, 1 << 16, 1);
    let fault = world.import(&files).ended(1).failed("3240");
    let causes = fault["causes"].to_string();
    assert!(
        causes.contains("1 of 2 mirrors can take part, 2 must"),
        "{causes}"
    );
    assert!(statements(&world, 1, 1).is_empty());
}

#[test]
fn an_out_of_step_mirror_that_is_back_is_not_written_again_by_itself() {
    let (mut world, _) = lenient(1, 2);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    unmount(&world, 2);
    let second = generated(world.path(), 2, 1 << 16, 1);
    went_on_without(&world.import(&second), &[2]);
    mount(&world, 2);
    let third = generated(world.path(), 3, 1 << 16, 1);
    went_on_without(&world.import(&third), &[2]);
    let shown = world.json(&["media", "show", "payroll"]).ended(0).result();
    let state = |mirror: usize| {
        shown["volumes"][mirror]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(state(0), "sound");
    assert!(
        state(1).starts_with("out of step since position 2"),
        "{}",
        state(1)
    );
    // It may be read all the same: what it holds is sound.
    assert_eq!(world.export(1).0.code, 0);
    // With every mirror needed, it stops the run and names the way out.
    world.configure(|media| media.set = "repair = \"manual\"".into());
    let fault = world.import(&third).ended(1).failed("3240");
    assert!(
        fault["remedy"].as_str().unwrap().contains("media repair"),
        "{fault}"
    );
}

#[test]
fn a_lost_catalog_and_a_missing_mirror_together_stop_every_run() {
    let (world, _) = lenient(1, 2);
    unmount(&world, 2);
    let catalog = |end: &str| world.path().join(format!("state/catalog.sqlite{end}"));
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(catalog(end));
    }
    let files = generated(world.path(), 2, 1 << 16, 1);
    let fault = world.import(&files).ended(1).failed("3240");
    assert!(
        fault["causes"]
            .to_string()
            .contains("the catalog does not know"),
        "{fault}"
    );
    mount(&world, 2);
    world.import(&files).ended(0);
}

#[test]
fn a_mirror_that_was_set_back_is_out_of_step_whatever_the_catalog_says() {
    let (world, _) = lenient(1, 2);
    let old = world.path().join("old");
    copy(&world.volume(2, 1), &old);
    let second = generated(world.path(), 2, 1 << 16, 1);
    world.import(&second).ended(0);
    let volume = world.volume(2, 1);
    fs::remove_dir_all(&volume).unwrap();
    copy(&old, &volume);
    let third = generated(world.path(), 3, 1 << 16, 1);
    let result = went_on_without(&world.import(&third), &[2]);
    assert_eq!(result["position"], 3);
    let why = result["lost"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("the mirror is behind"), "{why}");
}

#[test]
fn several_kinds_may_need_different_numbers_of_mirrors() {
    let (mut world, _) = lenient(1, 2);
    world.configure(|media| media.set = "min_mirrors = 2\nmin_mirrors_log = 1".into());
    unmount(&world, 2);
    let full = generated(world.path(), 2, 1 << 16, 1);
    world.import(&full).ended(1).failed("3240");
    let log = vec![crate::support::log_backup(world.path(), 4)];
    went_on_without(&world.import(&log), &[2]);
    // The full is still refused: the mirror is out of step now.
    world.import(&full).ended(1).failed("3240");
}

#[test]
fn status_names_the_mirror_that_is_out_of_step() {
    let (world, _) = lenient(1, 2);
    unmount(&world, 2);
    let files = generated(world.path(), 2, 1 << 16, 1);
    went_on_without(&world.import(&files), &[2]);
    let shown = world.json(&["media", "show", "payroll"]).ended(3).result();
    let lines: Vec<&Value> = shown["volumes"].as_array().unwrap().iter().collect();
    let state = lines[1]["state"].as_str().unwrap();
    assert!(
        state.contains("out of step since position 2; missing"),
        "{state}"
    );
}
