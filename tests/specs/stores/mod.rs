//! Object stores as disks, through the front door, against real servers. `make test-stores` starts
//! the servers and says in `TWINSET_STORES` how they are reached.
#![allow(clippy::unwrap_used, clippy::panic)]

mod client;
mod clock;
mod conformance;
mod faults;
mod identities;
mod kills;
mod locks;
mod messages;
mod probing;
mod proxy;
mod quick;
mod server;
mod ways;
mod whole;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{World, generated};
use server::{Server, servers};

/// A world with mirror 1 on disk and mirror 2 in a store.
pub(crate) fn mixed(server: &Server, families: u16) -> World {
    mixed_at(families, || server.place())
}

/// The same with options of its own for each device in a store.
pub(crate) fn mixed_at(families: u16, options: impl Fn() -> Value) -> World {
    let mut world = World::blank(families, 2);
    world.configure(|media| {
        media.deadline = Some("5m");
        for family in 1..=families {
            media.stores.insert((2, family), options());
        }
    });
    world
}

/// The same, formatted, with one set.
pub(crate) fn with_set(server: &Server, families: u16, size: u64) -> (World, Vec<PathBuf>) {
    let world = mixed(server, families);
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, size, families);
    world.import(&files).ended(0);
    (world, files)
}

/// What the store at a place holds beside sections and records.
pub(crate) fn leftovers(world: &World) -> Vec<String> {
    let places = world.media.stores.values();
    let of = |options: &Value| {
        let mut device = server::mounted(options, server::Access::Read);
        let left = device.leftovers().unwrap();
        left.into_iter().map(|left| left.name).collect::<Vec<_>>()
    };
    places.flat_map(of).collect()
}

/// Every mirror is whole, nothing is left over.
#[track_caller]
pub(crate) fn is_sound(world: &World) {
    assert_eq!(world.verify(0)["damage"], json!([]));
    assert_eq!(leftovers(world), [""; 0]);
}

/// Runs a test with each server, naming the one it failed with.
pub(crate) fn with_each(test: impl Fn(&Server)) {
    for server in servers() {
        eprintln!("with {}", server.name);
        test(&server);
    }
}
