//! The knobs do what they say, and the sample scene runs.

use std::path::Path;
use std::time::{Duration, Instant};

use twinset_tests::instance::faults::{Drop, Faults};
use twinset_tests::lab::{Lab, Scene};

use super::World;
use super::wire::{Client, Seen};

const BACKUP: &str = "BACKUP DATABASE Payroll TO DISK = 'p.bak'";

/// A world with these knobs and a client of it.
fn world(faults: Faults) -> (World, Client) {
    let world = World::start("not-supported");
    world.lab.instances[0].instance.set_faults(faults);
    let client = Client::login(world.port());
    (world, client)
}

fn answer(faults: Faults) -> Vec<Seen> {
    let (_world, mut client) = world(faults);
    client.batch(BACKUP);
    client.tokens()
}

fn numbers(seen: &[Seen]) -> Vec<i32> {
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Error(number) | Seen::Info(number) => Some(*number),
            _ => None,
        })
        .collect()
}

#[test]
fn a_statement_can_fail_before_it_opens_its_devices() {
    let faults = Faults {
        fail_before_open: Some(3023),
        ..Faults::default()
    };
    assert_eq!(numbers(&answer(faults)), [3023, 3013]);
}

#[test]
fn a_statement_can_fail_in_the_middle_and_after_the_devices_are_closed() {
    let middle = Faults {
        fail_after_bytes: Some(1 << 20),
        ..Faults::default()
    };
    assert_eq!(numbers(&answer(middle)), [3271, 3013]);
    let after = Faults {
        fail_after_close: true,
        ..Faults::default()
    };
    assert_eq!(numbers(&answer(after)), [3271, 3013]);
}

#[test]
fn a_lost_history_row_is_an_error_with_success() {
    let (_world, mut client) = world(Faults {
        history_fails: true,
        ..Faults::default()
    });
    client.batch(BACKUP);
    assert_eq!(numbers(&client.tokens()), [4035, 4035, 3009, 3014]);
    client.batch("SELECT COUNT(*) FROM msdb.dbo.backupset");
    assert!(client.tokens().contains(&Seen::Row(0)));
}

#[test]
fn a_connection_cut_around_success_leaves_its_history_row() {
    for cut in [Drop::BeforeSuccess, Drop::AfterSuccess] {
        let faults = Faults {
            drop_connection: Some(cut),
            ..Faults::default()
        };
        let (world, mut client) = world(faults);
        client.batch(BACKUP);
        let mut last = false;
        let mut seen = Vec::new();
        while let Some((ends, bytes)) = client.packet() {
            last |= ends;
            seen.extend(bytes);
        }
        assert!(!last, "the message must not end");
        let success = numbers(&super::wire::tokens(&seen)).contains(&3014);
        assert_eq!(success, cut == Drop::AfterSuccess);
        let mut other = Client::login(world.port());
        other.batch("SELECT COUNT(*) FROM msdb.dbo.backupset");
        assert!(other.tokens().contains(&Seen::Row(1)));
    }
}

#[test]
fn a_slow_backup_shows_its_progress_to_others() {
    let rate = Some(2 << 20);
    let (world, mut client) = world(Faults {
        bytes_per_second: rate,
        ..Faults::default()
    });
    let mut watcher = Client::login(world.port());
    client.batch(BACKUP);
    let begun = Instant::now();
    let sql = "SELECT CAST(percent_complete AS int) FROM sys.dm_exec_requests \
               WHERE command = 'BACKUP DATABASE'";
    let mut half = false;
    while !half && begun.elapsed() < Duration::from_secs(5) {
        watcher.batch(sql);
        half = watcher
            .tokens()
            .iter()
            .any(|seen| matches!(seen, Seen::Row(20..=90)));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(half);
    assert_eq!(numbers(&client.tokens()), [4035, 4035, 3014]);
    assert!(begun.elapsed() > Duration::from_millis(1500));
}

#[test]
fn a_backup_that_never_opens_its_set_can_be_taken_back() {
    let (world, mut client) = world(Faults {
        never_open: true,
        ..Faults::default()
    });
    client.batch(BACKUP);
    client.attention();
    let answer = client.tokens();
    assert_eq!(answer.last(), Some(&Seen::Done(2, 228)), "{answer:?}");
    assert_eq!(client.tokens(), [Seen::Done(0x20, 0xFD)]);
    world.lab.instances[0]
        .instance
        .set_faults(Faults::default());
    client.batch(BACKUP);
    assert_eq!(numbers(&client.tokens()), [4035, 4035, 3014]);
}

#[test]
fn the_sample_scene_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/pair.toml");
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::start(&Scene::read(&path).unwrap(), folder.path()).unwrap();
    assert_eq!(lab.instances.len(), 2);
    assert!(lab.ready_line().contains("\"SQL-B\""));
    assert!(lab.instances.iter().all(|running| running.ca_file.exists()));
}
