//! Ranges, lengths, names: what happens to whole files.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};

use super::scarred::{CHUNK, Place, Scarred, What};
use crate::support::{Dice, World, generated};

const ALL: [What; 7] = [
    What::Header,
    What::Data(1),
    What::Data(3),
    What::Manifest(1),
    What::Manifest(3),
    What::Void,
    What::Record,
];

/// Changes a file, looks what `verify` says and that everything is still exported, and takes the
/// change back.
fn with_change(media: &Scarred, place: &Place, change: impl FnOnce(&Place)) -> Vec<Value> {
    let before = fs::read(&place.path).unwrap();
    change(place);
    let report = media.world.verify(3);
    assert_eq!(report["lost"], json!([]), "{place:?}");
    let (first, _folder) = media.world.export(1);
    assert!([0, 3].contains(&first.code), "{place:?}: {}", first.stdout);
    media.world.exports(1, first.code, &media.first);
    let (third, _folder) = media.world.export(3);
    media.world.exports(3, third.code, &media.third);
    fs::write(&place.path, before).unwrap();
    assert_eq!(media.world.verify(0)["damage"], json!([]));
    report["damage"].as_array().unwrap().clone()
}

#[track_caller]
fn assert_named(place: &Place, damage: &[Value]) {
    let named = damage.iter().any(|damage| place.is_named(damage, None));
    assert!(named, "{place:?} is not named: {damage:?}");
}

#[test]
fn zeroed_ranges_are_found_in_every_kind_of_file() {
    let media = Scarred::new();
    let mut dice = Dice::new(21);
    for what in ALL {
        for mirror in 1..=2 {
            let place = media.place(mirror, 2, what);
            let from = dice.below(place.length() / 2);
            let length = 1 + dice.below(place.length() - from - 1).min(60_000);
            let old = fs::read(&place.path).unwrap();
            let range = usize::try_from(from).unwrap()..usize::try_from(from + length).unwrap();
            if old[range].iter().all(|byte| *byte == 0) {
                continue;
            }
            let damage = with_change(&media, &place, |place| {
                let file = OpenOptions::new().write(true).open(&place.path).unwrap();
                file.write_all_at(&vec![0; usize::try_from(length).unwrap()], from)
                    .unwrap();
            });
            assert_named(&place, &damage);
        }
    }
}

#[test]
fn a_zeroed_range_over_the_border_of_chunks_damages_both() {
    let media = Scarred::new();
    let place = media.place(2, 1, What::Data(1));
    let damage = with_change(&media, &place, |place| {
        let file = OpenOptions::new().write(true).open(&place.path).unwrap();
        file.write_all_at(&[0; 8192], CHUNK - 4096).unwrap();
    });
    let chunks: Vec<_> = damage
        .iter()
        .map(|damage| damage["chunk"].clone())
        .collect();
    assert_eq!(chunks, [json!(0), json!(1)]);
    assert_eq!(
        (&damage[0]["from"], &damage[0]["to"]),
        (&json!(0), &json!(CHUNK))
    );
}

#[test]
fn cut_files_are_found_wherever_they_were_cut() {
    let media = Scarred::new();
    let mut dice = Dice::new(22);
    for what in ALL {
        let place = media.place(1, 2, what);
        for length in [0, 1, dice.below(place.length()), place.length() - 1] {
            let damage = with_change(&media, &place, |place| {
                let file = OpenOptions::new().write(true).open(&place.path).unwrap();
                file.set_len(length).unwrap();
            });
            assert_named(&place, &damage);
            if matches!(what, What::Data(_)) {
                assert!(
                    damage.iter().all(|damage| damage["kind"] == "truncated"),
                    "{damage:?}"
                );
            }
        }
    }
}

#[test]
fn extended_files_are_found() {
    let media = Scarred::new();
    for what in ALL {
        for mirror in 1..=2 {
            let place = media.place(mirror, 1, what);
            let damage = with_change(&media, &place, |place| {
                let mut file = OpenOptions::new().append(true).open(&place.path).unwrap();
                file.write_all(b"more").unwrap();
            });
            assert_named(&place, &damage);
            if matches!(what, What::Data(_)) {
                assert_eq!(damage.len(), 1, "{damage:?}");
                assert_eq!(damage[0]["kind"], "too-long");
            }
        }
    }
}

#[test]
fn deleted_files_are_found() {
    let media = Scarred::new();
    for what in ALL {
        for (mirror, family) in [(1, 1), (2, 2)] {
            let place = media.place(mirror, family, what);
            let damage = with_change(&media, &place, |place| {
                fs::remove_file(&place.path).unwrap()
            });
            assert_eq!(damage.len(), 1, "{place:?}: {damage:?}");
            assert_eq!(
                damage[0]["volume"],
                media.world.device(mirror, family).to_str().unwrap()
            );
            if what != What::Header {
                assert_eq!(damage[0]["kind"], "missing", "{place:?}: {damage:?}");
            }
        }
    }
}

#[test]
fn a_missing_volume_is_named_and_read_around() {
    let media = Scarred::new();
    for (mirror, family, volume) in media.world.volumes() {
        let aside = media.world.path().join("aside");
        fs::rename(&volume, &aside).unwrap();
        let report = media.world.verify(3);
        assert_eq!(report["volumes"], 3);
        let damage = &report["damage"];
        assert_eq!(damage.as_array().unwrap().len(), 1, "{damage}");
        assert_eq!(damage[0]["section"], "volume");
        assert_eq!(damage[0]["kind"], "missing");
        assert_eq!(
            damage[0]["slot"],
            json!({ "mirror": mirror, "family": family })
        );
        media.exports(3, 3);
        fs::rename(&aside, &volume).unwrap();
    }
    media.world.verify(0);
}

#[test]
fn a_whole_missing_mirror_is_read_around() {
    let media = Scarred::new();
    for mirror in 1..=2 {
        let (folder, aside) = (
            media.world.path().join(format!("m{mirror}")),
            media.world.path().join("aside"),
        );
        fs::rename(&folder, &aside).unwrap();
        assert_eq!(media.world.verify(3)["damage"].as_array().unwrap().len(), 2);
        media.exports(3, 3);
        fs::rename(&aside, &folder).unwrap();
    }
}

#[test]
fn swapped_files_are_found() {
    let media = Scarred::new();
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
        let (one, two) = (
            media.place(one.0, one.1, one.2),
            media.place(two.0, two.1, two.2),
        );
        let bytes = (fs::read(&one.path).unwrap(), fs::read(&two.path).unwrap());
        let damage = with_change(&media, &one, |one| fs::write(&one.path, &bytes.1).unwrap());
        assert_named(&one, &damage);
        fs::write(&one.path, &bytes.1).unwrap();
        fs::write(&two.path, &bytes.0).unwrap();
        let report = media.world.verify(3);
        let damage = report["damage"].as_array().unwrap();
        assert_named(&one, damage);
        assert_named(&two, damage);
        fs::write(&one.path, &bytes.0).unwrap();
        fs::write(&two.path, &bytes.1).unwrap();
    }
    media.exports(0, 0);
}

/// Puts each kind of file of another media set, written alike, into the place of ours.
#[test]
fn files_of_another_media_set_are_found() {
    let (ours, files) = World::with_set(1, 2, 5 << 20);
    let other = World::formatted(1, 2);
    other
        .import(&generated(other.path(), 8, 5 << 20, 1))
        .ended(0);
    for begins in ["0000.", "0001.", "0002.", "verdict."] {
        for mirror in 1..=2 {
            let path = ours.file(mirror, 1, begins);
            let before = fs::read(&path).unwrap();
            fs::copy(other.file(mirror, 1, begins), &path).unwrap();
            let report = ours.verify(3);
            let device = ours.device(mirror, 1);
            let found = report["damage"].as_array().unwrap();
            let named = found
                .iter()
                .any(|damage| damage["volume"] == device.to_str().unwrap());
            assert!(named, "{begins} on mirror {mirror}: {report}");
            assert_eq!(report["lost"], json!([]), "{begins}");
            let code = ours.export(1).0.code;
            ours.exports(1, code, &files);
            fs::write(&path, before).unwrap();
        }
    }
    ours.verify(0);
}

#[test]
fn a_manifest_damaged_on_every_mirror_makes_the_family_unreadable() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let paths = [world.file(1, 1, "0002."), world.file(2, 1, "0002.")];
    let before = fs::read(&paths[0]).unwrap();
    for path in &paths {
        fs::write(path, &before[..before.len() - 1]).unwrap();
    }
    let report = world.verify(4);
    assert_eq!(report["lost"][0]["position"], 1);
    world.export(1).0.ended(4).failed("TW3004");
    fs::write(&paths[1], before).unwrap();
    world.verify(3);
    world.exports(1, 0, &files);
}

#[test]
fn a_verdict_damaged_on_every_mirror_keeps_the_set_restorable() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    for mirror in 1..=2 {
        fs::write(world.file(mirror, 1, "verdict."), "{}").unwrap();
    }
    let report = world.verify(3);
    assert_eq!(report["damage"].as_array().unwrap().len(), 2);
    world.exports(1, 0, &files);
}

#[test]
fn foreign_files_are_reported_and_left_alone() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let letter = world.volume(1, 1).join("letter.txt");
    fs::write(&letter, "dear").unwrap();
    let report = world.verify(0);
    assert_eq!(report["notes"].as_array().unwrap().len(), 1);
    assert!(
        report["notes"][0]
            .as_str()
            .unwrap()
            .contains("foreign file letter.txt")
    );
    world.import(&files).ended(0);
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(fs::read(letter).unwrap(), b"dear");
}

#[test]
fn a_section_that_lies_twice_in_the_folder_is_not_guessed() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    fs::write(world.volume(1, 1).join("0001.copy.bak"), "x").unwrap();
    let report = world.verify(3);
    let text = report["damage"][0]["detail"].as_str().unwrap();
    assert!(text.contains("lies twice"), "{report}");
    world.exports(1, 3, &files);
    let fault = world.import(&files).ended(1).failed("3241");
    assert!(
        fault["causes"][0].as_str().unwrap().contains("lies twice"),
        "{fault}"
    );
}
