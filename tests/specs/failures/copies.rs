//! Are SQL Server's own buffers what the mirrors write from?

use serde_json::{Value, json};

use super::host;
use crate::front::Host;
use crate::stage;

/// Bytes of the set, and bytes of it that came into memory of the agent.
#[track_caller]
fn payload(host: &Host) -> (u64, u64) {
    let ran = host
        .world
        .json(&["--log-level", "debug", "backup", "payroll"])
        .ended(0);
    let mut lines = ran
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.rfind(|line| line["fields"]["message"] == "payload");
    let fields = line.unwrap_or_else(|| panic!("{}", ran.stderr))["fields"].clone();
    (
        fields["bytes"].as_u64().unwrap(),
        fields["copied"].as_u64().unwrap(),
    )
}

#[test]
fn the_virtual_devices_bytes_are_never_copied() {
    let host = host(1, &json!({}));
    let (bytes, copied) = payload(&host);
    assert!(bytes > 1 << 20, "{bytes}");
    // What is left are documents of our own: manifests and records.
    assert!(copied < 64 << 10, "{copied} of {bytes} bytes");
}

#[test]
fn the_counter_counts_where_bytes_are_read() {
    let host = stage::usual();
    let (bytes, copied) = payload(&host);
    assert!(copied >= bytes, "{copied} of {bytes} bytes");
}
