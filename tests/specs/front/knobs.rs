//! What SQL Server, or its interface, may do otherwise than expected: every knob of the double is
//! turned in front of the agent by some spec, and these are turned here.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Host, names_the_cause};

/// Backup and restore go well although the server behaves so.
#[track_caller]
fn is_no_trouble(faults: &Value) {
    let mut host = Host::usual();
    host.turn(faults);
    host.backup().ended(0);
    host.restores("Payroll", 1, "Copy");
    host.world.json(&["media", "verify", "payroll"]).ended(0);
}

#[test]
fn timeouts_of_the_interface_may_count_seconds() {
    is_no_trouble(&json!({ "vdi": { "timeout_in_seconds": true } }));
}

#[test]
fn commands_may_come_with_pauses_between() {
    is_no_trouble(&json!({ "vdi": { "idle_gap_ms": 30 } }));
}

#[test]
fn a_restore_may_read_behind_the_end() {
    is_no_trouble(&json!({ "vdi": { "read_past_end": true } }));
}

#[test]
fn a_restore_may_close_its_devices_early() {
    is_no_trouble(&json!({ "restore_closes_early": true }));
}

#[test]
fn reads_come_in_any_sizes() {
    for seed in [1, 77, 4096] {
        is_no_trouble(&json!({ "seed": seed }));
    }
}

#[test]
fn a_code_that_no_list_has_is_told_as_it_came() {
    let mut host = Host::usual();
    host.turn(&json!({ "vdi": { "configure_code": -12345 } }));
    let fault = host.backup().ended(1).object()["error"].clone();
    names_the_cause(&fault);
    assert!(fault.to_string().contains("0xFFFFCFC7"), "{fault}");
    host.turn(&json!({}));
    host.server_has_no_backup("Payroll");
    host.media_are_clean();
}

#[test]
fn a_dead_client_that_the_interface_does_not_notice_is_ended_by_the_next_run() {
    let mut host = Host::usual();
    let deaf = json!({
        "bytes_per_second": 1 << 20, "ignores_disconnect": true,
        "vdi": { "ignore_client_death": true },
    });
    host.turn(&deaf);
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.kill();
    host.turn(&json!({ "ignores_disconnect": true }));
    host.backup().ended(0);
    host.quiet("Payroll");
}

#[test]
fn history_that_is_private_is_no_matter_to_a_sysadmin() {
    is_no_trouble(&json!({ "msdb_is_private": true }));
}

/// Fields that are knobs in a group of their own.
const GROUPS: [&str; 3] = ["vdi", "mirroring", "availability"];

/// Names of the fields of a struct of knobs.
fn fields(text: &str, name: &str) -> Vec<String> {
    let (_, body) = text.split_once(&format!("pub struct {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(field, _)| field.to_owned())
        .collect()
}

/// Text of every spec below a folder.
fn specs(folder: &Path, all: &mut String) {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            specs(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_knob_is_turned_by_a_spec() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    specs(&root.join("specs"), &mut all);
    let read = |file: &str| fs::read_to_string(root.join("src/instance").join(file)).unwrap();
    let knobs = [
        ("faults.rs", "VdiFaults"),
        ("faults.rs", "Faults"),
        ("mirroring/knobs.rs", "MirroringFaults"),
        ("availability/mod.rs", "AvailabilityFaults"),
    ];
    for (file, name) in knobs {
        for knob in fields(&read(file), name) {
            if GROUPS.contains(&knob.as_str()) {
                continue;
            }
            let turned = [
                format!("{knob}: "),
                format!("\"{knob}\":"),
                format!("{knob} ="),
            ];
            let is_turned = turned.iter().any(|form| all.contains(form));
            assert!(is_turned, "no spec turns {name}::{knob}");
        }
    }
}
