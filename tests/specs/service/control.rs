//! The service is asked, paused, changed and stopped.

use std::fs;

use super::pair::{Pair, Setup, Side, group_text};

#[test]
fn one_service_per_host() {
    let pair = Pair::formatted(&Setup::default());
    let a = pair.serve(Side::A);
    let second = pair.json(Side::A, &["run"]).ended(5);
    second.failed("TW5002");
    a.stop().ended(0);
}

#[test]
fn without_a_service_nobody_answers() {
    let pair = Pair::formatted(&Setup::default());
    for line in [
        &["jobs"][..],
        &["cancel", "1"],
        &["group", "resume", "payroll"],
    ] {
        pair.json(Side::A, line).ended(1).failed("TW6017");
    }
}

#[test]
fn a_paused_group_takes_nothing_until_it_resumes() {
    let pair = Pair::formatted(&Setup::default());
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let paused = pair.json(Side::A, &["group", "pause", "payroll", "--for", "2h"]);
    let paused = paused.ended(0).result();
    assert_eq!(
        paused["databases"][0]["protection"]["state"], "paused",
        "{paused}"
    );
    let refused = pair.json(Side::A, &["check", "payroll"]).ended(5);
    refused.failed("TW6016");
    let resumed = pair.json(Side::A, &["group", "resume", "payroll"]);
    let resumed = resumed.ended(0).result();
    assert_eq!(
        resumed["databases"][0]["protection"]["state"], "protected",
        "{resumed}"
    );
    pair.json(Side::A, &["check", "payroll"]).ended(0);
    a.stop().ended(0);
}

#[test]
fn changed_files_are_read_and_faulty_ones_named_and_not_used() {
    let pair = Pair::formatted(&Setup::default());
    let mut a = pair.serve(Side::A);
    assert!(a.says("has ended"));
    let file = pair.group_file(Side::A);
    let sound = group_text(&Setup::default());
    fs::write(&file, sound.replace("[failover]", "[fallover]")).unwrap();
    assert!(a.says("is not used"));
    let listed = pair.json(Side::A, &["jobs"]);
    listed.ended(0);
    fs::write(&file, sound.replace("poll = \"1s\"", "poll = \"2s\"")).unwrap();
    assert!(a.says("the configuration was read again"));
    fs::remove_file(&file).unwrap();
    assert!(a.says("orphaned"));
    fs::write(&file, sound).unwrap();
    assert!(a.says("\"protected\""));
    a.stop().ended(0);
}

#[test]
fn jobs_are_listed_and_cancelled() {
    let mut pair = Pair::formatted(&Setup::default());
    let slow = serde_json::json!({ "faults": { "bytes_per_second": 20_000 } });
    pair.order(Side::A, slow);
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    let jobs = pair.json(Side::A, &["jobs"]).ended(0).result();
    let job = jobs["jobs"][0].clone();
    assert_eq!(job["database"], "Payroll", "{jobs}");
    let id = job["job"].to_string();
    pair.json(Side::A, &["cancel", &id]).ended(0);
    assert!(a.says("has ended"));
    assert!(pair.kinds(Side::A, "payroll").is_empty());
    pair.json(Side::A, &["cancel", "4711"])
        .ended(2)
        .failed("TW1006");
    a.stop().ended(0);
}
