//! Damage and death in encoded sets.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::{WAYS, manifest, world};
use crate::support::{Dice, damage_bit, generated, work_files};

#[test]
fn chunks_of_encoded_sections_are_taken_from_their_twins() {
    let mut dice = Dice::new(41);
    for (encoding, passphrase) in WAYS {
        let world = world(encoding, passphrase, 2, 2);
        let files = generated(world.path(), 5, 40 << 20, 2);
        world.import(&files).ended(0);
        // Every chunk of the first family is damaged on one of the two mirrors, first and last too.
        let length = fs::metadata(world.file(1, 1, "0001.")).unwrap().len();
        for chunk in 0..length.div_ceil(4 << 20) {
            let mirror = 1 + (chunk % 2) as u8;
            let at = (chunk << 22) + dice.below((length - (chunk << 22)).min(4 << 20));
            damage_bit(&world.file(mirror, 1, "0001."), at * 8 + dice.below(8));
        }
        let result = world.exports(1, 3, &files);
        let found = result["map"]["damage"].as_array().unwrap().len() as u64;
        // The first mirror is asked first: every other chunk was damaged there.
        assert_eq!(
            found,
            length.div_ceil(4 << 20).div_ceil(2),
            "{encoding}: {result}"
        );
        let line = ["media", "verify", "payroll", "--decode"];
        let report = world.json(&line).ended(3).result();
        assert_eq!(report["lost"], json!([]));
        assert_eq!(report["decoded"], u64::from(encoding != "raw"));
    }
}

#[test]
fn a_chunk_lost_everywhere_is_named_and_nothing_wrong_comes_out() {
    for (encoding, passphrase) in WAYS {
        let world = world(encoding, passphrase, 1, 2);
        let files = generated(world.path(), 5, 20 << 20, 1);
        world.import(&files).ended(0);
        for mirror in 1..=2 {
            damage_bit(
                &world.file(mirror, 1, "0001."),
                (4 << 20) * 8 + 77 * u64::from(mirror),
            );
        }
        let (ran, folder) = world.export(1);
        let fault = ran.ended(4).failed("TW3004");
        assert_eq!(fault["object"], "position 1, family 1, chunk 1", "{fault}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let line = ["media", "verify", "payroll", "--decode"];
        world.json(&line).ended(4);
    }
}

#[test]
fn a_kill_in_the_middle_of_an_encoded_import_leaves_nothing_behind() {
    for (encoding, passphrase) in [("zstd", false), ("zstd+age", false)] {
        let mut world = world(encoding, passphrase, 1, 2);
        let files = generated(world.path(), 5, 24 << 20, 1);
        world.configure(|media| {
            media.fault(1, 1, json!({ "slow_write_us": 60_000 }));
        });
        let line = crate::support::World::import_line(&files);
        let mut running = world.start(&line);
        assert!(
            running.runs_for(Duration::from_millis(400)),
            "it ended before the kill"
        );
        running.kill();
        world.heal_devices();
        world.json(&["media", "recover", "payroll"]).ended(0);
        assert!(work_files(world.path()).is_empty());
        assert!(world.sets().iter().all(|set| set["state"] == "void"));
        world.import(&files).ended(0);
        let last = world.sets().last().unwrap()["position"].as_u64().unwrap();
        world.exports(last, 0, &files);
    }
}

#[test]
fn a_bomb_gives_no_byte_more_than_the_manifest_says() {
    // A manifest of a smaller set over a frame of a larger one, every hash of what is stored right:
    // only somebody who may write the media can make it, and still nothing too long comes out.
    let world = world("zstd", false, 1, 1);
    let files = generated(world.path(), 5, 1 << 20, 1);
    world.import(&files).ended(0);
    let path = world.file(1, 1, "0002.");
    let length = manifest(&path)["plain_length"].as_u64().unwrap();
    let bytes = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = text.lines().next().unwrap().to_owned();
    let tail = bytes[line.len()..].to_vec();
    let shorter = line.replace(
        &format!("\"plain_length\":{length}"),
        &format!("\"plain_length\":{}", length - 1),
    );
    assert_ne!(shorter, line);
    let blank = "0".repeat(64);
    let check = &line[10..74];
    let shorter = shorter.replace(check, &blank);
    let whole = [shorter.as_bytes(), &tail].concat();
    let check = blake3::hash(&whole).to_hex().to_string();
    let whole = [shorter.replacen(&blank, &check, 1).as_bytes(), &tail].concat();
    fs::write(&path, whole).unwrap();
    let (ran, folder) = world.export(1);
    let fault = ran.ended(4).failed("TW3021");
    assert!(
        fault["causes"][0].as_str().unwrap().contains("more than"),
        "{fault}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
