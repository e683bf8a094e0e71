//! Databases that go, come back as others, or cannot be opened, and very many of them.

use std::fs;
use std::time::Instant;

use serde_json::json;

use super::{ends, fast, opens, state};
use crate::support::Running;
use crate::support::pair::{A, B, Pair, Setup};

/// One database in no session, behind its first full.
fn plain() -> (Pair, Running) {
    let pair = Pair::of(&Setup {
        mirrored: false,
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\nno_principal_alert = \"1s\"\n",
        ..fast()
    });
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    (pair, a)
}

#[test]
fn a_database_that_cannot_be_opened_is_told_by_its_state_and_goes_on_when_it_is_back() {
    let (mut pair, mut a) = plain();
    for word in [
        "OFFLINE",
        "SUSPECT",
        "RECOVERY_PENDING",
        "RESTORING",
        "EMERGENCY",
    ] {
        pair.order(A, json!({ "database": "Payroll", "state": word }));
        assert!(a.says(&format!("the database is {word}")));
        assert_eq!(state(&pair, A), "not-open");
        opens(&pair, A, "TW6009");
        pair.json(A, &["check", "payroll"])
            .ended(5)
            .failed("TW6016");
        pair.order(A, json!({ "database": "Payroll", "state": "ONLINE" }));
        assert!(a.says("\"protected\""), "{word}");
        ends(&pair, A, "TW6009");
    }
    pair.take(A, "log", &[]).ended(0);
    assert_eq!(pair.kinds(A, "payroll"), ["full"], "the chain goes on");
    a.stop().ended(0);
}

#[test]
fn a_database_that_vanishes_is_missed_and_another_of_its_name_is_not_taken_for_it() {
    let (pair, mut a) = plain();
    pair.sql(A, "DROP DATABASE Payroll");
    assert!(a.says("not there, or hidden"));
    assert_eq!(state(&pair, A), "absent");
    opens(&pair, A, "TW6009");
    pair.sql(A, "CREATE DATABASE Payroll");
    assert!(a.says("another database of the same name"), "checked first");
    assert!(a.says("Backup(Full)"), "a chain of its own");
    assert!(a.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full", "full"]);
    ends(&pair, A, "TW6009");
    a.stop().ended(0);
}

#[test]
fn a_changed_recovery_model_ends_and_begins_the_log_chain() {
    let (pair, a) = plain();
    pair.take(A, "log", &[]).ended(0);
    pair.sql(A, "ALTER DATABASE Payroll SET RECOVERY SIMPLE");
    let ran = pair.take(A, "log", &[]).ended(0).result();
    assert!(!ran["skipped"].as_array().unwrap().is_empty(), "{ran}");
    pair.sql(A, "ALTER DATABASE Payroll SET RECOVERY FULL");
    pair.take(A, "log", &[]).ended(0);
    assert_eq!(
        pair.kinds(A, "payroll"),
        ["full", "full"],
        "a new base first"
    );
    a.stop().ended(0);
}

#[test]
fn a_read_only_database_is_backed_up_like_any_other() {
    let (pair, a) = plain();
    pair.sql(A, "ALTER DATABASE Payroll SET READ_ONLY");
    pair.take(A, "full", &[]).ended(0);
    pair.json(A, &["check", "payroll"]).ended(0);
    assert_eq!(state(&pair, A), "protected");
    a.stop().ended(0);
}

#[test]
fn two_groups_may_write_one_media_set_for_databases_of_their_own() {
    let (pair, mut a) = plain();
    pair.sql(A, "CREATE DATABASE Ledger");
    let text = fast()
        .group_text()
        .replace("\"payroll\"\npart", "\"ledger\"\npart");
    let text = text.replace("\"Payroll\"", "\"Ledger\"");
    fs::write(pair.path().join("groups.d/ledger.toml"), text).unwrap();
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full", "full"]);
    pair.json(A, &["check", "payroll"]).ended(0);
    pair.json(A, &["check", "ledger"]).ended(0);
    a.stop().ended(0);
}

/// Bytes that a process holds in memory, and seconds of processor time that it used.
fn costs(service: &Running) -> (u64, f64) {
    let read = |what: &str| fs::read_to_string(format!("/proc/{}/{what}", service.id())).unwrap();
    let status = read("status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let stat = read("stat");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    (kib << 10, ticks / 100.0)
}

#[test]
fn a_thousand_databases_cost_two_statements_a_poll() {
    const MOST: u64 = 128 << 20;
    const POLLS: u64 = 10;
    let mut pair = Pair::of(&Setup {
        mirrored: false,
        ..fast()
    });
    for tens in 0..100 {
        let ten = (0..10).map(|one| format!("CREATE DATABASE Many{:04};", tens * 10 + one));
        pair.sql(A, &ten.collect::<String>());
    }
    let text = fast().group_text().replace("\"Payroll\"", "\"Many*\"");
    fs::write(pair.group_file(), text).unwrap();
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    let requests = |pair: &mut Pair| pair.order(A, json!({}))["requests"].as_u64().unwrap();
    assert_eq!(state(&pair, B), "not-principal");
    let (before, began) = (requests(&mut pair), Instant::now());
    let (_, busy) = costs(&b);
    while requests(&mut pair) < before + 2 * POLLS {
        std::thread::yield_now();
    }
    let passed = began.elapsed().as_secs();
    let (bytes, then) = costs(&b);
    assert!(
        passed + 3 >= POLLS,
        "{POLLS} polls of a second each took {passed} s"
    );
    let each = (then - busy) * 1000.0 / f64::from(u32::try_from(POLLS).unwrap());
    eprintln!(
        "1000 databases: {} MiB, {each:.1} ms of processor time a poll",
        bytes >> 20
    );
    assert!(bytes < MOST, "{bytes} bytes");
    b.stop().ended(0);
}
