//! What happens when SQL Server, its library or a device goes wrong? Nothing is published, nothing
//! stays, and the first cause is named.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Host, Setup, database, mirrored, names_the_cause};
use crate::support::built;

/// The backup fails so, and neither side has anything of it.
#[track_caller]
fn fails_without_a_trace(host: &mut Host, exit: i32, code: &str) -> Value {
    let fault = host.backup().ended(exit).failed(code);
    names_the_cause(&fault);
    host.media_are_clean();
    host.server_has_no_backup("Payroll");
    fault
}

/// After whatever failed, the next backup goes well.
#[track_caller]
fn the_next_one_goes_well(host: &mut Host) {
    host.turn(&json!({}));
    host.world.heal_devices();
    host.backup().ended(0);
    host.world.verify(0);
    let sets = host.world.sets();
    let published = sets.iter().filter(|set| set["state"] == "published");
    let position = published
        .map(|set| set["position"].as_u64().unwrap())
        .max()
        .unwrap();
    host.restores("Payroll", position, "Copy");
}

#[track_caller]
fn mentions(fault: &Value, word: &str) {
    assert!(
        fault.to_string().contains(word),
        "{word} is missing: {fault}"
    );
}

#[test]
fn a_wrong_password() {
    let mut host = Host::usual();
    std::fs::write(host.world.path().join("password"), "wrong-word").unwrap();
    let fault = fails_without_a_trace(&mut host, 1, "18456");
    assert!(!fault.to_string().contains("wrong-word"), "{fault}");
}

#[test]
fn a_password_file_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let mut host = Host::usual();
    let path = host.world.path().join("password");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    fails_without_a_trace(&mut host, 2, "TW1004");
}

#[test]
fn a_certificate_for_another_name() {
    let mut host = Host::formatted(&Setup {
        server: "certificate_names = [\"sql-a.example.com\"]".into(),
        ..Setup::default()
    });
    let fault = fails_without_a_trace(&mut host, 1, "TW4002");
    mentions(&fault, "not for the name localhost");
    host.reach(|client| client.more = "server_name = \"sql-a.example.com\"".into());
    the_next_one_goes_well(&mut host);
}

#[test]
fn a_certificate_of_an_unknown_authority() {
    let mut host = Host::usual();
    host.reach(|client| client.ca_file = None);
    let fault = fails_without_a_trace(&mut host, 1, "TW4002");
    mentions(&fault, "ca_file");
}

#[test]
fn nobody_listens() {
    let mut host = Host::usual();
    // A port that was just free: the socket is bound and closed again without listening.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    host.reach(|client| client.port = port);
    fails_without_a_trace(&mut host, 1, "TW4001");
}

#[test]
fn a_login_that_is_no_sysadmin() {
    let mut host = Host::usual();
    host.reach(|client| client.user = "reader".into());
    let fault = fails_without_a_trace(&mut host, 1, "3265");
    mentions(&fault, "ALTER SERVER ROLE sysadmin ADD MEMBER [reader]");
}

#[test]
fn a_database_that_does_not_exist() {
    let mut host = Host::formatted(&Setup {
        names: vec!["Nobody"],
        ..Setup::default()
    });
    let fault = fails_without_a_trace(&mut host, 1, "911");
    mentions(&fault, "Nobody");
}

#[test]
fn a_database_that_is_the_mirror_here() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20) + &mirrored("Standby", "mirror"),
        names: vec!["Standby"],
        ..Setup::default()
    });
    let fault = fails_without_a_trace(&mut host, 5, "954");
    mentions(&fault, "SQL-B");
}

#[test]
fn the_principal_of_a_session_is_backed_up() {
    let mut host = Host::formatted(&Setup {
        databases: mirrored("Payroll", "principal"),
        ..Setup::default()
    });
    host.backup().ended(0);
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn a_library_that_is_not_there() {
    let mut host = Host::usual();
    host.reach(|client| client.vdi_library = PathBuf::from("/nowhere/libsqlvdi.so"));
    let fault = fails_without_a_trace(&mut host, 1, "TW4004");
    mentions(&fault, "/nowhere/libsqlvdi.so");
}

#[test]
fn a_library_that_lacks_a_symbol() {
    let mut host = Host::usual();
    let symbol = "_ZN22ClientVirtualDeviceSet11SignalAbortEv";
    let crippled = host.world.path().join("libsqlvdi.so");
    sqlvdi::without_symbol(&built("libsqlvdi.so"), &crippled, symbol).unwrap();
    host.reach(|client| client.vdi_library = crippled);
    let fault = fails_without_a_trace(&mut host, 1, "TW4004");
    mentions(&fault, symbol);
}

#[test]
fn a_statement_that_fails_before_it_opens_the_set() {
    let mut host = Host::usual();
    host.turn(&json!({ "fail_before_open": 3033 }));
    let fault = fails_without_a_trace(&mut host, 1, "TW4003");
    mentions(&fault, "3033");
    the_next_one_goes_well(&mut host);
}

#[test]
fn several_devices_that_the_server_cannot_use_name_the_remedy() {
    let mut host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.turn(&json!({ "fail_before_open": 3261 }));
    let fault = fails_without_a_trace(&mut host, 1, "3261");
    mentions(&fault, "families = 1");
}

#[test]
fn a_server_that_never_opens_the_set_is_left_when_the_operator_says_so() {
    let mut host = Host::usual();
    host.turn(&json!({ "never_open": true }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.interrupt();
    let fault = running.end().ended(6).failed("TW5004");
    names_the_cause(&fault);
    host.media_are_clean();
    host.server_has_no_backup("Payroll");
    the_next_one_goes_well(&mut host);
}

#[test]
fn an_operator_who_stops_a_running_backup() {
    let mut host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.interrupt();
    running.end().ended(6).failed("TW5004");
    host.media_are_clean();
    host.server_has_no_backup("Payroll");
    the_next_one_goes_well(&mut host);
}

#[test]
fn an_error_of_the_server_in_the_middle() {
    let mut host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.turn(&json!({ "fail_after_bytes": 2_000_000 }));
    let fault = fails_without_a_trace(&mut host, 1, "TW4003");
    mentions(&fault, "3271");
    the_next_one_goes_well(&mut host);
}

#[test]
fn a_set_that_the_server_aborts_in_the_middle() {
    // More than all buffers hold: some of it was answered before.
    let mut host = Host::formatted(&Setup {
        families: 2,
        databases: database("Payroll", 48 << 20),
        ..Setup::default()
    });
    host.turn(&json!({ "abort_after_bytes": 32_000_000 }));
    fails_without_a_trace(&mut host, 1, "TW4003");
    the_next_one_goes_well(&mut host);
}

/// The disk of one device fills up in the middle.
fn full_disk(families: u16, mirror: u8, family: u16) {
    let mut host = Host::formatted(&Setup {
        families,
        ..Setup::default()
    });
    let faults = json!({ "fail_write_at": 1_000_000, "only_index": 1 });
    host.world.configure(|media| {
        media.fault(mirror, family, faults);
    });
    let fault = fails_without_a_trace(&mut host, 1, "TW2010");
    mentions(&fault, &format!("m{mirror}/f{family}"));
    the_next_one_goes_well(&mut host);
}

#[test]
fn a_full_disk_under_mirror_1() {
    full_disk(1, 1, 1);
}

#[test]
fn a_full_disk_under_mirror_2_of_one_family_of_two() {
    full_disk(2, 2, 2);
}

#[test]
fn a_device_that_breaks_in_the_middle() {
    let mut host = Host::usual();
    let faults = json!({ "fail_write_at": 1_000_000, "errno": 5, "only_index": 1 });
    host.world.configure(|media| {
        media.fault(2, 1, faults);
    });
    let fault = fails_without_a_trace(&mut host, 1, "TW2007");
    mentions(&fault, "m2/f1");
    the_next_one_goes_well(&mut host);
}

#[test]
fn a_device_that_cannot_make_the_data_durable() {
    let mut host = Host::usual();
    host.world.configure(|media| {
        media.fault(2, 1, json!({ "fail_call": "sync", "errno": 5 }));
    });
    fails_without_a_trace(&mut host, 1, "TW2007");
    the_next_one_goes_well(&mut host);
}

#[test]
fn a_device_that_hangs_costs_its_deadline_and_no_more() {
    let mut host = Host::usual();
    host.world.configure(|media| {
        media.deadline = Some("2s");
        media.fault(
            2,
            1,
            json!({ "hang_in": "write", "hang_ms": 600_000, "heed_cancel": true }),
        );
    });
    let ran = host.backup().ended(1);
    let fault = ran.failed("TW2008");
    names_the_cause(&fault);
    assert!(ran.took.as_secs() < 60, "{:?}", ran.took);
    host.server_has_no_backup("Payroll");
    host.world.configure(|media| media.faults.clear());
    host.recover().ended(0);
    host.media_are_clean();
    the_next_one_goes_well(&mut host);
}

#[test]
fn unknown_commands_and_rounds_of_flush_are_no_trouble() {
    let mut host = Host::usual();
    host.turn(&json!({ "extra_flush": true, "unknown_command": 18 }));
    host.backup().ended(0);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn filestream_rounds_on_a_server_without_complete_are_refused_with_advice() {
    let mut host = Host::usual();
    host.turn(&json!({ "extra_flush": true, "complete_enabled": false }));
    let fault = host.backup().ended(1).failed("TW4005");
    names_the_cause(&fault);
    mentions(&fault, "stage");
    host.server_has_no_backup("Payroll");
    assert!(
        host.world.sets().iter().all(|set| set["state"] == "void"),
        "{:?}",
        host.world.sets()
    );
    the_next_one_goes_well(&mut host);
}
