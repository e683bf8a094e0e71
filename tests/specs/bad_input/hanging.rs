//! Devices that never answer, and plugins that panic.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use serde_json::{Value, json};

use super::goes_on;
use crate::support::{Ran, World, generated};

/// A deadline of one second and a few for what follows it.
const BOUND: Duration = Duration::from_secs(40);

/// An import over a device of mirror 2 with this fault, which must fail in bounded time.
fn import_over(fault: &Value) -> (World, Ran) {
    let (mut world, before) = World::with_set(1, 2, 1 << 16);
    let files = generated(world.path(), 2, 3 << 20, 1);
    world.configure(|media| {
        media.deadline = Some("1s");
        media.fault(2, 1, fault.clone());
    });
    let ran = world.import(&files);
    assert!(ran.took < BOUND, "{fault} took {:?}", ran.took);
    assert_eq!(ran.code, 1, "{fault}: {}", ran.stdout);
    let exported = world.export(1).0;
    assert!([0, 3].contains(&exported.code), "{}", exported.stdout);
    goes_on(&mut world, &before);
    (world, ran)
}

macro_rules! calls {
    ($($name:ident: $call:literal;)*) => {$(
        #[test]
        fn $name() {
            for heed in [false, true] {
                let fault = json!({ "hang_in": $call, "hang_ms": 600_000, "heed_cancel": heed });
                let (_, ran) = import_over(&fault);
                ran.failed("TW2008");
            }
        }
    )*};
}

calls! {
    a_device_that_hangs_in_begin_fails_the_import_in_time: "begin_section";
    a_device_that_hangs_in_write_fails_the_import_in_time: "write";
    a_device_that_hangs_in_end_fails_the_import_in_time: "end_section";
    a_device_that_hangs_in_a_record_fails_the_import_in_time: "put_record";
}

#[test]
fn a_device_that_hangs_before_the_first_write_fails_the_import_in_time() {
    for call in ["open", "mount", "sections", "list_records", "leftovers"] {
        import_over(&json!({ "hang_in": call, "hang_ms": 600_000 }));
    }
}

#[test]
fn a_device_that_hangs_is_read_around() {
    for call in ["mount", "open_section", "read"] {
        let (mut world, files) = World::with_set(1, 2, 1 << 16);
        world.configure(|media| {
            media.deadline = Some("1s");
            media.fault(1, 1, json!({ "hang_in": call, "hang_ms": 600_000 }));
        });
        let (ran, _folder) = world.export(1);
        assert!(ran.took < BOUND, "{call} took {:?}", ran.took);
        world.exports(1, 3, &files);
        let ran = world.json(&["media", "verify", "payroll"]);
        assert!(ran.took < BOUND, "{call} took {:?}", ran.took);
        assert_eq!(ran.code, 3, "{call}: {}", ran.stdout);
    }
}

#[test]
fn a_slow_device_is_no_hanging_device() {
    let (mut world, files) = World::with_set(1, 2, 3 << 20);
    world.configure(|media| {
        media.deadline = Some("1s");
        media.fault(2, 1, json!({ "slow_write_us": 400_000 }));
    });
    world.import(&files).ended(0);
    world.verify(0);
}

#[test]
fn a_plugin_that_panics_fails_the_import_and_not_the_agent() {
    for call in ["begin_section", "write", "end_section", "put_record"] {
        let (_, ran) = import_over(&json!({ "panic_in": call }));
        let fault = ran.failed("TW2005");
        assert!(fault["message"].as_str().unwrap().contains(call), "{fault}");
    }
}

#[test]
fn a_plugin_that_panics_early_is_named() {
    for call in ["open", "mount", "sections", "list_records", "leftovers"] {
        let (_, ran) = import_over(&json!({ "panic_in": call }));
        let text = ran.object()["error"].to_string();
        assert!(text.contains("panic"), "{call}: {text}");
    }
}

#[test]
fn a_plugin_that_panics_is_read_around() {
    for call in ["open", "mount", "open_section", "read"] {
        let (mut world, files) = World::with_set(1, 2, 1 << 16);
        world.configure(|media| {
            media.fault(1, 1, json!({ "panic_in": call }));
        });
        world.exports(1, 3, &files);
        world.verify(3);
    }
}
