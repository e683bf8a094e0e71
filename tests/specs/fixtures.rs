//! Media that an earlier version wrote are read by this one, for ever.
//!
//! Each folder of `tests/fixtures` holds the volumes of one media set as a version wrote them, the
//! public key that signed them, and what that version said of them. They are never written again;
//! `fixtures::write_a_fixture` makes one for a new format (CONTRIBUTING.md).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use twinset_tests::stream::Kind;

use crate::retention::Line;
use crate::support::{World, copy, generated, hex_of};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A world whose media are the fixture's, seen by an agent that never wrote them.
fn world(fixture: &Path) -> World {
    let mut world = World::blank(1, 2);
    let encoding = fs::read_to_string(fixture.join("encoding")).unwrap();
    world.configure(|media| media.set = format!("encoding = {:?}", encoding.trim()));
    for mirror in ["m1", "m2"] {
        copy(&fixture.join(mirror), &world.path().join(mirror));
    }
    world
}

/// What `media show` says, without what depends on the place, and the hash of every export.
fn told(world: &World) -> Value {
    let shown = world.json(&["media", "show", "payroll"]).ended(0).result();
    let volumes: Vec<Value> = shown["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|volume| volume["header"].clone())
        .collect();
    let mut exports = Vec::new();
    for set in shown["sets"].as_array().unwrap() {
        let position = set["position"].as_u64().unwrap();
        if set["state"] != "published" {
            continue;
        }
        let (ran, folder) = world.export(position);
        ran.ended(0);
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap();
        exports.push(json!([position, hex_of(&file.unwrap().path())]));
    }
    json!({ "headers": volumes, "sets": shown["sets"], "exports": exports })
}

#[test]
fn what_every_earlier_version_wrote_is_read_exactly() {
    let mut read = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let fixture = entry.unwrap().path();
        let world = world(&fixture);
        let expected = fs::read_to_string(fixture.join("told.json")).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let found = told(&world);
        for field in ["headers", "sets", "exports"] {
            let same = subset(&expected[field], &found[field]);
            assert!(same, "{}: {field}: {}", fixture.display(), found[field]);
        }
        let key = fs::read_to_string(fixture.join("signing-key.pub")).unwrap();
        let line = ["media", "verify", "payroll", "--public-key", key.trim()];
        let report = world.json(&line).ended(0).result();
        assert_eq!(report["damage"], json!([]), "{}", fixture.display());
        read += 1;
    }
    assert!(read >= 2, "the fixtures are gone");
}

/// Later versions may say more of a thing, never less or otherwise.
fn subset(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| subset(value, found))),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| subset(e, f))
        }
        (expected, found) => expected == found,
    }
}

/// Writes a fixture of the present format into the folder that `TWINSET_FIXTURE` names, with the
/// encoding of `TWINSET_FIXTURE_ENCODING`: every kind of section and record there is.
#[test]
#[ignore = "writes a fixture; run by hand for a new format"]
fn write_a_fixture() {
    let to = PathBuf::from(std::env::var_os("TWINSET_FIXTURE").unwrap());
    let encoding = std::env::var("TWINSET_FIXTURE_ENCODING").unwrap_or_else(|_| "raw".into());
    let mut world = World::blank(1, 2);
    let lenient = format!("min_mirrors = 1\nrepair = \"manual\"\nencoding = {encoding:?}");
    let made = world
        .json(&["key", "make", "--out", "signing-key"])
        .ended(0);
    let key = made.result()["public_key"].as_str().unwrap().to_owned();
    world.configure(|media| {
        media.extra = "signing_key_file = \"signing-key\"".into();
        media.set.clone_from(&lenient);
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    world.group(
        "payroll",
        &["Payroll"],
        "[retention]\ndaily = 1\nmax_drop = \"100%\"",
    );
    let mut line = Line::new("Payroll");
    line.import(&world, Kind::Full).import(&world, Kind::Log);
    let files = generated(world.path(), 9, 1 << 16, 1);
    // A void: nothing of position 3 is ever acknowledged.
    let broken = json!({ "fail_call": "end_section", "errno": 5, "after": 1, "times": 1 });
    world.configure(|media| {
        media
            .fault(1, 1, broken.clone())
            .fault(2, 1, broken.clone());
    });
    world.import(&files).ended(1);
    world.heal_devices();
    // A mirror falls out of step and comes back.
    fs::rename(world.path().join("m2"), world.path().join("away")).unwrap();
    world.import(&files).ended(3);
    fs::rename(world.path().join("away"), world.path().join("m2")).unwrap();
    world.json(&["media", "repair", "payroll"]).ended(0);
    line.import(&world, Kind::Full);
    // Retention takes what it may.
    world
        .json(&["media", "expire", "payroll", "--yes"])
        .ended(0);
    line.import(&world, Kind::Log);
    world.verify(0);
    fs::create_dir_all(&to).unwrap();
    let void = |file: &String| file.contains("void.");
    assert!(
        crate::support::sections(&world.volume(2, 1))
            .iter()
            .any(void)
    );
    for (_, _, volume) in world.volumes() {
        let _ = fs::remove_file(volume.join(".lock"));
    }
    for mirror in ["m1", "m2"] {
        copy(&world.path().join(mirror), &to.join(mirror));
    }
    let text = serde_json::to_string_pretty(&told(&world)).unwrap();
    fs::write(to.join("told.json"), text + "\n").unwrap();
    fs::write(to.join("signing-key.pub"), key + "\n").unwrap();
    fs::write(to.join("encoding"), encoding + "\n").unwrap();
}
