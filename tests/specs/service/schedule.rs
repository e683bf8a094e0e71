//! The service takes what is due, survives its own death, and never what is in doubt.

use serde_json::json;

use super::fast;
use crate::support::pair::{A, B, Pair, Setup};

const EVERY_MINUTE: &str =
    "[failover]\npoll = \"1s\"\n[schedule]\nfull = \"0 1 * * *\"\nlog = \"* * * * *\"";

#[test]
fn what_is_due_by_schedule_is_taken_log_behind_the_first_full() {
    let setup = Setup {
        group: EVERY_MINUTE,
        mirrored: false,
        ..fast()
    };
    let pair = Pair::of(&setup);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("Backup(Log)"));
    assert!(a.says("has ended"));
    a.stop().ended(0);
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    assert!(!pair.kinds(A, "payroll-log").is_empty());
}

#[test]
fn a_killed_service_takes_its_backup_along_and_the_next_one_begins_anew() {
    let mut pair = Pair::of(&fast());
    let slow = json!({ "faults": { "bytes_per_second": 100_000 } });
    pair.order(A, slow);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    a.kill();
    pair.order(A, json!({ "faults": {} }));
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"), "the first is asked for again");
    assert!(a.says("has ended"));
    a.stop().ended(0);
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    pair.json(A, &["media", "verify", "payroll"]).ended(0);
}

#[test]
fn row_13_while_nobody_is_principal_nothing_is_taken() {
    let mut pair = Pair::of(&fast());
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.order(A, json!({ "running": false }));
    assert!(b.says("no principal since"));
    pair.json(B, &["check", "payroll"])
        .ended(5)
        .failed("TW6016");
    assert!(pair.kinds(B, "payroll").is_empty());
    pair.order(A, json!({ "running": true }));
    assert!(b.says("not principal: sql-a serves it"));
    b.stop().ended(0);
}

#[test]
fn row_14_a_forced_service_begins_a_new_fork_with_a_full() {
    let mut pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.order(A, json!({ "running": false }));
    pair.order(B, json!({ "force": "Payroll" }));
    assert!(b.says("consistency check"));
    assert!(b.says("Backup("), "what bridges the gap, or begins anew");
    assert!(b.says("has ended"));
    a.stop().ended(0);
    b.stop().ended(0);
    assert_eq!(pair.kinds(B, "payroll"), ["full"]);
}

#[test]
fn behind_a_failover_fulls_are_due_and_aged_by_what_the_partners_agent_took() {
    let setup = Setup {
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n\
                [schedule]\nfull = \"0 1 * * *\"\nlog = \"* * * * *\"\n\
                [alerts]\nrpo = { full = \"8d\", log = \"30m\" }",
        ..fast()
    };
    let mut pair = Pair::of(&setup);
    let mut a = pair.serve(A);
    let mut b = pair.serve(B);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("Backup(Log)"));
    assert!(a.says("has ended"));
    pair.json(B, &["alerts", "check"]).ended(0);
    pair.fail_over(A);
    assert!(b.says("Backup(Log)"), "by schedule, or to join the chain");
    assert!(b.says("has ended"));
    pair.json(B, &["alerts", "check"]).ended(0);
    pair.json(B, &["report"]).ended(0);
    let plan = pair.json(B, &["plan"]).ended(0).result().to_string();
    a.stop().ended(0);
    b.stop().ended(0);
    assert!(pair.kinds(B, "payroll").is_empty(), "no full: {plan}");
}
