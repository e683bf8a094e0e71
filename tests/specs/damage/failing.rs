//! A volume that fails while it is read: in the middle of a chunk, for a while or for good. Its twin goes
//! on, and nobody sees a wrong byte.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use crate::front::{Host, Setup, database};
use crate::support::World;

/// More often than any test reads.
const ALWAYS: u64 = 1 << 40;
/// Data of position 1.
const DATA: u64 = 1;

#[test]
fn an_export_goes_on_with_the_twin_wherever_the_volume_fails() {
    let (mut world, files) = World::with_set(1, 2, 18 << 20);
    for after in [0, 1, 7, 40] {
        for times in [1, 3, ALWAYS] {
            let fault = json!({
                "fail_call": "read", "errno": 5, "only_index": DATA, "after": after, "times": times
            });
            world.configure(|media| {
                media.fault(1, 1, fault.clone());
            });
            let (ran, folder) = world.export(1);
            // A device that fails for good, or at its first word, has failed.
            let known = times == ALWAYS && after == 0;
            let codes: &[i32] = if known { &[3] } else { &[0, 3] };
            assert!(codes.contains(&ran.code), "{fault}: {}", ran.stdout);
            drop(folder);
            world.exports(1, ran.code, &files);
        }
    }
}

#[test]
fn two_volumes_that_fail_at_different_places_are_read_as_one() {
    let (mut world, files) = World::with_set(1, 2, 18 << 20);
    world.configure(|media| {
        media.fault(1, 1, json!({ "flip_read_at": 100, "only_index": DATA }));
        let later = json!({ "flip_read_at": 9 << 20, "only_index": DATA });
        media.fault(2, 1, later);
    });
    world.exports(1, 3, &files);
    // The same chunk on both: nothing is given in its place.
    world.configure(|media| {
        for mirror in [1, 2] {
            let fault = json!({ "flip_read_at": 9 << 20, "only_index": DATA });
            media.fault(mirror, 1, fault);
        }
    });
    let (ran, _folder) = world.export(1);
    assert_eq!(ran.code, 4, "{}", ran.stdout);
}

#[test]
fn sql_server_gets_every_byte_of_a_restore_while_a_volume_fails() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 18 << 20),
        ..Setup::default()
    });
    host.backup().ended(0);
    for (after, name) in [(0, "First"), (6, "Middle"), (25, "Late")] {
        host.world.configure(|media| {
            let fault = json!({
                "fail_call": "read", "errno": 5, "only_index": DATA, "after": after
            });
            media.fault(1, 1, fault);
        });
        let ran = host.restore_of("Payroll", name, &["--position", "1"]);
        assert!([0, 3].contains(&ran.code), "{}", ran.stdout);
        // SQL Server compares what it gets with what it sent.
        assert_eq!(host.told(name)["state"], "ONLINE");
    }
}
