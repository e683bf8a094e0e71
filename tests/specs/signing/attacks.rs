//! Each attack on a signed media set is noticed by `media verify` with the public key alone.

use std::fs;
use std::path::Path;

use serde_json::json;
use twinset_format::manifest::Manifest;
use twinset_format::record::Record;
use twinset_format::sign::Signer;

use super::{audit, findings, make_key, signed, signing_world};
use crate::support::{World, generated, sections};

/// Removes every file of both mirrors whose name begins like one of these.
fn remove(world: &World, begins: &[&str]) {
    for mirror in 1..=2 {
        for begin in begins {
            fs::remove_file(world.file(mirror, 1, begin)).unwrap();
        }
    }
}

/// Changes a record of both mirrors, which then lies there with a right check.
fn forge_record(world: &World, begins: &str, change: impl Fn(Record) -> Record) {
    for mirror in 1..=2 {
        let path = world.file(mirror, 1, begins);
        let record = Record::parse(&fs::read(&path).unwrap()).unwrap();
        fs::write(&path, change(record).to_bytes()).unwrap();
    }
}

fn forge_manifest(world: &World, begins: &str, change: impl Fn(Manifest) -> Manifest) {
    for mirror in 1..=2 {
        let path = world.file(mirror, 1, begins);
        let manifest = Manifest::parse(&fs::read(&path).unwrap()).unwrap();
        fs::write(&path, change(manifest).to_bytes()).unwrap();
    }
}

fn tail(world: &World) -> String {
    let shown = world.json(&["media", "show", "payroll"]).ended(0).result();
    let tail = &shown["tail"];
    format!("{}:{}", tail["sequence"], tail["hash"].as_str().unwrap())
}

/// The same record without its signature: its fields in their order, the last two left out.
fn stripped(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let text = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (head, _) = text.split_once(",\"signer\":").unwrap();
    let blank = format!("{{\"check\":\"{}", "0".repeat(64));
    let mut altered = format!("{blank}{}}}\n", &head[blank.len()..]).into_bytes();
    altered.extend_from_slice(&bytes[end + 1..]);
    let check = blake3::hash(&altered).to_hex();
    altered[10..74].copy_from_slice(check.as_bytes());
    altered
}

fn strip(path: &Path) {
    let bytes = stripped(&fs::read(path).unwrap());
    assert!(Record::parse(&bytes).is_ok() || Manifest::parse(&bytes).is_ok());
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_untouched_media_set_is_sound_for_whoever_has_the_public_key() {
    let (world, key, _) = signed();
    let report = audit(&world, &key, &["--expect-tail", &tail(&world)], 0);
    assert_eq!(findings(&report), "");
    assert_eq!(report["notes"], json!([]));
    assert_eq!(world.verify(0)["notes"], json!([]));
    // Without a key, who signed is told and not believed.
    let notes = audit(&world, "", &[], 0)["notes"].to_string();
    assert!(notes.contains(&key), "{notes}");
}

#[test]
fn a_set_removed_whole_from_every_mirror_is_named() {
    let (world, key, _) = signed();
    remove(&world, &["0003.", "0004.", "verdict.000002."]);
    let report = audit(&world, &key, &[], 4);
    let history = report["history"].to_string();
    assert!(
        history.contains("record 2 in writing order is on no mirror"),
        "{history}"
    );
}

#[test]
fn the_first_set_removed_from_every_mirror_is_named() {
    let (world, key, _) = signed();
    remove(&world, &["0001.", "0002.", "verdict.000001."]);
    let history = audit(&world, &key, &[], 4)["history"].to_string();
    assert!(
        history.contains("record 1 in writing order is on no mirror"),
        "{history}"
    );
}

#[test]
fn two_sets_that_changed_places_are_named() {
    let (world, key, _) = signed();
    let swap = |world: &World, one: &str, two: &str| {
        for mirror in 1..=2 {
            let (one, two) = (world.file(mirror, 1, one), world.file(mirror, 1, two));
            let kept = fs::read(&one).unwrap();
            fs::write(&one, fs::read(&two).unwrap()).unwrap();
            fs::write(&two, kept).unwrap();
        }
    };
    swap(&world, "0002.", "0004.");
    swap(&world, "0001.", "0003.");
    swap(&world, "verdict.000001.", "verdict.000002.");
    let report = audit(&world, &key, &[], 4);
    let text = findings(&report);
    for position in [1, 2] {
        assert!(text.contains(&format!("\"position\":{position}")), "{text}");
    }
}

#[test]
fn manifests_rewritten_for_each_others_place_are_named() {
    let (world, key, _) = signed();
    // The forger keeps every check right, but has no key.
    forge_manifest(&world, "0002.", |mut manifest| {
        manifest.facts.data_name.push_str(".bak");
        manifest
    });
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(text.contains("its signature is not good"), "{text}");
    assert!(
        text.contains("not the one that its verdict names"),
        "{text}"
    );
}

#[test]
fn a_record_with_another_date_is_named() {
    let (world, key, _) = signed();
    forge_record(&world, "verdict.000002.", |mut record| {
        record.written = "2020-01-01T00:00:00Z".parse().unwrap();
        record
    });
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(text.contains("its signature is not good"), "{text}");
    assert!(text.contains("does not follow record 2"), "{text}");
}

#[test]
fn a_last_record_with_another_date_is_named() {
    let (world, key, _) = signed();
    forge_record(&world, "verdict.000003.", |mut record| {
        record.written = "2020-01-01T00:00:00Z".parse().unwrap();
        record
    });
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(text.contains("its signature is not good"), "{text}");
}

#[test]
fn an_end_that_was_cut_off_is_named_by_the_tail_that_was_kept() {
    let (world, key, _) = signed();
    let tail = tail(&world);
    remove(&world, &["0005.", "0006.", "verdict.000003."]);
    let report = audit(&world, &key, &["--expect-tail", &tail], 4);
    let history = report["history"].to_string();
    assert!(history.contains("record 3 was expected"), "{history}");
    // The agent that wrote it knows without being told.
    assert!(world.verify(3)["behind"].is_string());
}

#[test]
fn an_end_cut_off_on_one_mirror_is_named_by_the_other() {
    let (world, key, _) = signed();
    for begins in ["0005.", "0006.", "verdict.000003."] {
        fs::remove_file(world.file(2, 1, begins)).unwrap();
    }
    let text = findings(&audit(&world, &key, &[], 3));
    assert!(text.contains("verdict of position 3"), "{text}");
}

#[test]
fn a_replayed_older_record_is_named() {
    let (world, key, _) = signed();
    for mirror in 1..=2 {
        let old = fs::read(world.file(mirror, 1, "verdict.000001.")).unwrap();
        fs::write(world.file(mirror, 1, "verdict.000003."), old).unwrap();
    }
    let text = findings(&audit(&world, &key, &[], 3));
    assert!(text.contains("misplaced"), "{text}");
}

#[test]
fn a_record_replayed_under_a_name_of_its_own_is_named() {
    let (world, key, _) = signed();
    for mirror in 1..=2 {
        let old = world.file(mirror, 1, "verdict.000001.");
        let name = old.file_name().unwrap().to_str().unwrap();
        let later = old.with_file_name(name.replace("verdict.000001.", "verdict.000004."));
        fs::copy(&old, later).unwrap();
    }
    let text = findings(&audit(&world, &key, &[], 3));
    assert!(text.contains("misplaced"), "{text}");
}

#[test]
fn documents_signed_by_another_key_are_named() {
    let (world, key, _) = signed();
    let (stranger, _) = Signer::generate().unwrap();
    forge_record(&world, "verdict.000003.", |record| {
        record.signed(Some(&stranger))
    });
    let text = findings(&audit(&world, &key, &[], 4));
    let other = format!("signed by another key, {}", stranger.public());
    assert!(text.contains(&other), "{text}");
    // A set forged whole, with a key of the forger's, is as little believed.
    forge_manifest(&world, "0006.", |manifest| manifest.signed(Some(&stranger)));
    let text = findings(&audit(&world, &key, &[], 4));
    assert_eq!(text.matches(&other).count(), 5, "{text}");
}

#[test]
fn signatures_taken_off_a_part_are_named() {
    let (world, key, _) = signed();
    for mirror in 1..=2 {
        strip(&world.file(mirror, 1, "verdict.000003."));
        strip(&world.file(mirror, 1, "0006."));
    }
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(text.contains("it bears no signature"), "{text}");
}

#[test]
fn signatures_taken_off_the_beginning_are_named() {
    let (world, key, _) = signed();
    for mirror in 1..=2 {
        strip(&world.file(mirror, 1, "verdict.000001."));
    }
    let text = findings(&audit(&world, &key, &[], 3));
    assert!(text.contains("does not follow record 1"), "{text}");
}

#[test]
fn signatures_taken_off_everything_are_named() {
    let (world, key, _) = signed();
    let tail = tail(&world);
    for mirror in 1..=2 {
        let mut previous: Option<String> = None;
        for name in sections(&world.volume(mirror, 1)) {
            let path = world.volume(mirror, 1).join(&name);
            if name.contains("manifest") {
                strip(&path);
            }
        }
        for sequence in 1..=3 {
            let path = world.file(mirror, 1, &format!("verdict.00000{sequence}."));
            strip(&path);
            let mut record = Record::parse(&fs::read(&path).unwrap()).unwrap();
            record.previous = previous;
            let manifest = world.file(mirror, 1, &format!("{:04}.manifest", 2 * sequence));
            record.manifests = vec![crate::support::hex_of(&manifest)];
            fs::write(&path, record.to_bytes()).unwrap();
            previous = Some(record.hash());
        }
    }
    // The forgery is consistent in itself ...
    assert_eq!(findings(&audit(&world, "", &[], 0)), "");
    // ... and bears no signature.
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(
        text.contains("nothing on the media bears a signature"),
        "{text}"
    );
    let text = findings(&audit(&world, "", &["--expect-tail", &tail], 4));
    assert!(text.contains("as expected"), "{text}");
}

#[test]
fn a_media_set_that_began_without_a_key_is_signed_from_then_on() {
    let mut world = World::formatted(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(0);
    let key = make_key(&world, "signing-key");
    world.configure(|media| media.extra = "signing_key_file = \"signing-key\"".into());
    assert_eq!(findings(&world.verify(0)), "");
    audit(&world, &key, &[], 4);
    world.import(&files).ended(0);
    world.import(&files).ended(0);
    assert_eq!(findings(&audit(&world, &key, &[], 0)), "");
    for mirror in 1..=2 {
        strip(&world.file(mirror, 1, "0006."));
    }
    let text = findings(&audit(&world, &key, &[], 4));
    assert!(text.contains("it bears no signature"), "{text}");
}

#[test]
fn a_void_is_signed_too() {
    let (mut world, key) = signing_world();
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(0);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_call": "end_section", "only_index": 3 }));
    });
    world.import(&files).ended(1);
    world.heal_devices();
    world.import(&files).ended(0);
    assert_eq!(findings(&audit(&world, &key, &[], 0)), "");
    let void = world.file(1, 1, "0004.void.");
    let record = Record::parse(&fs::read(&void).unwrap()).unwrap();
    assert_eq!(record.signer.unwrap().to_string(), key);
}
