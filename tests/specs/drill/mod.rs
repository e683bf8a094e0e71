//! Failover drills: two real agents on two doubles, one test per scenario of `twinset-lab drill`.
//! After each, every promise that it touches is held against media and servers.

use std::collections::BTreeSet;

use twinset_tests::drill::{self, scenes::ALL};

use crate::support::built;

/// Plays a scenario; its story is in the message when a promise is broken.
#[track_caller]
fn holds(name: &str) {
    match drill::play(name) {
        Ok(report) => assert!(report.holds(), "{name}\n{report}"),
        Err(fault) => panic!("{name}: {fault}"),
    }
}

macro_rules! scenarios {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(#[test] fn $test() { holds($name); })*

        #[test]
        fn every_scenario_stands_here() {
            let here = BTreeSet::from([$($name),*]);
            let all: BTreeSet<&str> = ALL.iter().map(|scenario| scenario.name).collect();
            assert_eq!(here, all);
        }
    };
}

scenarios! {
    a_planned_failover: "planned",
    an_automatic_failover: "automatic",
    a_forced_service: "forced",
    two_principals: "split",
    back_before_the_check: "fail-back",
    there_and_back_again: "there-and-back",
    a_flapping_session: "flapping",
    a_failover_in_a_backup: "in-a-backup",
    clocks_far_apart: "clock-skew",
    a_lost_witness_and_no_quorum: "witness-lost",
    a_broken_mirror_made_anew: "mirror-broken",
    a_database_newly_mirrored: "newly-mirrored",
    both_partners_protected: "both-protected",
    agents_killed_at_any_moment: "agent-killed",
    a_full_disk: "disk-full",
    a_full_disk_that_is_endured: "disk-full-degraded",
}

#[test]
fn a_day_by_seed() {
    match drill::play_days(3, 1) {
        Ok(report) => assert!(report.holds(), "{report}"),
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn the_program_lists_them_and_refuses_others() {
    let listed = std::process::Command::new(built("twinset-lab"))
        .args(["drill", "--list"])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(text.lines().count(), ALL.len());
    let refused = std::process::Command::new(built("twinset-lab"))
        .args(["drill", "no-such-thing"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stdout).contains("drill --list"));
}
