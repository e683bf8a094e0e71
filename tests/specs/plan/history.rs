//! What ran decides what is due.

use std::fs;

use serde_json::json;

use super::{USUAL, decisions, plan, world};
use crate::front::Host;
use crate::support::snapshot;

/// A host that takes fulls on Sundays, differentials at night and logs every quarter of an hour.
fn host() -> Host {
    let host = Host::usual();
    let file = host.world.path().join("groups.d/payroll.toml");
    let text = fs::read_to_string(&file).unwrap() + &USUAL.replace("Europe/Vienna", "UTC");
    fs::write(file, text).unwrap();
    host
}

#[test]
fn nothing_is_touched_and_a_new_database_begins_with_its_full() {
    let world = world(&["Payroll", "master"], USUAL);
    let before = snapshot(world.path());
    let told = plan(&world, &["payroll", "--at", "2026-11-23T09:00:00Z"]);
    assert_eq!(
        decisions(&told),
        [
            "Payroll full due: none was taken yet",
            "master full due: none was taken yet",
            "master differential: of master only full backups can be taken",
            "master log: of master only full backups can be taken",
            "Payroll differential: a full backup takes its place",
            "Payroll log: no full backup yet: that goes first",
        ]
    );
    assert_eq!(told["has_patterns"], false);
    assert_eq!(
        before,
        snapshot(world.path()),
        "no state folder, no catalog"
    );
}

#[test]
fn what_was_taken_is_done_and_comes_again() {
    let host = host();
    host.backup().ended(0);
    let told = plan(&host.world, &[]);
    let lines = decisions(&told);
    assert_eq!(lines[0], "Payroll log due: none was taken yet", "{told}");
    assert!(
        lines[1].starts_with("Payroll full: done: began 20"),
        "{told}"
    );
    assert_eq!(
        lines[2],
        "Payroll differential: a full backup takes its place"
    );
    assert!(told["waiting"][0]["next"].as_str().is_some(), "{told}");
    host.take("log", &[]).ended(0);
    let lines = decisions(&plan(&host.world, &[]));
    assert!(
        lines.iter().all(|line| !line.contains(" due: ")),
        "{lines:#?}"
    );
}

#[test]
fn a_copy_serves_no_schedule() {
    let host = host();
    host.take("full", &["--copy-only"]).ended(0);
    let lines = decisions(&plan(&host.world, &[]));
    assert_eq!(lines[0], "Payroll full due: none was taken yet");
}

#[test]
fn a_failure_is_tried_again_and_then_given_up() {
    let mut host = host();
    host.world.configure(|media| {
        let broken = || json!({ "fail_call": "begin_section", "errno": 5 });
        media.fault(1, 1, broken()).fault(2, 1, broken());
    });
    let fails = |host: &Host| assert_eq!(host.backup().code, 1);
    fails(&host);
    let lines = decisions(&plan(&host.world, &[]));
    assert!(
        lines[0].starts_with("Payroll full: failed once: next try 20"),
        "{lines:#?}"
    );
    assert_eq!(lines[2], "Payroll log: no full backup yet: that goes first");
    for _ in 0..3 {
        fails(&host);
    }
    let lines = decisions(&plan(&host.world, &[]));
    // The chain guard makes a full of the log: better than nothing until Sunday.
    assert_eq!(lines[0], "Payroll log due: none was taken yet");
    let given_up = "Payroll full: failed 4 times: given up until its next time";
    assert!(lines.contains(&given_up.to_owned()), "{lines:#?}");
}

#[test]
fn years_of_outage_are_one_run() {
    let host = host();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let lines = decisions(&plan(&host.world, &["--at", "2031-01-06T09:07:00Z"]));
    assert_eq!(
        lines,
        [
            "Payroll log due: missed while the agent was away",
            "Payroll full due: missed while the agent was away",
            "Payroll differential: a full backup takes its place",
        ]
    );
}

#[test]
fn a_lost_catalog_is_read_from_the_media_again() {
    let host = host();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    fs::remove_file(host.world.path().join("state/catalog.sqlite")).unwrap();
    let lines = decisions(&plan(&host.world, &[]));
    assert_eq!(lines[0], "Payroll full due: none was taken yet");
    host.world
        .json(&["catalog", "rebuild", "--from-media"])
        .ended(0);
    let lines = decisions(&plan(&host.world, &[]));
    assert!(
        lines.iter().all(|line| !line.contains(" due: ")),
        "{lines:#?}"
    );
}
