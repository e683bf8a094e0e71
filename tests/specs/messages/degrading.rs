//! Runs that go on without a mirror, and what is said of it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::printed;
use crate::degraded::lenient;
use crate::support::{World, generated};

/// Where one of two mirrors is enough, and the files of a larger backup.
fn prepared() -> (World, Vec<std::path::PathBuf>) {
    let (world, _) = lenient(1, 2);
    let files = generated(world.path(), 2, 3 << 20, 1);
    (world, files)
}

/// What an import prints; how far a mirror came when it failed is a matter of time.
fn import(world: &World, files: &[std::path::PathBuf]) -> String {
    let text = printed(world, &world.run(&World::import_line(files)));
    let Some((before, after)) = text.split_once(" bytes of family") else {
        return text;
    };
    let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
    format!("{before}SOME bytes of family{after}")
}

#[test]
fn a_mirror_that_is_full() {
    let (mut world, files) = prepared();
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 2_000_000 }));
    });
    assert_snapshot!(import(&world, &files));
}

#[test]
fn a_mirror_that_is_not_there() {
    let (world, files) = prepared();
    fs::rename(world.device(2, 1), world.path().join("away")).unwrap();
    assert_snapshot!(import(&world, &files));
    assert_snapshot!(printed(&world, &world.run(&["media", "show", "payroll"])));
}

#[test]
fn a_mirror_that_comes_back() {
    let (world, files) = prepared();
    fs::rename(world.device(2, 1), world.path().join("away")).unwrap();
    world.import(&files).ended(3);
    fs::rename(world.path().join("away"), world.device(2, 1)).unwrap();
    assert_snapshot!(import(&world, &files));
    assert_snapshot!(import(&world, &files));
}
