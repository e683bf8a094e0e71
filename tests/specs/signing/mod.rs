//! Does a public key alone tell whether a media set is what its agent wrote?
#![allow(clippy::unwrap_used, clippy::panic)]

mod attacks;
mod keys;
mod tools;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{World, generated};

/// Makes a key in the world and gives its public half.
fn make_key(world: &World, file: &str) -> String {
    let made = world.json(&["key", "make", "--out", file]).ended(0);
    made.result()["public_key"].as_str().unwrap().to_owned()
}

/// A media set of one family and two mirrors that signs what it writes.
fn signing_world() -> (World, String) {
    let mut world = World::blank(1, 2);
    let key = make_key(&world, "signing-key");
    world.configure(|media| media.extra = "signing_key_file = \"signing-key\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    (world, key)
}

/// A signed media set with three sets.
fn signed() -> (World, String, Vec<PathBuf>) {
    let (world, key) = signing_world();
    let files = generated(world.path(), 1, 1 << 16, 1);
    for _ in 1..=3 {
        world.import(&files).ended(0);
    }
    (world, key, files)
}

/// Somebody else verifies: another agent, without catalog and without a private key.
fn audit(world: &World, key: &str, more: &[&str], code: i32) -> Value {
    world.other_config("auditor.toml", |media| {
        media.agent = "auditor".into();
        media.state_dir = "auditor".into();
        media.extra = String::new();
    });
    let mut line = vec!["media", "verify", "payroll"];
    if !key.is_empty() {
        line.extend(["--public-key", key]);
    }
    line.extend(more);
    world.json_with("auditor.toml", &line).ended(code).result()
}

/// All that a report says is wrong, as one text.
fn findings(report: &Value) -> String {
    let all = ["damage", "history"]
        .iter()
        .flat_map(|field| report[*field].as_array().unwrap());
    all.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
