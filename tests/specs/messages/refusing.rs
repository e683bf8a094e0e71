//! Media that nothing may be appended to.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::{import, printed};
use crate::support::World;

#[test]
fn a_missing_mirror() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error 3240 ~/m2/f1 (mirror 2, family 1): the volume is missing
      cause: ~/m2/f1: mount: no volume: the folder ~/m2/f1 does not exist; is its share mounted?
      cause: 1 of 2 mirrors can take part, 2 must
      remedy: bring the volume back (is the share mounted?)
    ");
}

#[test]
fn a_volume_of_another_media_set() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let other = World::formatted(1, 2);
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    fs::rename(other.device(2, 1), world.device(2, 1)).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error 3258 ~/m2/f1 (mirror 2, family 1): the volume is not part of this media set
      cause: ~/m2/f1: mount: wrong volume: ~/m2/f1 holds no volume ID, but ID
      cause: 1 of 2 mirrors can take part, 2 must
      remedy: put the right volume back; nothing was written to this one
    ");
}

#[test]
fn another_writer() {
    let (world, files) = World::with_set(1, 1, 1 << 16);
    fs::remove_dir_all(world.path().join("state")).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 5
    error TW3006 ~/m1/f1 (mirror 1, family 1): another agent writes this media set
      cause: its header names agent ID
      remedy: a media set has one writer for life: use {agent} in the device paths
    ");
}

#[test]
fn another_run() {
    let (mut world, files) = World::with_set(1, 1, 1 << 16);
    world.configure(|media| {
        media.fault(
            1,
            1,
            json!({ "hang_in": "write", "hang_ms": 600_000, "only_index": 3 }),
        );
    });
    let mut run = world.start(&World::import_line(&files));
    assert!(run.says("a fault was planted in write"));
    world.heal_devices();
    let second = import(&world, &files);
    run.kill();
    assert_snapshot!(printed(&world, &second), @r"
    exit 5
    error TW5002 media set payroll: another run of this agent works on the media set
      remedy: wait until it has ended; one run at a time writes a media set
    ");
}

#[test]
fn a_cloned_host() {
    let (world, files) = World::with_set(1, 1, 1 << 16);
    let path = world.path().join("state/agent.json");
    let mut identity: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    identity["machine"] = "ab".repeat(32).into();
    fs::write(&path, identity.to_string()).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 5
    error TW5003 ~/state/agent.json: the agent's identity was made on another machine
      cause: a cloned host must not write the media sets of the original
      remedy: run: twinset agent renew-id; then format new media sets, those of the original stay readable
    ");
}

#[test]
fn media_set_back() {
    let (world, files) = World::with_set(1, 1, 1 << 16);
    for begins in ["0001.", "0002.", "verdict."] {
        fs::remove_file(world.file(1, 1, begins)).unwrap();
    }
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error 3210 media set payroll: all volumes end at record 0, the catalog knows record 1
      cause: the volumes were set back to an older state, or records were removed
      remedy: bring the newest volumes back; backups would otherwise lose their order
    ");
}

#[test]
fn a_mirror_behind() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    for begins in ["0001.", "0002.", "verdict."] {
        fs::remove_file(world.file(2, 1, begins)).unwrap();
    }
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error 3240 ~/m2/f1 (mirror 2, family 1): the mirror is behind: record 0 of 1
      cause: 1 of 2 mirrors can take part, 2 must
      remedy: run: twinset media repair payroll
    ");
}
