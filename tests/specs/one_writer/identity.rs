//! A cloned host gets an identity of its own, by a verb.

use std::fs;

use serde_json::Value;

use super::while_one_runs;
use crate::support::{World, snapshot};

fn clone_host(world: &World) {
    let path = world.path().join("state/agent.json");
    let mut identity: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    identity["machine"] = "ab".repeat(32).into();
    fs::write(&path, identity.to_string()).unwrap();
}

#[test]
fn a_cloned_host_gets_an_identity_of_its_own() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let shown = world.json(&["agent", "show"]).ended(0).result();
    assert_eq!(shown["of_this_machine"], true);
    clone_host(&world);
    let fault = world.import(&files).ended(5).failed("TW5003");
    assert!(
        fault["remedy"].as_str().unwrap().contains("agent renew-id"),
        "{fault}"
    );
    let shown = world.json(&["agent", "show"]).ended(5).result();
    assert_eq!(shown["of_this_machine"], false);
    let renewed = world.json(&["agent", "renew-id"]).ended(0).result();
    assert_eq!(renewed["old"], shown["agent"]);
    assert_ne!(renewed["new"], renewed["old"]);
    assert!(
        world
            .path()
            .join("state")
            .join(format!("before.{}", renewed["old"].as_str().unwrap()))
            .join("catalog.sqlite")
            .exists()
    );
    // The original's media set stays readable, and is closed to the clone.
    let before = ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)));
    world.import(&files).ended(5).failed("TW3006");
    world
        .json(&["media", "recover", "payroll"])
        .ended(5)
        .failed("TW3006");
    world.exports(1, 0, &files);
    world.verify(0);
    assert_eq!(
        ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror))),
        before
    );
}

#[test]
fn an_identity_of_this_machine_is_given_up_only_if_that_is_said() {
    let (world, files) = World::with_set(1, 1, 1 << 16);
    let before = world.json(&["agent", "show"]).ended(0).result();
    let fault = world.json(&["agent", "renew-id"]).ended(5).failed("TW5006");
    assert!(
        fault["causes"]
            .to_string()
            .contains(before["agent"].as_str().unwrap())
    );
    assert_eq!(world.json(&["agent", "show"]).ended(0).result(), before);
    world.import(&files).ended(0);
    world.json(&["agent", "renew-id", "--yes"]).ended(0);
    world.import(&files).ended(5).failed("TW3006");
}

#[test]
fn nobody_changes_its_identity_while_it_writes() {
    while_one_runs(|world| {
        let before = world.json(&["agent", "show"]).ended(0).result();
        world
            .json(&["agent", "renew-id", "--yes"])
            .ended(5)
            .failed("TW5002");
        assert_eq!(world.json(&["agent", "show"]).ended(0).result(), before);
    });
}
