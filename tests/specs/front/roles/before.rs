//! Before a backup: both partners are asked who is principal.

use serde_json::{Value, json};

use super::{A, B, GUID, Pair, Setup};
use crate::support::Ran;

/// What was said of the roles, in words.
fn words(ran: &Ran) -> String {
    ran.object()["result"]["roles"][0]["said"].to_string()
}

/// What was said of the roles beside a backup.
fn beside(ran: &Ran) -> Value {
    ran.object()["result"]["roles"][0]["duty"]["ours"].clone()
}

#[test]
fn the_agent_of_the_principal_takes_the_backup_and_the_other_says_who_does() {
    let mut pair = Pair::start();
    pair.take(A, "full", &[]).ended(0);
    let fault = pair.take(B, "full", &[]).ended(5).failed("954");
    assert_eq!(
        fault["message"],
        "sql-a is principal, sql-b holds the mirror"
    );
    let passed = pair.take(B, "full", &["--if-principal"]).ended(0).result();
    assert_eq!(passed["skipped"][0]["database"], "Payroll");
    assert_eq!(passed["skipped"][0]["why"], fault["message"]);
    assert_eq!(passed["sets"], json!([]));
    // One job on both partners: after a switch the other one works.
    pair.fail_over(A);
    pair.take(A, "full", &["--if-principal"]).ended(0);
    assert_eq!(pair.sets(A, "payroll"), ["full published"]);
    pair.take(B, "full", &["--if-principal"]).ended(0);
    assert_eq!(pair.sets(B, "payroll"), ["full published"]);
}

#[test]
fn manifests_tell_the_session_and_its_moment() {
    let mut pair = Pair::start();
    pair.take(A, "full", &[]).ended(0);
    pair.fail_over(A);
    pair.take(B, "full", &[]).ended(0);
    for (agent, sequence) in [(A, 1), (B, 2)] {
        let device = pair.folder.path().join(format!("{agent}/m1"));
        let volume = super::volume(&device);
        let names = crate::support::sections(&volume);
        let name = names.iter().find(|name| name.starts_with("0002")).unwrap();
        let bytes = std::fs::read(volume.join(name)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let wanted = format!("\"mirroring\":{{\"guid\":\"{GUID}\",\"role_sequence\":{sequence}}}");
        assert!(text.contains(&wanted), "{agent}: {text}");
    }
}

#[test]
fn a_partner_that_cannot_be_asked_stops_no_principal() {
    let mut pair = Pair::start();
    pair.order(B, json!({ "running": false }));
    let ran = pair.take(A, "full", &[]).ended(0);
    let said = beside(&ran).to_string();
    assert!(
        said.contains("partner-silent") && said.contains("DISCONNECTED"),
        "{said}"
    );
    assert!(
        words(&ran).contains("sql-b could not be asked"),
        "{}",
        words(&ran)
    );
    assert_eq!(ran.result()["roles"][0]["fault"]["code"], "TW4001");
    let log = pair.take(A, "log", &[]).ended(0);
    assert!(
        words(&log).contains("cannot be truncated meanwhile"),
        "{}",
        words(&log)
    );
}

#[test]
fn a_suspended_principal_is_backed_up_and_it_is_said() {
    let mut pair = Pair::start();
    pair.order(
        B,
        json!({ "session": { "database": "Payroll", "redo_fails": true } }),
    );
    let ran = pair.take(A, "full", &[]).ended(0);
    assert_eq!(beside(&ran), json!([{ "exposed": "SUSPENDED" }]));
    assert!(words(&ran).contains("is SUSPENDED"), "{}", words(&ran));
}

#[test]
fn a_mirror_whose_principal_is_lost_is_no_source() {
    let mut pair = Pair::start();
    pair.order(A, json!({ "running": false }));
    let fault = pair.take(B, "full", &[]).ended(5).failed("954");
    let message = "sql-b holds the mirror, and SQL-A is not seen to be principal";
    assert_eq!(fault["message"], message);
    let passed = pair.take(B, "full", &["--if-principal"]).ended(0).result();
    assert_eq!(passed["skipped"][0]["why"], message);
}

#[test]
fn while_the_roles_change_nobody_begins() {
    let mut pair = Pair::start();
    let session = json!({ "database": "Payroll", "fail_over_to": "pending" });
    pair.order(A, json!({ "session": session }));
    pair.take(A, "full", &[]).ended(5).failed("TW4061");
    pair.take(A, "full", &["--if-principal"])
        .ended(5)
        .failed("TW4061");
    pair.order(
        A,
        json!({ "session": { "database": "Payroll", "go_on": true } }),
    );
    pair.take(B, "full", &[]).ended(0);
    // Nothing of the refused runs lies anywhere.
    assert_eq!(
        pair.on_media(A, ""),
        [["0000.header.mtf"], ["0000.header.mtf"]]
    );
}

#[test]
fn two_principals_go_on_in_branches_of_their_own_and_say_so() {
    let mut pair = Pair::start();
    pair.take(A, "full", &[]).ended(0);
    pair.order(A, json!({ "force": "Payroll" }));
    for agent in [A, B] {
        let ran = pair.take(agent, "full", &[]).ended(3);
        ran.failed("TW4065");
        assert!(beside(&ran).to_string().contains("split"));
    }
    assert_eq!(pair.sets(B, "payroll"), ["full published"]);
}

#[test]
fn profile_dpm_waits_until_one_of_two_principals_yields() {
    let mut pair = Pair::of(&Setup {
        how: "profile = \"dpm\"",
        ..Setup::default()
    });
    pair.order(A, json!({ "force": "Payroll" }));
    for agent in [A, B] {
        let fault = pair.take(agent, "full", &[]).ended(5).failed("TW4062");
        assert_eq!(
            fault["message"].as_str().unwrap().matches("sql-").count(),
            2
        );
    }
    pair.links(A, json!({ "partner": true }));
    pair.take(A, "full", &[]).ended(5).failed("954");
    let ran = pair.take(B, "full", &[]).ended(0);
    assert_eq!(beside(&ran), json!([{ "exposed": "SUSPENDED" }]));
}

#[test]
fn a_principal_without_quorum_is_refused_by_sql_server() {
    let mut pair = Pair::of(&Setup {
        witness: true,
        ..Setup::default()
    });
    pair.links(A, json!({ "partner": false, "witness": false }));
    let fault = pair.take(A, "full", &[]).ended(5).failed("TW4061");
    assert!(
        fault["message"].as_str().unwrap().contains("955"),
        "{fault}"
    );
    assert_eq!(
        pair.on_media(A, ""),
        [["0000.header.mtf"], ["0000.header.mtf"]]
    );
    pair.take(B, "full", &[]).ended(3).failed("TW4065");
}

#[test]
fn two_copies_on_one_computer_are_no_pair() {
    let pair = Pair::of(&Setup {
        servers: ["SQL-A", "SQL-A\\TWO"],
        addresses: ["TCP://sql-a:5022", "TCP://sql-a:5023"],
        ..Setup::default()
    });
    let fault = pair.take(A, "full", &[]).ended(5).failed("TW4063");
    assert_eq!(fault["message"], "both copies are on one computer, SQL-A");
}

#[test]
fn a_partner_named_by_number_is_warned_of_or_refused() {
    let by_number = Setup {
        addresses: ["TCP://10.0.0.1:5022", "TCP://10.0.0.2:5022"],
        ..Setup::default()
    };
    let pair = Pair::of(&by_number);
    let ran = pair.take(A, "full", &[]).ended(0);
    assert_eq!(
        beside(&ran)[0],
        json!({ "explicit-ip": "TCP://10.0.0.2:5022" })
    );
    for (how, group) in [
        ("", "[failover]\nallow_ip = false"),
        ("profile = \"dpm\"", ""),
    ] {
        let pair = Pair::of(&Setup {
            how,
            group,
            ..by_number.clone()
        });
        pair.take(A, "full", &[]).ended(5).failed("TW4063");
    }
}

#[test]
fn rights_that_are_missing_on_the_partner_are_named_and_stop_nobody() {
    let mut pair = Pair::of(&Setup {
        users: ["twinset", "reader"],
        ..Setup::default()
    });
    let ran = pair.take(A, "full", &[]).ended(0);
    assert_eq!(beside(&ran), json!(["mirror-hidden"]));
    // The hidden mirror itself: with its partner's word it is known for what it is.
    let fault = pair.take(B, "full", &[]).ended(5).failed("954");
    assert_eq!(
        fault["message"],
        "sql-a is principal, sql-b holds the mirror"
    );
    // Alone it is not: neither "mirrored" nor "not mirrored" is claimed.
    pair.order(A, json!({ "running": false }));
    let fault = pair.take(B, "full", &[]).ended(5).failed("TW4061");
    assert!(
        fault["causes"].to_string().contains("it may be one"),
        "{fault}"
    );
    assert!(
        fault["remedy"].as_str().unwrap().contains("[reader]"),
        "{fault}"
    );
    pair.take(B, "full", &["--if-principal"]).ended(0);
}

#[test]
fn a_dry_run_tells_the_roles_too() {
    let mut pair = Pair::start();
    pair.take(A, "full", &[]).ended(0);
    let planned = pair.take(B, "log", &["--dry-run"]).ended(0).result();
    assert_eq!(planned[0]["fault"]["code"], "954");
    assert_eq!(
        planned[0]["role"]["duty"],
        json!({ "refused": "not-principal" })
    );
    pair.order(B, json!({ "running": false }));
    let planned = pair.take(A, "log", &["--dry-run"]).ended(0).result();
    assert_eq!(planned[0]["role"]["pairing"], "alone");
    assert!(
        planned[0]["statement"]
            .as_str()
            .unwrap()
            .starts_with("BACKUP LOG")
    );
}
