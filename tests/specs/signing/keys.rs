//! Keys: made, shown, referred to, guarded, and never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{audit, findings, make_key, signed, signing_world};
use crate::support::{World, generated};

#[test]
fn a_key_is_made_for_its_owner_alone_and_never_replaced() {
    let world = World::blank(1, 1);
    let key = make_key(&world, "signing-key");
    let path = world.path().join("signing-key");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&path).unwrap();
    world
        .json(&["key", "make", "--out", "signing-key"])
        .ended(1)
        .failed("TW2012");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_ne!(make_key(&world, "other-key"), key);
}

#[test]
fn the_public_half_is_shown_and_the_private_one_never() {
    let (world, key) = signing_world();
    let shown = world.json(&["key", "show"]).ended(0);
    assert_eq!(shown.result()["public_key"], key.as_str());
    let secret = fs::read_to_string(world.path().join("signing-key")).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    let files = generated(world.path(), 1, 1 << 16, 1);
    let import =
        world.start(&[&["--log-level", "trace"], &World::import_line(&files)[..]].concat());
    for ran in [shown, import.end(), world.json(&["config", "check"])] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret));
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (world, _) = signing_world();
    let path = world.path().join("signing-key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let fault = world.json(&["config", "check"]).ended(2).failed("TW1004");
    assert!(
        fault["object"].as_str().unwrap().contains("agent.toml"),
        "{fault}"
    );
}

#[test]
fn a_lost_key_keeps_nobody_from_reading_and_everybody_from_writing() {
    let (world, _, files) = signed();
    fs::remove_file(world.path().join("signing-key")).unwrap();
    world.exports(1, 0, &files);
    world.verify(0);
    world.json(&["status"]).ended(0);
    let fault = world.import(&files).ended(2).failed("TW1005");
    assert!(
        fault["message"].as_str().unwrap().contains("signing key"),
        "{fault}"
    );
    world.json(&["key", "show"]).ended(2).failed("TW1005");
    assert_eq!(world.sets().len(), 3);
}

#[test]
fn no_key_and_the_wrong_half_are_named() {
    let world = World::blank(1, 1);
    let fault = world.json(&["key", "show"]).ended(2).failed("TW1005");
    assert!(
        fault["remedy"].as_str().unwrap().contains("key make"),
        "{fault}"
    );
    let (world, key, _) = signed();
    let line = ["media", "verify", "payroll", "--public-key", "signing-key"];
    let fault = world.json(&line).ended(2).failed("TW1005");
    assert!(
        fault["causes"].to_string().contains("private key"),
        "{fault}"
    );
    let fault = world
        .json(&["media", "verify", "payroll", "--public-key", &key[1..]])
        .ended(2)
        .failed("TW1005");
    assert!(
        fault["object"].as_str().unwrap().contains(&key[1..]),
        "{fault}"
    );
}

#[test]
fn the_public_key_may_lie_in_a_file() {
    let (world, key, _) = signed();
    let shown = world.json(&["key", "show"]).ended(0).result();
    for (name, text) in [
        ("key.pem", shown["pem"].as_str().unwrap()),
        ("key.hex", &key),
    ] {
        fs::write(world.path().join(name), text).unwrap();
        assert_eq!(findings(&audit(&world, name, &[], 0)), "");
    }
    let other = make_key(&world, "other-key");
    audit(&world, &other, &[], 4);
    assert_eq!(
        findings(&audit(&world, &other, &["--public-key", &key], 0)),
        ""
    );
}
