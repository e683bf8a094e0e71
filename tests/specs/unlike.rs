//! Devices of one media set must be alike: what is compared, when, and with which number.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::{World, built, generated};

/// A file of another disk-like plugin.
fn plugin(name: &str) -> std::path::PathBuf {
    built(&format!("examples/lib{name}.so"))
}

fn refused(name: &str, number: &str, property: &str) {
    // At format, before anything is written.
    let mut world = World::blank(1, 2);
    world.configure(|media| media.unlike = Some((2, plugin(name))));
    let ran = world.json(&["media", "format", "payroll"]);
    names_both(&world, &ran.failed(number), property);
    for mirror in [1, 2] {
        let volumes = std::fs::read_dir(world.device(mirror, 1));
        assert!(!volumes.is_ok_and(|mut volumes| volumes.next().is_some()));
    }
    // And when a device was replaced between two runs.
    world.configure(|media| media.unlike = None);
    world.json(&["media", "format", "payroll"]).ended(0);
    world.configure(|media| media.unlike = Some((2, plugin(name))));
    let files = generated(world.path(), 1, 1 << 16, 1);
    names_both(&world, &world.import(&files).failed(number), property);
    assert_eq!(world.sets().len(), 0);
}

/// The fault names both devices and the property.
fn names_both(world: &World, fault: &serde_json::Value, property: &str) {
    let text = fault.to_string();
    for mirror in [1, 2] {
        let device = world.device(mirror, 1).display().to_string();
        assert!(text.contains(&device), "{device}: {text}");
    }
    assert!(text.contains(property), "{text}");
}

#[test]
fn disk_with_tape_is_3011() {
    refused("tape_class", "3011", "device class");
}

#[test]
fn other_transfer_sizes_are_3212() {
    refused("other_transfer", "3212", "transfer sizes");
}

#[test]
fn a_device_may_be_replaced_by_one_of_the_same_kind() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| {
        media.fault(2, 1, serde_json::json!({}));
    });
    world.import(&files).ended(0);
    world.exports(2, 0, &files);
    world.verify(0);
}
