//! When does `media format` write headers, and what stands in them?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::json;

use crate::support::{World, generated, sections, snapshot};

#[test]
fn every_fact_of_the_configuration_stands_in_every_header() {
    let world = World::formatted(2, 2);
    let shown = world.json(&["media", "show", "payroll"]).ended(0).result();
    let agent = fs::read(world.path().join("state/agent.json")).unwrap();
    let agent: serde_json::Value = serde_json::from_slice(&agent).unwrap();
    let mut families = Vec::new();
    for (place, volume) in world
        .volumes()
        .iter()
        .zip(shown["volumes"].as_array().unwrap())
    {
        let (header, (mirror, family, folder)) = (&volume["header"], place);
        assert_eq!(volume["state"], "sound");
        assert_eq!(header["format"], 1);
        assert_eq!(header["media_set"], shown["media_set"]);
        assert_eq!(
            header["media_set"],
            folder.file_name().unwrap().to_str().unwrap()
        );
        assert_eq!(header["name"], "Payroll media");
        assert_eq!(header["description"], "nightly fulls");
        assert_eq!(header["is_label"], false);
        assert_eq!(header["shape"], json!({ "families": 2, "mirrors": 2 }));
        assert_eq!(
            (&header["mirror"], &header["family"]),
            (&json!(mirror), &json!(family))
        );
        assert_eq!(header["media_sequence"], 1);
        assert_eq!(header["vendor_id"], 0x5457);
        assert!(header["software"].as_str().unwrap().starts_with("Twinset "));
        assert_eq!(header["block_size"], 4096);
        assert_eq!(header["encoding"], "raw");
        assert_eq!(header["agent"], agent["agent"]);
        assert_eq!(header["agent_name"], "sql-a");
        assert_eq!(
            header["written"].as_str().unwrap().len(),
            "2026-11-21T23:27:58Z".len()
        );
        families.push(header["family_id"].clone());
    }
    assert_eq!(families[0], families[2]);
    assert_eq!(families[1], families[3]);
    assert_ne!(families[0], families[1]);
}

#[test]
fn people_see_every_field_of_the_header() {
    let world = World::formatted(1, 2);
    let text = world.run(&["media", "show", "payroll"]).ended(0).stdout;
    for field in [
        "media name          Payroll media",
        "description         nightly fulls",
        "media set id        ",
        "families x mirrors  1 x 2",
        "family              1 (",
        "mirror              1",
        "media sequence      1",
        "software            Twinset ",
        "(vendor 0x5457)",
        "written             20",
        "block size          4096",
        "encoding            raw",
        "agent               sql-a (",
    ] {
        assert!(text.contains(field), "{field:?} is not in\n{text}");
    }
}

#[test]
fn one_device_alone_is_shown_without_catalog_and_media_set() {
    let (world, _) = World::with_set(2, 2, 1 << 16);
    let device = json!({ "path": world.device(2, 1) }).to_string();
    let alone = world.path().join("alone.toml");
    let plugin = crate::support::built("libtwinset_disk.so");
    let text = format!("[agent]\nstate_dir = \"elsewhere\"\n[plugins.disk]\npath = {plugin:?}\n");
    fs::write(alone, text).unwrap();
    let line = ["media", "show", "--plugin", "disk", "--device", &device];
    let shown = world.json_with("alone.toml", &line).ended(0).result();
    assert_eq!(shown["header"]["mirror"], 2);
    assert_eq!(shown["header"]["family"], 1);
    assert_eq!(shown["header"]["name"], "Payroll media");
    assert_eq!(shown["sets"][0]["position"], 1);
    assert_eq!(shown["sets"][0]["database"], "Payroll");
}

#[test]
fn a_header_is_a_tape_block_of_4096_bytes_and_a_soft_filemark_of_4096() {
    let world = World::formatted(1, 1);
    let header = fs::read(world.file(1, 1, "0000.header.mtf")).unwrap();
    assert_eq!(header.len(), 8192);
    assert_eq!(&header[..4], b"TAPE");
    assert_eq!(&header[4096..4100], b"SFMB");
}

#[test]
fn formatting_again_is_refused_with_4030() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    let before = snapshot(world.path());
    let fault = world
        .json(&["media", "format", "payroll"])
        .ended(5)
        .failed("4030");
    assert!(
        fault["message"]
            .as_str()
            .unwrap()
            .contains("with 1 backup sets"),
        "{fault}"
    );
    assert_eq!(snapshot(&world.device(1, 1)), snapshot_of(&before, "m1/f1"));
    assert_eq!(snapshot(&world.device(2, 1)), snapshot_of(&before, "m2/f1"));
}

/// The part of a snapshot below a folder.
fn snapshot_of(
    all: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>,
    folder: &str,
) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let below = all.iter().filter_map(|(path, bytes)| {
        Some((path.strip_prefix(folder).ok()?.to_owned(), bytes.clone()))
    });
    below.collect()
}

#[test]
fn formatting_if_needed_attaches_to_what_is_there() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let before = snapshot(&world.device(1, 1));
    let line = ["media", "format", "payroll", "--if-needed"];
    let done = world.json(&line).ended(0).result();
    assert_eq!(done["formatted"], false);
    assert_eq!(snapshot(&world.device(1, 1)), before);
    world.exports(1, 0, &files);
}

#[test]
fn destroying_needs_the_id_of_the_media_set() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let wrong = "00000000-0000-4000-8000-000000000000";
    world
        .json(&["media", "format", "payroll", "--destroy", wrong])
        .ended(5)
        .failed("4030");
    world.exports(1, 0, &files);
}

#[test]
fn destroying_removes_all_sets_and_makes_a_new_media_set() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let old = world.volume(1, 1);
    let id = old.file_name().unwrap().to_str().unwrap();
    let done = world
        .json(&["media", "format", "payroll", "--destroy", id])
        .ended(0)
        .result();
    assert_eq!(done["formatted"], true);
    assert_ne!(done["media_set"], id);
    assert!(!old.exists() || sections(&old).is_empty());
    assert!(world.sets().is_empty());
    assert_eq!(world.import(&files).ended(0).result()["position"], 1);
    world.verify(0);
}

#[test]
fn destroying_leaves_foreign_files_alone() {
    let world = World::formatted(1, 1);
    let volume = world.volume(1, 1);
    fs::write(volume.join("letter.txt"), "not yours").unwrap();
    let id = volume.file_name().unwrap().to_str().unwrap();
    world
        .json(&["media", "format", "payroll", "--destroy", id])
        .ended(0);
    assert_eq!(fs::read(volume.join("letter.txt")).unwrap(), b"not yours");
}

#[test]
fn a_format_that_was_cut_off_is_finished_with_the_same_id() {
    let mut world = World::blank(2, 2);
    world.configure(|media| {
        let hang = json!({ "hang_in": "end_section", "hang_ms": 600_000, "only_index": 0 });
        media.fault(2, 1, hang);
    });
    let mut format = world.start(&["media", "format", "payroll"]);
    assert!(format.says("a fault was planted in end_section"));
    format.kill();
    world.heal_devices();
    let id = world.volume(1, 1).file_name().unwrap().to_owned();
    world
        .json(&["media", "format", "payroll"])
        .ended(5)
        .failed("4030");
    let line = ["media", "format", "payroll", "--if-needed"];
    assert_eq!(
        world.json(&line).ended(0).result()["media_set"],
        id.to_str().unwrap()
    );
    let files = generated(world.path(), 1, 1 << 16, 2);
    world.json(&["media", "recover", "payroll"]).ended(0);
    world.import(&files).ended(0);
    assert_eq!(world.verify(0)["notes"], json!([]));
}

#[test]
fn a_format_that_fails_takes_its_headers_back() {
    let mut world = World::blank(1, 3);
    world.configure(|media| {
        media.fault(3, 1, json!({ "fail_call": "end_section", "errno": 5 }));
    });
    world
        .json(&["media", "format", "payroll"])
        .ended(1)
        .failed("TW2007");
    let left = snapshot(world.path());
    assert!(
        !left.keys().any(|path| path.ends_with("0000.header.mtf")),
        "{:?}",
        left.keys()
    );
    world.heal_devices();
    world.json(&["media", "format", "payroll"]).ended(0);
}

#[test]
fn a_media_set_of_another_name_is_refused_with_4037() {
    let mut world = World::formatted(1, 2);
    world.configure(|media| media.name = "Stock media".into());
    let line = ["media", "format", "payroll", "--if-needed"];
    let fault = world.json(&line).ended(5).failed("4037");
    assert!(
        fault["message"].as_str().unwrap().contains("Payroll media"),
        "{fault}"
    );
}

#[test]
fn foreign_files_in_the_folder_are_refused() {
    let world = World::blank(1, 2);
    fs::create_dir_all(world.device(2, 1)).unwrap();
    fs::write(world.device(2, 1).join("holiday.jpg"), "beach").unwrap();
    let fault = world
        .json(&["media", "format", "payroll"])
        .ended(5)
        .failed("TW3002");
    assert!(
        fault["causes"][0].as_str().unwrap().contains("holiday.jpg"),
        "{fault}"
    );
    assert_eq!(snapshot(&world.device(2, 1)).len(), 1);
    let left = snapshot(&world.device(1, 1));
    assert!(left.is_empty(), "{:?}", left.keys());
}

#[test]
fn overwrite_goes_beside_foreign_files_and_leaves_them_alone() {
    let world = World::blank(1, 2);
    fs::create_dir_all(world.device(2, 1)).unwrap();
    let photo = world.device(2, 1).join("holiday.jpg");
    fs::write(&photo, "beach").unwrap();
    world
        .json(&["media", "format", "payroll", "--overwrite"])
        .ended(0);
    assert_eq!(fs::read(photo).unwrap(), b"beach");
    world.verify(0);
}

#[test]
fn the_root_of_a_fresh_file_system_is_no_foreign_data() {
    let world = World::blank(1, 1);
    fs::create_dir_all(world.device(1, 1).join("lost+found")).unwrap();
    world.json(&["media", "format", "payroll"]).ended(0);
}

#[test]
fn a_used_volume_that_looks_blank_is_missing_and_never_formatted() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    fs::remove_dir_all(world.volume(2, 1)).unwrap();
    let line = ["media", "format", "payroll", "--if-needed"];
    world.json(&line).ended(1).failed("TW2011");
    world.import(&files).ended(1).failed("3240");
    world.json(&["media", "recover", "payroll"]);
    assert!(snapshot(&world.device(2, 1)).is_empty());
    world.exports(1, 3, &files);
}

#[test]
fn a_used_media_set_whose_volumes_are_all_missing_is_never_formatted() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    fs::remove_dir_all(world.volume(1, 1)).unwrap();
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    for line in [
        &["media", "format", "payroll"][..],
        &["media", "format", "payroll", "--if-needed"],
        &["media", "format", "payroll", "--overwrite"],
    ] {
        world.json(line).ended(1).failed("TW2011");
    }
    world.import(&files).ended(1).failed("3240");
    world
        .json(&["media", "show", "payroll"])
        .ended(1)
        .failed("TW2011");
    assert!(snapshot(&world.device(1, 1)).is_empty());
    assert!(!world.device(2, 1).exists());
}

#[test]
fn a_backup_never_formats() {
    let world = World::blank(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(1).failed("3215");
    assert!(!world.device(1, 1).exists());
}

#[test]
fn another_number_of_mirrors_is_refused_with_3010() {
    let mut world = World::formatted(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.configure(|media| media.mirrors = 1);
    world.import(&files).ended(2).failed("3010");
}

#[test]
fn another_number_of_families_is_refused_with_3231() {
    let mut world = World::formatted(2, 1);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.configure(|media| media.families = 1);
    world.import(&files).ended(1).failed("3231");
}

#[test]
fn mirrors_in_another_order_are_refused_with_3133() {
    let mut world = World::formatted(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.configure(|media| {
        media.elsewhere = [((1, 1), "m2/f1".into()), ((2, 1), "m1/f1".into())].into();
    });
    world.import(&files).ended(1).failed("3133");
}
