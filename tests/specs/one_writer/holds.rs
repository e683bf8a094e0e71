//! Who reads leaves a hold: nothing that it may be reading is removed before the hold has passed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use twinset_domain::Moment;
use twinset_domain::name::HoldName;

use super::other_agent;
use crate::support::{World, sections, snapshot};

fn holds(world: &World, mirror: u8) -> Vec<HoldName> {
    let names = sections(&world.volume(mirror, 1));
    let names = names.iter().filter_map(|name| name.strip_suffix(".record"));
    names.filter_map(HoldName::parse).collect()
}

/// Starts a verb whose reading of the set at position 1 hangs.
fn hanging(world: &mut World, line: &[&str]) -> crate::support::Running {
    world.configure(|media| {
        media.deadline = Some("1h");
        let hang = json!({ "hang_in": "read", "hang_ms": 3_600_000, "only_index": 1 });
        media.fault(2, 1, hang);
    });
    let mut run = world.start(line);
    assert!(run.says("a fault was planted in read"));
    world.heal_devices();
    run
}

#[test]
fn a_reader_holds_what_it_reads_and_lets_go_at_the_end() {
    let (mut world, files) = World::with_set(1, 2, 1 << 17);
    let before = ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)));
    world.verify(0);
    world.exports(1, 0, &files);
    other_agent(&world, &["media", "verify", "payroll"]).ended(0);
    let after = ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)));
    assert_eq!(after, before);
    let run = hanging(&mut world, &["media", "verify", "payroll"]);
    let agent = world.json(&["agent", "show"]).ended(0).result()["agent"].clone();
    for mirror in 1..=2 {
        let [hold] = holds(&world, mirror)[..] else {
            panic!("no hold, or several");
        };
        assert_eq!(agent, hold.agent.to_string());
        let left = hold.until.0 - seconds_now();
        assert!((60..=15 * 60).contains(&left), "{left} s");
    }
    // Killed, it leaves them; others see neither damage nor anything unknown.
    run.kill();
    let report = world.verify(0);
    assert_eq!(
        (&report["damage"], &report["notes"]),
        (&json!([]), &json!([]))
    );
    world.import(&files).ended(0);
    assert_eq!(holds(&world, 1).len(), 1);
}

fn seconds_now() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn holds_whose_time_has_passed_go_with_the_next_backup() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let agent = "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap();
    let run = "99999999-2222-4333-8444-555555555555".parse().unwrap();
    let hold = |until: i64| HoldName {
        until: Moment(until),
        agent,
        run,
    };
    let (old, new) = (hold(1_600_000_000), hold(seconds_now() + 600));
    for mirror in 1..=2 {
        for hold in [old, new] {
            fs::write(world.volume(mirror, 1).join(format!("{hold}.record")), "").unwrap();
        }
    }
    world.verify(0);
    assert_eq!(holds(&world, 1), [old, new]);
    world.import(&files).ended(0);
    for mirror in 1..=2 {
        assert_eq!(holds(&world, mirror), [new]);
    }
}

#[test]
fn reading_works_where_no_hold_can_be_left() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let volume = world.volume(1, 1);
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o555)).unwrap();
    let before = snapshot(&volume);
    world.verify(0);
    world.exports(1, 0, &files);
    assert_eq!(snapshot(&volume), before);
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn reading_goes_on_beside_a_backup_and_a_backup_beside_reading() {
    let (mut world, files) = World::with_set(1, 2, 1 << 17);
    let run = hanging(&mut world, &["media", "verify", "payroll"]);
    assert_eq!(world.import(&files).ended(0).result()["position"], 2);
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(holds(&world, 1).len(), 1);
    run.kill();
    assert_eq!(world.verify(0)["damage"], json!([]));
}
