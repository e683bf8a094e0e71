//! Rows of the opening and the transfer.

use serde_json::{Value, json};

use super::{BACKUP, host, told};
use crate::front::{Host, names_the_cause};
use crate::support::snapshot;

#[test]
fn row_01_an_abort_names_what_came_first() {
    let mut host = host(1, &json!({}));
    host.world.configure(|media| {
        media.deadline = Some("1s");
        let hang = json!({ "hang_in": "write", "hang_ms": 600_000, "heed_cancel": true });
        media.fault(2, 1, hang);
    });
    let fault = host.backup().ended(1).failed("TW2008");
    names_the_cause(&fault);
    assert!(
        fault["object"].as_str().unwrap().contains("m2/f1"),
        "{fault}"
    );
    host.server_has_no_backup("Payroll");
}

#[test]
fn row_02_a_refused_flush_releases_no_log() {
    for (row, fault) in [
        ("row_02_sync", json!({ "fail_call": "sync", "errno": 5 })),
        (
            "row_02_manifest",
            json!({ "fail_call": "end_section", "errno": 5, "only_index": 2 }),
        ),
    ] {
        let mut host = host(1, &json!({}));
        host.world.configure(|media| {
            media.fault(2, 1, fault);
        });
        told(row, &host, BACKUP);
        host.server_has_no_backup("Payroll");
    }
}

#[test]
fn row_03_clear_error_is_answered() {
    let mut host = host(1, &json!({ "vdi": { "clear_error_first": true } }));
    host.backup().ended(0);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn row_04_an_abort_is_logged_with_its_reason_before() {
    let host = host(1, &json!({ "bytes_per_second": 1 << 20 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.interrupt();
    let ran = running.end().ended(6);
    let mut lines = ran.stderr.lines();
    let line = lines.find(|line| line.contains("signalling abort"));
    let line = line.unwrap_or_else(|| panic!("{}", ran.stderr));
    assert!(line.contains("twinset-") && line.contains("why"), "{line}");
}

#[test]
fn row_05_a_set_that_is_gone() {
    let host = host(1, &json!({ "open_fails": 0x8007_0002_u32 }));
    told("row_05", &host, BACKUP);
}

#[test]
fn row_06_a_set_that_the_server_cannot_see() {
    let mut host = host(1, &json!({ "open_fails": 0x8077_0006_u32 }));
    told("row_06", &host, BACKUP);
    host.server_has_no_backup("Payroll");
    host.media_are_clean();
}

#[test]
fn row_09_a_login_that_is_no_sysadmin() {
    let mut host = host(1, &json!({}));
    host.reach(|client| client.user = "reader".into());
    told("row_09", &host, BACKUP);
}

#[test]
fn row_10_a_statement_that_fails_early_is_not_waited_for() {
    let host = host(1, &json!({ "fail_before_open": 3033 }));
    let ran = host.backup().ended(1);
    let fault = ran.failed("TW4003");
    names_the_cause(&fault);
    assert!(fault.to_string().contains("3033"), "{fault}");
    assert!(ran.took.as_secs() < 30, "{:?}", ran.took);
}

#[test]
fn row_11_no_memory_for_the_buffers() {
    // Found before the set is opened, and behind it, with an abort.
    let before = |limit: u64| json!({ "vdi_memory": limit });
    let behind = |limit: u64| json!({ "vdi": { "memory_limit": limit } });
    for lacks in [&before as &dyn Fn(u64) -> Value, &behind] {
        // 8 buffers of 1 MiB do not fit, nor does half of it.
        let mut host = host(1, &lacks(2 << 20));
        let ran = host.world.run(BACKUP).ended(0);
        let tries = ran.stderr.matches("SQL Server found no memory").count();
        assert_eq!(tries, 2, "{}", ran.stderr);
        host.turn(&json!({}));
        host.restores("Payroll", 1, "Copy");
        host.turn(&lacks(4096));
        let fault = host.backup().ended(1).failed("TW4044");
        names_the_cause(&fault);
        let told = host.quiet("Payroll");
        assert_eq!(told["backups"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn row_14_random_access_is_never_asked_for() {
    // Who asks for it is aborted in the middle, backing up or restoring.
    let mut host = host(1, &json!({ "vdi": { "random_access_aborts": true } }));
    host.backup().ended(0);
    host.restores("Payroll", 1, "Copy");
    let codes = include_str!("../../../agent/src/sqlserver/vdi/codes.rs");
    assert!(
        !codes.contains("0x200;"),
        "VDF_RandomAccess is known to the agent"
    );
}

#[test]
fn row_15_several_devices_that_fail() {
    let mut host = host(2, &json!({ "vdi": { "two_devices_abort": true } }));
    told("row_15", &host, BACKUP);
    host.server_has_no_backup("Payroll");
}

#[test]
fn row_16_a_configuration_that_the_server_cannot_use() {
    let host = host(2, &json!({ "fail_before_open": 3261 }));
    told("row_16", &host, BACKUP);
}

#[test]
fn row_17_a_full_store() {
    let mut host = host(1, &json!({}));
    host.world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 1_000_000, "only_index": 1 }));
    });
    told("row_17", &host, BACKUP);
    host.server_has_no_backup("Payroll");
}

#[test]
fn row_22_flush_is_not_the_end() {
    let mut host = host(1, &json!({ "extra_flush": true }));
    host.backup().ended(0);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
    host.turn(&json!({ "extra_flush": true, "complete_enabled": false }));
    told("row_22", &host, BACKUP);
}

#[test]
fn row_23_a_server_that_is_silent_for_longer_than_the_driver_waits() {
    let mut host = host(1, &json!({ "done_delay_ms": 31_500 }));
    let ran = host.backup().ended(0);
    assert!(ran.took.as_secs() >= 31);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn row_27_a_dead_agent_leaves_no_backup_hanging() {
    let mut host = host(1, &json!({ "bytes_per_second": 1 << 20 }));
    let before = snapshot(&host.world.device(1, 1));
    let mut running = host.world.start(BACKUP);
    assert!(running.says("\"running\""));
    running.kill();
    host.server_has_no_backup("Payroll");
    host.turn(&json!({}));
    host.backup().ended(0);
    assert_ne!(snapshot(&host.world.device(1, 1)), before);
}

/// The backup ends unconfirmed; what msdb knows of it then decides.
#[track_caller]
fn unconfirmed(faults: &Value, recovered: i32) -> Host {
    let mut host = host(1, faults);
    let fault = host.backup().ended(1).failed("TW3005");
    names_the_cause(&fault);
    assert_eq!(host.world.sets()[0]["state"], "unconfirmed");
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Before");
    host.recover().ended(recovered);
    host
}

#[test]
fn verdict_clean_without_history_is_unconfirmed() {
    // The differential base is the proof then.
    unconfirmed(&json!({ "history_silent": true }), 0);
}

#[test]
fn verdict_an_error_behind_the_close_is_unconfirmed() {
    unconfirmed(&json!({ "fail_after_close": true }), 0);
}

#[test]
fn verdict_a_lost_connection_is_unconfirmed() {
    unconfirmed(&json!({ "drop_connection": "before-success" }), 0);
}
