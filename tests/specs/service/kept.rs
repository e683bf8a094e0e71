//! The last sound configuration holds where a file is faulty.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{ask, ends, fast, opens};
use crate::front::PASSWORD;
use crate::support::pair::{A, Pair};

/// A pair whose first agent has run once, with a sound configuration.
fn ran() -> Pair {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    a.stop().ended(0);
    pair
}

/// What the service protects, as `group/database`, once the check of the first group has passed.
#[track_caller]
fn protects(pair: &Pair) -> Vec<String> {
    let path = pair.path().join("state-sql-a/control.sock");
    let told = ask(&path, &json!({ "do": "status" }));
    let all = told["result"]["databases"].as_array().unwrap().iter();
    let name = |one: &serde_json::Value| {
        let word = |key: &str| one[key].as_str().unwrap().to_owned();
        format!("{}/{}", word("group"), word("database"))
    };
    let names = all.map(name).collect::<Vec<_>>();
    let check = json!({ "do": "check", "group": "payroll", "database": null });
    let checked = ask(&path, &check);
    assert_eq!(checked["exit"], 0, "{checked}");
    names
}

fn second(pair: &Pair) {
    let text = fast().group_text();
    let text = text.replace("name = \"payroll\"", "name = \"hr\"");
    let text = text.replace("\"Payroll\"", "\"Nobody\"");
    fs::write(pair.path().join("groups.d/hr.toml"), text).unwrap();
}

#[test]
fn a_faulty_group_holds_as_it_was_and_stops_no_other() {
    let pair = ran();
    let sound = fs::read_to_string(pair.group_file()).unwrap();
    fs::write(pair.group_file(), sound.replace("partners", "pardners")).unwrap();
    fs::write(pair.path().join("groups.d/new.toml"), "[group]\n").unwrap();
    second(&pair);
    let mut a = pair.serve(A);
    assert!(a.says("not there, or hidden"), "the new group's database");
    opens(&pair, A, "TW6015");
    // Its processes fall back as well.
    assert_eq!(protects(&pair), ["hr/Nobody", "payroll/Payroll"]);
    for (line, code) in [(&["config", "check"][..], 2), (&["status", "payroll"], 0)] {
        let ran = pair.run_as(A, &["--no-progress"], line).ended(code);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains("TW6015"), "{line:?}: {told}");
    }
    pair.json(A, &["backup", "payroll"]).ended(2);

    fs::remove_file(pair.path().join("groups.d/new.toml")).unwrap();
    fs::write(pair.group_file(), sound).unwrap();
    assert!(a.says("the configuration was read again"));
    protects(&pair);
    ends(&pair, A, "TW6015");
    a.stop().ended(0);
}

#[test]
fn a_faulty_agent_file_falls_back_at_the_start() {
    let pair = ran();
    let sound = fs::read_to_string(pair.config_file(A)).unwrap();
    fs::write(pair.config_file(A), format!("{sound}\n[agent\n")).unwrap();
    let mut a = pair.serve(A);
    assert!(a.has_said("looks for other agents", 2), "both were asked");
    assert_eq!(protects(&pair), ["payroll/Payroll"]);
    // A file that is removed is no faulty one.
    fs::remove_file(pair.group_file()).unwrap();
    assert!(a.says("orphaned"));
    fs::write(pair.config_file(A), sound).unwrap();
    assert!(a.says("the configuration was read again"));
    ends(&pair, A, "TW6015");
    a.stop().ended(0);
}

#[test]
fn what_is_kept_is_private_and_holds_no_secret() {
    let pair = ran();
    let path = pair.path().join("state-sql-a/last-good.json");
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("payroll.toml"));
    assert!(!text.contains(PASSWORD));
}

#[test]
fn without_a_sound_one_the_service_does_not_start() {
    let pair = Pair::of(&fast());
    fs::write(pair.group_file(), "[group]\n").unwrap();
    pair.json(A, &["run"]).ended(2);
}
