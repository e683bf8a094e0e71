//! Databases that are let go, and groups that are made ready.

use std::fs;

use super::fast;
use crate::support::pair::{A, Pair};

#[test]
fn an_orphan_is_let_go_and_its_backups_stay() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let taken = pair.kinds(A, "payroll");
    let leave = ["group", "unprotect", "payroll", "--retain-data"];
    let refused = pair.json(A, &leave).ended(5).failed("TW6043");
    assert!(
        refused["remedy"].as_str().unwrap().contains("-Payroll"),
        "{refused}"
    );
    fs::remove_file(pair.group_file()).unwrap();
    // The alert is in the book when the log has it.
    assert!(a.says("TW6013"));
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    assert!(listed["open"].to_string().contains("TW6013"), "{listed}");
    let left = pair.json(A, &leave).ended(0).result();
    assert_eq!(left["databases"][0]["text"], "unprotected", "{left}");
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    assert!(!listed["open"].to_string().contains("Payroll"), "{listed}");
    let states = pair.json(A, &["group", "list"]).ended(0).result();
    assert_eq!(states, serde_json::json!([]));
    pair.json(A, &leave).ended(2).failed("TW1006");
    assert_eq!(pair.kinds(A, "payroll"), taken, "what was taken stays");
    // Meant again, it begins as a new one: checked before anything is taken.
    fs::write(pair.group_file(), fast().group_text()).unwrap();
    assert!(a.says("\"protected\""));
    a.stop().ended(0);
    let again = pair.serve(A);
    again.stop().ended(0);
    pair.json(A, &["history"]).ended(0);
}

#[test]
fn unprotect_says_that_data_stay() {
    let pair = Pair::of(&fast());
    let ran = pair.json(A, &["group", "unprotect", "payroll"]).ended(2);
    let fault = ran.failed("TW1007").to_string();
    assert!(fault.contains("--retain-data"), "{fault}");
}

#[test]
fn protect_formats_what_the_group_needs_and_nothing_twice() {
    let pair = Pair::of(&fast());
    fs::remove_dir_all(pair.path().join(A)).unwrap();
    fs::remove_dir_all(pair.path().join(format!("state-{A}"))).unwrap();
    let made = pair
        .json(A, &["group", "protect", "payroll"])
        .ended(0)
        .result();
    let formatted = |told: &serde_json::Value| -> Vec<bool> {
        let all = told.as_array().unwrap().iter();
        all.map(|set| set["formatted"].as_bool().unwrap()).collect()
    };
    assert_eq!(formatted(&made), [true, true], "{made}");
    pair.take(A, "full", &[]).ended(0);
    let made = pair
        .json(A, &["group", "protect", "payroll"])
        .ended(0)
        .result();
    assert_eq!(formatted(&made), [false, false], "{made}");
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    pair.json(A, &["group", "protect", "nix"])
        .ended(2)
        .failed("TW1006");
}
