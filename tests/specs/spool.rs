//! Fewer drives than families: can a set still be restored?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::front::{Host, Setup};
use crate::support::{Mounted, Ran, World, damage_bit, generated, sections};
use crate::tape::spanning;

/// Takes a volume out of its drive: its device does not answer any more. Gives where it lies now.
fn taken_out(world: &World, mirror: u8, family: u16) -> PathBuf {
    let away = world.path().join(format!("shelf-m{mirror}f{family}"));
    fs::rename(world.device(mirror, family), &away).unwrap();
    away
}

/// Spools the volume in a device.
fn spool(world: &World, plugin: &str, device: &Value, more: &[&str]) -> Ran {
    let device = device.to_string();
    let mut line = vec!["media", "spool", "payroll", "--plugin", plugin];
    line.extend(["--device", &device]);
    line.extend(more);
    world.json(&line)
}

fn with_spool(world: &mut World) {
    world.configure(|media| media.tables = "[restore]\nspool_dir = \"spool\"\n".to_owned());
}

/// A world of families, all but the first of which lie on the shelf.
fn one_drive(families: u16, mirrors: u8) -> (World, Vec<PathBuf>, Vec<PathBuf>) {
    let mut world = World::blank(families, mirrors);
    with_spool(&mut world);
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 9 << 20, families);
    world.import(&files).ended(0);
    let shelf = (2..=families)
        .map(|family| taken_out(&world, 1, family))
        .collect();
    (world, files, shelf)
}

/// A database comes back through virtual devices although only one volume can be in a drive.
#[test]
fn a_database_of_three_families_is_restored_with_one_drive() {
    let mut host = Host::blank(&Setup {
        families: 3,
        mirrors: 1,
        ..Setup::default()
    });
    with_spool(&mut host.world);
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    for family in [2, 3] {
        let away = taken_out(&host.world, 1, family);
        let plan = spool(
            &host.world,
            "disk",
            &json!({ "path": away }),
            &["--dry-run"],
        );
        let plan = plan.ended(0).result();
        assert_eq!(plan["sets"], json!([1]), "{plan}");
        assert!(!host.world.path().join("spool").exists() || family == 3);
        let told = spool(&host.world, "disk", &json!({ "path": away }), &[]);
        let told = told.ended(0).result();
        let left = if family == 2 {
            json!([1, 3])
        } else {
            json!([1])
        };
        assert_eq!(told["to_bring"], left, "{told}");
    }
    host.restores("Payroll", 1, "Payroll_Copy");
}

/// Everything was spooled: no drive holds anything any more, and the catalog is lost as well.
#[test]
fn a_set_is_exported_from_the_spool_alone() {
    let (world, files, shelf) = one_drive(2, 1);
    let first = taken_out(&world, 1, 1);
    for away in [&first, &shelf[0]] {
        spool(&world, "disk", &json!({ "path": away }), &[]).ended(0);
    }
    fs::remove_dir_all(world.path().join("state")).unwrap();
    world.exports(1, 0, &files);
    // Verify judges media, not copies of them.
    world.json(&["media", "verify", "payroll"]).failed("TW2011");
    let line = ["media", "spool", "payroll", "--remove"];
    assert!(world.json(&line).ended(0).result()["removed"].is_string());
    assert!(world.json(&line).ended(0).result()["removed"].is_null());
    world.export(1).0.failed("TW2011");
}

#[test]
fn chunks_that_a_volume_lacks_come_from_its_twins_copy() {
    let mut world = World::blank(2, 2);
    with_spool(&mut world);
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 18 << 20, 2);
    world.import(&files).ended(0);
    let damage = |mirror, at: usize| {
        let file = world.file(mirror, 2, "0001.");
        let mut bytes = fs::read(&file).unwrap();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
    };
    damage(1, 5 << 20);
    damage(2, 1 << 20);
    let away = [taken_out(&world, 1, 2), taken_out(&world, 2, 2)];
    let ran = spool(&world, "disk", &json!({ "path": away[0] }), &[]);
    assert_eq!(ran.ended(3).result()["damage"][0]["chunk"], 1);
    world.export(1).0.ended(4).failed("TW3004");
    spool(&world, "disk", &json!({ "path": away[1] }), &[]).ended(3);
    world.exports(1, 3, &files);
}

#[test]
fn only_the_sets_that_were_named_are_copied_and_the_rest_later() {
    let (world, first, shelf) = one_drive(2, 1);
    fs::rename(&shelf[0], world.device(1, 2)).unwrap();
    let second = generated(world.path(), 2, 1 << 20, 2);
    world.import(&second).ended(0);
    let away = json!({ "path": taken_out(&world, 1, 2) });
    let told = spool(&world, "disk", &away, &["--position", "2"]);
    assert_eq!(told.ended(0).result()["sets"], json!([2]));
    world.exports(2, 0, &second);
    let told = spool(&world, "disk", &away, &[]).ended(0).result();
    assert_eq!((&told["sets"], &told["there"]), (&json!([1]), &json!([2])));
    world.exports(1, 0, &first);
    spool(&world, "disk", &away, &["--position", "7"]).failed("4038");
}

#[test]
fn a_spool_that_was_killed_is_done_again() {
    let (world, files, shelf) = one_drive(2, 1);
    let hanging = json!({ "path": shelf[0], "hang_in": "read", "hang_ms": 600_000, "after": 2 });
    let hanging = hanging.to_string();
    let line = [
        "media", "spool", "payroll", "--plugin", "fault", "--device", &hanging,
    ];
    let mut killed = world.start(&line);
    assert!(killed.says("a fault was planted in read"));
    let away = json!({ "path": shelf[0] });
    // Only one process writes a copy, and nobody takes it away underneath.
    spool(&world, "disk", &away, &[]).ended(5).failed("TW2009");
    let remove = ["media", "spool", "payroll", "--remove"];
    world.json(&remove).ended(5).failed("TW2009");
    killed.kill();
    // Half a copy is none.
    let plan = spool(&world, "disk", &away, &["--dry-run"])
        .ended(0)
        .result();
    assert_eq!((&plan["sets"], &plan["there"]), (&json!([1]), &json!([])));
    let told = spool(&world, "disk", &away, &[]).ended(0).result();
    assert_eq!(told["to_bring"], json!([1]));
    world.exports(1, 0, &files);
}

/// What the copy holds is compared with the volume each time: another set may stand there by now.
#[test]
fn a_copy_that_is_not_the_volumes_any_more_is_made_anew() {
    let (world, files, shelf) = one_drive(2, 1);
    let away = json!({ "path": shelf[0] });
    let told = spool(&world, "disk", &away, &[]).ended(0).result();
    let folder = PathBuf::from(told["folder"].as_str().unwrap());
    let manifest = sections(&only(&folder))
        .into_iter()
        .find(|name| name.starts_with("0002."))
        .unwrap();
    damage_bit(&only(&folder).join(manifest), 4000);
    let told = spool(&world, "disk", &away, &[]).ended(0).result();
    assert_eq!((&told["sets"], &told["there"]), (&json!([1]), &json!([])));
    world.exports(1, 0, &files);
}

/// The folder that is alone in a folder.
fn only(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    let entry = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    entry
}

#[test]
fn copies_that_are_read_are_not_removed() {
    let (mut world, files, shelf) = one_drive(2, 1);
    spool(&world, "disk", &json!({ "path": shelf[0] }), &[]).ended(0);
    world.configure(|media| {
        media.deadline = Some("1h");
        let hang = json!({ "hang_in": "read", "hang_ms": 3_600_000, "only_index": 1 });
        media.fault(1, 1, hang);
    });
    let to = world.path().join("out");
    let to = to.to_str().unwrap();
    let mut export = world.start(&["media", "export", "payroll", "--position", "1", "--to", to]);
    assert!(export.says("a fault was planted in read"));
    world.heal_devices();
    let remove = ["media", "spool", "payroll", "--remove"];
    let fault = world.json(&remove).ended(5).failed("TW2009");
    let message = fault["message"].as_str().unwrap();
    assert!(message.starts_with("a restore reads it, until "), "{fault}");
    assert_snapshot!(fault["remedy"].as_str().unwrap(), @"wait for the restore to end, then remove the copies");
    export.kill();
    world.exports(1, 0, &files);
}

#[test]
fn a_dry_run_says_that_there_is_too_little_room() {
    let (world, _, shelf) = one_drive(2, 1);
    let away = json!({ "path": shelf[0] });
    let Some(_small) = Mounted::new(&world.path().join("spool"), "size=1m") else {
        return;
    };
    for more in [&["--dry-run"][..], &[]] {
        spool(&world, "disk", &away, more).ended(1).failed("TW4046");
    }
    assert_eq!(fs::read_dir(world.path().join("spool")).unwrap().count(), 0);
}

/// Rows of cartridges: what was cut there lies in one piece in the spool.
#[test]
fn rows_of_cartridges_are_spooled_and_read_in_their_place() {
    let mut world = spanning::blank(2, 2);
    with_spool(&mut world);
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 10 << 20, 2);
    world.import(&files).ended(0);
    assert!(spanning::tapes(&spanning::shelf(&world, 1, 1)).len() > 1);
    // The twin's one, for variety.
    for (mirror, family) in [(1, 1), (2, 2)] {
        let shelf = spanning::shelf(&world, mirror, family);
        let options = json!({ "shelf": shelf });
        let told = spool(&world, "tape", &options, &[]).ended(0).result();
        assert_eq!(told["damage"], json!([]));
    }
    fs::rename(world.path().join("t"), world.path().join("away")).unwrap();
    // The other mirrors of both families are missed, and needed for nothing.
    let map = &world.exports(1, 3, &files)["map"];
    assert_eq!(map["substituted"], 0, "{map}");
}

#[test]
fn what_cannot_be_spooled_is_refused_in_words() {
    let (mut world, _, shelf) = one_drive(2, 1);
    let other = World::formatted(2, 1);
    let device = json!({ "path": other.device(1, 2) });
    let ran = spool(&world, "disk", &device, &[]);
    let fault = ran.failed("3258").to_string();
    let header = other.json(&["media", "show", "payroll"]).ended(0).result();
    let id = header["media_set"].as_str().unwrap().to_owned();
    assert_snapshot!(fault.replace(&id, "ID"), @r#"{"causes":[],"code":"3258","message":"the volume in the device is mirror 1, family 2 of another media set, ID (Payroll media)","object":"media set payroll","remedy":"bring a volume of this media set, or name the other one by --id"}"#);
    world.configure(|media| media.tables.clear());
    let ran = spool(&world, "disk", &json!({ "path": shelf[0] }), &[]);
    assert_snapshot!(ran.failed("TW4045").to_string(), @r#"{"causes":[],"code":"TW4045","message":"no folder for families that wait for a drive","object":"spool_dir","remedy":"name a folder with room for the missing families: spool_dir in [restore], and the disk plugin: [plugins.disk]"}"#);
}
