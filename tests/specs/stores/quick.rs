//! Verify by the checksums that a store keeps, and what a full read would take out of it.

use serde_json::json;

use super::server::{Access, mounted};
use super::{with_each, with_set};
use crate::support::damage_bit;

/// Bits of a chunk.
const CHUNK_BITS: u64 = (4 << 20) * 8;

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_quick_pass_reads_the_disk_and_asks_the_store() {
    with_each(|server| {
        let (mut world, _) = with_set(server, 1, 30 << 20);
        let stored = {
            let mut device = mounted(&world.media.stores[&(2, 1)], Access::Read);
            device.open_section(1).unwrap()
        };
        world.configure(|media| media.set = "egress_price = \"90.0 EUR\"".into());
        let dry = world.json(&["media", "verify", "payroll", "--dry-run"]);
        let dry = dry.ended(0).result();
        assert_eq!(
            (&dry["read"], &dry["egress"]),
            (&json!(stored), &json!(stored))
        );
        let cost = dry["cost"].as_str().unwrap();
        let euros: f64 = cost.strip_suffix(" EUR").unwrap().parse().unwrap();
        assert!((2.5..2.8).contains(&euros), "{cost}");
        let quick = world.json(&["media", "verify", "payroll", "--quick"]);
        let quick = quick.ended(0).result();
        assert_eq!(quick["bytes"], json!(stored), "{}", server.name);
        assert_eq!(quick["by_checksum"], json!(stored), "{}", server.name);
        let full = world.verify(0);
        assert_eq!(full["bytes"], json!(2 * stored));
        assert_eq!(full.get("by_checksum"), None);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn what_somebody_put_in_its_place_is_seen_without_reading() {
    with_each(|server| {
        let (world, _) = with_set(server, 1, 20 << 20);
        let options = &world.media.stores[&(2, 1)];
        // The same length, other bytes, put past Twinset.
        super::client::replace(options, "data/00000001.", |bytes| bytes[7_000_000] ^= 1);
        let quick = world.json(&["media", "verify", "payroll", "--quick"]);
        let quick = quick.ended(3).result();
        let damage = quick["damage"].to_string();
        assert!(damage.contains("was written"), "{}: {damage}", server.name);
        let full = world.verify(3);
        assert_eq!(full["damage"].as_array().unwrap().len(), 1, "{full}");
        world.json(&["media", "repair", "payroll"]).ended(0);
        super::is_sound(&world);
        // What changes on the disk is found by reading, as ever.
        damage_bit(&world.file(1, 1, "0001."), CHUNK_BITS + 12_345);
        let quick = world.json(&["media", "verify", "payroll", "--quick"]);
        quick.ended(3);
    });
}
