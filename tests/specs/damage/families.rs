//! Families may come from different mirrors, chunk by chunk; one that is on no mirror is named.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use serde_json::{Value, json};

use super::scarred::{CHUNK, Scarred, What};
use crate::support::{World, damage_bit};

#[test]
fn families_are_read_from_different_mirrors() {
    let media = Scarred::new();
    fs::remove_dir_all(media.world.volume(1, 2)).unwrap();
    fs::remove_dir_all(media.world.volume(2, 1)).unwrap();
    assert_eq!(media.world.verify(3)["lost"], json!([]));
    media.exports(3, 3);
}

#[test]
fn each_chunk_comes_from_whichever_mirror_has_it() {
    let (world, files) = World::with_set(2, 3, 26 << 20);
    // Chunk n of family f is sound on mirror (n + f) % 3 + 1 alone.
    for (mirror, family, _) in world.volumes() {
        let path = world.file(mirror, family, "0001.");
        let chunks = fs::metadata(&path).unwrap().len().div_ceil(CHUNK);
        for chunk in 0..chunks {
            if (chunk + u64::from(family)) % 3 + 1 != u64::from(mirror) {
                damage_bit(&path, (chunk * CHUNK + 7) * 8);
            }
        }
    }
    assert_eq!(world.verify(3)["lost"], json!([]));
    let read = world.exports(1, 3, &files)["map"]["read_from"].clone();
    let from = |entry: &Value| entry[1].as_u64().unwrap();
    assert!(
        read.as_array().unwrap().iter().all(|entry| from(entry) > 0),
        "{read}"
    );
    crate::repair::repair(&world, 0);
    world.exports(1, 0, &files);
    crate::repair::mirrors_are_equal(&world);
}

#[test]
fn a_family_on_no_mirror_is_listed_exactly() {
    let media = Scarred::new();
    for mirror in 1..=2 {
        fs::remove_file(media.place(mirror, 2, What::Data(1)).path).unwrap();
    }
    let lost = json!([
        { "position": 1, "family": 2, "chunk": 0 },
        { "position": 1, "family": 2, "chunk": 1 },
    ]);
    assert_eq!(media.world.verify(4)["lost"], lost);
    let fault = media.world.export(1).0.ended(4).failed("TW3004");
    assert!(
        fault["object"]
            .as_str()
            .unwrap()
            .contains("position 1, family 2"),
        "{fault}"
    );
    assert_eq!(crate::repair::repair(&media.world, 4)["lost"], lost);
    media.world.exports(3, 0, &media.third);
}
