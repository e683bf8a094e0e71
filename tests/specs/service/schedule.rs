//! The service takes what is due, survives its own death, and never what is in doubt.

use serde_json::json;

use super::pair::{Pair, Setup, Side};

const EVERY_MINUTE: &str = "[schedule]\nfull = \"0 1 * * *\"\nlog = \"* * * * *\"";

#[test]
fn what_is_due_by_schedule_is_taken_log_behind_the_first_full() {
    let setup = Setup {
        tables: EVERY_MINUTE,
        mirrored: false,
        ..Setup::default()
    };
    let pair = Pair::formatted(&setup);
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("Backup(Log)"));
    assert!(a.says("has ended"));
    a.stop().ended(0);
    assert_eq!(pair.kinds(Side::A, "payroll"), ["full"]);
    assert!(!pair.kinds(Side::A, "payroll-log").is_empty());
}

#[test]
fn a_killed_service_takes_its_backup_along_and_the_next_one_begins_anew() {
    let mut pair = Pair::formatted(&Setup::default());
    let slow = json!({ "faults": { "bytes_per_second": 100_000 } });
    pair.order(Side::A, slow);
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    a.kill();
    pair.order(Side::A, json!({ "faults": {} }));
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"), "the first is asked for again");
    assert!(a.says("has ended"));
    a.stop().ended(0);
    assert_eq!(pair.kinds(Side::A, "payroll"), ["full"]);
    pair.json(Side::A, &["media", "verify", "payroll"]).ended(0);
}

#[test]
fn while_nobody_is_principal_nothing_is_taken() {
    let mut pair = Pair::formatted(&Setup::default());
    let mut b = pair.serve(Side::B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.order(Side::A, json!({ "running": false }));
    assert!(b.says("no principal since"));
    pair.json(Side::B, &["check", "payroll"])
        .ended(5)
        .failed("TW6016");
    assert!(pair.kinds(Side::B, "payroll").is_empty());
    pair.order(Side::A, json!({ "running": true }));
    assert!(b.says("not principal: sql-a serves it"));
    b.stop().ended(0);
}

#[test]
fn a_forced_service_begins_a_new_fork_with_a_full() {
    let mut pair = Pair::formatted(&Setup::default());
    let mut a = pair.serve(Side::A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let mut b = pair.serve(Side::B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.order(Side::A, json!({ "running": false }));
    pair.order(Side::B, json!({ "force": "Payroll" }));
    assert!(b.says("consistency check"));
    assert!(b.says("Backup("), "what bridges the gap, or begins anew");
    assert!(b.says("has ended"));
    a.stop().ended(0);
    b.stop().ended(0);
    assert_eq!(pair.kinds(Side::B, "payroll"), ["full"]);
}
