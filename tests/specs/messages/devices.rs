//! Devices, plugins and configuration that are in the way.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::{import, printed};
use crate::support::{World, built};

#[test]
fn a_full_disk() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 8192, "only_index": 3 }));
    });
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error TW2010 ~/m2/f1: the medium is full: write: planted fault: No space left on device (os error 28)
      cause: 151040 bytes of family 1, Payroll, were taken
      remedy: make room on the volume or widen it, then run the backup again
    ");
}

#[test]
fn a_hanging_device() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| {
        media.deadline = Some("1s");
        media.fault(
            2,
            1,
            json!({ "hang_in": "begin_section", "hang_ms": 600_000 }),
        );
    });
    assert_snapshot!(printed(&world, &import(&world, &files)), @r#"
    exit 1
    TIME ERROR twinset::device::lane::shared: ~/m2/f1: lane: no answer within the deadline: the device did not answer within 1s; its thread is left behind device="~/m2/f1"
    not everything could be taken back: TW2008 ~/m2/f1: the device did not answer within 1s
      remedy: look at the device and its connection; restart the service if it stays lost
    error TW2008 ~/m2/f1: the device did not answer within 1s
      remedy: look at the device and its connection; restart the service if it stays lost
    "#);
}

#[test]
fn a_panicking_plugin() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| {
        media.fault(2, 1, json!({ "panic_in": "end_section", "only_index": 3 }));
    });
    assert_snapshot!(printed(&world, &import(&world, &files)), @r#"
    exit 1
    TIME ERROR twinset::device::services: panic: planted panic in end_section (tests/fault-device/src/faulty.rs:LINE) device="~/m2/f1"
    not everything could be taken back: TW2005 ~/m2/f1: the plugin panicked in leftovers: planted panic in end_section (tests/fault-device/src/faulty.rs:LINE)
      remedy: report this text to the plugin's vendor; the other mirrors are not affected
    error TW2005 ~/m2/f1: the plugin panicked in end_section: planted panic in end_section (tests/fault-device/src/faulty.rs:LINE)
      remedy: report this text to the plugin's vendor; the other mirrors are not affected
    "#);
}

#[test]
fn a_missing_plugin() {
    let (mut world, files) = World::with_set(1, 1, 1 << 16);
    world.configure(|media| media.disk = "/nowhere/libtwinset_disk.so".into());
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error TW2001 /nowhere/libtwinset_disk.so: the plugin file cannot be opened
      cause: No such file or directory (os error 2)
      remedy: install the plugin, or correct `path` in its [plugins] table
    ");
}

#[test]
fn a_plugin_of_another_revision() {
    let (mut world, files) = World::with_set(1, 1, 1 << 16);
    world.configure(|media| media.disk = built("libtwinset_alien_device.so"));
    assert_snapshot!(printed(&world, &import(&world, &files)), @r"
    exit 1
    error TW2003 PLUGINS/libtwinset_alien_device.so: the plugin was built for another layout of the plugin API
      cause: the differences are listed in ~/state/reports/libtwinset_alien_device.so.refused.txt
      remedy: install the build of the plugin that was made for this version of Twinset (`twinset plugin check FILE` tells more)
    ");
}

#[test]
fn an_unknown_key() {
    let world = World::blank(1, 1);
    fs::write(
        world.path().join("agent.toml"),
        "[agent]\nnmae = \"sql-a\"\n",
    )
    .unwrap();
    assert_snapshot!(printed(&world, &world.run(&["config", "check"])), @r#"
    exit 2
    error TW1001 agent.toml:2:1: unknown key "nmae"
      remedy: did you mean "name"?
    "#);
}

#[test]
fn a_wrong_type() {
    let world = World::blank(1, 1);
    let text = "[media_sets.payroll]\nfamilies = \"two\"\n";
    fs::write(world.path().join("agent.toml"), text).unwrap();
    assert_snapshot!(printed(&world, &world.run(&["config", "check"])), @r"
    exit 2
    error TW1001 agent.toml:2:12: wrong type: expected a whole number from 0 to 255
      remedy: see the type of this key in the configuration reference
    ");
}
