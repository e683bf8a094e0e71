//! Killed at any moment of a backup: what does the next run find, and what does the server think?

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Host, Setup, names_the_cause};
use crate::support::{Dice, Running, World, work_files};

/// Bytes of the database; slowed down so that a backup takes about half a second.
const DATABASE: u64 = 4 << 20;
/// Longest time that a backup is left to live; some get to their end before.
const LONGEST: u64 = 900;
/// Kills between two backups that are left alone.
const KILLS: u64 = 5;

fn slow() -> Value {
    json!({ "bytes_per_second": 12 << 20 })
}

fn kill_after(host: &Host, moment: Duration) {
    let mut running: Running = host.world.start(&["backup", "payroll"]);
    if running.runs_for(moment) {
        running.kill();
    } else {
        // It was faster; then it must have ended well.
        running.end().ended(0);
    }
}

/// Recover sets everything right; what stays unconfirmed is whole and named.
fn set_right(host: &Host, moment: Duration) {
    let ran = host.recover();
    assert!(matches!(ran.code, 0 | 3), "after {moment:?}: {ran:?}");
    let kept = ran.result()["unconfirmed"].as_array().unwrap().len();
    assert_eq!(ran.code == 3, kept > 0, "after {moment:?}: {ran:?}");
    assert_eq!(
        work_files(host.world.path()),
        Vec::<std::path::PathBuf>::new()
    );
    for set in host.world.sets() {
        let state = set["state"].as_str().unwrap();
        assert!(
            matches!(state, "published" | "unconfirmed" | "void"),
            "after {moment:?}: {set}"
        );
        if state != "void" {
            assert_eq!(
                set["volumes"],
                host.world.volumes().len(),
                "after {moment:?}: {set}"
            );
        }
    }
    host.world.verify(0);
}

/// Shared memory that carries the name of one of this agent's runs.
fn shared_memory(world: &World) -> Vec<String> {
    let catalog = world.path().join("state/catalog.sqlite");
    let catalog = rusqlite::Connection::open(catalog).unwrap();
    let mut runs = catalog.prepare("SELECT run FROM run").unwrap();
    let runs: Vec<String> = runs
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!runs.is_empty());
    let ours = |name: &String| runs.iter().any(|run| name.contains(run.as_str()));
    let entries = std::fs::read_dir(Path::new("/dev/shm")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(ours)
        .collect()
}

fn killed_at_random_moments(families: u16, seed: u64) {
    let mut host = Host::formatted(&Setup {
        families,
        databases: super::database("Payroll", DATABASE),
        ..Setup::default()
    });
    let mut dice = Dice::new(seed);
    for round in 0..5 {
        host.turn(&slow());
        for _ in 0..KILLS {
            let moment = Duration::from_millis(dice.below(LONGEST));
            kill_after(&host, moment);
            set_right(&host, moment);
        }
        host.turn(&json!({}));
        let set = host.backup().ended(0).result()["sets"][0].clone();
        let position = set["position"].as_u64().unwrap();
        host.restores("Payroll", position, &format!("Copy{round}"));
    }
    let sets = host.world.sets();
    let published = sets.iter().filter(|set| set["state"] == "published");
    for set in published.take(3) {
        let position = set["position"].as_u64().unwrap();
        host.restores("Payroll", position, &format!("Again{position}"));
    }
    host.quiet("Payroll");
    let Host { world, lab, .. } = host;
    assert!(
        lab.end().unwrap().success(),
        "the server did not end by itself"
    );
    assert_eq!(shared_memory(&world), Vec::<String>::new());
}

#[test]
fn a_killed_backup_of_one_family_is_set_right() {
    killed_at_random_moments(1, 11);
}

#[test]
fn a_killed_backup_of_two_families_is_set_right() {
    killed_at_random_moments(2, 12);
}

#[test]
fn the_server_outlives_an_agent_that_dies_in_the_middle_of_the_stream() {
    let mut host = Host::usual();
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.kill();
    // The server notices by itself, without any help of recover.
    host.server_has_no_backup("Payroll");
    host.recover().ended(0);
    host.media_are_clean();
}

#[test]
fn a_server_that_dies_in_the_middle_of_the_stream_fails_the_backup() {
    let mut host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    host.lab.kill().unwrap();
    let ran = running.end().ended(1);
    let fault = ran.object()["error"].clone();
    names_the_cause(&fault);
    host.media_are_clean();
}

#[test]
fn a_killed_restore_leaves_the_media_alone_and_can_be_repeated() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    let mut running = host.world.start(&line);
    assert!(running.says("\"running\""));
    running.kill();
    host.turn(&json!({}));
    host.world.verify(0);
    host.restores("Payroll", 1, "Copy_2");
    host.backup().ended(0);
}
