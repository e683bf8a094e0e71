//! The wrong tape in the drive.

use std::fs;

use serde_json::json;

use super::{blank, formatted, image};
use crate::support::generated;

#[test]
fn a_tape_of_others_is_never_formatted() {
    let world = blank(1, 1);
    let tape = image(&world, 1, 1);
    let theirs = [
        &8_u32.to_le_bytes()[..],
        b"VOL1THEM",
        &8_u32.to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    fs::write(&tape, &theirs).unwrap();
    world.json(&["media", "format", "payroll"]).failed("TW3002");
    let ran = world.json(&["media", "format", "payroll", "--overwrite"]);
    let fault = ran.failed("3258");
    let text = fault.to_string();
    assert!(text.contains("VOL1THEM"), "{text}");
    assert!(fs::read(&tape).unwrap() == theirs);
}

#[test]
fn a_tape_of_another_set_is_never_written() {
    let world = formatted(1, 2);
    let other = formatted(1, 2);
    let source = generated(world.path(), 1, 300_000, 1);
    other.import(&source).ended(0);
    world.import(&source).ended(0);
    fs::copy(image(&other, 1, 1), image(&world, 2, 1)).unwrap();
    let theirs = fs::read(image(&world, 2, 1)).unwrap();
    assert_ne!(world.import(&source).code, 0);
    assert_ne!(
        world
            .json(&["media", "repair", "payroll", "--mirror", "2"])
            .code,
        0
    );
    assert!(fs::read(image(&world, 2, 1)).unwrap() == theirs);
}

#[test]
fn tapes_in_the_wrong_drives_are_told_apart() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 300_000, 1);
    world.import(&source).ended(0);
    let (a, b) = (image(&world, 1, 1), image(&world, 2, 1));
    let aside = world.path().join("aside");
    fs::rename(&a, &aside).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(&aside, &b).unwrap();
    let fault = world.import(&source).failed("3133");
    assert!(
        fault["message"].as_str().unwrap().contains("mirror"),
        "{fault}"
    );
}

#[test]
fn a_protected_tape_is_read_and_refused_for_writing() {
    let world = formatted(1, 1);
    let source = generated(world.path(), 1, 300_000, 1);
    world.import(&source).ended(0);
    let sidecar = world.path().join("t/m1f1.tap.meta");
    fs::write(sidecar, json!({ "write_protected": true }).to_string()).unwrap();
    world.exports(1, 0, &source);
    let ran = world.import(&source);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("write protection"), "{}", ran.stdout);
}
