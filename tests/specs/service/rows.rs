//! Rows 2, 3, 6, 7, 9 and 12 of design 7.2: sessions that appear and go, roles that come back, and
//! checks that do not pass.

use std::fs;

use serde_json::json;

use super::{ends, fast, opens, state, waits as waits_for};
use crate::support::Running;
use crate::support::pair::{A, B, Pair, Setup, volume};

/// Nothing is checked before half an hour has passed.
const LATE: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\n";

fn late() -> Setup {
    Setup {
        group: LATE,
        ..fast()
    }
}

/// In profile `dpm` an operator decides about sessions that appear or go.
fn dpm() -> Setup {
    Setup {
        how: "profile = \"dpm\"",
        ..fast()
    }
}

/// The first agent, behind its first full.
fn protected(pair: &Pair) -> Running {
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"), "begins");
    assert!(a.says("has ended"), "the first full");
    assert_eq!(state(pair, A), "protected");
    a
}

/// The database of the first server is mirrored to the second one from now on.
fn mirror(pair: &Pair) {
    let file = pair.path().join("seed.bak");
    let file = file.display();
    let backup = format!("BACKUP DATABASE Payroll TO DISK = N'{file}' WITH COPY_ONLY");
    pair.sql(A, &backup);
    let restore = format!("RESTORE DATABASE Payroll FROM DISK = N'{file}' WITH NORECOVERY");
    pair.sql(B, &restore);
    for (agent, address) in [(B, "TCP://sql-a:5022"), (A, "TCP://sql-b:5023")] {
        let sql = format!("ALTER DATABASE Payroll SET PARTNER = '{address}'");
        pair.sql(agent, &sql);
    }
}

/// What profile `follow` does about a session that came or went, with its alarm.
fn goes_on(pair: &Pair, mut a: Running, code: &str) {
    assert!(
        a.says("the mirroring session changed"),
        "the check's reason"
    );
    assert!(a.says("\"protected\""));
    ends(pair, A, code);
    pair.json(A, &["backup", "payroll", "--kind", "log"])
        .ended(0);
    a.stop().ended(0);
}

/// The same for profile `dpm`: the operator is waited for.
fn waits(pair: &Pair, mut a: Running, code: &str) {
    assert!(a.says("waits for the operator"));
    opens(pair, A, code);
    let refused = pair.json(A, &["backup", "payroll", "--kind", "log"]);
    refused.ended(5);
    pair.json(A, &["group", "reprotect", "payroll"]).ended(0);
    assert!(a.says("\"protected\""));
    ends(pair, A, code);
    pair.json(A, &["backup", "payroll", "--kind", "log"])
        .ended(0);
    assert_eq!(pair.kinds(A, "payroll"), ["full"], "the chain goes on");
    a.stop().ended(0);
}

#[test]
fn row_2_a_protected_database_becomes_mirrored() {
    for (setup, then) in [
        (fast(), goes_on as fn(&Pair, Running, &str)),
        (dpm(), waits),
    ] {
        let pair = Pair::of(&Setup {
            mirrored: false,
            ..setup
        });
        let a = protected(&pair);
        mirror(&pair);
        then(&pair, a, "TW6003");
    }
}

#[test]
fn row_3_the_mirror_is_broken() {
    for (setup, then) in [
        (fast(), goes_on as fn(&Pair, Running, &str)),
        (dpm(), waits),
    ] {
        let pair = Pair::of(&setup);
        let a = protected(&pair);
        pair.sql(A, "ALTER DATABASE Payroll SET PARTNER OFF");
        then(&pair, a, "TW6004");
    }
}

#[test]
fn row_4_is_not_for_an_agent_that_was_down_while_its_partner_took_backups() {
    let mut pair = Pair::of(&fast());
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    protected(&pair).stop().ended(0);
    pair.fail_over(A);
    assert!(b.says("Backup(Log)"), "the log that joins the chain");
    assert!(b.says("has ended"));
    pair.fail_over(B);
    assert!(b.says("not principal: sql-a serves it"));
    let mut a = pair.serve(A);
    assert!(a.says("the partner was backed up meanwhile"), "checked");
    assert!(a.says("Backup(Log)"), "the log that joins the partner's");
    assert!(a.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full"], "no new base");
    a.stop().ended(0);
    b.stop().ended(0);
}

/// A full that a switch hits while it runs.
fn struck(setup: &Setup) -> (Pair, Running) {
    let mut pair = Pair::of(setup);
    let slow = json!({ "faults": { "bytes_per_second": 20_000 } });
    pair.order(A, slow);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    pair.fail_over(A);
    assert!(a.says("has ended"));
    pair.calm();
    (pair, a)
}

#[test]
fn row_6_back_before_due_and_a_backup_was_running_checks_at_once() {
    for setup in [
        late(),
        Setup {
            how: "profile = \"dpm\"",
            ..late()
        },
    ] {
        let (mut pair, mut a) = struck(&setup);
        pair.fail_over(B);
        assert!(a.says("consistency check runs"), "not in half an hour");
        assert!(a.says("\"protected\""));
        assert!(a.says("Backup(Full)"), "what the check says is missing");
        assert!(a.says("has ended"));
        assert_eq!(pair.kinds(A, "payroll"), ["full"]);
        a.stop().ended(0);
    }
}

#[test]
fn row_7_another_failover_before_due_keeps_the_time() {
    let mut pair = Pair::of(&late());
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.fail_over(A);
    assert!(b.says("consistency check pending"));
    let due = |pair: &Pair| {
        let listed = pair.json(B, &["group", "list"]).ended(0).result();
        assert_eq!(listed[0]["state"], "check-pending", "{listed}");
        listed[0]["due"].clone()
    };
    let before = due(&pair);
    // Nobody sees the roles in between.
    b.freeze();
    pair.fail_over(B);
    pair.fail_over(A);
    let asked = pair.order(B, json!({}))["requests"].clone();
    b.thaw();
    while pair.order(B, json!({}))["requests"] == asked {
        std::thread::yield_now();
    }
    let told = pair.told(B);
    assert_eq!(told["mirroring"]["role_sequence"], 4, "{told}");
    // What was seen is taken in before this is answered.
    assert_eq!(state(&pair, B), "check-pending");
    assert_eq!(due(&pair), before);
    b.stop().ended(0);
}

#[test]
fn row_9_a_check_that_fails_is_told_and_one_that_passes_ends_it() {
    let pair = Pair::of(&fast());
    let away = pair.path().join("away");
    let place = volume(&pair.path().join("sql-a/m1"));
    fs::rename(&place, &away).unwrap();
    let mut a = pair.serve(A);
    assert!(a.says("inconsistent: "));
    opens(&pair, A, "TW4050");
    pair.take(A, "log", &[]).ended(5);
    fs::rename(&away, &place).unwrap();
    pair.json(A, &["check", "payroll"]).ended(0);
    assert!(a.says("\"protected\""));
    ends(&pair, A, "TW4050");
    assert!(a.says("Backup(Full)"), "the first full");
    assert!(a.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    a.stop().ended(0);
}

#[test]
fn row_12_a_switch_in_the_middle_of_a_backup_stops_it_and_nothing_is_published() {
    let (pair, a) = struck(&late());
    waits_for(
        || state(&pair, A) == "check-pending",
        "the check that comes",
    );
    assert!(pair.kinds(A, "payroll").is_empty());
    a.stop().ended(0);
}
