//! The service checks by itself: behind fulls, when a backup met damage, never twice.

use serde_json::json;

use super::{alerts, damage, pair};
use crate::support::pair::A;

const FAST: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n";
const FULLS: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n\
                     [schedule]\nfull = \"* * * * *\"\nretry_delay = \"1s\"\n";

#[test]
fn the_first_check_follows_the_first_full_and_is_the_only_one() {
    let pair = pair(FAST);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("Integrity"), "behind the full");
    assert!(a.says("has ended"));
    let ran = a.stop().ended(0);
    let begun = ran.stderr.matches("never checked here").count();
    assert_eq!(begun, 1, "{}", ran.stderr);
    let status = pair.json(A, &["status"]).result();
    assert_eq!(status[0]["integrity"][0]["result"], "clean", "{status}");
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
}

#[test]
fn a_backup_that_met_a_damaged_page_is_looked_into_and_taken_again() {
    let mut pair = pair(FULLS);
    damage(&mut pair, true);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("a backup met a damaged page"));
    while pair.kinds(A, "payroll").is_empty() {
        assert!(a.says("has ended"), "it is tried again, over the damage");
    }
    let raised = alerts(&pair);
    assert!(raised.contains(&json!("TW4071")), "{raised:?}");
    a.stop().ended(0);
}

#[test]
fn a_service_that_stops_does_not_wait_for_a_check() {
    let mut pair = pair(FAST);
    pair.order(A, json!({ "faults": { "check_delay_ms": 600_000 } }));
    let mut a = pair.serve(A);
    assert!(a.says("Integrity"));
    let jobs = pair.json(A, &["jobs"]).ended(0).result();
    assert_eq!(jobs["jobs"][0]["what"], "integrity", "{jobs}");
    // Logs and checks go on beside it.
    pair.json(A, &["check", "payroll"]).ended(0);
    a.stop().ended(0);
    let status = pair.json(A, &["status"]).result();
    assert_eq!(
        status[0]["integrity"][0]["result"], "not finished",
        "{status}"
    );
    assert!(alerts(&pair).is_empty(), "whoever stopped it knows");
}
