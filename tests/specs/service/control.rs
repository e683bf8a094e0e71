//! The service is asked, paused, changed and stopped.

use std::fs;
use std::time::{Duration, Instant};

use super::fast;
use crate::support::pair::{A, Pair};

#[test]
fn one_service_per_host() {
    let pair = Pair::of(&fast());
    let a = pair.serve(A);
    let second = pair.json(A, &["run"]).ended(5);
    second.failed("TW5002");
    a.stop().ended(0);
}

#[test]
fn without_a_service_nobody_answers() {
    let pair = Pair::of(&fast());
    for line in [
        &["jobs"][..],
        &["cancel", "1"],
        &["group", "resume", "payroll"],
    ] {
        pair.json(A, line).ended(1).failed("TW6017");
    }
}

#[test]
fn row_18_a_paused_group_takes_nothing_until_it_resumes() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let paused = pair.json(A, &["group", "pause", "payroll", "--for", "2h"]);
    let paused = paused.ended(0).result();
    assert_eq!(
        paused["databases"][0]["protection"]["state"], "paused",
        "{paused}"
    );
    let refused = pair.json(A, &["check", "payroll"]).ended(5);
    refused.failed("TW6016");
    let resumed = pair.json(A, &["group", "resume", "payroll"]);
    let resumed = resumed.ended(0).result();
    assert_eq!(
        resumed["databases"][0]["protection"]["state"], "protected",
        "{resumed}"
    );
    pair.json(A, &["check", "payroll"]).ended(0);
    a.stop().ended(0);
}

#[test]
fn row_17_a_removed_group_orphans_and_faulty_ones_named_and_not_used() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("has ended"));
    let file = pair.group_file();
    let sound = fast().group_text();
    fs::write(&file, sound.replace("[failover]", "[fallover]")).unwrap();
    assert!(a.says("is not used"));
    let listed = pair.json(A, &["jobs"]);
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
    let mut pair = Pair::of(&fast());
    let slow = serde_json::json!({ "faults": { "bytes_per_second": 20_000 } });
    pair.order(A, slow);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    let jobs = pair.json(A, &["jobs"]).ended(0).result();
    let job = jobs["jobs"][0].clone();
    assert_eq!(job["database"], "Payroll", "{jobs}");
    let id = job["job"].to_string();
    pair.json(A, &["cancel", &id]).ended(0);
    assert!(a.says("has ended"));
    assert!(pair.kinds(A, "payroll").is_empty());
    pair.json(A, &["cancel", "4711"]).ended(2).failed("TW1006");
    a.stop().ended(0);
}

#[test]
fn who_meets_a_job_of_the_service_is_told_which() {
    let mut pair = Pair::of(&fast());
    let slow = serde_json::json!({ "faults": { "bytes_per_second": 20_000 } });
    pair.order(A, slow);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    // The job has begun before its process has the lock.
    let until = Instant::now() + Duration::from_secs(60);
    let busy = |status: serde_json::Value| status[0]["media_sets"][0]["busy"] == true;
    while !busy(pair.json(A, &["status"]).ended(3).result()) {
        assert!(Instant::now() < until, "nobody writes");
    }
    let jobs = pair.json(A, &["jobs"]).ended(0).result();
    let id = jobs["jobs"][0]["job"].to_string();
    let fault = pair
        .take(A, "full", &["--copy-only"])
        .ended(5)
        .failed("TW5002");
    let causes = fault["causes"].to_string();
    assert!(
        causes.contains(&format!("job {id} of the service has it")),
        "{fault}"
    );
    let remedy = fault["remedy"].to_string();
    assert!(remedy.contains(&format!("twinset cancel {id}")), "{fault}");
    pair.json(A, &["cancel", &id]).ended(0);
    assert!(a.says("has ended"));
    a.stop().ended(0);
}
