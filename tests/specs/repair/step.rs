//! Mirrors out of step: brought back by hand, or by the run that meets them again.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{mirrors_are_equal, records, repair};
use crate::support::{World, copy, damage_bit, generated};

/// One mirror is enough; a set on all of them, and a second one that mirror 2 missed.
pub(super) fn left_behind(families: u16, mirrors: u8) -> (World, Vec<PathBuf>) {
    let mut world = World::blank(families, mirrors);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let first = generated(world.path(), 1, 1 << 16, families);
    world.import(&first).ended(0);
    take_away(&world);
    let second = generated(world.path(), 2, 5 << 20, families);
    world.import(&second).ended(3).failed("TW3010");
    bring_back(&world);
    (world, second)
}

pub(super) fn take_away(world: &World) {
    fs::rename(world.path().join("m2"), world.path().join("aside")).unwrap();
}

pub(super) fn bring_back(world: &World) {
    fs::rename(world.path().join("aside"), world.path().join("m2")).unwrap();
}

/// All mirrors are needed again, and a run takes them all.
pub(super) fn all_take_part(world: &mut World) {
    world.configure(|media| media.set.clear());
    let files = generated(world.path(), 77, 1 << 16, world.media.families);
    let result = world.import(&files).ended(0).result();
    let all: Vec<u8> = (1..=world.media.mirrors).collect();
    assert_eq!(result["mirrors"], json!(all));
    assert_eq!(world.verify(0)["damage"], json!([]));
    mirrors_are_equal(world);
}

#[test]
fn a_mirror_out_of_step_comes_back_and_takes_part_again() {
    for (families, mirrors) in [(1, 2), (2, 3)] {
        let (mut world, second) = left_behind(families, mirrors);
        world.verify(3);
        let report = repair(&world, 0);
        assert_eq!(report["in_step"], json!([2]));
        assert_eq!(report["out_of_step"], json!([]));
        assert_eq!(records(&world, 2, 1, "in-step.").len(), 1);
        mirrors_are_equal(&world);
        assert_eq!(world.verify(0)["damage"], json!([]));
        fs::rename(world.path().join("m1"), world.path().join("gone")).unwrap();
        world.exports(2, 3, &second);
        fs::rename(world.path().join("gone"), world.path().join("m1")).unwrap();
        let again = repair(&world, 0);
        assert_eq!(
            (&again["steps"], &again["in_step"]),
            (&json!([]), &json!([]))
        );
        all_take_part(&mut world);
    }
}

#[test]
fn a_mirror_that_rotted_while_it_was_away_is_healed_before_it_is_in_step() {
    let (mut world, _) = left_behind(1, 2);
    damage_bit(&world.file(2, 1, "0001."), 8);
    damage_bit(&world.file(2, 1, "0002."), 8);
    fs::remove_file(world.file(2, 1, "verdict.")).unwrap();
    assert_eq!(repair(&world, 0)["in_step"], json!([2]));
    all_take_part(&mut world);
}

/// A run that failed half-way on a mirror leaves work there; a run that failed on the others left
/// a void.
#[test]
fn a_mirror_lost_on_the_way_is_brought_back_with_voids_and_without_leftovers() {
    let mut world = World::blank(2, 2);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 5 << 20, 2);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 100_000, "errno": 5 }));
    });
    world.import(&files).ended(3);
    world.configure(|media| {
        media.faults.clear();
        media.fault(1, 2, json!({ "fail_write_at": 100_000, "errno": 5 }));
    });
    world.import(&files).ended(1);
    world.heal_devices();
    world.import(&files).ended(3);
    assert_eq!(repair(&world, 0)["in_step"], json!([2]));
    assert_eq!(world.sets()[1]["state"], "void");
    all_take_part(&mut world);
}

#[test]
fn a_run_brings_a_mirror_back_that_answers_again() {
    let (mut world, _) = left_behind(2, 2);
    world.configure(|media| media.set = "min_mirrors = 1".into());
    let files = generated(world.path(), 3, 1 << 16, 2);
    let ran = world.import(&files).ended(3);
    ran.failed("TW3010");
    let result = ran.result();
    assert_eq!(
        result["mirrors"],
        json!([1]),
        "the set was published on one"
    );
    let notes = result["notes"].to_string();
    assert!(notes.contains("in step again"), "{notes}");
    mirrors_are_equal(&world);
    all_take_part(&mut world);
}

#[test]
fn a_run_that_must_not_only_says_so() {
    let (world, _) = left_behind(1, 2);
    let files = generated(world.path(), 3, 1 << 16, 1);
    let result = world.import(&files).ended(3).result();
    let notes = result["notes"].to_string();
    assert!(notes.contains("media repair payroll"), "{notes}");
    assert_eq!(world.verify(3)["lost"], json!([]));
}

/// A blank, missing or damaged volume waits for the operator.
#[test]
fn a_run_never_repairs_what_needs_the_operators_word() {
    let harms: [fn(&World); 3] = [
        |world| take_away(world),
        |world| fs::remove_dir_all(world.volume(2, 1)).unwrap(),
        |world| damage_bit(&world.file(2, 1, "0000."), 9),
    ];
    for harm in harms {
        let (mut world, _) = left_behind(1, 2);
        world.configure(|media| media.set = "min_mirrors = 1".into());
        harm(&world);
        let before = crate::support::snapshot(&world.path().join("m2"));
        let files = generated(world.path(), 3, 1 << 16, 1);
        let result = world.import(&files).ended(3).result();
        assert!(result["notes"].to_string().contains("still out of step"));
        assert!(crate::support::snapshot(&world.path().join("m2")) == before);
    }
}

/// Two mirrors that were written apart tell two histories: nothing is written over.
#[test]
fn two_histories_are_never_made_one() {
    let mut world = World::blank(1, 2);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let first = generated(world.path(), 1, 1 << 16, 1);
    world.import(&first).ended(0);
    let (state, old) = (world.path().join("state"), world.path().join("old-state"));
    copy(&state, &old);
    take_away(&world);
    let ours = generated(world.path(), 2, 1 << 16, 1);
    world.import(&ours).ended(3);
    // The host is set back, and the other mirror is written.
    fs::remove_dir_all(&state).unwrap();
    copy(&old, &state);
    fs::rename(world.path().join("m1"), world.path().join("first")).unwrap();
    bring_back(&world);
    let theirs = generated(world.path(), 3, 1 << 16, 1);
    world.import(&theirs).ended(3);
    fs::rename(world.path().join("first"), world.path().join("m1")).unwrap();
    let before = super::volumes(&world);
    let fault = world
        .json(&["media", "repair", "payroll"])
        .ended(1)
        .failed("3210");
    assert!(
        fault["message"].to_string().contains("histories"),
        "{fault}"
    );
    assert!(super::volumes(&world) == before);
}
