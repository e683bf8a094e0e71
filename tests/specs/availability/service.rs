//! Two services on an availability group: who takes what, and what a failover does.

use serde_json::json;

use super::{A, B, FAST, Pair, Setup, group, group_with};

/// Logs come due at once, and each second again.
const LOGS: &str = "[failover]\npoll = \"1s\"\n[schedule]\nfull = \"0 1 1 1 *\"\n\
                    log = \"* * * * *\"\n";

fn logs() -> Setup {
    Setup {
        group: LOGS,
        ..group()
    }
}

/// What `status` says of the protection of Payroll on an agent.
#[track_caller]
fn standing(pair: &Pair, agent: &str) -> String {
    let listed = pair.json(agent, &["group", "list"]).ended(0).result();
    listed[0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn the_primary_takes_the_full_the_preferred_secondary_logs_and_both_follow_a_failover() {
    let mut pair = Pair::of(&logs());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"), "the first full");
    assert!(a.says("has ended"));
    let mut b = pair.serve(B);
    assert!(b.says("\"protected\""), "it is the preferred replica");
    assert_eq!(
        standing(&pair, A),
        "protected; no log backups here: the availability group prefers a secondary, and not \
         this replica"
    );
    assert_eq!(
        standing(&pair, B),
        "protected; no full backups here: only the primary takes it, which is SQL-A; no \
         differential backups here: only the primary takes it, which is SQL-A"
    );
    pair.write(A, "before");
    assert!(b.says("Backup(Log)"), "due by schedule, on the secondary");
    assert!(b.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
    assert!(pair.kinds(A, "payroll-log").is_empty());

    pair.group(B, json!({ "fail_over": true }));
    pair.write(B, "after");
    assert!(b.says("consistency check"), "ours is primary now");
    assert!(b.says("\"protected\""));
    assert!(a.says("consistency check"), "ours is secondary now");
    assert!(a.says("\"protected\""));
    assert!(a.says("Backup(Log)"), "the log is its own from now on");
    assert!(a.says("has ended"));
    assert!(!pair.kinds(A, "payroll-log").is_empty());
    assert!(pair.kinds(B, "payroll").is_empty(), "no new base");
    a.stop().ended(0);
    b.stop().ended(0);

    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    pair.json(A, &line).ended(0);
    let told = pair.order(A, json!({ "database": "Copy" }));
    let notes = told["database"]["writes"].to_string();
    assert!(
        notes.contains("before") && notes.contains("after"),
        "{notes}"
    );
}

#[test]
fn a_forced_failover_is_another_fork_and_a_new_base() {
    let mut pair = Pair::of(&group());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let mut b = pair.serve(B);
    assert!(b.says("\"protected\""));
    pair.group(A, json!({ "cut": true }));
    assert!(
        a.says("no principal"),
        "a replica that is cut off has no role"
    );
    assert!(
        b.says("Backup("),
        "the other one is primary, and begins with what is wanting"
    );
    pair.group(A, json!({ "force": true }));
    assert!(a.says("Backup(Full)"), "another fork begins with a full");
    assert!(a.says("has ended"));
    assert_eq!(pair.kinds(A, "payroll"), ["full", "full"]);
    a.stop().ended(0);
    b.stop().ended(0);
}

#[test]
fn a_secondary_that_is_not_readable_stands_by_and_says_why_and_the_primary_takes_logs() {
    let setup = Setup {
        group_of: Some(("", ", connections = \"no\"")),
        ..logs()
    };
    let pair = Pair::of(&setup);
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    let text = standing(&pair, B);
    assert!(text.contains("not readable"), "{text}");
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    assert_eq!(standing(&pair, A), "protected");
    assert!(a.says("Backup(Log)"), "nobody else would take it");
    assert!(a.says("has ended"));
    a.stop().ended(0);
    b.stop().ended(0);
}

#[test]
fn plan_says_why_a_kind_is_not_taken_here() {
    let pair = Pair::of(&logs());
    let mut b = pair.serve(B);
    assert!(b.says("\"protected\""));
    b.stop().ended(0);
    let planned = pair.json(B, &["plan", "payroll"]).ended(0).result();
    let waiting = planned["groups"][0]["waiting"].to_string();
    assert!(
        waiting.contains("only the primary takes it, which is SQL-A"),
        "{waiting}"
    );
}

#[test]
fn the_preference_may_change_and_the_file_may_outrank_it() {
    let mut pair = Pair::of(&logs());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    pair.group(A, json!({ "preference": "primary" }));
    assert!(a.says("Backup(Log)"), "preferred from now on");
    a.stop().ended(0);
    let setup = Setup {
        group: "[backup]\nreplica = \"primary\"\n[failover]\npoll = \"1s\"\n[schedule]\n\
                full = \"0 1 1 1 *\"\nlog = \"* * * * *\"\n",
        ..group()
    };
    let pair = Pair::of(&setup);
    let mut b = pair.serve(B);
    assert!(b.says("not principal: sql-a serves it"));
    let text = standing(&pair, B);
    assert!(
        text.contains("the group's file wants it on the primary"),
        "{text}"
    );
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Log)"));
    a.stop().ended(0);
    b.stop().ended(0);
}

#[test]
fn groups_that_are_not_followed_and_kinds_that_do_not_fit_are_alerts() {
    let read_scale = group_with("cluster = \"none\"", "");
    let other = Setup {
        how: "kind = \"mirroring\"",
        group: FAST,
        ..group()
    };
    for (setup, says) in [
        (read_scale, "read-scale"),
        (other, "kind = \\\"mirroring\\\""),
    ] {
        let pair = Pair::of(&setup);
        let mut a = pair.serve(A);
        assert!(a.says("unsupported: "));
        a.stop().ended(0);
        let listed = pair.json(A, &["group", "list"]).ended(0).result();
        assert_eq!(listed[0]["state"], "unsupported", "{listed}");
        let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
        let open = listed["open"].to_string();
        assert!(open.contains("TW6006") && open.contains(says), "{open}");
        assert!(pair.kinds(A, "payroll").is_empty());
    }
}

#[test]
fn the_one_database_of_one_server_goes_through_the_same_door() {
    let setup = Setup {
        group_of: None,
        mirrored: false,
        how: "kind = \"detect\"",
        group: FAST,
        ..group()
    };
    let pair = Pair::of(&setup);
    let text = std::fs::read_to_string(pair.group_file()).unwrap();
    let text = text
        .replace("\"sql-a\", \"sql-b\"", "\"sql-a\"")
        .replace("detect", "standalone");
    std::fs::write(pair.group_file(), text).unwrap();
    let mut a = pair.serve(A);
    assert!(a.says("\"protected\""));
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    a.stop().ended(0);
    pair.take(A, "log", &[]).ended(0);
    assert_eq!(pair.kinds(A, "payroll"), ["full"]);
}
