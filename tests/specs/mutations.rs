//! Can every mutation of the list still be planted? Whether a spec notices each of them is the
//! business of `make test-mutations`, which builds the agent once for each.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ways of breaking the agent or the double that are listed at least.
const LEAST: usize = 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn patches() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join("tests/mutations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_mutation_still_applies() {
    let patches = patches();
    assert!(patches.len() >= LEAST, "only {} mutations", patches.len());
    for patch in patches {
        let ran = Command::new("git")
            .args(["apply", "--check"])
            .arg(&patch)
            .current_dir(root())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(
            ran.status.success(),
            "{} must be made anew: {said}",
            patch.display()
        );
    }
}

#[test]
fn every_mutation_says_what_it_breaks_and_which_specs_notice() {
    let mut numbers = BTreeSet::new();
    for patch in patches() {
        let text = fs::read_to_string(&patch).unwrap();
        let why = text.lines().next().unwrap_or_default();
        assert!(why.ends_with('.') && why.len() > 20, "{}", patch.display());
        let specs = text.lines().find_map(|line| line.strip_prefix("specs: "));
        assert!(
            specs.is_some_and(|specs| !specs.trim().is_empty()),
            "{}",
            patch.display()
        );
        let name = patch.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            numbers.insert(name[..2].to_owned()),
            "number of {name} is taken"
        );
    }
}
