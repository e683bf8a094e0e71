//! 12: one side dies. The other process is this program again, running one hidden test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlvdi::abi::{VdConfig, commands, returns};
use sqlvdi::server::{Knobs, ServerError, ServerSet};

use crate::harness::*;

/// Plays one part in another process, by name and set name.
fn other_process(part: &str, set: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "death::part_of_another_process",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("SQLVDI_TEST_PART", part)
        .env("SQLVDI_TEST_SET", set)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_until_ready(child: &mut Child) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.contains("READY")),
        "child failed"
    );
}

#[test]
#[ignore = "a part for other tests to start"]
fn part_of_another_process() {
    let part = std::env::var("SQLVDI_TEST_PART").unwrap_or_default();
    let name = std::env::var("SQLVDI_TEST_SET").unwrap_or_default();
    let config = VdConfig {
        device_count: 1,
        server_time_out: 500,
        ..Default::default()
    };
    let ready_for_ever = || {
        println!("READY");
        std::thread::sleep(Duration::from_secs(60));
    };
    match part.as_str() {
        "create" => {
            let set = Set::new();
            assert_eq!(set.create(&name, &config), 0);
            ready_for_ever();
        }
        "client" => {
            let set = Set::new();
            assert_eq!(set.create(&name, &config), 0);
            println!("READY");
            set.configuration(-1).unwrap();
            let device = set.open(&name).unwrap();
            device.next().unwrap();
            std::thread::sleep(Duration::from_secs(60));
        }
        "eager client" => {
            let set = Set::new();
            assert_eq!(set.create(&name, &config), 0);
            println!("READY");
            set.configuration(-1).unwrap();
            let device = set.open(&name).unwrap();
            while let Ok((at, command)) = device.next() {
                device.complete(at, 0, command.size as u64);
            }
        }
        "server" => {
            let mut server = ServerSet::open(&name).unwrap();
            server.configure(negotiated(&name, 1)).unwrap();
            let mut end = server.device(0).unwrap();
            end.command(commands::FLUSH).unwrap();
            ready_for_ever();
        }
        _ => {}
    }
}

#[test]
fn a_name_that_lives_in_another_process_cannot_be_created() {
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        ..Default::default()
    };
    let mut child = other_process("create", &name);
    wait_until_ready(&mut child);
    let set = Set::new();
    assert_eq!(set.create(&name, &config), returns::PROTOCOL);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        ServerSet::open(&name).err(),
        Some(ServerError::Invalid),
        "its client is dead"
    );
    assert_eq!(
        set.create(&name, &config),
        0,
        "a dead process's name may be taken over"
    );
}

/// Starts a client in another process and brings it to hold one command; then kills it.
fn kill_a_client_that_holds_a_command(knobs: Knobs) -> (Duration, Option<ServerError>) {
    let name = fresh_name();
    let mut child = other_process("client", &name);
    wait_until_ready(&mut child);
    let mut server = ServerSet::open_with(&name, knobs).unwrap();
    assert!(server.client_alive());
    server.configure(negotiated(&name, 1)).unwrap();
    let mut end = server.device(0).unwrap();
    let ticket = end.command(commands::FLUSH).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    let error = end.wait(ticket).err();
    assert!(!server.client_alive());
    (begun.elapsed(), error)
}

#[test]
fn a_dead_client_ends_the_statement_with_995() {
    let (waited, error) = kill_a_client_that_holds_a_command(quick_knobs());
    assert_eq!(error, Some(ServerError::Aborted));
    assert!(waited < Duration::from_millis(800), "{waited:?}");
}

#[test]
fn or_it_hangs_until_twice_the_servers_time_out() {
    let knobs = Knobs {
        notice_client_death: false,
        ..quick_knobs()
    };
    let (waited, error) = kill_a_client_that_holds_a_command(knobs);
    assert_eq!(error, Some(ServerError::Aborted));
    assert!(waited >= Duration::from_millis(800), "{waited:?}");
}

#[test]
fn a_client_killed_at_any_moment_never_leaves_the_server_hanging() {
    for round in 0..12_u64 {
        let name = fresh_name();
        let mut child = other_process("eager client", &name);
        wait_until_ready(&mut child);
        let mut server = ServerSet::open_with(&name, quick_knobs()).unwrap();
        server.configure(negotiated(&name, 1)).unwrap();
        let mut end = server.device(0).unwrap();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(3_000 + round * 1_357));
            child.kill().unwrap();
            child.wait().unwrap();
            Instant::now()
        });
        let error = loop {
            if let Err(error) = end.write(|_| 512) {
                break error;
            }
        };
        assert_eq!(error, ServerError::Aborted);
        let late = killer.join().unwrap().elapsed();
        assert!(late < Duration::from_secs(5), "{late:?}");
    }
}

/// Not a limit but a sight of speed: run with `--release --nocapture --ignored`.
#[test]
#[ignore = "prints speeds"]
fn speeds() {
    use sqlvdi::server::Negotiated;
    for poison in [true, false] {
        let name = fresh_name();
        let config = VdConfig {
            device_count: 1,
            ..VdConfig::default()
        };
        let knobs = Knobs {
            poison,
            ..quick_knobs()
        };
        let wanted = Negotiated {
            max_transfer_size: 1 << 20,
            ..negotiated(&name, 1)
        };
        let mut session = Session::with(config, knobs, wanted);
        let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
        let begun = Instant::now();
        let server = std::thread::spawn(move || {
            for _ in 0..4096 {
                end.write(|room| room.len()).unwrap();
            }
            end.close();
        });
        while let Ok((at, command)) = device.next() {
            device.complete(at, 0, command.size as u64);
        }
        server.join().unwrap();
        println!("poison {poison}: 4 GiB in {:?}", begun.elapsed());
    }
}

#[test]
fn a_dead_server_aborts_the_clients_waits() {
    let name = fresh_name();
    let set = Set::new();
    let config = VdConfig {
        device_count: 1,
        ..Default::default()
    };
    assert_eq!(set.create(&name, &config), 0);
    let mut child = other_process("server", &name);
    set.configuration(-1).unwrap();
    let device = set.open(&name).unwrap();
    wait_until_ready(&mut child);
    let (at, _) = device.next().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    assert_eq!(device.get(-1), Err(returns::ABORT));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(device.complete(at, 0, 0), returns::ABORT);
    assert_eq!(set.close(), 0);
}
