//! Files and arguments that say what cannot be.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use crate::support::World;

/// The configuration with one more text behind it.
fn with(tail: &str) -> World {
    let world = World::blank(1, 1);
    let path = world.path().join("agent.toml");
    let text = fs::read_to_string(&path).unwrap() + tail;
    fs::write(path, text).unwrap();
    world
}

#[test]
fn an_unknown_key_is_named_with_line_and_column() {
    let world = with("[media_sets.stock]\nnmae = \"x\"\ndisk_mirrors = [\"a\"]\n");
    let fault = world.json(&["config", "check"]).ended(2).failed("TW1001");
    let lines = fs::read_to_string(world.path().join("agent.toml")).unwrap();
    let line = lines
        .lines()
        .position(|line| line.starts_with("nmae"))
        .unwrap()
        + 1;
    let object = fault["object"].as_str().unwrap();
    assert!(object.ends_with(&format!("agent.toml:{line}:1")), "{fault}");
    assert!(fault.to_string().contains("name"), "{fault}");
    assert!(!world.path().join("state").exists());
}

#[test]
fn a_wrong_type_is_named_with_line_and_column() {
    let world = with("[media_sets.stock]\nfamilies = \"two\"\n");
    let fault = world.json(&["config", "check"]).ended(2).failed("TW1001");
    assert!(
        fault["object"].as_str().unwrap().contains("agent.toml:"),
        "{fault}"
    );
}

#[test]
fn every_wrong_value_is_named_at_once() {
    let world = with(
        "[media_sets.one]\nfamilies = 65\ndisk_mirrors = [\"a\"]\n\
         [media_sets.two]\nencoding = \"rar\"\ndisk_mirrors = [\"b\"]\n\
         [media_sets.three]\ndisk_mirrors = [\"c\", \"d\", \"e\", \"f\", \"g\"]\n",
    );
    let ran = world.json(&["config", "check"]).ended(2);
    let faults = ran.object()["errors"].as_array().unwrap().clone();
    assert!(faults.len() >= 3, "{faults:?}");
    let objects: Vec<_> = faults
        .iter()
        .map(|fault| fault["object"].to_string())
        .collect();
    assert!(
        objects.iter().all(|object| object.contains("agent.toml:")),
        "{objects:?}"
    );
}

#[test]
fn an_option_that_the_plugin_does_not_know_is_refused() {
    let mut world = World::formatted(1, 1);
    world.configure(|media| {
        media.fault(1, 1, serde_json::json!({ "colour": 3 }));
    });
    let fault = world
        .json(&["media", "show", "payroll"])
        .ended(2)
        .failed("TW2006");
    assert!(
        fault["message"].as_str().unwrap().contains("colour"),
        "{fault}"
    );
}

#[test]
fn a_missing_configuration_is_named() {
    let world = World::blank(1, 1);
    let fault = world
        .json_with("nothing.toml", &["config", "check"])
        .ended(2)
        .failed("TW1003");
    assert!(
        fault["object"].as_str().unwrap().contains("nothing.toml"),
        "{fault}"
    );
}

#[test]
fn an_unknown_media_set_is_refused() {
    let world = World::blank(1, 1);
    let fault = world
        .json(&["media", "show", "payrol"])
        .ended(2)
        .failed("TW1006");
    assert!(fault.to_string().contains("payroll"), "no hint: {fault}");
}

#[test]
fn an_unknown_argument_is_refused() {
    let world = World::blank(1, 1);
    world
        .json(&["media", "shw", "payroll"])
        .ended(2)
        .failed("TW1007");
    world
        .json(&["media", "export", "payroll", "--position", "0", "--to", "x"])
        .ended(2);
}
