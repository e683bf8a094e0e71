//! Every kind of file, damaged in every way.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, OpenOptions};

use serde_json::json;

use super::{is_as_before, repair, volumes};
use crate::damage::scarred::{CHUNK, Place, Scarred, What};
use crate::support::{Dice, World, damage_bit, generated, snapshot};

const ALL: [What; 7] = [
    What::Header,
    What::Data(1),
    What::Data(3),
    What::Manifest(1),
    What::Manifest(3),
    What::Void,
    What::Record,
];

fn heals(damage: impl Fn(&Place, &mut Dice)) {
    let media = Scarred::new();
    let before = volumes(&media.world);
    let mut dice = Dice::new(31);
    for what in ALL {
        for (mirror, family) in [(1, 2), (2, 1)] {
            let place = media.place(mirror, family, what);
            damage(&place, &mut dice);
            media.world.verify(3);
            let report = repair(&media.world, 0);
            let steps = report["steps"].as_array().unwrap();
            assert!(!steps.is_empty(), "{place:?}");
            for step in steps {
                assert_eq!(step["slot"], json!({ "mirror": mirror, "family": family }));
            }
            is_as_before(&media.world, &before, &format!("{place:?}"));
        }
    }
    assert_eq!(repair(&media.world, 0)["steps"], json!([]));
    media.exports(0, 0);
}

#[test]
fn a_flipped_bit_is_healed_in_every_kind_of_file() {
    heals(|place, dice| damage_bit(&place.path, place.bit(dice)));
}

#[test]
fn a_deleted_file_is_copied_again_whatever_it_was() {
    heals(|place, _| fs::remove_file(&place.path).unwrap());
}

#[test]
fn a_cut_file_is_healed_wherever_it_was_cut() {
    heals(|place, dice| {
        let file = OpenOptions::new().write(true).open(&place.path).unwrap();
        file.set_len(dice.below(place.length())).unwrap();
    });
}

#[test]
fn a_file_cut_to_nothing_is_healed() {
    heals(|place, _| {
        let file = OpenOptions::new().write(true).open(&place.path).unwrap();
        file.set_len(0).unwrap();
    });
}

#[test]
fn bytes_behind_the_end_of_a_file_are_cut_off() {
    heals(|place, _| {
        let mut bytes = fs::read(&place.path).unwrap();
        bytes.extend(b"more");
        fs::write(&place.path, bytes).unwrap();
    });
}

#[test]
fn files_that_changed_places_are_put_back() {
    let media = Scarred::new();
    let before = volumes(&media.world);
    let swaps = [
        ((1, 1, What::Header), (2, 1, What::Header)),
        ((1, 1, What::Header), (1, 2, What::Header)),
        ((1, 1, What::Data(1)), (1, 1, What::Data(3))),
        ((1, 1, What::Data(1)), (1, 2, What::Data(1))),
        ((2, 1, What::Manifest(1)), (2, 1, What::Manifest(3))),
        ((1, 1, What::Manifest(1)), (1, 2, What::Manifest(1))),
        ((1, 1, What::Manifest(3)), (1, 1, What::Void)),
        ((1, 2, What::Data(3)), (1, 2, What::Manifest(3))),
    ];
    for (one, two) in swaps {
        let what = format!("{one:?} {two:?}");
        let (one, two) = (
            media.place(one.0, one.1, one.2),
            media.place(two.0, two.1, two.2),
        );
        let bytes = (fs::read(&one.path).unwrap(), fs::read(&two.path).unwrap());
        fs::write(&one.path, &bytes.1).unwrap();
        fs::write(&two.path, &bytes.0).unwrap();
        media.world.verify(3);
        assert_eq!(
            repair(&media.world, 0)["steps"].as_array().unwrap().len(),
            2,
            "{what}"
        );
        is_as_before(&media.world, &before, &what);
    }
}

/// Both mirrors are damaged in different chunks: each gives the other what it lacks.
#[test]
fn mirrors_heal_each_other_chunk_by_chunk() {
    let media = Scarred::new();
    let before = volumes(&media.world);
    for (mirror, byte) in [(1, 17), (2, CHUNK + 5)] {
        for family in 1..=2 {
            damage_bit(&media.place(mirror, family, What::Data(1)).path, byte * 8);
        }
    }
    let report = repair(&media.world, 0);
    assert_eq!(report["lost"], json!([]));
    assert_eq!(report["steps"].as_array().unwrap().len(), 4);
    assert_eq!(report["steps"][0]["chunks"], json!([0]));
    is_as_before(&media.world, &before, "both mirrors");
}

/// What is lost on every mirror is named, left as it is, and holds nothing else up.
#[test]
fn a_chunk_lost_on_every_mirror_is_named_and_holds_up_nothing_else() {
    let media = Scarred::new();
    let (one, two) = (
        media.place(1, 1, What::Data(1)),
        media.place(2, 1, What::Data(1)),
    );
    damage_bit(&one.path, 8);
    damage_bit(&two.path, 80);
    let rotten = fs::read(&one.path).unwrap();
    damage_bit(&one.path, (CHUNK + 9) * 8);
    damage_bit(&media.place(2, 2, What::Manifest(3)).path, 99);
    fs::remove_file(media.place(1, 2, What::Data(3)).path).unwrap();
    let lost = json!([{ "position": 1, "family": 1, "chunk": 0 }]);
    assert_eq!(repair(&media.world, 4)["lost"], lost);
    let report = media.world.verify(4);
    assert_eq!(report["lost"], lost);
    assert_eq!(report["damage"].as_array().unwrap().len(), 2, "{report}");
    assert!(
        fs::read(&one.path).unwrap() == rotten,
        "the lost chunk was touched"
    );
    media.world.exports(3, 0, &media.third);
    let again = repair(&media.world, 4);
    assert_eq!((&again["steps"], &again["lost"]), (&json!([]), &lost));
}

/// A section whose twin has one lost chunk still gives all others.
#[test]
fn a_missing_section_takes_what_a_damaged_twin_still_has() {
    let media = Scarred::new();
    let (one, two) = (
        media.place(1, 1, What::Data(1)),
        media.place(2, 1, What::Data(1)),
    );
    fs::remove_file(&one.path).unwrap();
    damage_bit(&two.path, 8);
    let lost = json!([{ "position": 1, "family": 1, "chunk": 0 }]);
    assert_eq!(repair(&media.world, 4)["lost"], lost);
    assert_eq!(media.world.verify(4)["lost"], lost);
    damage_bit(&two.path, 8);
    assert_eq!(repair(&media.world, 0)["lost"], json!([]));
    media.exports(0, 0);
}

#[test]
fn a_dry_run_prints_the_steps_and_touches_nothing() {
    let media = Scarred::new();
    damage_bit(&media.place(1, 1, What::Data(1)).path, CHUNK * 8);
    fs::remove_file(media.place(2, 2, What::Record).path).unwrap();
    let before = snapshot(media.world.path());
    let ran = media
        .world
        .run(&["media", "repair", "payroll", "--dry-run"])
        .ended(0);
    assert!(
        ran.stdout
            .contains("mirror 1, family 1: heal the data of position 1: chunk 1\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("mirror 2, family 2: copy the record "),
        "{}",
        ran.stdout
    );
    let volumes = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
        let kept = files.iter().filter(|(path, _)| !path.starts_with("state"));
        kept.map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect::<Vec<_>>()
    };
    assert!(volumes(&snapshot(media.world.path())) == volumes(&before));
}

#[test]
fn one_mirror_alone_is_repaired_when_asked_for() {
    let media = Scarred::new();
    damage_bit(&media.place(1, 1, What::Manifest(1)).path, 8);
    damage_bit(&media.place(2, 2, What::Manifest(3)).path, 8);
    let line = ["media", "repair", "payroll", "--mirror", "2"];
    let report = media.world.json(&line).ended(0).result();
    assert_eq!(report["steps"].as_array().unwrap().len(), 1);
    assert_eq!(media.world.verify(3)["damage"].as_array().unwrap().len(), 1);
    let line = ["media", "repair", "payroll", "--mirror", "3"];
    media.world.json(&line).ended(2).failed("TW1007");
}

/// A header that is damaged on every mirror cannot be built again; the rest can.
#[test]
fn a_header_lost_on_every_mirror_is_named_and_the_rest_is_healed() {
    let media = Scarred::new();
    for mirror in 1..=2 {
        damage_bit(&media.place(mirror, 1, What::Header).path, 8);
    }
    damage_bit(&media.place(1, 1, What::Data(3)).path, 8);
    let report = repair(&media.world, 3);
    assert_eq!(report["unhealed"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["steps"].as_array().unwrap().len(), 1, "{report}");
    media.exports(0, 0);
}

/// The plan's devices may stand in another order: then nothing is written.
#[test]
fn volumes_that_changed_places_are_refused_not_rewritten() {
    let (world, _) = World::with_set(2, 2, 1 << 16);
    let before = volumes(&world);
    let (one, two) = (world.volume(1, 1), world.volume(1, 2));
    let aside = world.path().join("aside");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    let report = repair(&world, 3);
    assert_eq!(report["steps"], json!([]));
    assert_eq!(report["unhealed"].as_array().unwrap().len(), 2, "{report}");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    is_as_before(&world, &before, "back in their places");
}

#[test]
fn a_repair_beside_another_writer_is_refused() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    let other = world.other_config("other.toml", |media| {
        media.agent = "sql-b".into();
        media.state_dir = "state-b".into();
    });
    damage_bit(&world.file(1, 1, "0001."), 8);
    let line = ["media", "repair", "payroll"];
    let other = other.to_str().unwrap();
    world.json_with(other, &line).ended(5).failed("TW3006");
    repair(&world, 0);
    world.verify(0);
    let files = generated(world.path(), 9, 1 << 16, 1);
    world.import(&files).ended(0);
}
