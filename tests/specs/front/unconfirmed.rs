//! What becomes of a set that is sealed everywhere while SQL Server's verdict is missing or bad? It
//! is kept, it stays restorable, and `media recover` asks again.

use serde_json::{Value, json};

use super::{Host, Setup, names_the_cause};

fn two_families() -> Host {
    Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    })
}

/// The backup ends unconfirmed, and its set is kept.
#[track_caller]
fn ends_unconfirmed(host: &Host) -> Value {
    let fault = host.backup().ended(1).failed("TW3005");
    names_the_cause(&fault);
    let text = fault.to_string();
    assert!(
        text.contains("log sequence numbers 39000000"),
        "no LSN range: {fault}"
    );
    let set = &host.world.sets()[0];
    assert_eq!(
        (&set["position"], &set["state"]),
        (&json!(1), &json!("unconfirmed"))
    );
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    assert_eq!(status[0]["media_sets"][0]["unconfirmed"][0]["position"], 1);
    assert_eq!(status[0]["alerts"][0]["code"], "TW6014", "{status}");
    fault
}

/// Recover has msdb's word for it and publishes.
#[track_caller]
fn is_confirmed(host: &mut Host) {
    host.turn(&json!({}));
    let report = host.recover().ended(0).result();
    assert_eq!(report["unconfirmed"], json!([]));
    assert_eq!(host.world.sets()[0]["state"], "published");
    let status = host.world.json(&["status", "payroll"]).ended(0).result();
    assert_eq!(status[0]["alerts"], json!([]), "it did not fail after all");
    host.world.verify(0);
    host.restores("Payroll", 1, "Confirmed");
    assert_eq!(host.backup().ended(0).result()["sets"][0]["position"], 2);
}

#[test]
fn an_error_after_the_last_answer_is_unconfirmed_and_msdb_confirms_it() {
    let mut host = two_families();
    host.turn(&json!({ "fail_after_close": true }));
    let fault = ends_unconfirmed(&host);
    assert!(fault.to_string().contains("3271"), "{fault}");
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Before");
    is_confirmed(&mut host);
}

#[test]
fn without_any_proof_the_set_is_kept_and_restorable() {
    let mut host = two_families();
    host.turn(&json!({ "fail_after_close": true, "history_fails": true }));
    ends_unconfirmed(&host);
    host.turn(&json!({}));
    // A later full moves the differential base on: the only trace of the first one is gone.
    assert_eq!(host.backup().ended(0).result()["sets"][0]["position"], 2);
    for _ in 0..2 {
        let report = host.recover().ended(3).result();
        assert_eq!(report["unconfirmed"], json!([1]));
    }
    assert_eq!(host.world.sets()[0]["state"], "unconfirmed");
    host.restores("Payroll", 1, "Copy");
    host.world.verify(0);
}

#[test]
fn without_msdbs_word_the_differential_base_confirms_it() {
    let mut host = two_families();
    host.turn(&json!({ "fail_after_close": true, "history_fails": true }));
    ends_unconfirmed(&host);
    is_confirmed(&mut host);
    let volume = host.world.volume(1, 1);
    let names = std::fs::read_dir(&volume).unwrap();
    let verdict = names
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("/verdict.000001."))
        .unwrap();
    let text = std::fs::read_to_string(verdict).unwrap();
    let note = "the data files name it as their differential base";
    assert!(
        text.contains("success-history-missing") && text.contains(note),
        "{text}"
    );
}

#[test]
fn while_no_server_answers_it_is_kept() {
    let mut host = two_families();
    host.turn(&json!({ "fail_after_close": true }));
    ends_unconfirmed(&host);
    let port = host.client.port;
    host.reach(|client| client.port = 1);
    let report = host.recover().ended(3).result();
    assert_eq!(report["unconfirmed"], json!([1]));
    host.reach(|client| client.port = port);
    is_confirmed(&mut host);
}

#[test]
fn history_that_could_not_be_written_is_success_with_a_warning() {
    let mut host = two_families();
    host.turn(&json!({ "history_fails": true }));
    let result = host.backup().ended(0).result();
    let notes = result["sets"][0]["notes"].to_string();
    assert!(notes.contains("3009"), "{notes}");
    assert_eq!(host.world.sets()[0]["state"], "published");
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn people_see_the_warning_too() {
    let mut host = Host::usual();
    host.turn(&json!({ "history_fails": true }));
    let ran = host.world.run(&["backup", "payroll"]).ended(0);
    assert!(
        ran.stderr.contains("warning ") && ran.stderr.contains("3009"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_connection_lost_before_the_message_of_success() {
    let mut host = two_families();
    host.turn(&json!({ "drop_connection": "before-success" }));
    ends_unconfirmed(&host);
    is_confirmed(&mut host);
}

#[test]
fn a_connection_lost_after_the_message_of_success() {
    let mut host = two_families();
    host.turn(&json!({ "drop_connection": "after-success" }));
    ends_unconfirmed(&host);
    is_confirmed(&mut host);
}

#[test]
fn the_server_takes_its_time_to_end_the_statement() {
    let mut host = two_families();
    host.turn(&json!({ "done_delay_ms": 1500 }));
    let ran = host.backup().ended(0);
    assert!(ran.took.as_millis() >= 1500);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn an_unconfirmed_set_is_not_the_latest_one_to_restore() {
    let mut host = two_families();
    host.backup().ended(0);
    host.turn(&json!({ "fail_after_close": true, "history_fails": true }));
    host.backup().ended(1).failed("TW3005");
    host.turn(&json!({}));
    let plan = ["restore", "plan", "Payroll", "--group", "payroll"];
    let planned = host.world.json(&plan).ended(0).result();
    assert_eq!(planned["steps"][0]["position"], 1, "{planned}");
    host.restores("Payroll", 2, "Copy");
}
