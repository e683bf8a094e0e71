//! Does it keep what an operator may still need, whatever else is asked of it?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{World, generated, sections, snapshot};

/// Removes every file of a volume whose name begins or ends so.
fn remove(volume: &Path, chosen: impl Fn(&str) -> bool) {
    for name in sections(volume).iter().filter(|name| chosen(name)) {
        fs::remove_file(volume.join(name)).unwrap();
    }
}

fn id_of(world: &World) -> String {
    let volume = world.volume(1, 1);
    volume.file_name().unwrap().to_str().unwrap().to_owned()
}

/// All bytes of all volumes.
fn everything(world: &World) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
    world
        .volumes()
        .iter()
        .map(|(_, _, volume)| snapshot(volume))
        .collect()
}

#[test]
fn two_exports_into_one_folder_never_mix() {
    let (world, files) = World::with_set(1, 2, 24 << 20);
    let folder = world.path().join("both");
    let to = folder.to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    let ends = [world.start(&line), world.start(&line)].map(|run| run.end().code);
    assert!(ends.contains(&0), "{ends:?}");
    let names = sections(&folder);
    assert_eq!(names.len(), 1, "work files stay: {names:?}");
    assert_eq!(
        fs::read(folder.join(&names[0])).unwrap(),
        fs::read(&files[0]).unwrap()
    );
}

#[test]
fn an_export_follows_no_link_and_touches_nobody_elses_file() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let folder = world.path().join("out");
    let to = folder.to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    world.json(&line).ended(0);
    let name = sections(&folder).remove(0);
    fs::remove_file(folder.join(&name)).unwrap();
    let precious = world.path().join("precious.txt");
    fs::write(&precious, "mine").unwrap();
    symlink(&precious, folder.join(format!("{name}.part"))).unwrap();
    world.json(&line).ended(0);
    assert_eq!(fs::read(&precious).unwrap(), b"mine");
    assert!(folder.join(format!("{name}.part")).is_symlink());
    let exported = folder.join(&name);
    assert_eq!(fs::read(&exported).unwrap(), fs::read(&files[0]).unwrap());
    assert_eq!(
        exported.metadata().unwrap().mode() & 0o007,
        0,
        "a whole database, for all to read"
    );
}

#[test]
fn data_of_a_set_that_the_catalog_knows_is_never_removed() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    for (_, _, volume) in world.volumes() {
        remove(&volume, |name| {
            name.ends_with(".json") || name.ends_with(".record")
        });
    }
    let before = everything(&world);
    let report = world
        .json(&["media", "recover", "payroll"])
        .ended(4)
        .result();
    assert_eq!(report["lost"].as_array().unwrap().len(), 1, "{report}");
    world.import(&files).ended(1).failed("3210");
    assert_eq!(everything(&world), before);
}

#[test]
fn one_lost_old_set_stops_neither_recovery_nor_the_next_run() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    world.import(&files).ended(0);
    for (_, _, volume) in world.volumes() {
        remove(&volume, |name| name.starts_with("0002."));
    }
    world.json(&["media", "recover", "payroll"]).ended(4);
    assert_eq!(world.import(&files).ended(0).result()["position"], 3);
    assert!(world.file(1, 1, "0001.").exists() && world.file(2, 1, "0001.").exists());
    world.exports(3, 0, &files);
}

#[test]
fn a_set_that_is_gone_from_every_mirror_is_missed() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    world.import(&files).ended(0);
    assert!(world.verify(0)["behind"].is_null());
    for (_, _, volume) in world.volumes() {
        remove(&volume, |name| {
            name.starts_with("0003.")
                || name.starts_with("0004.")
                || name.starts_with("verdict.000002.")
        });
    }
    let report = world.verify(3);
    let behind = report["behind"].as_str().unwrap();
    assert!(
        behind.contains("record 1") && behind.contains("record 2"),
        "{behind}"
    );
}

#[test]
fn nothing_is_destroyed_while_a_mirror_is_missing() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let id = id_of(&world);
    let away = world.path().join("unmounted");
    fs::rename(world.device(1, 1), &away).unwrap();
    let before = snapshot(&world.device(2, 1));
    let ran = world
        .json(&["media", "format", "payroll", "--destroy", &id])
        .ended(1);
    assert_ne!(ran.object()["error"]["remedy"], "");
    assert_eq!(snapshot(&world.device(2, 1)), before);
    assert!(
        !world.device(1, 1).exists(),
        "a volume was made where a share is unmounted"
    );
    fs::rename(away, world.device(1, 1)).unwrap();
    world.exports(1, 0, &files);
}

#[test]
fn only_the_writer_of_a_media_set_destroys_it() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let id = id_of(&world);
    world.other_config("other.toml", |media| {
        media.agent = "sql-b".into();
        media.state_dir = "other".into();
    });
    let line = ["media", "format", "payroll", "--destroy", &id];
    world
        .json_with("other.toml", &line)
        .ended(5)
        .failed("TW3006");
    world.exports(1, 0, &files);
}

#[test]
fn destroying_only_if_needed_is_no_order() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let id = id_of(&world);
    let line = [
        "media",
        "format",
        "payroll",
        "--if-needed",
        "--destroy",
        &id,
    ];
    world.json(&line).ended(2).failed("TW1007");
    world.exports(1, 0, &files);
}

#[test]
fn a_file_that_somebody_writes_to_is_not_imported() {
    let (mut world, _) = World::with_set(1, 2, 1 << 16);
    let files = generated(world.path(), 5, 16 << 20, 1);
    world.configure(|media| {
        media.fault(2, 1, json!({ "slow_write_us": 200_000 }));
    });
    let mut run = world.start(&World::import_line(&files));
    assert!(run.says("\"begin\""));
    // Same length, another byte: only the file system's time tells.
    let mut file = fs::OpenOptions::new().write(true).open(&files[0]).unwrap();
    file.seek(SeekFrom::End(-9000)).unwrap();
    file.write_all(b"!").unwrap();
    file.sync_all().unwrap();
    run.end().ended(1).failed("TW2012");
    assert_eq!(world.sets().len(), 1);
}
