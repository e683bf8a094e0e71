//! Backups by hand on replicas: what each takes, and that the chain is one.

use serde_json::{Value, json};

use super::{A, B, Pair, group, group_with};

#[test]
fn the_chain_goes_on_across_replicas_and_a_failover_and_restores() {
    let mut pair = Pair::of(&group());
    pair.take(A, "full", &[]).ended(0);
    pair.write(A, "one");
    pair.take(B, "log", &[]).ended(0);
    pair.write(A, "two");
    pair.take(A, "log", &[]).ended(0);
    pair.group(B, json!({ "fail_over": true }));
    pair.write(B, "three");
    pair.take(B, "log", &[]).ended(0);
    pair.take(B, "diff", &[]).ended(0);
    pair.write(B, "four");
    pair.take(A, "log", &[]).ended(0);
    assert_eq!(pair.kinds(A, "payroll-log"), ["log", "log"]);
    assert_eq!(pair.kinds(B, "payroll-log"), ["log", "log"]);
    let data = pair.kinds(B, "payroll");
    assert_eq!(data.len(), 1, "{data:?}");
    for agent in [A, B] {
        let line = [
            "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", agent,
        ];
        pair.json(agent, &line).ended(0);
        let told = pair.order(agent, json!({ "database": "Copy" }));
        let notes = told["database"]["writes"].to_string();
        for note in ["one", "two", "three", "four"] {
            assert!(notes.contains(note), "{agent} {note}: {notes}");
        }
    }
}

#[test]
fn a_secondary_takes_logs_and_copies_and_leaves_the_rest_to_the_primary() {
    let mut pair = Pair::of(&group());
    pair.take(A, "full", &[]).ended(0);
    let base = pair.told(A)["differential_base"].clone();
    for kind in ["full", "diff"] {
        pair.take(B, kind, &[]).ended(5).failed("3059");
        pair.take(B, kind, &["--if-principal"]).ended(0);
    }
    pair.take(B, "full", &["--copy-only"]).ended(0);
    assert_eq!(pair.told(A)["differential_base"], base);
    assert_eq!(pair.kinds(B, "payroll"), ["full"]);
    pair.take(B, "log", &[]).ended(0);
    pair.take(B, "log", &["--copy-only"])
        .ended(5)
        .failed("3059");
    assert_eq!(
        pair.told(A)["last_log_backup"],
        pair.told(B)["last_log_backup"]
    );
}

#[test]
fn what_the_chain_wants_and_only_the_primary_takes_is_refused_on_a_secondary() {
    let pair = Pair::of(&group());
    let ran = pair.take(B, "log", &[]).ended(5);
    ran.failed("TW4020");
    assert!(
        pair.kinds(B, "payroll-log").is_empty(),
        "nothing was written"
    );
    pair.take(A, "full", &[]).ended(0);
    pair.take(B, "log", &[]).ended(0);
}

#[test]
fn a_forced_failover_is_a_fork_and_begins_with_a_new_base() {
    let mut pair = Pair::of(&group());
    pair.take(A, "full", &[]).ended(0);
    pair.write(A, "both");
    pair.take(B, "log", &[]).ended(0);
    pair.group(A, json!({ "cut": true }));
    // B takes over by itself, with everything; then A is forced, with what it has.
    pair.write(B, "b alone");
    pair.group(A, json!({ "force": true }));
    pair.write(A, "a alone");
    let ran = pair.take(A, "log", &[]).ended(0).result();
    assert_eq!(ran["sets"][0]["kind"], "full", "{ran}");
    pair.take(B, "log", &[]).ended(5).failed("3062");
    pair.group(B, json!({ "suspend": false }));
    pair.write(A, "again");
    pair.take(B, "log", &[]).ended(0);
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-b",
    ];
    pair.json(B, &line).ended(0);
    let told = pair.order(B, json!({ "database": "Copy" }));
    let notes = told["database"]["writes"].to_string();
    assert!(
        notes.contains("a alone") && notes.contains("again"),
        "{notes}"
    );
    assert!(!notes.contains("b alone"), "{notes}");
}

#[test]
fn replicas_that_may_not_be_read_have_no_role_or_get_no_log_take_nothing() {
    let pair = Pair::of(&group_with("", ", connections = \"no\""));
    pair.take(A, "full", &[]).ended(0);
    pair.take(B, "log", &[]).ended(5).failed("976");
    let mut pair = Pair::of(&group());
    pair.take(A, "full", &[]).ended(0);
    pair.group(B, json!({ "suspend": true }));
    pair.take(B, "log", &[]).ended(5).failed("3062");
    pair.group(B, json!({ "cut": true }));
    pair.take(B, "log", &[]).ended(5).failed("983");
    pair.take(A, "log", &[]).ended(0);
}

#[test]
fn groups_that_are_not_followed_say_so_before_anything_is_written() {
    for lines in [
        "cluster = \"none\"",
        "distributed = \"far\"",
        "contained = true",
    ] {
        let pair = Pair::of(&group_with(lines, ""));
        pair.take(A, "full", &[]).ended(5).failed("TW4063");
        assert!(pair.kinds(A, "payroll").is_empty());
        let told = pair.json(A, &["instance", "databases", "sql-a"]).ended(0);
        let result = told.result();
        let databases = result["databases"].as_array().unwrap();
        let payroll = databases.iter().find(|one| one["name"] == "Payroll");
        assert_eq!(payroll.unwrap()["refused"]["code"], "TW4063", "{result}");
    }
    for lines in ["cluster = \"external\"", "basic = true"] {
        let pair = Pair::of(&group_with(lines, ""));
        pair.take(A, "full", &[]).ended(0);
    }
}

#[test]
fn instance_databases_tells_role_state_and_preference() {
    let pair = Pair::of(&group());
    let of = |agent: &str| -> Value {
        let told = pair.json(agent, &["instance", "databases", agent]);
        let result = told.ended(0).result();
        let databases = result["databases"].as_array().unwrap();
        let payroll = databases.iter().find(|one| one["name"] == "Payroll");
        payroll.unwrap().clone()
    };
    let (a, b) = (of(A), of(B));
    assert_eq!(a["replica"]["role"], "primary", "{a}");
    assert_eq!(b["replica"]["role"], "secondary", "{b}");
    assert_eq!(b["replica"]["primary"], "SQL-A");
    assert_eq!(b["replica"]["preference"], "secondary");
    assert_eq!(
        (&a["replica"]["preferred"], &b["replica"]["preferred"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(b["replica"]["synchronization"], "SYNCHRONIZED");
    assert_eq!(b["refused"], Value::Null);
}
