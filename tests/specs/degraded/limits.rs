//! Large matrices: every family on every mirror, and a mirror lost in one family is lost in all.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use super::{lenient, reads, went_on_without};
use crate::support::{World, generated};

#[test]
fn four_families_by_three_mirrors_are_twelve_devices() {
    let (world, files) = World::with_set(4, 3, 9 << 20);
    assert_eq!(world.volumes().len(), 12);
    assert_eq!(world.sets()[0]["volumes"], 12);
    world.verify(0);
    world.exports(1, 0, &files);
}

#[test]
fn a_mirror_lost_in_one_family_is_lost_in_all() {
    let (mut world, _) = lenient(4, 3);
    let files = generated(world.path(), 2, 9 << 20, 4);
    world.configure(|media| {
        media.fault(2, 3, json!({ "fail_write_at": 100_000, "errno": 5 }));
    });
    let result = went_on_without(&world.import(&files), &[2]);
    assert_eq!(result["mirrors"], json!([1, 3]));
    world.heal_devices();
    reads(&world, 2, &files);
}

/// Sixteen families on four mirrors: 64 lanes, within half a gigabyte.
#[test]
fn sixty_four_lanes_keep_within_the_memory_limit() {
    for (families, mirrors) in [(16, 4), (64, 1)] {
        let mut world = World::blank(families, mirrors);
        world.configure(|media| media.extra = "memory_limit = \"512MiB\"".into());
        world.json(&["media", "format", "payroll"]).ended(0);
        let files = generated(world.path(), 5, 32 << 20, families);
        world.import(&files).ended(0);
        world.exports(1, 0, &files);
        world.configure(|media| media.extra = "memory_limit = \"32MiB\"".into());
        let ran = world.import(&files);
        if ran.code != 0 {
            let fault = ran.ended(2).failed("TW1002");
            assert_eq!(fault["object"], "memory_limit");
        }
    }
}
