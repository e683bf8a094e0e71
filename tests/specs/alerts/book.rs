//! Raised once, updated in place, ended by cause or by hand.

use serde_json::json;

use super::{break_devices, host, open};
use crate::support::World;

/// What the alert of a failed full is about.
const FAILED: &str = "group payroll, full backups of Payroll";

#[test]
fn a_failure_is_one_alert_until_a_backup_succeeds() {
    let mut host = host("", "");
    break_devices(&mut host, true);
    host.backup().ended(1);
    host.backup().ended(1);
    let alerts = open(&host);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let alert = &alerts[0];
    assert_eq!(alert["object"], FAILED);
    assert_eq!(
        (&alert["times"], &alert["severity"]),
        (&json!(2), &json!("error"))
    );
    assert_eq!(
        (&alert["group"], &alert["database"]),
        (&json!("payroll"), &json!("Payroll"))
    );
    assert!(!alert["remedy"].as_str().unwrap().is_empty());
    break_devices(&mut host, false);
    // What the dead runs left does not matter here: a copy does not end the alert, a backup does.
    host.take("full", &["--copy-only"]).ended(0);
    assert_eq!(open(&host).len(), 1, "a copy is no backup of the schedule");
    host.backup().ended(0);
    assert_eq!(open(&host).len(), 0);
    let all = host
        .world
        .json(&["alerts", "list", "--all"])
        .ended(0)
        .result();
    let end = &all["ended"][0]["resolved"];
    assert_eq!(
        (&end["by_hand"], end.get("note")),
        (&json!(false), None),
        "{all}"
    );
}

#[test]
fn an_alert_ends_by_hand_with_a_note_and_comes_again() {
    let mut host = host("", "");
    break_devices(&mut host, true);
    host.backup().ended(1);
    let alert = open(&host)[0].clone();
    let id = alert["id"].to_string();
    let line = ["alerts", "resolve", &id, "--note", "disk was exchanged"];
    let ended = host.world.json(&line).ended(0).result();
    assert_eq!(ended[0]["resolved"]["note"], "disk was exchanged");
    assert_eq!(open(&host).len(), 0);
    host.world
        .json(&["alerts", "resolve", &id])
        .ended(2)
        .failed("TW6023");
    host.backup().ended(1);
    assert_ne!(open(&host)[0]["id"], alert["id"], "another one");
    let code = alert["code"].as_str().unwrap();
    let line = ["alerts", "resolve", "--code", code, "--object", FAILED];
    host.world.json(&line).ended(0);
    assert_eq!(open(&host).len(), 0);
    let text = host.world.run(&["alerts", "list", "--all"]).ended(0).stdout;
    assert!(
        text.contains("no alert is open") && text.contains("by hand 20"),
        "{text}"
    );
}

#[test]
fn a_world_without_alerts_is_not_touched() {
    let mut world = World::blank(1, 2);
    world.group("payroll", &["Payroll"], "");
    let listed = world.json(&["alerts", "list"]).ended(0).result();
    assert_eq!(listed, json!({ "open": [] }));
    world
        .json(&["alerts", "resolve", "1"])
        .ended(2)
        .failed("TW6023");
    assert!(!world.path().join("state").exists());
    let told = world.run(&["alerts", "resolve"]).ended(2).stderr;
    assert!(told.contains("<ID>"), "{told}");
}

#[test]
fn an_old_backup_is_an_alert_and_a_young_one_ends_it() {
    let rpo = "[alerts]\nrpo = { full = \"8d\", log = \"30m\" }\n";
    let host = host(rpo, "");
    let checked = host.world.json(&["alerts", "check"]).ended(3).result();
    // Where there is no full, that alone is said.
    assert_eq!(checked["open"].as_array().unwrap().len(), 1, "{checked}");
    let alert = &checked["open"][0];
    assert_eq!(
        (&alert["code"], &alert["object"]),
        (&json!("TW6021"), &json!("payroll/Payroll full"))
    );
    assert_eq!(
        alert["message"],
        "there is no full backup; at most 8 d may lie between two"
    );
    host.backup().ended(0);
    assert_eq!(open(&host).len(), 0, "the backup itself ends it");
    host.take("log", &[]).ended(0);
    let checked = host.world.json(&["alerts", "check"]).ended(0).result();
    assert_eq!(checked["rpo"][1]["standing"], "good", "{checked}");
    // An hour later, by the book: no log was taken.
    let book = rusqlite::Connection::open(host.world.path().join("state/catalog.sqlite")).unwrap();
    book.execute_batch(
        "UPDATE run SET started = started - 3600 WHERE what = 'vdi log';
         UPDATE backup_set SET written = written - 3600 WHERE kind = 'log'",
    )
    .unwrap();
    let checked = host.world.json(&["alerts", "check"]).ended(3).result();
    let alert = &checked["open"][0];
    assert_eq!(alert["object"], "payroll/Payroll log");
    let message = alert["message"].as_str().unwrap();
    assert!(message.ends_with("at most 30 min are allowed"), "{message}");
    host.world.json(&["alerts", "check"]).ended(3);
    assert_eq!(open(&host)[0]["times"], 2);
    host.take("log", &[]).ended(0);
    host.world.json(&["alerts", "check"]).ended(0);
}

#[test]
fn a_rule_that_is_gone_ends_its_alerts() {
    let host = host("[alerts]\nrpo = { full = \"8d\" }\n", "");
    host.world.json(&["alerts", "check"]).ended(3);
    let file = host.world.path().join("groups.d/payroll.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("rpo = { full = \"8d\" }", "")).unwrap();
    host.world.json(&["alerts", "check"]).ended(0);
}
