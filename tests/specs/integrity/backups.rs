//! What findings mean for backups and for retention.

use serde_json::{Value, json};

use super::{alerts, damage, pair};
use crate::support::pair::{A, Pair};

/// SQL Server's own word on the last backup set.
#[track_caller]
fn is_damaged(pair: &mut Pair) -> Value {
    let told = pair.told(A);
    let last = told["backups"].as_array().unwrap().last().cloned();
    last.unwrap()["is_damaged"].clone()
}

#[test]
fn a_damaged_database_is_backed_up_all_the_same_and_the_set_says_so() {
    let mut pair = pair("");
    pair.take(A, "full", &[]).ended(0);
    damage(&mut pair, true);
    // Nobody knows yet: the checksums stop it.
    let ran = pair.take(A, "full", &[]).ended(1);
    let fault = ran.failed("3043");
    assert!(
        fault["remedy"].to_string().contains("twinset integrity"),
        "{fault}"
    );
    pair.json(A, &["integrity", "payroll"]).ended(4);
    pair.take(A, "full", &[]).ended(0);
    assert_eq!(is_damaged(&mut pair), "1");
    pair.take(A, "log", &[]).ended(0);
    let shown = pair
        .json(A, &["media", "show", "payroll"])
        .ended(0)
        .result();
    let sets = shown["sets"].as_array().unwrap();
    let marks: Vec<bool> = sets.iter().map(|set| set["over_damage"] == true).collect();
    assert_eq!(marks, [false, true], "{shown}");
    damage(&mut pair, false);
    pair.json(A, &["integrity", "payroll"]).ended(0);
    pair.take(A, "full", &[]).ended(0);
    assert_eq!(is_damaged(&mut pair), "0");
}

#[test]
fn what_was_taken_of_a_damaged_database_is_restored_as_it_is() {
    let mut pair = pair("");
    damage(&mut pair, true);
    pair.json(A, &["integrity", "payroll"]).ended(4);
    pair.take(A, "full", &[]).ended(0);
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    let script = [&line[..], &["--script", "files"]].concat();
    let text = pair.run_as(A, &[], &script).ended(0).stdout;
    assert!(text.contains("CONTINUE_AFTER_ERROR"), "{text}");
    let points = ["restore", "points", "Payroll", "--group", "payroll"];
    let text = pair.run_as(A, &[], &points).ended(3).stdout;
    let damaged = "was taken while the database was damaged, and bears the damage";
    assert!(text.contains(damaged), "{text}");
    let plan = ["restore", "plan", "Payroll", "--group", "payroll"];
    let plan = pair.json(A, &plan).ended(0).result().to_string();
    assert!(plan.contains("or restore to before the damage"), "{plan}");
    pair.json(A, &line).ended(0);
}

#[test]
fn a_gate_refuses_bases_and_never_logs() {
    let mut pair = pair("[check]\ngate = true\n");
    pair.take(A, "full", &[]).ended(0);
    damage(&mut pair, true);
    pair.json(A, &["integrity", "payroll"]).ended(4);
    for kind in ["full", "diff"] {
        let ran = pair.take(A, kind, &[]).ended(5);
        ran.failed("TW4073");
    }
    pair.take(A, "log", &[]).ended(0);
    pair.take(A, "full", &["--copy-only"]).ended(0);
    let raised = alerts(&pair);
    assert_eq!(
        raised.iter().filter(|code| **code == "TW4071").count(),
        1,
        "{raised:?}"
    );
    damage(&mut pair, false);
    pair.json(A, &["integrity", "payroll"]).ended(0);
    pair.take(A, "full", &[]).ended(0);
    pair.take(A, "diff", &[]).ended(0);
    assert!(alerts(&pair).is_empty());
}

#[test]
fn nothing_of_a_damaged_database_expires() {
    let mut pair = pair("[retention]\nwindow = \"1s\"\nmax_drop = \"100%\"\n");
    for _ in 0..3 {
        pair.take(A, "full", &[]).ended(0);
    }
    damage(&mut pair, true);
    pair.json(A, &["integrity", "payroll"]).ended(4);
    let later = ["--at", "2027-06-01T00:00:00Z", "--without-partner"];
    let line = [&["media", "plan-retention", "payroll"][..], &later].concat();
    let drops = |pair: &Pair| {
        let plan = pair.json(A, &line).ended(0).result();
        let sets = plan["sets"].as_array().unwrap().clone();
        let drops = sets.iter().filter(|set| set["drop"] == true).count();
        (drops, plan.to_string())
    };
    let (dropped, why) = drops(&pair);
    assert_eq!(dropped, 0, "{why}");
    assert!(why.contains("payroll is damaged on sql-a"), "{why}");
    assert!(why.contains("no check was ever clean"), "{why}");
    damage(&mut pair, false);
    pair.json(A, &["integrity", "payroll"]).ended(0);
    let (dropped, why) = drops(&pair);
    assert_eq!(dropped, 2, "{why}");
    assert_eq!(json!(why.contains("damaged")), json!(false));
}
