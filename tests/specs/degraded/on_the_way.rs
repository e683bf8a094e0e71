//! A mirror that is lost in the middle of a run, at every point of it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use serde_json::{Value, json};

use super::{lenient, reads, statements, went_on_without};
use crate::support::{Ran, World, generated};

/// A deadline of one second and what is around it.
const BOUND: Duration = Duration::from_secs(30);

/// An import of two families in which one device of mirror 2 goes wrong.
fn import_over(fault: &Value) -> (World, Ran) {
    let (mut world, _) = lenient(2, 2);
    let files = generated(world.path(), 2, 9 << 20, 2);
    world.configure(|media| {
        media.deadline = Some("1s");
        media.fault(2, 1, fault.clone());
    });
    let ran = world.import(&files);
    assert!(ran.took < BOUND, "{fault} took {:?}", ran.took);
    went_on_without(&ran, &[2]);
    for family in [1, 2] {
        assert_eq!(statements(&world, 1, family).len(), 1, "{fault}");
    }
    world.heal_devices();
    reads(&world, 2, &files);
    // The next run does not touch it either, and says so again.
    let third = generated(world.path(), 3, 1 << 16, 2);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    went_on_without(&world.import(&third), &[2]);
    (world, ran)
}

macro_rules! rows {
    ($($name:ident: $fault:tt;)*) => {$(
        #[test]
        fn $name() {
            import_over(&json!($fault));
        }
    )*};
}

rows! {
    a_full_disk_costs_its_mirror: { "fail_write_at": 3_000_000 };
    a_write_error_costs_its_mirror: { "fail_write_at": 3_000_000, "errno": 5 };
    a_device_that_fails_at_begin_costs_its_mirror: { "fail_call": "begin_section", "errno": 5 };
    a_device_that_fails_at_the_end_costs_its_mirror: { "fail_call": "end_section", "errno": 5 };
    a_manifest_that_cannot_be_written_costs_its_mirror:
        { "fail_call": "end_section", "errno": 5, "after": 1 };
    a_verdict_that_cannot_be_written_costs_its_mirror: { "fail_call": "put_record", "errno": 5 };
    a_device_that_hangs_in_write_costs_its_mirror: { "hang_in": "write", "hang_ms": 600_000 };
    a_device_that_hangs_in_the_end_costs_its_mirror:
        { "hang_in": "end_section", "hang_ms": 600_000 };
    a_device_that_hangs_in_a_record_costs_its_mirror:
        { "hang_in": "put_record", "hang_ms": 600_000 };
    a_device_that_hangs_at_mount_costs_its_mirror: { "hang_in": "mount", "hang_ms": 600_000 };
    a_plugin_that_panics_costs_its_mirror: { "panic_in": "write" };
}

#[test]
fn a_full_disk_says_how_far_it_came() {
    let (_, ran) = import_over(&json!({ "fail_write_at": 3_000_000 }));
    let text = ran.object()["error"]["causes"].to_string();
    assert!(text.contains("TW2010"), "{text}");
}

/// Every write takes 25 times as long as the deadline allows a call: lost at the first one.
#[test]
fn a_mirror_slower_than_its_deadline_does_not_hold_the_others_back() {
    let fault = json!({ "slow_write_us": 20_000_000 });
    let (_, ran) = import_over(&fault);
    assert!(ran.took < Duration::from_secs(8), "{:?}", ran.took);
}

#[test]
fn when_the_last_mirror_fails_too_nothing_is_published() {
    let (mut world, _) = lenient(1, 2);
    let files = generated(world.path(), 2, 9 << 20, 1);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 1_000_000, "errno": 5 }));
        media.fault(1, 1, json!({ "fail_write_at": 5_000_000, "errno": 5 }));
    });
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    let states: Vec<Value> = world
        .sets()
        .iter()
        .map(|set| set["state"].clone())
        .collect();
    assert!(!states[1..].contains(&json!("published")), "{states:?}");
    world.exports(1, 0, &generated(world.path(), 1, 1 << 16, 1));
}

#[test]
fn with_three_mirrors_and_two_needed_the_first_loss_is_borne_and_the_second_is_not() {
    let mut world = World::blank(1, 3);
    world.configure(|media| media.set = "min_mirrors = 2".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 9 << 20, 1);
    let broken = json!({ "fail_write_at": 1_000_000, "errno": 5 });
    world.configure(|media| {
        media.fault(3, 1, broken.clone());
    });
    went_on_without(&world.import(&files), &[3]);
    world.configure(|media| {
        media.fault(2, 1, broken.clone());
    });
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    assert_eq!(statements(&world, 1, 1).len(), 1);
    reads(&world, 1, &files);
}

/// The first family is sealed, and says which mirror was lost, while the second is still being
/// written; then the run fails. What was said keeps its place in the chain of every volume.
#[test]
fn what_a_sealed_family_said_of_a_lost_mirror_stands_before_the_void_of_the_run() {
    let mut world = World::blank(2, 3);
    world.configure(|media| media.set = "min_mirrors = 2\nrepair = \"manual\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 18 << 20, 2);
    world.configure(|media| {
        media.fault(3, 1, json!({ "fail_write_at": 1_000_000, "errno": 5 }));
        let held_up = json!({ "hang_in": "write", "hang_ms": 4_000, "after": 2 });
        media.fault(1, 2, held_up);
        media.fault(2, 2, json!({ "fail_write_at": 8_000_000, "errno": 5 }));
    });
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    for (mirror, family) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        let said = statements(&world, mirror, family);
        assert_eq!(said.len(), 1, "mirror {mirror}, family {family}: {said:?}");
    }
    went_on_without(&world.import(&files), &[3]);
    world.json(&["media", "repair", "payroll"]).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
}

#[test]
fn a_run_that_is_killed_after_a_loss_is_set_right_and_the_loss_stays_said() {
    let (mut world, _) = lenient(1, 2);
    let files = generated(world.path(), 2, 9 << 20, 1);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_call": "begin_section", "errno": 5 }));
        media.fault(
            1,
            1,
            json!({ "hang_in": "end_section", "hang_ms": 600_000, "after": 1 }),
        );
    });
    let mut import = world.start(&World::import_line(&files));
    // The hang is in the end of the manifest: the data is in its place by then.
    assert!(import.says("a fault was planted in end_section"));
    import.kill();
    world.heal_devices();
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    let ran = world.json(&["media", "recover", "payroll"]);
    assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
    let third = generated(world.path(), 3, 1 << 16, 1);
    let ran = world.import(&third);
    assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
    let (ran, _folder) = world.export(1);
    assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
}

/// Both mirrors fail one after the other, with their data in place: what the first one keeps must
/// not stop the runs that go on without the second.
#[test]
fn what_a_lost_mirror_keeps_of_a_failed_run_stops_nobody() {
    let (mut world, _) = lenient(1, 2);
    let files = generated(world.path(), 2, 1 << 16, 1);
    let once = json!({ "fail_call": "end_section", "errno": 5, "after": 1, "times": 1 });
    world.configure(|media| {
        media.fault(1, 1, once.clone()).fault(2, 1, once.clone());
    });
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    for mirror in [1, 2] {
        let names = crate::support::sections(&world.volume(mirror, 1));
        let left = names.iter().any(|name| name.starts_with("0003."));
        assert!(!left, "mirror {mirror}: {names:?}");
    }
    super::unmount(&world, 2);
    went_on_without(&world.import(&files), &[2]);
}

/// The record of a loss reaches one mirror and not the next, and then too few remain: what is
/// written afterwards has a place of its own in the chain.
#[test]
fn a_loss_that_could_not_be_said_everywhere_leaves_one_history() {
    let mut world = World::blank(1, 3);
    world.configure(|media| media.set = "min_mirrors = 2\nrepair = \"manual\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.configure(|media| {
        media.fault(3, 1, json!({ "fail_write_at": 1000, "errno": 5 }));
        media.fault(
            2,
            1,
            json!({ "fail_call": "put_record", "errno": 5, "times": 1 }),
        );
    });
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    let ran = world.json(&["media", "recover", "payroll"]);
    assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
    let ran = world.json(&["media", "repair", "payroll"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    world.import(&files).ended(0);
    world.verify(0);
}
