//! One bit, anywhere.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::scarred::{CHUNK, Place, Scarred, What};
use crate::support::{Dice, damage_bit};

/// Flips for each seed.
const FLIPS: u64 = 110;

/// The chunk in which a bit of a file lies, for data.
fn chunk(place: &Place, bit: u64) -> Option<u64> {
    matches!(place.what(), What::Data(_)).then_some(bit / 8 / CHUNK)
}

/// Kinds of file are hit alike, though nearly all bytes are data.
fn anywhere(places: &[Place], dice: &mut Dice) -> Place {
    let kinds: [fn(What) -> bool; 5] = [
        |what| what == What::Header,
        |what| matches!(what, What::Data(_)),
        |what| matches!(what, What::Manifest(_)),
        |what| what == What::Void,
        |what| what == What::Record,
    ];
    let kind = dice.pick(&kinds);
    let of_kind: Vec<&Place> = places.iter().filter(|place| kind(place.what())).collect();
    (*dice.pick(&of_kind)).clone()
}

/// An export meets damage where it reads first: in data of mirror 1.
fn code(place: &Place, position: u64) -> i32 {
    if place.mirror == 1 && place.what() == What::Data(position) {
        3
    } else {
        0
    }
}

fn flip_everywhere(seed: u64) {
    let media = Scarred::new();
    let places = media.places();
    let mut dice = Dice::new(seed);
    for _ in 0..FLIPS {
        let place = anywhere(&places, &mut dice);
        let bit = place.bit(&mut dice);
        damage_bit(&place.path, bit);
        let report = media.world.verify(3);
        let damage = report["damage"].as_array().unwrap();
        let named = damage.len() == 1 && place.is_named(&damage[0], chunk(&place, bit));
        assert!(named, "bit {bit} of {place:?} gives {report}");
        assert_eq!(report["lost"], json!([]), "bit {bit} of {place:?}");
        media.exports(code(&place, 1), code(&place, 3));
        damage_bit(&place.path, bit);
    }
    assert_eq!(media.world.verify(0)["damage"], json!([]));
}

#[test]
fn a_flipped_bit_is_found_named_and_healed_first_seed() {
    flip_everywhere(1);
}

#[test]
fn a_flipped_bit_is_found_named_and_healed_second_seed() {
    flip_everywhere(2);
}

#[test]
fn a_flipped_bit_is_found_named_and_healed_third_seed() {
    flip_everywhere(3);
}

/// Chunks that two flips take from both mirrors, as the report lists them.
fn lost(one: (&Place, u64), two: (&Place, u64)) -> Vec<Value> {
    let same = one.0.what() == two.0.what() && one.0.family == two.0.family;
    let (position, chunk) = match (same, one.0.what()) {
        (true, What::Data(position)) if one.1 / 8 / CHUNK == two.1 / 8 / CHUNK => {
            (position, one.1 / 8 / CHUNK)
        }
        (true, What::Manifest(position)) => (position, 0),
        _ => return Vec::new(),
    };
    vec![json!({ "position": position, "family": one.0.family, "chunk": chunk })]
}

#[test]
fn two_flipped_bits_on_both_mirrors_are_healed_unless_they_hit_the_same_chunk() {
    let media = Scarred::new();
    let places = media.places();
    let on = |mirror: u8| -> Vec<Place> {
        places
            .iter()
            .filter(|place| place.mirror == mirror)
            .cloned()
            .collect()
    };
    let (first, second) = (on(1), on(2));
    let mut dice = Dice::new(4);
    for _ in 0..FLIPS {
        let (one, two) = (anywhere(&first, &mut dice), anywhere(&second, &mut dice));
        let bits = (one.bit(&mut dice), two.bit(&mut dice));
        damage_bit(&one.path, bits.0);
        damage_bit(&two.path, bits.1);
        let lost = lost((&one, bits.0), (&two, bits.1));
        let report = media.world.verify(if lost.is_empty() { 3 } else { 4 });
        assert_eq!(report["lost"], json!(lost), "{one:?} {two:?}");
        for (place, bit) in [(&one, bits.0), (&two, bits.1)] {
            let damage = report["damage"].as_array().unwrap();
            let named = damage
                .iter()
                .any(|damage| place.is_named(damage, chunk(place, bit)));
            assert!(named, "bit {bit} of {place:?} gives {report}");
        }
        if lost.is_empty() {
            media.exports(code(&one, 1), code(&one, 3));
        } else {
            let position = lost[0]["position"].as_u64().unwrap();
            media.world.export(position).0.ended(4).failed("TW3004");
        }
        damage_bit(&one.path, bits.0);
        damage_bit(&two.path, bits.1);
    }
    assert_eq!(media.world.verify(0)["damage"], json!([]));
}

#[test]
fn a_chunk_damaged_on_both_mirrors_is_lost_and_named() {
    let media = Scarred::new();
    for (family, number) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
        let mut dice = Dice::new(u64::from(family) * 7 + number);
        let bits: Vec<_> = (1..=2)
            .map(|mirror| {
                let place = media.place(mirror, family, What::Data(1));
                let length = (place.length() - number * CHUNK).min(CHUNK);
                let bit = (number * CHUNK + dice.below(length)) * 8 + dice.below(8);
                damage_bit(&place.path, bit);
                (place, bit)
            })
            .collect();
        let report = media.world.verify(4);
        let expected = json!([{ "position": 1, "family": family, "chunk": number }]);
        assert_eq!(report["lost"], expected);
        assert_eq!(report["damage"].as_array().unwrap().len(), 2);
        let (export, folder) = media.world.export(1);
        let fault = export.ended(4).failed("TW3004");
        let object = format!("position 1, family {family}, chunk {number}");
        assert_eq!(fault["object"], object);
        assert_eq!(fault["causes"].as_array().unwrap().len(), 2, "{fault}");
        let whole = std::fs::read_dir(folder.path()).unwrap().flatten();
        let whole: Vec<_> = whole.map(|entry| entry.file_name()).collect();
        assert!(
            !whole.iter().any(|name| {
                let name = name.to_str().unwrap();
                name.contains(&format!("family{family}of2")) || name.ends_with(".part")
            }),
            "{whole:?}"
        );
        media.world.exports(3, 0, &media.third);
        for (place, bit) in bits {
            damage_bit(&place.path, bit);
        }
    }
}

#[test]
fn different_chunks_damaged_on_both_mirrors_are_healed_from_each_other() {
    let media = Scarred::new();
    for (mirror, byte) in [(1, 17), (2, CHUNK + 5)] {
        for family in 1..=2 {
            damage_bit(&media.place(mirror, family, What::Data(1)).path, byte * 8);
        }
    }
    let report = media.world.verify(3);
    assert_eq!(report["lost"], json!([]));
    assert_eq!(report["damage"].as_array().unwrap().len(), 4);
    let exported = media.world.exports(1, 3, &media.first);
    assert_eq!(exported["map"]["substituted"], 2);
}

#[test]
fn one_position_alone_is_verified_when_asked_for() {
    let media = Scarred::new();
    damage_bit(&media.place(1, 1, What::Data(1)).path, 8);
    let line = ["media", "verify", "payroll", "--position", "3"];
    assert_eq!(media.world.json(&line).ended(0).result()["sets"], 1);
    let line = ["media", "verify", "payroll", "--position", "1"];
    media.world.json(&line).ended(3);
    let line = ["media", "verify", "payroll", "--position", "9"];
    media.world.json(&line).ended(1).failed("4038");
}
