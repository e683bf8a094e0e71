//! To the latest point, a time, a record, a set; along one fork.

use super::{Chains, NAMES, at, guid, positions, set};

#[test]
fn the_latest_point_needs_the_newest_full_and_what_follows() {
    let mut chains = Chains::on_one_fork();
    let result = chains.runs(&[], 0, &["C1", "L4"]);
    assert_eq!(result["state"], "ONLINE");
    assert_eq!(result["detours"], serde_json::json!([]));
}

#[test]
fn a_time_between_two_logs_stops_inside_the_second() {
    let mut chains = Chains::on_one_fork();
    let to = ["--to", "2026-11-21T03:15:00Z"];
    let planned = chains.plan(&to).ended(0).result();
    assert_eq!(planned["stop"]["at"], "2026-11-21T03:15:00");
    chains.runs(&to, 0, &["F1", "L1", "L2", "L3"]);
}

#[test]
fn a_time_behind_a_differential_takes_it() {
    let mut chains = Chains::of(&["F1", "L1", "L2", "L3", "D1", "C1", "L4"]);
    chains.runs(&["--to", "2026-11-21 05:40+01:00"], 0, &["F1", "D1", "L4"]);
}

#[test]
fn a_time_without_an_offset_is_utc_and_told_so() {
    let chains = Chains::on_one_fork();
    let planned = chains.plan(&["--to", "2026-11-21 04:40"]).ended(0).result();
    assert_eq!(planned["goal"]["time"], "2026-11-21T04:40:00Z");
    assert_eq!(planned["server_time"], "2026-11-21T04:40:00 +00:00");
    assert!(planned["lost_seconds"].as_i64().unwrap() >= 0);
}

#[test]
fn imported_files_may_be_told_their_zone() {
    let chains = Chains::on_one_fork();
    // By a clock two hours ahead, 04:40 there is 02:40 UTC.
    let more = ["--to", "2026-11-21T02:40:00Z", "--server-zone", "+02:00"];
    let planned = chains.plan(&more).ended(0).result();
    assert_eq!(planned["stop"]["at"], "2026-11-21T04:40:00");
    assert_eq!(positions(&planned["steps"]), [1, 5, 7]);
    let warnings = planned["warnings"].to_string();
    assert!(warnings.contains("+02:00 is taken"), "{warnings}");
}

#[test]
fn a_record_stops_in_the_log_that_holds_it() {
    let mut chains = Chains::on_one_fork();
    let lsn = format!("lsn:{}", at(350).to_numeric());
    assert_eq!(chains.planned(&["--to", &lsn]), [1, 2, 3, 4]);
    // The number behind a set is the next record's: the log that holds it stops behind it.
    let lsn = format!("lsn:{}", at(300).to_numeric());
    chains.runs(&["--to", &lsn], 0, &["F1", "L1", "L2", "L3"]);
}

#[test]
fn one_set_is_restored_with_what_leads_to_it() {
    let mut chains = Chains::on_one_fork();
    for (number, expected) in [
        ("1", &[1_u64][..]),
        ("5", &[1, 5]),
        ("3", &[1, 2, 3]),
        ("6", &[6]),
    ] {
        assert_eq!(chains.planned(&["--position", number]), expected);
    }
    chains.runs(&["--position", "5"], 0, &["F1", "D1"]);
}

#[test]
fn left_restoring_for_more_to_come() {
    let mut chains = Chains::on_one_fork();
    let result = chains
        .run(&["--norecovery", "--position", "3"])
        .ended(0)
        .result();
    assert_eq!(result["state"], "RESTORING");
    assert_eq!(chains.host.told("Copy")["state"], "RESTORING");
    // A second restore does not take what the first one left.
    let fault = chains.run(&[]).ended(5).failed("3141");
    assert!(
        fault["remedy"]
            .as_str()
            .unwrap()
            .contains("DROP DATABASE [Copy]"),
        "{fault}"
    );
    chains.host.restore("Other").ended(0);
}

#[test]
fn a_fork_is_chosen_and_the_other_is_named() {
    let mut chains = Chains::of(&NAMES[..7]);
    // Forced service: the new fork goes on from behind L3.
    let mut last = set("L5");
    last.lsns.first = at(410);
    last.first_fork_guid = guid(0x61);
    last.fork_point = at(480);
    chains.import(&last);
    let fork = guid(0x61).to_string();
    let planned = chains.plan(&["--fork", &fork]).ended(0).result();
    assert_eq!(positions(&planned["steps"]), [6, 7]);
    // On the new fork the abandoned log is never taken.
    let planned = chains.plan(&[]).ended(0).result();
    assert_eq!(positions(&planned["steps"]), [6, 8]);
    assert_eq!(planned["forks"][0]["fork"], fork);
    let unknown = guid(9).to_string();
    chains.plan(&["--fork", &unknown]).ended(5).failed("4330");
    chains.runs(&["--fork", &fork], 0, &["C1", "L4"]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let chains = Chains::of(&["F1"]);
    chains
        .plan(&["--to", "yesterday"])
        .ended(2)
        .failed("TW1007");
    chains
        .plan(&["--to", "latest", "--after", "2026-11-21T03:00:00Z"])
        .ended(2)
        .failed("TW1007");
    chains
        .plan(&["--position", "logs:1"])
        .ended(2)
        .failed("TW1006");
    let more = ["--to", "mark:x", "--norecovery"];
    chains.run(&more).ended(2).failed("TW1007");
}

#[test]
fn verify_has_sql_server_read_every_set() {
    let mut chains = Chains::on_one_fork();
    let line = [
        "restore", "verify", "Payroll", "--group", "payroll", "--on", "sql-a",
    ];
    let more = ["--to", "2026-11-21T04:40:00Z"];
    let verified = chains
        .host
        .world
        .json(&[&line[..], &more].concat())
        .ended(0)
        .result();
    assert_eq!(positions(&verified["sets"]), [1, 5, 7]);
    // Nothing was restored.
    let left = chains
        .host
        .lab
        .database(crate::front::SERVER, "Payroll_Copy");
    assert!(left.is_err());
    chains.lose_chunk("D1", 1);
    let ran = chains
        .host
        .world
        .json(&[&line[..], &more].concat())
        .ended(4);
    let verified = ran.result();
    assert_eq!(verified["sets"][1]["fault"]["code"], "TW3004", "{verified}");
    // The others are read all the same.
    assert_eq!(verified["sets"][2]["fault"], serde_json::Value::Null);
}
