//! Ways to a store: TLS with an authority of its own, a proxy, hosts with the bucket in their name,
//! credentials of the machine, credentials that are renewed in a run, a limit on the rate.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;

use super::proxy::{Fault, Proxy};
use super::server::servers;
use super::{is_sound, mixed, mixed_at, with_each};
use crate::support::{World, generated};

/// A set goes there and comes back.
fn works(world: &World) {
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 20 << 20, 1);
    world.import(&files).ended(0);
    is_sound(world);
    fs::remove_dir_all(world.path().join("m1")).unwrap();
    world.exports(1, 3, &files);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn tls_believes_the_named_authority_and_no_other() {
    let servers = servers();
    let server = servers.iter().find(|server| server.told("tls").is_some());
    let server = server.unwrap();
    let tls = server.told("tls").unwrap();
    let secure = || {
        let mut options = server.place();
        options.as_object_mut().unwrap().remove("allow_http");
        options["endpoint"] = tls["endpoint"].clone();
        options
    };
    let world = mixed_at(1, || {
        let mut options = secure();
        options["ca_file"] = tls["ca_file"].clone();
        options
    });
    works(&world);
    let world = mixed_at(1, secure);
    let ran = world.json(&["media", "format", "payroll"]);
    assert_ne!(ran.code, 0);
    let told = ran.object()["error"].to_string();
    assert!(told.contains("store's certificate"), "{told}");
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn the_bucket_may_stand_in_the_hosts_name_behind_a_proxy() {
    let servers = servers();
    let server = servers
        .iter()
        .find(|server| server.told("domain").is_some());
    let server = server.unwrap();
    let domain = server.told("domain").unwrap().as_str().unwrap();
    // Every request meets a fault that is none, so that they are counted.
    let proxy = Proxy::start(server.address(), 1, (1, u64::MAX), &[Fault::Nothing]);
    let world = mixed_at(1, || {
        let mut options = server.place();
        options["endpoint"] = json!(format!("http://{domain}"));
        options["path_style"] = json!(false);
        options["proxy"] = json!(format!("http://127.0.0.1:{}", proxy.port));
        options
    });
    works(&world);
    assert!(proxy.planted() > 20, "{}", proxy.planted());
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn credentials_of_the_machine_are_enough() {
    let mut count = 0;
    for server in servers() {
        if server.told("instance").is_none() {
            continue;
        }
        count += 1;
        let world = mixed_at(1, || {
            let mut options = server.place();
            options.as_object_mut().unwrap().remove("credentials_file");
            options["credentials"] = json!("instance");
            options
        });
        works(&world);
    }
    assert_eq!(count, 2);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_proxy_is_never_asked_who_the_machine_is() {
    let servers = servers();
    let server = servers.iter().find(|server| {
        let told = server.told("instance").and(server.told("domain"));
        told.is_some()
    });
    let server = server.unwrap();
    // Whatever it is asked it hands on to the store, which knows nothing of machines.
    let proxy = Proxy::start(server.address(), 1, (1, u64::MAX), &[Fault::Nothing]);
    let world = mixed_at(1, || {
        let mut options = server.place();
        options.as_object_mut().unwrap().remove("credentials_file");
        options["credentials"] = json!("instance");
        let domain = server.told("domain").unwrap().as_str().unwrap();
        options["endpoint"] = json!(format!("http://{domain}"));
        options["proxy"] = json!(format!("http://127.0.0.1:{}", proxy.port));
        options
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    assert!(proxy.planted() > 5, "{}", proxy.planted());
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn credentials_that_expire_in_a_run_are_read_again() {
    with_each(|server| {
        let mut world = mixed(server, 1);
        world.json(&["media", "format", "payroll"]).ended(0);
        let proxy = Proxy::start(server.address(), 1, (9, 4), &[Fault::Expired]);
        let mut options = world.media.stores[&(2, 1)].clone();
        let endpoint = options["endpoint"].as_str().unwrap();
        let there = format!("127.0.0.1:{}", proxy.port);
        options["endpoint"] = json!(endpoint.replace(server.address(), &there));
        let direct = world.media.stores[&(2, 1)].clone();
        world.configure(|media| {
            media.stores.insert((2, 1), options);
        });
        let files = generated(world.path(), 1, 40 << 20, 1);
        world.import(&files).ended(0);
        assert!(proxy.planted() > 0);
        drop(proxy);
        world.configure(|media| {
            media.stores.insert((2, 1), direct);
        });
        is_sound(&world);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_file_that_everybody_may_read_is_no_place_for_keys() {
    with_each(|server| {
        let mut world = mixed(server, 1);
        let mut options = world.media.stores[&(2, 1)].clone();
        let file = world.path().join("open");
        fs::copy(options["credentials_file"].as_str().unwrap(), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        options["credentials_file"] = json!(file);
        world.configure(|media| {
            media.stores.insert((2, 1), options);
        });
        let told = world
            .json(&["config", "check"])
            .ended(2)
            .object()
            .to_string();
        assert!(told.contains("may be read by everybody"), "{told}");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn bytes_go_no_faster_than_the_rate_that_was_set() {
    let servers = servers();
    let server = servers.first().unwrap();
    let world = mixed_at(1, || {
        let mut options = server.place();
        options["rate_limit"] = json!("8MB");
        options["parallel"] = json!(1);
        options
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 40_000_000, 1);
    let begun = Instant::now();
    world.import(&files).ended(0);
    let took = begun.elapsed();
    // 40 MB at 8 MB/s, less what may go at once.
    assert!(took > Duration::from_millis(4_200), "{took:?}");
}
