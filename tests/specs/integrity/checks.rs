//! `twinset integrity` by hand.

use serde_json::json;

use super::{alerts, damage, pair};
use crate::support::pair::{A, B};

#[test]
fn a_sound_database_is_clean_and_that_is_remembered() {
    let pair = pair("");
    let never = pair.json(A, &["status"]);
    assert!(never.result()[0].get("integrity").is_none());
    let ran = pair.json(A, &["integrity", "payroll"]).ended(0).result();
    let checked = &ran["checked"][0];
    assert_eq!(
        (&checked["result"], &checked["depth"], &checked["outcome"]),
        (&json!("clean"), &json!("physical"), &json!("clean")),
        "{ran}"
    );
    let status = pair.json(A, &["status"]).result();
    let sound = &status[0]["integrity"][0];
    assert_eq!(
        (&sound["database"], &sound["result"]),
        (&json!("Payroll"), &json!("clean"))
    );
    let text = pair
        .run_as(A, &[], &["integrity", "payroll", "--full"])
        .ended(0);
    assert!(
        text.stdout.contains("Payroll on sql-a: clean (full, "),
        "{}",
        text.stdout
    );
}

#[test]
fn findings_are_an_alert_until_a_check_as_deep_is_clean() {
    let mut pair = pair("");
    damage(&mut pair, true);
    let ran = pair.json(A, &["integrity", "payroll", "--full"]).ended(4);
    let fault = ran.failed("TW4071");
    let damage_told = &ran.result()["checked"][0]["outcome"]["damaged"];
    assert_eq!(
        (&damage_told["pages"], &damage_told["errors"]),
        (&json!(["1:77"]), &json!(2)),
        "{fault}"
    );
    assert_eq!(damage_told["consistency"], 2);
    pair.json(A, &["integrity", "payroll"]).ended(4);
    assert_eq!(
        alerts(&pair),
        ["TW4071"],
        "one alert, however often it is found"
    );
    pair.json(A, &["report"]).ended(1);
    let text = pair.run_as(A, &[], &["status"]).stdout;
    assert!(text.contains("physical integrity check"), "{text}");
    assert!(text.contains("never clean"), "{text}");
    damage(&mut pair, false);
    pair.json(A, &["integrity", "payroll"]).ended(0);
    assert_eq!(
        alerts(&pair),
        ["TW4071"],
        "a physical check does not see what a full one does"
    );
    pair.json(A, &["integrity", "payroll", "--full"]).ended(0);
    assert!(alerts(&pair).is_empty());
}

#[test]
fn a_check_whose_budget_is_over_has_no_result() {
    let mut pair = pair("");
    pair.order(A, json!({ "faults": { "check_delay_ms": 600_000 } }));
    let ran = pair
        .json(A, &["integrity", "payroll", "--budget", "1s"])
        .ended(1);
    let fault = ran.failed("TW4072");
    assert!(
        fault["message"].to_string().contains("budget of 1 s"),
        "{fault}"
    );
    assert_eq!(ran.result()["checked"][0]["result"], "not finished");
    assert_eq!(alerts(&pair), ["TW4072"]);
    let told = pair.told(A);
    assert_eq!(
        told["working_sessions"], 0,
        "it does not go on behind our back"
    );
    pair.calm();
    pair.json(A, &["integrity", "payroll"]).ended(0);
    assert!(alerts(&pair).is_empty());
}

#[test]
fn a_check_that_the_server_gives_up_says_nothing_of_the_database() {
    let mut pair = pair("");
    pair.order(A, json!({ "faults": { "check_terminates": 8921 } }));
    let ran = pair.json(A, &["integrity", "payroll"]).ended(1);
    let fault = ran.failed("TW4072");
    assert!(fault["message"].to_string().contains("8921"), "{fault}");
    assert_eq!(alerts(&pair), ["TW4072"]);
}

#[test]
fn a_mirror_is_not_checked_and_nobody_is_alarmed() {
    let pair = pair("");
    pair.json(B, &["integrity", "payroll"])
        .ended(5)
        .failed("954");
    let listed = pair.json(B, &["alerts", "list"]).ended(0).result();
    assert_eq!(listed["open"], json!([]));
}

#[test]
fn a_young_check_is_not_repeated_and_a_dry_run_runs_nothing() {
    let pair = pair("");
    let dry = ["integrity", "payroll", "--dry-run"];
    let planned = pair.json(A, &dry).ended(0).result();
    let statement = "DBCC CHECKDB ([Payroll]) WITH NO_INFOMSGS, TABLERESULTS, PHYSICAL_ONLY";
    assert_eq!(planned[0]["statement"], statement);
    let text = pair.run_as(A, &[], &dry).ended(0).stdout;
    assert!(
        text.contains("Payroll: not due before ") || text.contains("due now"),
        "{text}"
    );
    assert!(
        pair.json(A, &["status"]).result()[0]
            .get("integrity")
            .is_none()
    );
    pair.json(A, &["backup", "payroll"]).ended(0);
    let due = ["integrity", "payroll", "--if-due"];
    let first = pair.json(A, &due).ended(0).result();
    assert_eq!(first["checked"].as_array().unwrap().len(), 1, "{first}");
    let second = pair.json(A, &due).ended(0).result();
    assert_eq!(second["checked"], json!([]));
    assert_eq!(second["skipped"][0]["database"], "Payroll", "{second}");
}
