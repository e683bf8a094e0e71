//! Making a media set.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;

use super::{import, printed};
use crate::support::{World, generated};

#[test]
fn formatted() {
    let world = World::blank(2, 2);
    assert_snapshot!(printed(&world, &world.run(&["media", "format", "payroll"])), @r"
    exit 0
    media set payroll formatted: ID, 2 families x 2 mirrors
    ");
}

#[test]
fn formatted_again() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    assert_snapshot!(printed(&world, &world.run(&["media", "format", "payroll"])), @r"
    exit 5
    error 4030 media set payroll: media set ID is there, with 1 backup sets
      cause: it is 1 families x 2 mirrors, written by agent ID
      remedy: attach with --if-needed; or remove it with all its sets: --destroy ID
    ");
}

#[test]
fn another_media_name() {
    let mut world = World::formatted(1, 2);
    world.configure(|media| media.name = "Stock media".into());
    assert_snapshot!(printed(&world, &world.run(&["media", "format", "payroll", "--if-needed"])), @r#"
    exit 5
    error 4037 media set payroll: the media are named "Payroll media", not "Stock media"
      remedy: correct the name in the configuration, or use other paths
    "#);
}

#[test]
fn foreign_files() {
    let world = World::blank(1, 1);
    fs::create_dir_all(world.device(1, 1)).unwrap();
    fs::write(world.device(1, 1).join("holiday.jpg"), "beach").unwrap();
    assert_snapshot!(printed(&world, &world.run(&["media", "format", "payroll"])), @r"
    exit 5
    error TW3002 ~/m1/f1 (mirror 1, family 1): the folder holds files that are not Twinset's
      cause: found: holiday.jpg
      remedy: use an empty folder, or --overwrite to go beside them; they are never touched
    ");
}

#[test]
fn all_volumes_missing() {
    let world = World::formatted(1, 1);
    fs::remove_dir_all(world.device(1, 1)).unwrap();
    assert_snapshot!(printed(&world, &world.run(&["media", "format", "payroll"])), @r"
    exit 1
    error TW2011 media set payroll: the media set was formatted before, and none of its volumes answers
      cause: ~/m1/f1: mount: no volume: the folder ~/m1/f1 does not exist; is its share mounted?
      remedy: mount the shares; a used volume that looks blank is never formatted
    ");
}

#[test]
fn never_formatted() {
    let world = World::blank(1, 1);
    assert_snapshot!(printed(&world, &import(&world, &generated(world.path(), 1, 1 << 16, 1))), @r"
    exit 1
    error 3215 media set payroll: no volume of this media set was ever formatted
      remedy: run: twinset media format payroll
    ");
}
