//! What the service raises reaches its receivers by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{fast, is_open};
use crate::support::pair::{A, B, Pair, Setup};

/// How long a receiver may wait to be told.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn told(path: &Path, code: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.contains(code) {
            return;
        }
        assert!(Instant::now() < until, "never told of {code}: {text}");
        std::thread::yield_now();
    }
}

#[test]
fn a_switch_and_its_end_are_told_once_each() {
    let mut pair = Pair::of(&Setup {
        group: "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"",
        ..fast()
    });
    let (script, book) = (pair.path().join("tell.sh"), pair.path().join("told"));
    fs::write(&script, "#!/bin/sh\ncat >> \"$1\"; echo >> \"$1\"\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let config = pair.config_file(B);
    let text = fs::read_to_string(&config).unwrap();
    let alerts = format!("{text}[alerts]\ncommand = [{script:?}, {book:?}]\n");
    fs::write(&config, alerts).unwrap();

    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    pair.fail_over(A);
    told(&book, "TW6001");
    let listed = pair.json(B, &["alerts", "list"]).ended(0).result();
    assert_eq!(listed["open"][0]["code"], "TW6001", "{listed}");
    pair.fail_over(B);
    told(&book, "\"event\":\"resolved\"");
    b.stop().ended(0);
    let text = fs::read_to_string(&book).unwrap();
    assert_eq!(
        text.matches("TW6001").count(),
        2,
        "raised, resolved: {text}"
    );
}

#[test]
fn a_backup_of_the_service_that_fails_is_an_alert_until_one_succeeds() {
    let mut pair = Pair::of(&Setup {
        group: "[failover]\npoll = \"1s\"\n[schedule]\nfull = \"0 1 * * *\"\nretry_delay = \"1s\"",
        ..fast()
    });
    pair.order(A, json!({ "faults": { "fail_after_bytes": 100_000 } }));
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    assert!(is_open(&pair, A, "TW6014"));
    let status = pair.json(A, &["status"]).ended(3).result();
    assert_eq!(status[0]["alerts"][0]["code"], "TW6014", "{status}");
    pair.order(A, json!({ "faults": {} }));
    while pair.kinds(A, "payroll").is_empty() {
        assert!(a.says("has ended"), "it is tried again");
    }
    assert!(!is_open(&pair, A, "TW6014"));
    a.stop().ended(0);
}
