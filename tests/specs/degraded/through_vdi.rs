//! A mirror lost while SQL Server writes: its buffers come back, and its backup succeeds.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use serde_json::{Value, json};

use crate::front::{Host, Setup, database};

/// A host whose one sound mirror is enough.
fn lenient(fault: &Value) -> Host {
    let mut host = Host::blank(&Setup {
        databases: database("Payroll", 24 << 20),
        ..Setup::default()
    });
    host.world
        .configure(|media| media.set = "min_mirrors = 1".into());
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.world.configure(|media| {
        media.deadline = Some("1s");
        media.fault(2, 1, fault.clone());
    });
    host
}

#[test]
fn sql_server_is_told_success_and_the_set_lies_on_one_mirror() {
    for fault in [
        json!({ "fail_write_at": 5_000_000 }),
        json!({ "hang_in": "write", "hang_ms": 600_000, "after": 3 }),
        json!({ "fail_call": "end_section", "errno": 5 }),
        json!({ "fail_call": "put_record", "errno": 5 }),
    ] {
        let mut host = lenient(&fault);
        let ran = host.backup();
        assert!(
            ran.took < Duration::from_secs(40),
            "{fault}: {:?}",
            ran.took
        );
        let object = ran.object();
        assert_eq!(ran.code, 3, "{fault}: {object}");
        ran.failed("TW3010");
        assert_eq!(
            object["result"]["sets"][0]["lost"][0]["mirror"], 2,
            "{object}"
        );
        let told = host.quiet("Payroll");
        assert_eq!(
            told["backups"].as_array().unwrap().len(),
            1,
            "{fault}: {told}"
        );
        host.world.heal_devices();
        let ran = host.restore_of("Payroll", "Payroll_Copy", &["--position", "1"]);
        assert!([0, 3].contains(&ran.code), "{fault}: {}", ran.stdout);
        assert_eq!(host.told("Payroll_Copy")["state"], "ONLINE");
    }
}
