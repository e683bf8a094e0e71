//! Around what is lost, and never silently short of what was wanted.

use serde_json::json;
use twinset::sqlserver::StatementEnd;

use super::{Chains, at};

/// Everything but the copy-only full, so that there is one way with the differential and one without.
fn without_the_second_full() -> Chains {
    Chains::of(&["F1", "L1", "L2", "L3", "D1", "C1", "L4"])
}

const LEAVE_OUT: [&str; 2] = ["--without", "6"];

#[test]
fn a_differential_that_is_lost_is_gone_around_by_logs() {
    let mut chains = without_the_second_full();
    chains.lose("D1");
    chains.runs(&LEAVE_OUT, 0, &["F1", "L1", "L2", "L3", "L4"]);
}

#[test]
fn a_differential_that_proves_damaged_at_once_is_gone_around() {
    let mut chains = without_the_second_full();
    chains.lose_chunk("D1", 0);
    let result = chains.runs(&LEAVE_OUT, 3, &["F1", "L1", "L2", "L3", "L4"]);
    assert_eq!(
        result["detours"],
        json!([{ "media_set": "payroll", "position": 5 }])
    );
}

#[test]
fn a_differential_that_breaks_off_in_the_middle_is_gone_around_from_the_first_set() {
    let mut chains = without_the_second_full();
    chains.lose_chunk("D1", 1);
    let result = chains.runs(&LEAVE_OUT, 3, &["F1", "L1", "L2", "L3", "L4"]);
    assert_eq!(result["detours"][0]["position"], 5);
}

#[test]
fn a_lost_log_is_a_gap_with_a_name() {
    let mut chains = Chains::of(&["F1", "L1", "L2", "L3"]);
    chains.lose("L2");
    let fault = chains
        .plan(&["--to", "2026-11-21T03:30:00Z"])
        .ended(4)
        .failed("4305");
    let text = fault.to_string();
    assert!(text.contains(&at(200).to_numeric().to_string()), "{text}");
    assert!(
        text.contains("payroll position 3 (log): family 1 is on no mirror"),
        "{text}"
    );
    assert!(text.contains("before it: 2026-11-21T02:00:00Z"), "{text}");
    // The latest point would be silently short: refused as well, with what can be had.
    let fault = chains.run(&[]).ended(4).failed("4305");
    let remedy = fault["remedy"].as_str().unwrap().to_owned();
    let (_, to) = remedy.split_once("--to ").unwrap();
    let (to, _) = to.split_once(';').unwrap();
    chains.runs(&["--to", to], 0, &["F1", "L1"]);
}

#[test]
fn a_point_before_the_gap_still_restores() {
    let mut chains = Chains::of(&["F1", "L1", "L2", "L3"]);
    chains.lose("L3");
    chains.runs(&["--to", "2026-11-21T02:30:00Z"], 0, &["F1", "L1", "L2"]);
}

#[test]
fn a_log_that_breaks_off_says_how_the_database_stands() {
    let mut chains = Chains::of(&["F1", "L1", "L2"]);
    chains.lose_chunk("L2", 0);
    let fault = chains.run(&["--position", "3"]).ended(4).failed("TW3004");
    assert!(fault.to_string().contains("payroll position 3"), "{fault}");
    assert!(
        fault.to_string().contains("nothing is left behind"),
        "{fault}"
    );
    assert!(
        chains
            .host
            .lab
            .database(crate::front::SERVER, "Copy")
            .is_err()
    );
}

#[test]
fn a_server_that_fails_at_the_second_set_is_told_with_its_first_error() {
    let mut chains = Chains::of(&["F1", "D1", "L4"]);
    // Two chunks of the differential are read, not those of the full.
    chains.host.turn(&json!({ "abort_after_bytes": 5_000_000 }));
    let fault = chains.run(&["--position", "2"]).ended(1).object()["error"].clone();
    crate::front::names_the_cause(&fault);
    let text = fault.to_string();
    assert!(text.contains("payroll position 2 (differential)"), "{text}");
    assert!(
        text.contains("database Copy on sql-a is RESTORING"),
        "{text}"
    );
    assert!(
        text.contains("restored to the end of payroll position 1 (full)"),
        "{text}"
    );
    assert!(text.contains("DROP DATABASE [Copy]"), "{text}");
    assert_eq!(chains.host.told("Copy")["state"], "RESTORING");
}

#[test]
fn a_chain_can_be_stopped_in_the_middle() {
    let mut chains = Chains::of(&["F1", "D1", "L4"]);
    chains.host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    let mut running = chains.host.world.start(&line);
    assert!(running.says("set 2 of 3"));
    running.interrupt();
    let fault = running.end().ended(6).failed("TW5004");
    assert!(
        fault.to_string().contains("DROP DATABASE [Copy]"),
        "{fault}"
    );
}

#[test]
fn sql_server_refuses_any_other_order() {
    let chains = Chains::of(&["F1", "L1", "L2", "L3"]);
    let folder = tempfile::tempdir_in(chains.host.world.path()).unwrap();
    let to = folder.path().to_str().unwrap();
    let mut files = Vec::new();
    for number in ["1", "2", "4"] {
        let line = [
            "media",
            "export",
            "payroll",
            "--position",
            number,
            "--to",
            to,
        ];
        let result = chains.host.world.json(&line).ended(0).result();
        files.push(result["files"][0].as_str().unwrap().to_owned());
    }
    let full = format!(
        "RESTORE DATABASE [X] FROM DISK = N'{}' WITH NORECOVERY",
        files[0]
    );
    assert_eq!(chains.by_hand(&full), StatementEnd::Ok);
    // The planner never does that; the double would say so.
    let skipped = format!(
        "RESTORE LOG [X] FROM DISK = N'{}' WITH NORECOVERY",
        files[2]
    );
    let StatementEnd::Error { number, .. } = chains.by_hand(&skipped) else {
        panic!("a log with a gap before it was taken");
    };
    assert_eq!(number, 4305);
    let next = format!(
        "RESTORE LOG [X] FROM DISK = N'{}' WITH NORECOVERY",
        files[1]
    );
    assert_eq!(chains.by_hand(&next), StatementEnd::Ok);
}
