//! Killed at any moment of a staged backup: is every set that SQL Server counts still there?

use std::time::Duration;

use serde_json::json;

use super::{guid, host, staged};
use crate::front::{Host, Setup, database};
use crate::support::{Dice, work_files};

/// Slowed down so that BACKUP takes about half of the time that a run is left to live.
const DATABASE: u64 = 4 << 20;
const LONGEST: u64 = 1100;

fn kill_after(host: &Host, moment: Duration) {
    let mut running = host.world.start(&["backup", "payroll"]);
    if running.runs_for(moment) {
        running.kill();
    } else {
        running.end().ended(0);
    }
}

/// What SQL Server's own history holds is published, and nothing else; a set that ended with its
/// last byte but never was counted stays unconfirmed.
#[track_caller]
fn everything_acknowledged_is_published(host: &mut Host, moment: Duration) {
    let told = host.quiet("Payroll");
    let ran = host.recover();
    assert!(matches!(ran.code, 0 | 3), "after {moment:?}: {ran:?}");
    let open = ran.result()["unconfirmed"].as_array().unwrap().len();
    assert_eq!(ran.code == 3, open > 0, "after {moment:?}: {ran:?}");
    assert_eq!(staged(host), Vec::<String>::new(), "after {moment:?}");
    assert_eq!(
        work_files(host.world.path()),
        Vec::<std::path::PathBuf>::new()
    );
    let rows = told["backups"].as_array().unwrap().iter();
    let mut acknowledged: Vec<String> = rows.map(|row| guid(&row["backup_set_uuid"])).collect();
    let sets = host.world.sets();
    let published = sets.iter().filter(|set| set["state"] == "published");
    let mut held: Vec<String> = published.map(|set| guid(&set["set"])).collect();
    acknowledged.sort();
    held.sort();
    assert_eq!(held, acknowledged, "after {moment:?}");
    host.world.verify(0);
}

fn killed_at_random_moments(families: u16, seed: u64) {
    let mut host = host(&Setup {
        families,
        databases: database("Payroll", DATABASE),
        ..Setup::default()
    });
    let mut dice = Dice::new(seed);
    for round in 0..4 {
        host.turn(&json!({ "bytes_per_second": 12 << 20 }));
        for _ in 0..5 {
            let moment = Duration::from_millis(dice.below(LONGEST));
            kill_after(&host, moment);
            everything_acknowledged_is_published(&mut host, moment);
        }
        host.turn(&json!({}));
        let set = host.backup().ended(0).result()["sets"][0].clone();
        let position = set["position"].as_u64().unwrap();
        host.restores("Payroll", position, &format!("Copy{round}"));
    }
}

#[test]
fn a_killed_staged_backup_of_one_family_is_set_right() {
    killed_at_random_moments(1, 21);
}

#[test]
fn a_killed_staged_backup_of_two_families_is_set_right() {
    killed_at_random_moments(2, 22);
}
