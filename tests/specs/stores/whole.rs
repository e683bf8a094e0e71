//! Two mirrors, one on disk and one in a store: the whole way, and the loss of either side.

use std::fs;

use serde_json::json;

use super::server::{Access, damage, open};
use super::{is_sound, mixed, with_each, with_set};
use crate::front::{Host, Setup};
use crate::support::{World, built, damage_bit, generated};

/// Bits of a chunk.
const CHUNK_BITS: u64 = (4 << 20) * 8;

fn repair(world: &World, more: &[&str]) {
    let line = [&["media", "repair", "payroll"], more].concat();
    world.json(&line).ended(0);
    is_sound(world);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn what_was_written_comes_back_from_either_side_and_repair_fills_the_other() {
    with_each(|server| {
        let (mut world, files) = with_set(server, 2, 30 << 20);
        is_sound(&world);
        world.exports(1, 0, &files);
        // The disk is gone.
        fs::remove_dir_all(world.path().join("m1")).unwrap();
        world.exports(1, 3, &files);
        repair(&world, &["--mirror", "1"]);
        world.exports(1, 0, &files);
        // The bucket is gone, and another one takes its place.
        world.configure(|media| {
            for family in 1..=2 {
                media.stores.insert((2, family), server.place());
            }
        });
        world.exports(1, 3, &files);
        repair(&world, &["--mirror", "2"]);
        let more = generated(world.path(), 2, 1 << 20, 2);
        assert_eq!(world.import(&more).ended(0).result()["position"], 2);
        for (position, files) in [(1, &files), (2, &more)] {
            world.exports(position, 0, files);
        }
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn damaged_chunks_are_named_taken_from_the_twin_and_repaired() {
    with_each(|server| {
        let (world, files) = with_set(server, 1, 30 << 20);
        damage_bit(&world.file(1, 1, "0001."), CHUNK_BITS + 12_345);
        damage(&world.media.stores[&(2, 1)], 1, 3 * CHUNK_BITS + 54_321);
        let found = world.verify(3)["damage"].as_array().unwrap().clone();
        assert_eq!(found.len(), 2, "{found:?}");
        world.exports(1, 3, &files);
        repair(&world, &[]);
        world.exports(1, 0, &files);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_mirror_in_a_store_that_is_away_is_done_without_and_brought_in_step() {
    with_each(|server| {
        let (mut world, files) = with_set(server, 1, 1 << 20);
        let there = world.media.stores[&(2, 1)].clone();
        let mut away = there.clone();
        let path = there["path"].as_str().unwrap().to_owned();
        away["path"] = json!(format!("{path}-nowhere"));
        world.configure(|media| {
            media.set = "min_mirrors = 1\nrepair = \"manual\"".into();
            media.stores.insert((2, 1), away);
        });
        let more = generated(world.path(), 2, 5 << 20, 1);
        world.import(&more).ended(3);
        world.configure(|media| {
            media.stores.insert((2, 1), there);
        });
        repair(&world, &[]);
        for (position, files) in [(1, &files), (2, &more)] {
            world.exports(position, 0, files);
        }
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_backup_of_sql_server_goes_the_whole_way() {
    with_each(|server| {
        let mut host = Host::blank(&Setup::default());
        host.world.configure(|media| {
            media.stores.insert((2, 1), server.place());
        });
        host.world.json(&["media", "format", "payroll"]).ended(0);
        for position in 1..=2 {
            let result = host.backup().ended(0).result();
            assert_eq!(result["sets"][0]["position"], position);
        }
        is_sound(&host.world);
        fs::remove_dir_all(host.world.path().join("m1")).unwrap();
        let ran = host.restore_of("Payroll", "Copy", &["--position", "1"]);
        ran.ended(3);
        assert_eq!(host.told("Copy")["state"], "ONLINE");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn mirrors_in_two_stores_and_on_a_disk_stand_side_by_side() {
    let mut world = World::blank(1, 3);
    let servers = super::servers();
    let (first, last) = (servers.first().unwrap(), servers.last().unwrap());
    world.configure(|media| {
        media.stores.insert((2, 1), first.place());
        media.stores.insert((3, 1), last.place());
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 20 << 20, 1);
    world.import(&files).ended(0);
    is_sound(&world);
    fs::remove_dir_all(world.path().join("m1")).unwrap();
    world.exports(1, 3, &files);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_bucket_beside_a_device_unlike_it_is_refused_before_anything_is_written() {
    let servers = super::servers();
    let server = servers.first().unwrap();
    for (name, number, property) in [
        ("other_transfer", "3212", "transfer sizes"),
        ("tape_class", "3011", "device class"),
    ] {
        let mut world = mixed(server, 1);
        let plugin = built(&format!("examples/lib{name}.so"));
        world.configure(|media| media.unlike = Some((1, plugin)));
        let ran = world.json(&["media", "format", "payroll"]);
        let options = &world.media.stores[&(2, 1)];
        let text = ran.failed(number).to_string();
        let path = options["path"].as_str().unwrap();
        assert!(text.contains(path) && text.contains(property), "{text}");
        let mut device = open(options, "an-agent", Access::Read);
        assert!(device.volumes().unwrap().is_empty());
        // A disk is not unlike.
        world.configure(|media| media.unlike = None);
        world.json(&["media", "format", "payroll"]).ended(0);
    }
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn retention_and_a_second_format_find_what_lies_there() {
    with_each(|server| {
        let (world, files) = with_set(server, 1, 1 << 20);
        // Attaches to the media set that is there.
        let line = ["media", "format", "payroll"];
        world.json(&line).ended(5).failed("4030");
        world.json(&[&line[..], &["--if-needed"]].concat()).ended(0);
        assert_eq!(world.sets().len(), 1);
        fs::remove_dir_all(world.path().join("state")).unwrap();
        world.json(&["catalog", "rebuild", "--from-media"]).ended(0);
        world.exports(1, 0, &files);
        let other = mixed(server, 1);
        other.json(&["media", "format", "payroll"]).ended(0);
        assert_eq!(other.sets().len(), 0);
    });
}
