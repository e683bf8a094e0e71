//! `twinset report`: 0 only if all is good.

use std::fs;

use serde_json::json;

use super::{break_devices, host};

/// What must hold of the group.
const RPO: &str = "[alerts]\nrpo = { full = \"8d\" }\n";

#[test]
fn a_good_night_ends_with_0() {
    let host = host(RPO, "");
    let ran = host.world.json(&["report"]).ended(1).result();
    assert_eq!(ran["good"], false, "nothing was ever backed up");
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let report = host
        .world
        .json(&["report", "--since", "24h"])
        .ended(0)
        .result();
    assert_eq!(report["good"], true);
    let database = &report["groups"][0]["databases"][0];
    assert_eq!(
        (
            &database["database"],
            &database["succeeded"],
            &database["failed"]
        ),
        (&json!("Payroll"), &json!(2), &json!(0))
    );
    assert!(database["bytes"].as_u64().unwrap() > 4 << 20, "{database}");
    assert!(
        database["full"].is_string() && database["log"].is_string(),
        "{database}"
    );
    let sets = report["groups"][0]["media_sets"].as_array().unwrap();
    assert_eq!(sets.len(), 2, "{report}");
    let text = host.world.run(&["report"]).ended(0).stdout;
    assert!(
        text.starts_with("all is good: the last 1 d 00 h until 20"),
        "{text}"
    );
    assert!(text.contains("kept"), "{text}");
}

#[test]
fn a_failed_run_and_a_missing_mirror_are_seen_in_the_morning() {
    let mut host = host(RPO, "");
    host.backup().ended(0);
    break_devices(&mut host, true);
    host.backup().ended(1);
    break_devices(&mut host, false);
    let report = host.world.json(&["report"]).ended(1).result();
    assert_eq!(report["groups"][0]["databases"][0]["failed"], 1);
    assert_eq!(report["open"][0]["code"], "TW6014");
    host.backup().ended(0);
    let report = host.world.json(&["report"]).ended(0).result();
    assert_eq!(report["ended"].as_array().unwrap().len(), 1);
    // A mirror that is gone: protected, and thinner than configured.
    fs::rename(host.world.device(2, 1), host.world.path().join("away")).unwrap();
    let report = host.world.json(&["report"]).ended(3).result();
    let missing = &report["groups"][0]["media_sets"][0]["missing"];
    assert_eq!(missing.as_array().unwrap().len(), 1, "{report}");
    let text = host.world.run(&["report"]).ended(3).stdout;
    assert!(
        text.contains("not all is good") && text.contains("missing: "),
        "{text}"
    );
}

#[test]
fn the_span_is_what_was_typed() {
    let host = host("", "");
    host.backup().ended(0);
    let path = host.world.path().join("state/catalog.sqlite");
    let book = rusqlite::Connection::open(path).unwrap();
    book.execute("UPDATE run SET started = started - 7200", [])
        .unwrap();
    drop(book);
    let runs = |since: &str| {
        let ran = host.world.json(&["report", "--since", since]).ended(0);
        ran.result()["groups"][0]["databases"][0]["succeeded"].clone()
    };
    assert_eq!((runs("1h"), runs("3h")), (json!(0), json!(1)));
    let told = host
        .world
        .run(&["report", "--since", "night"])
        .ended(2)
        .stderr;
    assert!(told.contains("write a whole number with"), "{told}");
}
