//! The answer to BACKUP is cut off at any byte, comes late, is mixed with errors, or never ends: what
//! does the agent keep? Never less than what SQL Server released.

use serde_json::{Value, json};

use super::{Host, Setup, database, names_the_cause};
use crate::support::Dice;

/// Bytes of an answer, at most: what lies behind its end cuts nothing off.
const ANSWER: u64 = 4800;
/// Parts of it that are each cut somewhere.
const PARTS: u64 = 24;
/// Seeds the bytes at which it is cut.
const SEED: u64 = 4;

fn written(host: &mut Host, note: &str) {
    host.unsettle("Payroll", &json!({ "write": [note] }));
}

/// Every log that the server gave away lies on the media, whole and not void.
#[track_caller]
fn nothing_released_is_missing(host: &mut Host, why: &str) {
    host.turn(&json!({}));
    let told = host.quiet("Payroll");
    let ran = host.world.json(&["media", "recover", "payroll-log"]);
    assert!(matches!(ran.code, 0 | 3), "{why}: {ran:?}");
    let held: Vec<String> = host
        .sets_of("payroll-log")
        .iter()
        .filter(|set| set["state"] != "void")
        .filter_map(|set| Some(set["set"].as_str()?.to_lowercase()))
        .collect();
    for released in told["released"].as_array().unwrap() {
        let set = released["set"].as_str().unwrap().to_lowercase();
        assert!(held.contains(&set), "{why}: {released} is lost: {held:?}");
    }
}

/// What came of a log backup whose answer goes wrong: a success, or a fault that names its cause.
#[track_caller]
fn log_backup(host: &Host, why: &str) -> String {
    let ran = host.take("log", &[]);
    if ran.code == 0 {
        return "success".to_owned();
    }
    let fault = ran.ended(1).object()["error"].clone();
    names_the_cause(&fault);
    let code = fault["code"].as_str().unwrap().to_owned();
    assert!(
        ["TW3005", "TW4007"].contains(&code.as_str()),
        "{why}: {fault}"
    );
    code
}

/// The newest point of the chain holds everything that was ever written.
#[track_caller]
fn the_chain_holds_everything(host: &mut Host) {
    written(host, "last");
    host.take("log", &[]).ended(0);
    host.restore("Copy").ended(0);
    let (copy, source) = (host.told("Copy"), host.told("Payroll"));
    assert_eq!(copy["state"], "ONLINE");
    assert_eq!(copy["writes"], source["writes"]);
}

#[test]
fn an_answer_cut_at_any_byte_costs_no_log() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20),
        ..Setup::default()
    });
    host.backup().ended(0);
    let mut dice = Dice::new(SEED);
    let mut cuts = vec![0, 1];
    cuts.extend((0..PARTS).map(|part| part * ANSWER / PARTS + dice.below(ANSWER / PARTS)));
    let mut came = Vec::new();
    for cut in cuts {
        let why = format!("cut at byte {cut}");
        written(&mut host, &why);
        host.turn(&json!({ "cut_reply_after": cut }));
        came.push(log_backup(&host, &why));
        nothing_released_is_missing(&mut host, &why);
    }
    // The cuts met both sides of the last acknowledgement, and what lies behind the end.
    for end in ["TW4007", "TW3005", "success"] {
        assert!(came.iter().any(|came| came == end), "{end}: {came:?}");
    }
    the_chain_holds_everything(&mut host);
}

#[test]
fn a_line_lost_in_the_middle_fails_the_backup_whatever_the_server_does_then() {
    for goes_on in [false, true] {
        let mut host = Host::usual();
        // Slow enough for the agent to hear of it before the last acknowledgement.
        host.turn(&json!({
            "bytes_per_second": 2 << 20,
            "lose_client_after_bytes": 1 << 20, "lost_client_goes_on": goes_on,
        }));
        let fault = host.backup().ended(1).failed("TW4007");
        names_the_cause(&fault);
        host.turn(&json!({}));
        host.server_has_no_backup("Payroll");
        host.recover().ended(0);
        host.media_are_clean();
        host.backup().ended(0);
    }
}

#[test]
fn a_statement_that_never_ends_behind_its_success_is_unconfirmed_and_confirmed_by_msdb() {
    let mut host = Host::usual();
    host.reach(|client| client.more = "finish_timeout = \"1s\"".into());
    host.turn(&json!({ "never_done": true }));
    let fault = host.backup().ended(1).failed("TW3005");
    names_the_cause(&fault);
    let text = fault.to_string();
    assert!(text.contains("did not end in time"), "{text}");
    host.turn(&json!({}));
    host.quiet("Payroll");
    host.recover().ended(0);
    assert_eq!(host.world.sets()[0]["state"], "published");
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn an_error_in_front_of_success_is_unconfirmed_and_names_the_error() {
    let mut host = Host::usual();
    host.turn(&json!({ "error_then_success": 3203 }));
    let fault = host.backup().ended(1).failed("TW3005");
    names_the_cause(&fault);
    let text = fault.to_string();
    assert!(
        text.contains("3203") && text.contains("msdb knows the set"),
        "{text}"
    );
    host.turn(&json!({}));
    host.recover().ended(0);
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn a_server_that_dies_at_a_byte_leaves_nothing_half_written() {
    let mut host = Host::usual();
    host.turn(&json!({ "die_after_bytes": 1_500_000 }));
    let ran = host.backup().ended(1);
    let fault: Value = ran.object()["error"].clone();
    names_the_cause(&fault);
    assert_eq!(fault["code"], "TW4007", "{fault}");
    host.media_are_clean();
}

#[test]
fn a_killed_session_that_rolls_back_for_a_while_is_waited_for() {
    let mut host = Host::usual();
    host.turn(&json!({
        "never_open": true, "ignores_disconnect": true, "rollback_delay_ms": 1500,
    }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    running.interrupt();
    running.end().ended(6).failed("TW5004");
    // It ended when the server had, so that the next statement does not meet 3023.
    let told = host.told("Payroll");
    assert_eq!(
        (&told["busy"], &told["working_sessions"]),
        (&json!(false), &json!(0))
    );
    host.turn(&json!({}));
    host.backup().ended(0);
}

#[test]
fn a_login_that_takes_its_time_is_waited_for() {
    let mut host = Host::usual();
    host.turn(&json!({ "login_delay_ms": 1200 }));
    let ran = host.backup().ended(0);
    // The control connection, then the work connection.
    assert!(ran.took.as_millis() >= 2400, "{:?}", ran.took);
}

#[test]
fn a_restore_whose_answer_is_cut_is_told_and_can_be_begun_anew() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20),
        ..Setup::default()
    });
    host.backup().ended(0);
    let mut dice = Dice::new(SEED);
    for round in 0..4 {
        let cut = dice.below(ANSWER / 2);
        host.turn(&json!({ "cut_reply_after": cut }));
        let name = format!("Cut{round}");
        let ran = host.restore(&name);
        if ran.code != 0 {
            let fault = ran.ended(1).failed("TW4007");
            names_the_cause(&fault);
        }
        host.turn(&json!({}));
        host.world.verify(0);
        host.restores("Payroll", 1, &format!("Whole{round}"));
    }
}
