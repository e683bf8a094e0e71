//! What the service does by itself when roles change (design 7.2).

use serde_json::json;

use super::{fast, looks_again};
use crate::support::Running;
use crate::support::pair::{A, B, Pair, Setup};

#[test]
fn row_1_a_new_database_is_checked_then_backed_up_and_the_mirrors_agent_stands_by() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    let mut b = pair.serve(B);
    assert!(a.says("\"protected\""));
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"), "the first full");
    assert!(b.says("not principal: sql-a serves it"));
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    assert!(pair.kinds(B, "payroll").is_empty());
    a.stop().ended(0);
    b.stop().ended(0);
}

#[test]
fn row_5_after_a_failover_the_other_agent_checks_and_the_chain_goes_on_across_both() {
    let mut pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    let mut b = pair.serve(B);
    assert!(a.says("Backup(Full)"), "begins");
    assert!(a.says("has ended"), "the first full");
    assert!(b.says("not principal: sql-a serves it"));
    pair.write(A, "before");
    pair.json(A, &["backup", "payroll", "--kind", "log"])
        .ended(0);

    pair.fail_over(A);
    pair.write(B, "after");
    assert!(b.says("consistency check"), "pending, due at once");
    assert!(b.says("Backup(Log)"), "the log that joins the chain");
    assert!(b.says("has ended"));
    assert!(a.says("not principal: sql-b serves it"));
    assert!(pair.kinds(B, "payroll").is_empty(), "no new base");
    assert_eq!(pair.kinds(B, "payroll-log"), ["log"]);
    assert!(!pair.kinds(A, "payroll-log").is_empty());
    a.stop().ended(0);
    b.stop().ended(0);

    // From sets of both partners, on the new principal's host.
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-b",
    ];
    pair.json(B, &line).ended(0);
    let told = pair.order(B, json!({ "database": "Copy" }));
    let notes = told["database"]["writes"].to_string();
    assert!(notes.contains("before"), "{told}");
    assert!(notes.contains("after"), "{told}");
}

/// The mirror's agent, behind a failover whose check is not due yet.
fn pending(setup: &Setup) -> (Pair, Running) {
    let mut pair = Pair::of(setup);
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.fail_over(A);
    assert!(b.says("consistency check pending"));
    (pair, b)
}

#[test]
fn row_8_in_profile_dpm_a_backup_waits_for_the_check_and_says_so() {
    let setup = Setup {
        how: "profile = \"dpm\"",
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"",
        ..fast()
    };
    let (pair, mut b) = pending(&setup);
    let ran = pair.json(B, &["backup", "payroll"]).ended(5);
    ran.failed("TW6002");
    assert!(pair.kinds(B, "payroll").is_empty(), "nothing was written");
    pair.json(B, &["check", "payroll"]).ended(0);
    assert!(
        b.says("Backup(Full)"),
        "nothing of the partner is held here"
    );
    assert!(b.says("has ended"));
    pair.json(B, &["backup", "payroll"]).ended(0);
    b.stop().ended(0);
}

#[test]
fn the_time_of_a_check_outlives_the_service() {
    let setup = Setup {
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"",
        ..fast()
    };
    let (pair, b) = pending(&setup);
    let due = |pair: &Pair| {
        let listed = pair.json(B, &["group", "list"]).ended(0).result();
        assert_eq!(listed[0]["state"], "check-pending", "{listed}");
        listed[0]["due"].clone()
    };
    let before = due(&pair);
    b.kill();
    let b = pair.serve(B);
    assert_eq!(due(&pair), before);
    b.stop().ended(0);
}

#[test]
fn row_4_failed_over_and_back_before_anything_was_due_is_noted_alone() {
    let setup = Setup {
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"",
        ..fast()
    };
    let mut pair = Pair::of(&setup);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    // It asks the same server, and its questions are no looks.
    assert!(a.says("Integrity"));
    assert!(a.says("has ended"));
    // What was taken a moment ago, and not seen since, may as well be the partner's.
    looks_again(&mut pair, A);
    pair.fail_over(A);
    pair.fail_over(B);
    assert!(a.says("failed over and back"));
    let listed = pair.json(A, &["group", "list"]).ended(0).result();
    assert_eq!(listed[0]["state"], "protected", "{listed}");
    pair.json(A, &["backup", "payroll", "--kind", "log"])
        .ended(0);
    a.stop().ended(0);
}
