//! A service that cannot remember does nothing, says so, and goes on by itself.

use rusqlite::Connection;

use super::fast;
use crate::support::pair::{A, Pair};

#[test]
fn a_catalog_that_cannot_be_written_halts_the_service_until_it_can() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let catalog = Connection::open(pair.path().join("state-sql-a/catalog.sqlite")).unwrap();
    catalog.execute_batch("BEGIN IMMEDIATE").unwrap();
    let pause = ["group", "pause", "payroll", "--for", "2h"];
    pair.json(A, &pause).ended(1).failed("TW5001");
    assert!(a.says("TW6019"));
    let status = pair.json(A, &["status"]).ended(3).result();
    assert_eq!(status[0]["stale"]["code"], "TW6019", "{status}");
    pair.json(A, &pause).ended(1).failed("TW6019");
    catalog.execute_batch("ROLLBACK").unwrap();
    assert!(a.says("the service goes on"));
    let paused = pair.json(A, &pause).ended(0).result();
    assert_eq!(
        paused["databases"][0]["protection"]["state"], "paused",
        "{paused}"
    );
    a.stop().ended(0);
}

#[test]
fn while_it_stands_still_it_can_be_stopped() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("has ended"));
    let catalog = Connection::open(pair.path().join("state-sql-a/catalog.sqlite")).unwrap();
    catalog.execute_batch("BEGIN IMMEDIATE").unwrap();
    pair.json(A, &["group", "pause", "payroll", "--for", "2h"])
        .ended(1);
    assert!(a.says("TW6019"));
    a.stop().ended(0);
}

#[test]
fn states_without_a_service_are_said_to_be_old() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let status = pair.json(A, &["status"]).ended(0).result();
    assert_eq!(status[0]["stale"], serde_json::Value::Null, "{status}");
    pair.json(A, &["report"]).ended(0);
    a.stop().ended(0);
    let status = pair.json(A, &["status"]).ended(3).result();
    assert_eq!(status[0]["stale"]["code"], "TW6017", "{status}");
    let report = pair.json(A, &["report"]).ended(1).result();
    assert_eq!(report["service"]["code"], "TW6017", "{report}");
}
