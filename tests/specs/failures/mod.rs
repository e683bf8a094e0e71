//! What does an operator read when SQL Server, its interface or the media fail? The failure
//! catalogue of SQL Server's virtual devices, one spec for each row, with the message word for word
//! in `snapshots`. 3013, 3041 and 995 are never the cause.
//!
//! | row | symptom | spec |
//! |---|---|---|
//! | 1 | 18210 write failure 995: the client aborted | `row_01_an_abort_names_what_came_first` |
//! | 2 | Flush failure 995: the client refused | `row_02_a_refused_flush_releases_no_log` |
//! | 3 | ClearError failure 995 | `row_03_clear_error_is_answered` |
//! | 4 | "Client initiates abort" | `row_04_an_abort_is_logged_with_its_reason_before` |
//! | 5 | 3201 with 0x80070002: no such set | `row_05_a_set_that_is_gone` |
//! | 6 | 3201 with 0x80770006: unknown name | `row_06_a_set_that_the_server_cannot_see` |
//! | 7 | CoCreateInstance: class not registered | excluded: COM, on Windows alone |
//! | 8 | CoCreateInstance: not elevated | excluded: COM, on Windows alone |
//! | 9 | 3265: no sysadmin | `row_09_a_login_that_is_no_sysadmin` |
//! | 10 | the set is never opened | `row_10_a_statement_that_fails_early_is_not_waited_for` |
//! | 11 | no memory for the buffers | `row_11_no_memory_for_the_buffers` |
//! | 12 | 3012: VDI ran out of buffers for SQL Writer | excluded: VSS, which the agent never uses |
//! | 13 | Linux: shared memory is not seen | `row_06_a_set_that_the_server_cannot_see` |
//! | 14 | Linux: random access aborts | `row_14_random_access_is_never_asked_for` |
//! | 15 | Linux: several devices fail | `row_15_several_devices_that_fail` |
//! | 16 | 3261: configuration | `row_16_a_configuration_that_the_server_cannot_use` |
//! | 17 | 3202 with 112: the store is full | `row_17_a_full_store` |
//! | 18 | 3203 with 38, 3256: a truncated stream | `row_18_a_truncated_stream_is_found_before_the_restore` |
//! | 19 | 3241: an altered stream | `row_19_what_is_no_backup_is_refused` |
//! | 20 | 3132, 3231, 3258, 3227: stripes | `row_20_missing_surplus_foreign_and_double_stripes` |
//! | 21 | 3284: other sizes than at backup | `row_21_a_restore_uses_the_sizes_of_the_backup` |
//! | 22 | FILESTREAM: Flush is not the end | `row_22_flush_is_not_the_end` |
//! | 23 | cancelled after the driver's 30 s | `row_23_a_server_that_is_silent_for_longer_than_the_driver_waits` |
//! | 24 | 3013 alone | `row_24_3013_alone_is_no_cause` |
//! | 25 | PrepareToFreeze 995 on many databases | excluded: snapshots, which the agent never takes |
//! | 26 | 3633, 3634: a file of the server | `row_26_a_file_of_the_server` |
//! | 27 | BACKUP hangs after the agent died | `row_27_a_dead_agent_leaves_no_backup_hanging` |
//! | 28 | 3023 and other preconditions | `row_28_preconditions_have_a_remedy_each` |
//! | 29 | others restore from history | `row_29_exported_files_are_what_others_restore` |
//!
//! When did a backup succeed (rules 3.5 to 3.8 of the interface)?
//!
//! | statement | devices | msdb | verdict | spec |
//! |---|---|---|---|---|
//! | clean | closed | found | success | `row_03_clear_error_is_answered` |
//! | clean | closed | absent | unconfirmed | `verdict_clean_without_history_is_unconfirmed` |
//! | error | closed | any | unconfirmed | `verdict_an_error_behind_the_close_is_unconfirmed` |
//! | error | aborted | absent | failed | `row_01_an_abort_names_what_came_first` |
//! | lost | closed | any | unconfirmed | `verdict_a_lost_connection_is_unconfirmed` |
#![allow(clippy::unwrap_used, clippy::panic)]

mod copies;
mod reading;
mod server;
mod transfer;

use serde_json::Value;

use crate::front::messages::said;
use crate::front::{Host, Setup};

/// Rows of the catalogue.
const ROWS: u32 = 29;

/// What the program says of a failure, kept under the row's name. The first fault is a cause, and
/// has a remedy that is worth its line.
#[track_caller]
fn told(row: &str, host: &Host, args: &[&str]) {
    let text = said(host, args);
    let error = text.lines().find(|line| line.starts_with("error "));
    let error = error.unwrap_or_else(|| panic!("{row}: no error in {text}"));
    for consequence in [
        "error 3013",
        "error 3041",
        "error 995",
        "SQL Server error 3013",
    ] {
        assert!(
            !error.contains(consequence) || row == "row_24",
            "{row}: {text}"
        );
    }
    let (_, remedy) = text.split_once("  remedy: ").unwrap();
    assert!(!remedy.contains("look the number up"), "{row}: {text}");
    insta::assert_snapshot!(row, text);
}

fn host(families: u16, faults: &Value) -> Host {
    let mut host = Host::formatted(&Setup {
        families,
        ..Setup::default()
    });
    host.turn(faults);
    host
}

const BACKUP: &[&str] = &["backup", "payroll"];
const RESTORE: &[&str] = &[
    "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
];

#[test]
fn every_row_has_a_spec_or_a_reason() {
    let page = include_str!("mod.rs");
    let specs = [
        include_str!("reading.rs"),
        include_str!("server.rs"),
        include_str!("transfer.rs"),
    ]
    .concat();
    let mut named = Vec::new();
    for row in 1..=ROWS {
        let head = format!("//! | {row} | ");
        let line = page.lines().find(|line| line.starts_with(&head));
        let line = line.unwrap_or_else(|| panic!("row {row} is not in the list"));
        let last = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        match last.strip_prefix("excluded: ") {
            Some(reason) => assert!(reason.len() > 10, "row {row} needs its reason"),
            None => named.push(last.trim_matches('`').to_owned()),
        }
    }
    let verdicts = page
        .lines()
        .filter(|line| line.starts_with("//!") && line.contains("| `verdict_"));
    named.extend(verdicts.map(|line| line.split('`').nth(1).unwrap().to_owned()));
    for name in named {
        assert!(specs.contains(&format!("fn {name}()")), "no spec {name}");
    }
}
