//! What does each kind of backup leave behind, on the media and on the server?

use std::fs;

use serde_json::{Value, json};

use super::{Host, Setup, database};
use crate::support::sections;

/// Kind, arguments, type in msdb, copy-only there, media set, position on it.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    u64,
);

/// The newest row of msdb.
fn newest(told: &Value) -> Value {
    told["backups"].as_array().unwrap().last().unwrap().clone()
}

/// The facts in the manifest of a position of the media set for logs.
fn log_facts(host: &Host, position: u64) -> Value {
    let device = host.world.path().join("m1/f1-log");
    let volume = fs::read_dir(&device).unwrap().next().unwrap().unwrap();
    let index = format!("{:04}.", position * 2);
    let names = sections(&volume.path());
    let name = names.iter().find(|name| name.starts_with(&index)).unwrap();
    let bytes = fs::read(volume.path().join(name)).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice(line).unwrap()
}

#[test]
fn every_kind_is_what_sql_server_says_it_is() {
    let mut host = Host::usual();
    let rows: [Row; 7] = [
        ("full", &[], "D", "0", "payroll", 1),
        ("log", &[], "L", "0", "payroll-log", 1),
        ("diff", &[], "I", "0", "payroll", 2),
        ("log", &["--copy-only"], "L", "1", "payroll-log", 2),
        ("full", &["--copy-only"], "D", "1", "payroll", 3),
        ("log", &[], "L", "0", "payroll-log", 3),
        ("diff", &[], "I", "0", "payroll", 4),
    ];
    for (kind, more, letter, copy_only, media_set, position) in rows {
        let result = host.take(kind, more).ended(0).result();
        let set = &result["sets"][0];
        assert_eq!(set["position"], position, "{kind} {more:?}: {result}");
        let row = newest(&host.told("Payroll"));
        assert_eq!(row["type"], letter, "{kind} {more:?}");
        assert_eq!(row["is_copy_only"], copy_only, "{kind} {more:?}");
        let (guid, told) = (&row["backup_set_uuid"], &set["set"]);
        let same = |guid: &Value| guid.as_str().unwrap().to_lowercase();
        assert_eq!(same(guid), same(told));
        let there = host.sets_of(media_set);
        assert_eq!(there.len() as u64, position, "{kind} {more:?}");
        assert_eq!(there.last().unwrap()["state"], "published");
    }
    host.world.verify(0);
    let line = ["media", "verify", "payroll-log"];
    host.world.json(&line).ended(0);
}

#[test]
fn logs_form_a_chain_and_release_the_log() {
    let mut host = Host::usual();
    host.backup().ended(0);
    let mut starts = host.told("Payroll")["last_log_backup"].clone();
    for _ in 0..3 {
        host.take("log", &[]).ended(0);
        let told = host.told("Payroll");
        let row = newest(&told);
        assert_eq!(row["first_lsn"], starts, "{told}");
        assert_eq!(row["last_lsn"], told["last_log_backup"]);
        assert_eq!(told["truncated_to"], told["last_log_backup"]);
        starts = told["last_log_backup"].clone();
    }
}

#[test]
fn copy_only_leaves_base_and_chain_as_they_are() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let before = host.told("Payroll");
    host.take("full", &["--copy-only"]).ended(0);
    host.take("log", &["--copy-only"]).ended(0);
    let after = host.told("Payroll");
    for fact in ["differential_base", "last_log_backup", "truncated_to"] {
        assert_eq!(before[fact], after[fact], "{fact}");
    }
    let facts = log_facts(&host, 2);
    assert_eq!(facts["copy_only"], true);
    assert_eq!(facts["kind"], "log");
    // The next log begins where the last that counts ended: the copy lies beside.
    host.take("log", &[]).ended(0);
    let row = newest(&host.told("Payroll"));
    assert_eq!(row["first_lsn"], before["last_log_backup"]);
}

#[test]
fn copy_only_goes_with_full_and_log_alone() {
    let host = Host::usual();
    let diff = host.take("diff", &["--copy-only"]).ended(2);
    diff.failed("TW1007");
    let line = ["--copy-only", "--database", "Payroll", "--yes"];
    host.take("tail", &line).ended(2).failed("TW1007");
    host.media_are_clean();
}

#[test]
fn a_log_backup_that_fails_loses_nothing() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let before = host.told("Payroll");
    let knobs = [
        json!({ "fail_after_bytes": 100_000 }),
        json!({ "abort_after_bytes": 100_000 }),
    ];
    for knob in knobs {
        host.turn(&knob);
        host.take("log", &[]).ended(1);
        let after = host.quiet("Payroll");
        for fact in ["last_log_backup", "truncated_to", "backups"] {
            assert_eq!(before[fact], after[fact], "{knob}: {fact}");
        }
    }
    host.turn(&json!({}));
    host.take("log", &[]).ended(0);
    let row = newest(&host.told("Payroll"));
    assert_eq!(row["first_lsn"], before["last_log_backup"]);
}

#[test]
fn a_log_that_is_not_sealed_everywhere_is_never_acknowledged() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let before = host.told("Payroll");
    // Data are durable on both mirrors, and the second one's manifest cannot be put in its place.
    let fault = json!({ "fail_call": "end_section", "only_index": 4, "errno": 5 });
    host.world.configure(|media| {
        media.fault(2, 1, fault);
    });
    host.take("log", &[]).ended(1);
    host.world.heal_devices();
    let after = host.quiet("Payroll");
    for fact in ["last_log_backup", "truncated_to", "backups"] {
        assert_eq!(before[fact], after[fact], "{fact}");
    }
    host.take("log", &[]).ended(0);
    let row = newest(&host.told("Payroll"));
    assert_eq!(row["first_lsn"], before["last_log_backup"]);
}

#[test]
fn a_long_full_holds_no_log_up() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 8 << 20) + &database("Other", 1 << 20),
        names: vec!["Payroll", "Other"],
        ..Setup::default()
    });
    host.backup().ended(0);
    host.turn(&json!({ "bytes_per_second": 512 << 10 }));
    let mut full = host
        .world
        .start(&["backup", "payroll", "--database", "Payroll"]);
    assert!(full.says("\"running\""));
    host.take("log", &["--database", "Other"]).ended(0);
    host.take("log", &["--database", "Payroll"]).ended(0);
    assert_eq!(host.told("Payroll")["busy"], true, "the full goes on");
    // A second full waits for its media set, and is told so.
    host.world
        .json(&["backup", "payroll", "--database", "Other"])
        .ended(5)
        .failed("TW5002");
    full.end().ended(0);
}

#[test]
fn a_tail_is_confirmed_and_closes_the_database() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let before = host.told("Payroll");
    host.take("tail", &["--yes"]).ended(2);
    let fault = host.take("tail", &["--database", "Payroll"]).ended(5);
    let fault = fault.failed("TW5006");
    assert!(fault.to_string().contains("RESTORING"), "{fault}");
    assert_eq!(host.told("Payroll")["state"], "ONLINE");
    let line = ["--database", "Payroll", "--yes"];
    host.take("tail", &line).ended(0);
    let told = host.told("Payroll");
    assert_eq!(told["state"], "RESTORING");
    assert_eq!(newest(&told)["first_lsn"], before["last_log_backup"]);
    let facts = log_facts(&host, 2);
    assert_eq!(
        (&facts["tail"], &facts["kind"]),
        (&json!(true), &json!("log"))
    );
    // Nothing more is to be had of it.
    host.take("log", &[]).ended(1).failed("TW4010");
}
