//! Does `media repair` bring every mirror back to what its twins hold, whatever happened to it?
#![allow(clippy::unwrap_used, clippy::panic)]

mod beside;
mod kills;
mod kinds;
mod replace;
mod step;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{World, snapshot};

/// Every volume's files, byte by byte.
pub(crate) fn volumes(world: &World) -> BTreeMap<(u8, PathBuf), Vec<u8>> {
    let of = |mirror: u8| {
        let files = snapshot(&world.path().join(format!("m{mirror}")));
        files
            .into_iter()
            .map(move |(path, bytes)| ((mirror, path), bytes))
    };
    (1..=world.media.mirrors).flat_map(of).collect()
}

/// `media repair` must end so; gives its report.
#[track_caller]
pub(crate) fn repair(world: &World, code: i32) -> Value {
    world
        .json(&["media", "repair", "payroll"])
        .ended(code)
        .result()
}

/// All volumes must be as they were, byte by byte, and `media verify` must find nothing.
#[track_caller]
pub(crate) fn is_as_before(world: &World, before: &BTreeMap<(u8, PathBuf), Vec<u8>>, what: &str) {
    let after = volumes(world);
    let lacking = |one: &BTreeMap<(u8, PathBuf), Vec<u8>>, other: &BTreeMap<_, _>| {
        let lacking = one.keys().filter(|name| !other.contains_key(*name));
        lacking.cloned().collect::<Vec<(u8, PathBuf)>>()
    };
    assert_eq!(lacking(before, &after), [], "{what}: files are missing");
    assert_eq!(lacking(&after, before), [], "{what}: files are left over");
    for (path, bytes) in before {
        assert!(after[path] == *bytes, "{what}: {path:?} is not as it was");
    }
    assert_eq!(world.verify(0)["damage"], json!([]), "{what}");
}

/// Corresponding volumes hold the same files, byte by byte, but for the header.
#[track_caller]
pub(crate) fn mirrors_are_equal(world: &World) {
    for family in 1..=world.media.families {
        let of = |mirror: u8| {
            let mut files = snapshot(&world.volume(mirror, family));
            let header = files.remove(&PathBuf::from("0000.header.mtf"));
            assert!(header.is_some(), "mirror {mirror} has no header");
            files
        };
        let first = of(1);
        for mirror in 2..=world.media.mirrors {
            let other = of(mirror);
            let names = |files: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<PathBuf> {
                files.keys().cloned().collect()
            };
            assert_eq!(
                names(&first),
                names(&other),
                "mirror {mirror}, family {family}"
            );
            assert!(first == other, "mirror {mirror}, family {family} differs");
        }
    }
}

/// Records of a volume whose names begin like this.
pub(crate) fn records(world: &World, mirror: u8, family: u16, begins: &str) -> Vec<String> {
    let mut names = crate::support::sections(&world.volume(mirror, family));
    names.retain(|name| name.starts_with(begins));
    names
}
