//! A repair beside runs: it lets go between sections, and nobody is refused because of it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::json;

use super::{mirrors_are_equal, repair};
use crate::support::{World, damage_bit, generated};

/// Milliseconds that a device takes for one call.
const SLOW: u64 = 1500;

/// A world whose mirror 2 lacks data of position 1 and is slow to take it.
fn slow(call: &str) -> World {
    let (mut world, _) = World::with_set(1, 2, 5 << 20);
    fs::remove_file(world.file(2, 1, "0001.")).unwrap();
    let fault = json!({ "hang_in": call, "hang_ms": SLOW, "only_index": 1 });
    world.configure(|media| {
        media.fault(2, 1, fault);
    });
    world
}

#[test]
fn a_run_waits_for_one_section_of_a_repair_and_is_not_refused() {
    let world = slow("begin_section");
    let mut running = world.start(&["media", "repair", "payroll"]);
    assert!(running.says("a fault was planted in begin_section"));
    let files = generated(world.path(), 2, 1 << 16, 1);
    let result = world.import(&files).ended(0).result();
    assert_eq!(result["position"], 2);
    running.end().ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    mirrors_are_equal(&world);
}

#[test]
fn a_second_repair_is_refused_while_one_is_under_way() {
    let world = slow("end_section");
    let mut running = world.start(&["media", "repair", "payroll"]);
    assert!(running.says("a fault was planted in end_section"));
    let line = ["media", "repair", "payroll"];
    world.json(&line).ended(5).failed("TW5002");
    running.end().ended(0);
    world.verify(0);
}

/// A repair that meets a run waits until it has ended.
#[test]
fn a_repair_waits_for_a_run() {
    let (mut world, _) = World::with_set(1, 2, 1 << 16);
    damage_bit(&world.file(1, 1, "0001."), 8);
    let fault = json!({ "hang_in": "begin_section", "hang_ms": SLOW, "only_index": 3 });
    world.configure(|media| {
        media.fault(2, 1, fault);
    });
    let files = generated(world.path(), 2, 1 << 16, 1);
    let mut running = world.start(&World::import_line(&files));
    assert!(running.says("a fault was planted in begin_section"));
    let report = repair(&world, 0);
    assert_eq!(report["steps"].as_array().unwrap().len(), 1, "{report}");
    running.end().ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
}

#[test]
fn a_repair_that_is_stopped_goes_on_when_it_is_started_again() {
    let mut world = slow("begin_section");
    damage_bit(&world.file(1, 1, "0002."), 8);
    let mut running = world.start(&["media", "repair", "payroll"]);
    assert!(running.says("a fault was planted in begin_section"));
    running.interrupt();
    running.end().ended(6).failed("TW5004");
    world.heal_devices();
    repair(&world, 0);
    world.verify(0);
}
