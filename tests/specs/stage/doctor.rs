//! Does `twinset doctor` see what would stop a staged backup, before it does?

use std::fs;

use serde_json::{Value, json};

use super::{adopt, folder, mode, usual};
use crate::front::Host;

/// What is found of the stage folder: level, code and message.
#[track_caller]
fn found(host: &Host, code: i32) -> Vec<(String, Value, String)> {
    let told = host.world.json(&["doctor"]).ended(code).result();
    let dir = folder(host).display().to_string();
    let findings = told["findings"].as_array().unwrap().iter();
    let about = findings.filter(|found| found["object"] == dir.as_str());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    about
        .map(|found| {
            (
                text(&found["level"]),
                found["code"].clone(),
                text(&found["message"]),
            )
        })
        .collect()
}

#[test]
fn a_folder_that_both_may_write_to_is_in_order() {
    let host = usual();
    host.backup().ended(0);
    let found = found(&host, 0);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "ok");
}

#[test]
fn a_folder_of_one_user_is_doubted() {
    let host = usual();
    mode(&host, 0o755);
    let found = found(&host, 3);
    assert_eq!(
        (found[1].0.as_str(), &found[1].1),
        ("warning", &Value::Null)
    );
    assert!(found[1].2.contains("its owner alone"), "{found:?}");
}

#[test]
fn a_folder_that_is_gone_is_a_failure() {
    let host = usual();
    fs::remove_dir(folder(&host)).unwrap();
    let found = found(&host, 1);
    assert_eq!(
        (found[0].0.as_str(), &found[0].1),
        ("failure", &json!("TW4041"))
    );
}

#[test]
fn what_waits_is_named() {
    let mut host = adopt::waits();
    host.world.heal_devices();
    let found = found(&host, 0);
    assert_eq!(found.last().unwrap().0, "note", "{found:?}");
}
