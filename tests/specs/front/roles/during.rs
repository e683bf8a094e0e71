//! A switch while a backup runs: what lies on the media, and what is said first.

use serde_json::{Value, json};

use super::{A, B, Pair, Setup};
use crate::front::names_the_cause;

/// Payroll with a full backup on A and something written behind it.
fn begun(setup: &Setup) -> Pair {
    let mut pair = Pair::of(setup);
    pair.take(A, "full", &[]).ended(0);
    pair.write(A, "one");
    pair
}

/// Where backups of a kind lie.
const fn place(kind: &str) -> (&str, &str) {
    if matches!(kind.as_bytes(), b"log") {
        ("payroll-log", "-log")
    } else {
        ("payroll", "")
    }
}

/// The fault of a backup that lost its role, which comes before whatever the server said.
#[track_caller]
fn lost(pair: &Pair, kind: &str) -> Value {
    let fault = pair.take(A, kind, &[]).ended(1).failed("TW4064");
    names_the_cause(&fault);
    let message = fault["message"].as_str().unwrap();
    assert!(
        message.contains("SQL-B is principal now") || message.contains("sql-b is principal now"),
        "{message}"
    );
    fault
}

#[test]
fn before_anything_is_acknowledged_nothing_is_left_of_it() {
    for kind in ["full", "log"] {
        for ends in ["cut", "killed", "error"] {
            for at in [
                json!({ "how": "failover", "when": "before-open" }),
                json!({ "how": "failover", "after_bytes": 1 }),
            ] {
                let mut pair = begun(&Setup::default());
                pair.struck(A, at.clone(), ends);
                let fault = lost(&pair, kind);
                let causes = fault["causes"].to_string();
                assert!(
                    causes.contains("role sequence 1 when it began, 2 now"),
                    "{causes}"
                );
                let (media_set, _) = place(kind);
                let published: Vec<&str> = match kind {
                    "full" => vec!["full published"],
                    _ => vec![],
                };
                let sets = pair.sets(A, media_set);
                let left: Vec<&String> = sets.iter().filter(|set| !set.ends_with("void")).collect();
                assert_eq!(left, published, "{kind} {ends} {at}");
                // The new principal's agent goes on; no log was released for nobody.
                assert_eq!(pair.told(B)["released"], json!([]), "{kind} {ends} {at}");
                pair.calm();
                pair.take(B, "full", &[]).ended(0);
            }
        }
    }
}

#[test]
fn behind_the_last_acknowledgement_the_set_is_kept_and_settled_later() {
    for kind in ["full", "log"] {
        for (when, becomes) in [("answered", "void"), ("recorded", "published")] {
            let mut pair = begun(&Setup::default());
            pair.struck(A, json!({ "how": "failover", "when": when }), "cut");
            let fault = lost(&pair, kind);
            let causes = fault["causes"].to_string();
            assert!(causes.contains("sealed on every mirror"), "{causes}");
            let (media_set, _) = place(kind);
            let last = pair.sets(A, media_set).pop().unwrap();
            assert!(last.ends_with("unconfirmed"), "{kind} {when}: {last}");
            pair.calm();
            // Nobody may have called it a success; who asks the servers learns what it is.
            pair.json(A, &["media", "recover", media_set]);
            let last = pair.sets(A, media_set).pop().unwrap();
            let proved = kind == "log" || when == "recorded";
            let wanted = if proved { becomes } else { "unconfirmed" };
            assert!(last.ends_with(wanted), "{kind} {when}: {last}");
        }
    }
}

#[test]
fn a_log_that_was_released_is_on_the_media_whatever_the_moment() {
    for when in ["before-open", "answered", "recorded"] {
        let mut pair = begun(&Setup::default());
        pair.struck(A, json!({ "how": "failover", "when": when }), "cut");
        lost(&pair, "log");
        pair.calm();
        let released = pair.told(B)["released"].as_array().unwrap().clone();
        assert_eq!(released.len(), usize::from(when == "recorded"), "{when}");
        for gone in released {
            assert_eq!(gone["writes"], json!(["one"]));
            let shown = pair.json(A, &["media", "show", "payroll-log"]).result();
            assert!(
                shown.to_string().contains(gone["set"].as_str().unwrap()),
                "{shown}"
            );
        }
    }
}

#[test]
fn automatic_forced_and_double_switches_are_told_apart() {
    let witnessed = Setup {
        witness: true,
        ..Setup::default()
    };
    let mut pair = begun(&witnessed);
    pair.struck(A, json!({ "how": "isolate", "after_bytes": 1 }), "cut");
    // The old principal still believes in itself: its partner knows better.
    let fault = pair.take(A, "log", &[]).ended(1).failed("TW4064");
    assert!(
        fault["message"]
            .as_str()
            .unwrap()
            .contains("sql-b is principal now"),
        "{fault}"
    );
    let mut pair = begun(&Setup::default());
    pair.struck(A, json!({ "how": "overthrow", "after_bytes": 1 }), "cut");
    lost(&pair, "log");
    let mut pair = begun(&Setup::default());
    pair.struck(A, json!({ "how": "twice", "after_bytes": 1 }), "cut");
    let fault = pair.take(A, "log", &[]).ended(1).failed("TW4064");
    let message = "the roles were switched and switched back while it was backed up";
    assert_eq!(fault["message"], message);
    pair.calm();
    pair.take(A, "log", &[]).ended(0);
}

#[test]
fn a_principal_that_keeps_its_role_beside_a_forced_one_finishes_its_branch() {
    let mut pair = begun(&Setup::default());
    pair.struck(A, json!({ "how": "force", "after_bytes": 1 }), "cut");
    pair.take(A, "log", &[]).ended(0);
    pair.calm();
    assert_eq!(pair.sets(A, "payroll-log"), ["log published"]);
    pair.take(A, "log", &[]).ended(3).failed("TW4065");
}

#[test]
fn a_switch_just_behind_a_backup_changes_nothing_of_it() {
    let mut pair = begun(&Setup::default());
    pair.take(A, "log", &[]).ended(0);
    pair.fail_over(A);
    assert_eq!(pair.sets(A, "payroll-log"), ["log published"]);
    pair.take(A, "log", &[]).ended(5).failed("954");
}

#[test]
fn a_staged_backup_that_sql_server_finished_is_taken_in_and_not_published() {
    let setup = Setup {
        how: "source = \"stage\"\nstage_dir = \"../staged\"",
        ..Setup::default()
    };
    for (when, left) in [("before-open", None), ("recorded", Some("log unconfirmed"))] {
        let mut pair = begun(&setup);
        pair.struck(A, json!({ "how": "failover", "when": when }), "cut");
        lost(&pair, "log");
        pair.calm();
        let sets = pair.sets(A, "payroll-log");
        let kept: Vec<&str> = sets
            .iter()
            .map(String::as_str)
            .filter(|set| !set.ends_with("void"))
            .collect();
        assert_eq!(kept, Vec::from_iter(left), "{when}");
        pair.json(A, &["media", "recover", "payroll-log"]);
        if left.is_some() {
            assert_eq!(pair.sets(A, "payroll-log"), ["log published"]);
        }
    }
}
