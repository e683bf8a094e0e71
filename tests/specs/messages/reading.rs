//! Damage, loss, and what recover did.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::printed;
use crate::support::{World, damage_bit};

#[test]
fn damage() {
    let (world, _) = World::with_set(1, 2, 5 << 20);
    damage_bit(&world.file(1, 1, "0000."), 8000);
    damage_bit(&world.file(1, 1, "0001."), (4 << 20) * 8 + 5);
    damage_bit(&world.file(1, 1, "0002."), 99);
    damage_bit(&world.file(2, 1, "verdict."), 99);
    assert_snapshot!(printed(&world, &world.run(&["media", "verify", "payroll"])), @r"
    exit 3
    damaged ~/m1/f1 (mirror 1, family 1), media header: altered (media header was altered: its bytes are not those its facts lead to)
    damaged ~/m1/f1 (mirror 1, family 1), section 2: altered
    damaged ~/m1/f1 (mirror 1, family 1), section 1, chunk 1, bytes 4194304 to 5328384: altered
    damaged ~/m2/f1 (mirror 2, family 1), record verdict.000001.0001.RUN: altered (record was altered: its hash does not match)
    payroll: 4 damaged places, everything is still readable, 10.2 MiB read
    ");
}

#[test]
fn a_repair() {
    let (world, _) = World::with_set(1, 2, 5 << 20);
    damage_bit(&world.file(1, 1, "0000."), 8000);
    damage_bit(&world.file(1, 1, "0001."), (4 << 20) * 8 + 5);
    damage_bit(&world.file(1, 1, "0002."), 99);
    damage_bit(&world.file(2, 1, "verdict."), 99);
    assert_snapshot!(printed(&world, &world.run(&["media", "repair", "payroll"])), @r"
    exit 0
    repaired mirror 1, family 1: replace the media header
    repaired mirror 1, family 1: heal the data of position 1: chunk 1
    repaired mirror 1, family 1: replace the manifest of position 1
    repaired mirror 2, family 1: replace the record verdict.000001.0001.RUN
    payroll: every mirror holds everything, 5.08 MiB copied
    ");
    assert_snapshot!(printed(&world, &world.run(&["media", "repair", "payroll"])), @r"
    exit 0
    payroll: nothing to repair
    ");
    fs::remove_dir_all(world.volume(2, 1)).unwrap();
    assert_snapshot!(printed(&world, &world.run(&["media", "repair", "payroll"])), @r"
    exit 3
    not repaired mirror 2, family 1: the volume is missing: nothing of the media set is there; bring it back, or repair onto an empty device in its place by --mirror 2
    payroll: not everything is repaired, all is readable, 0 B copied
    ");
}

#[test]
fn a_repair_of_a_lost_chunk() {
    let (world, _) = World::with_set(1, 2, 5 << 20);
    damage_bit(&world.file(1, 1, "0001."), (4 << 20) * 8 + 5);
    damage_bit(&world.file(2, 1, "0001."), (4 << 20) * 8 + 50);
    assert_snapshot!(printed(&world, &world.run(&["media", "repair", "payroll"])), @r"
    exit 4
    lost position 1, family 1, chunk 1: sound on no mirror; left as it is
    payroll: 1 chunks are lost on every mirror
    ");
}

#[test]
fn a_lost_chunk() {
    let (world, _) = World::with_set(1, 2, 5 << 20);
    damage_bit(&world.file(1, 1, "0001."), (4 << 20) * 8 + 5);
    damage_bit(&world.file(2, 1, "0001."), (4 << 20) * 8 + 50);
    assert_snapshot!(printed(&world, &world.run(&["media", "verify", "payroll"])), @r"
    exit 4
    damaged ~/m1/f1 (mirror 1, family 1), section 1, chunk 1, bytes 4194304 to 5328384: altered
    damaged ~/m2/f1 (mirror 2, family 1), section 1, chunk 1, bytes 4194304 to 5328384: altered
    lost position 1, family 1, chunk 1: damaged on every mirror
    payroll: 1 chunks are lost on every mirror
    ");
    let to = world.path().join("out");
    let line = [
        "media",
        "export",
        "payroll",
        "--position",
        "1",
        "--to",
        to.to_str().unwrap(),
    ];
    assert_snapshot!(printed(&world, &world.run(&line)), @r"
    exit 4
    error TW3004 position 1, family 1, chunk 1: bytes 4194304 to 5328384 are lost on every mirror
      cause: ~/m1/f1 (mirror 1, family 1), section 1, chunk 1, bytes 4194304 to 5328384: altered
      cause: ~/m2/f1 (mirror 2, family 1), section 1, chunk 1, bytes 4194304 to 5328384: altered
      remedy: bring a missing volume back, or restore an earlier set
    ");
}

#[test]
fn an_export_by_substitution() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    damage_bit(&world.file(1, 1, "0001."), 5);
    let to = world.path().join("out");
    let line = [
        "media",
        "export",
        "payroll",
        "--position",
        "1",
        "--to",
        to.to_str().unwrap(),
    ];
    assert_snapshot!(printed(&world, &world.run(&line)), @r"
    exit 3
    damaged ~/m1/f1 (mirror 1, family 1), section 1, chunk 0, bytes 0 to 151040: altered: taken from its twin
    wrote ~/out/0001.Payroll.full.TIME.bak
    restore with: RESTORE DATABASE [Payroll_Copy] FROM DISK = N'~/out/0001.Payroll.full.TIME.bak' WITH NORECOVERY, STATS = 5, BLOCKSIZE = 512
    ");
}

#[test]
fn a_recovered_run() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    let hang = json!({ "hang_in": "end_section", "hang_ms": 600_000 });
    world.configure(|media| {
        media.fault(1, 1, hang.clone()).fault(2, 1, hang.clone());
    });
    let mut run = world.start(&World::import_line(&files));
    // Both, so that neither section is in its place when the run dies.
    for _ in 1..=2 {
        assert!(run.says("a fault was planted in end_section"));
    }
    run.kill();
    world.heal_devices();
    fs::write(world.volume(1, 1).join("letter.txt"), "dear").unwrap();
    assert_snapshot!(printed(&world, &world.run(&["media", "recover", "payroll"])), @r"
    exit 0
    removed unfinished work ~/m1/f1 (mirror 1, family 1): .work.3.RUN
    removed unfinished work ~/m2/f1 (mirror 2, family 1): .work.3.RUN
    ");
    assert_snapshot!(printed(&world, &world.run(&["media", "recover", "payroll"])), @r"
    exit 0
    payroll: nothing to recover
    ");
    assert_snapshot!(printed(&world, &world.run(&["media", "verify", "payroll"])), @r"
    exit 0
    note ~/m1/f1 (mirror 1, family 1): foreign file letter.txt, left alone
    payroll: sound, 1 sets on 2 volumes, 295 KiB read
    ");
}
