//! What the service does by itself when roles change (design 7.2).

use serde_json::json;

use super::pair::{Pair, Setup, Side};

#[test]
fn a_new_database_is_checked_then_backed_up_and_the_mirrors_agent_stands_by() {
    let pair = Pair::formatted(&Setup::default());
    let mut a = pair.serve(Side::A);
    let mut b = pair.serve(Side::B);
    assert!(a.says("\"protected\""));
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"), "the first full");
    assert!(b.says("not principal: sql-a serves it"));
    assert_eq!(pair.kinds(Side::A, "payroll"), ["full"]);
    assert!(pair.kinds(Side::B, "payroll").is_empty());
    a.stop().ended(0);
    b.stop().ended(0);
}

#[test]
fn after_a_failover_the_other_agent_checks_and_the_chain_goes_on_across_both() {
    let mut pair = Pair::formatted(&Setup::default());
    let mut a = pair.serve(Side::A);
    let mut b = pair.serve(Side::B);
    assert!(a.says("Backup(Full)"), "begins");
    assert!(a.says("has ended"), "the first full");
    assert!(b.says("not principal: sql-a serves it"));
    pair.write(Side::A, "before");
    pair.json(Side::A, &["backup", "payroll", "--kind", "log"])
        .ended(0);

    pair.fail_over(Side::A);
    pair.write(Side::B, "after");
    assert!(b.says("consistency check"), "pending, due at once");
    assert!(b.says("Backup(Log)"), "the log that joins the chain");
    assert!(b.says("has ended"));
    assert!(a.says("not principal: sql-b serves it"));
    assert!(pair.kinds(Side::B, "payroll").is_empty(), "no new base");
    assert_eq!(pair.kinds(Side::B, "payroll-log"), ["log"]);
    assert!(!pair.kinds(Side::A, "payroll-log").is_empty());
    a.stop().ended(0);
    b.stop().ended(0);

    // From sets of both partners, on the new principal's host.
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-b",
    ];
    pair.json(Side::B, &line).ended(0);
    let told = pair.order(Side::B, json!({ "database": "Copy" }));
    let notes = told["database"]["writes"].to_string();
    assert!(notes.contains("before"), "{told}");
    assert!(notes.contains("after"), "{told}");
}

#[test]
fn in_profile_dpm_a_backup_waits_for_the_check_and_says_so() {
    let setup = Setup {
        group: "profile = \"dpm\"",
        failover: "poll = \"1s\"\ncheck_delay = \"30m\"",
        ..Setup::default()
    };
    let mut pair = Pair::formatted(&setup);
    let mut b = pair.serve(Side::B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.fail_over(Side::A);
    assert!(b.says("consistency check pending"));
    let ran = pair.json(Side::B, &["backup", "payroll"]).ended(5);
    ran.failed("TW6002");
    assert!(
        pair.kinds(Side::B, "payroll").is_empty(),
        "nothing was written"
    );
    pair.json(Side::B, &["check", "payroll"]).ended(0);
    assert!(
        b.says("Backup(Full)"),
        "nothing of the partner is held here"
    );
    assert!(b.says("has ended"));
    pair.json(Side::B, &["backup", "payroll"]).ended(0);
    b.stop().ended(0);
}

#[test]
fn the_time_of_a_check_outlives_the_service() {
    let setup = Setup {
        failover: "poll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"",
        ..Setup::default()
    };
    let mut pair = Pair::formatted(&setup);
    let mut b = pair.serve(Side::B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.fail_over(Side::A);
    assert!(b.says("consistency check pending"));
    let due = |pair: &Pair| {
        let listed = pair.json(Side::B, &["group", "list"]).ended(0).result();
        assert_eq!(listed[0]["state"], "check-pending", "{listed}");
        listed[0]["due"].clone()
    };
    let before = due(&pair);
    b.kill();
    let b = pair.serve(Side::B);
    assert_eq!(due(&pair), before);
    b.stop().ended(0);
}

#[test]
fn failed_over_and_back_before_anything_was_due_is_noted_alone() {
    let setup = Setup {
        failover: "poll = \"1s\"\ncheck_delay = \"30m\"",
        ..Setup::default()
    };
    let mut pair = Pair::formatted(&setup);
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    pair.fail_over(Side::A);
    pair.fail_over(Side::B);
    assert!(a.says("failed over and back"));
    let listed = pair.json(Side::A, &["group", "list"]).ended(0).result();
    assert_eq!(listed[0]["state"], "protected", "{listed}");
    pair.json(Side::A, &["backup", "payroll", "--kind", "log"])
        .ended(0);
    a.stop().ended(0);
}
