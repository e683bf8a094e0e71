//! What can be restored, what is refused, and what endangers it.

use serde_json::{Value, json};

use super::{Chains, position};

fn listed(chains: &Chains, code: i32) -> Value {
    let line = ["restore", "points", "Payroll", "--group", "payroll"];
    chains.host.world.json(&line).ended(code).result()
}

fn spans(points: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value["at"].as_str().unwrap().to_owned();
    let intervals = points["intervals"].as_array().unwrap().iter();
    intervals
        .map(|one| (text(&one["from"]), text(&one["to"])))
        .collect()
}

fn span(from: &str, to: &str) -> (String, String) {
    (
        format!("2026-11-21T{from}:00Z"),
        format!("2026-11-21T{to}:00Z"),
    )
}

#[test]
fn one_interval_while_nothing_is_missing() {
    let chains = Chains::on_one_fork();
    let points = listed(&chains, 0);
    assert_eq!(spans(&points), [span("01:00", "05:00")]);
    assert_eq!(points["intervals"][0]["logs"], 4);
    assert_eq!(points["intervals"][0]["data"], 3);
    let line = ["restore", "points", "Payroll", "--group", "payroll"];
    let text = chains.host.world.run(&line).ended(0).stdout;
    assert!(
        text.contains("any point, 3 fulls and differentials, 4 logs"),
        "{text}"
    );
}

#[test]
fn a_gap_parts_them() {
    let chains = Chains::on_one_fork();
    chains.lose("L3");
    let points = listed(&chains, 3);
    assert_eq!(
        spans(&points),
        [span("01:00", "03:00"), span("04:30", "05:00")]
    );
    let lost = points["gaps"][0]["lost"][0].as_str().unwrap();
    assert!(lost.contains("payroll position 4 (log)"), "{lost}");
}

#[test]
fn what_lies_on_one_mirror_alone_is_endangered() {
    let chains = Chains::on_one_fork();
    let name = format!("{:04}.", position("L2") * 2 - 1);
    std::fs::remove_file(chains.host.world.file(2, 1, &name)).unwrap();
    let points = listed(&chains, 3);
    let danger = &points["intervals"][0]["endangered"][0];
    assert_eq!(
        danger["place"],
        json!({ "media_set": "payroll", "position": 3 })
    );
    assert_eq!(danger["why"], "lies on 1 of 2 mirrors");
}

#[test]
fn points_outside_are_refused_with_the_nearest_inside() {
    let chains = Chains::on_one_fork();
    let fault = chains
        .plan(&["--to", "2026-11-21T00:30:00Z"])
        .ended(5)
        .failed("TW4031");
    let text = fault.to_string();
    assert!(text.contains("behind it: 2026-11-21T01:00:00Z"), "{text}");
    let fault = chains
        .run(&["--to", "2026-11-21T07:00:00Z"])
        .ended(5)
        .failed("TW4031");
    let text = fault.to_string();
    assert!(text.contains("before it: 2026-11-21T05:00:00Z"), "{text}");
}

#[test]
fn fulls_alone_are_single_points() {
    let chains = Chains::of(&["F1", "C1"]);
    let points = listed(&chains, 0);
    assert_eq!(points["intervals"][0]["single"], true);
    assert_eq!(spans(&points).len(), 2);
}
