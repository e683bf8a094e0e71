//! Networks and stores that fail in between: what gets through is right, what does not is told.

use serde_json::json;

use super::proxy::{Fault, Proxy};
use super::server::Server;
use super::{is_sound, mixed, with_each};
use crate::support::{World, generated};

/// A world that reaches the store by a proxy, formatted without faults.
fn behind(server: &Server, seed: u64, odds: (u64, u64), faults: &[Fault]) -> (World, Proxy) {
    let mut world = mixed(server, 1);
    world.json(&["media", "format", "payroll"]).ended(0);
    let proxy = Proxy::start(server.address(), seed, odds, faults);
    through(
        &mut world,
        server.address(),
        &format!("127.0.0.1:{}", proxy.port),
    );
    (world, proxy)
}

/// Leads the world's store from one address to another.
fn through(world: &mut World, from: &str, to: &str) {
    let mut options = world.media.stores[&(2, 1)].clone();
    let endpoint = options["endpoint"].as_str().unwrap();
    options["endpoint"] = json!(endpoint.replace(from, to));
    world.configure(|media| {
        media.stores.insert((2, 1), options);
    });
}

/// Through faults that end by themselves imports must succeed and lie there as if nothing were, and
/// what lies there must come back.
fn gets_through(one_in: u64, faults: &[Fault]) {
    with_each(|server| {
        let (mut world, proxy) = behind(server, 3, (one_in, u64::MAX), faults);
        let files = generated(world.path(), 1, 40 << 20, 1);
        for position in 1..=2 {
            let ran = world.import(&files).ended(0);
            assert_eq!(ran.result()["position"], position);
        }
        world.exports(1, 0, &files);
        let there = format!("127.0.0.1:{}", proxy.port);
        through(&mut world, &there, server.address());
        is_sound(&world);
        world.exports(2, 0, &files);
        // The store alone is left to read from.
        std::fs::remove_dir_all(world.path().join("m1")).unwrap();
        through(&mut world, server.address(), &there);
        world.exports(2, 3, &files);
        let each = proxy.each();
        assert!(each.iter().all(|(_, count)| *count > 0), "{each:?}");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn broken_connections_and_lost_answers() {
    gets_through(6, &[Fault::Cut, Fault::LoseAnswer]);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn overload_and_delay() {
    gets_through(5, &[Fault::Overloaded, Fault::Delay, Fault::Slow]);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn bodies_that_end_early_and_requests_that_come_twice() {
    gets_through(5, &[Fault::HalfUp, Fault::HalfDown, Fault::Twice]);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn bits_that_change_on_the_way_up_are_refused_by_the_store_and_sent_again() {
    with_each(|server| {
        let (mut world, proxy) = behind(server, 5, (2, 2), &[Fault::BitUp]);
        let files = generated(world.path(), 1, 40 << 20, 1);
        world.import(&files).ended(0);
        // Three times in a row would be given up.
        assert_eq!(proxy.planted(), 2);
        let port = proxy.port;
        drop(proxy);
        through(&mut world, &format!("127.0.0.1:{port}"), server.address());
        is_sound(&world);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn bits_that_change_on_the_way_down_never_reach_a_file() {
    with_each(|server| {
        let mut world = mixed(server, 1);
        world.json(&["media", "format", "payroll"]).ended(0);
        let files = generated(world.path(), 1, 40 << 20, 1);
        world.import(&files).ended(0);
        let proxy = Proxy::start(server.address(), 9, (2, u64::MAX), &[Fault::BitDown]);
        through(
            &mut world,
            server.address(),
            &format!("127.0.0.1:{}", proxy.port),
        );
        // Verify may find nothing but damage: what it reports is never 0 when bits were changed.
        let ran = world.json(&["media", "verify", "payroll"]);
        assert!(proxy.planted() > 0);
        assert!([1, 3].contains(&ran.code), "{}\n{}", ran.code, ran.stderr);
        let port = proxy.port;
        drop(proxy);
        through(&mut world, &format!("127.0.0.1:{port}"), server.address());
        is_sound(&world);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_store_that_goes_away_in_the_middle_costs_its_mirror_and_nothing_else() {
    with_each(|server| {
        let (mut world, proxy) = behind(server, 1, (1, 0), &[]);
        world.configure(|media| {
            media.set = "min_mirrors = 1\nrepair = \"manual\"".into();
            // The library tries for 40 seconds; this lane has less patience.
            media.deadline = Some("3s");
        });
        let files = generated(world.path(), 1, 120 << 20, 1);
        let line = World::import_line(&files);
        let mut running = world.start(&line);
        assert!(running.says("Payroll"));
        let port = proxy.port;
        drop(proxy);
        let ended = running.end();
        assert!(
            [0, 3].contains(&ended.code),
            "{}\n{}",
            ended.code,
            ended.stderr
        );
        world.configure(|media| media.deadline = Some("5m"));
        through(&mut world, &format!("127.0.0.1:{port}"), server.address());
        world.json(&["media", "repair", "payroll"]).ended(0);
        is_sound(&world);
        world.exports(1, 0, &files);
    });
}
