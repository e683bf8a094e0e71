//! Rows 10, 11, 15 and 16 of design 7.2: pairs that are protected twice or not at all, and agents
//! that cannot see, or cannot be seen.

use std::fs;

use super::{ends, fast, is_open, opens, state};
use crate::front::PASSWORD;
use crate::support::pair::{A, B, Pair, Setup};

/// A second group's file beside the first.
fn second(pair: &Pair, partners: &str, set: &str) {
    let text = format!(
        "[group]\nname = \"hr\"\npartners = {partners}\ndatabases = [\"Payroll\"]\n\
         media_set = {set:?}\n[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n"
    );
    fs::write(pair.path().join("groups.d/hr.toml"), text).unwrap();
}

#[test]
fn row_10_two_groups_of_one_agent_both_fail_and_name_each_other() {
    let pair = Pair::of(&fast());
    second(&pair, "[\"sql-a\", \"sql-b\"]", "payroll");
    let mut a = pair.serve(A);
    assert!(a.says("also protected by group"));
    assert!(a.says("also protected by group"), "the other one too");
    for _ in 0..2 {
        assert!(
            a.says("has ended"),
            "the first check of each, which writes nothing"
        );
    }
    opens(&pair, A, "TW6005");
    for group in ["payroll", "hr"] {
        let refused = pair.json(A, &["check", group]).ended(5);
        let fault = refused.failed("TW6016");
        assert!(fault["message"].to_string().contains("also protected by"));
    }
    fs::remove_file(pair.path().join("groups.d/hr.toml")).unwrap();
    assert!(a.says("\"protected\""), "free again");
    ends(&pair, A, "TW6005");
    pair.json(A, &["check", "payroll"]).ended(0);
    assert!(a.says("Backup(Full)"), "what nobody could take before");
    assert!(a.says("has ended"));
    a.stop().ended(0);
}

#[test]
fn row_10_a_group_for_each_partner_is_seen_by_both_agents() {
    let pair = Pair::of(&fast());
    let alone = fast().group_text().replace(", \"sql-b\"]", "]");
    fs::write(pair.group_file(), alone).unwrap();
    second(&pair, "[\"sql-b\"]", "payroll");
    for (agent, other) in [(A, "group hr on SQL-B"), (B, "group payroll on SQL-A")] {
        let mut service = pair.serve(agent);
        assert!(service.says(&format!("also protected by {other}")));
        opens(&pair, agent, "TW6005");
        service.stop().ended(0);
        assert!(pair.kinds(agent, "payroll").is_empty());
    }
}

#[test]
fn row_10_another_group_of_the_partners_agent_is_seen_by_what_it_takes() {
    let pair = Pair::of(&fast());
    let text = fs::read_to_string(pair.config_file(B)).unwrap();
    let text = text.replacen("[agent]\n", "[agent]\ngroups_dir = \"others.d\"\n", 1);
    fs::write(pair.config_file(B), text).unwrap();
    fs::create_dir(pair.path().join("others.d")).unwrap();
    let group = fast()
        .group_text()
        .replace("name = \"payroll\"", "name = \"hr\"");
    let group = group.replace("[failover]\n", "[failover]\nno_agent_alert = \"3s\"\n");
    fs::write(pair.path().join("others.d/hr.toml"), group).unwrap();
    let mut b = pair.serve(B);
    assert!(b.has_said("looks for other agents", 2), "both servers");
    pair.take(A, "full", &[]).ended(0);
    assert!(b.says("also protected by group payroll of the agent on sql-a"));
    opens(&pair, B, "TW6005");
    assert_eq!(state(&pair, B), "both-partners-protected");
    b.stop().ended(0);
}

#[test]
fn row_11_two_copies_on_one_computer_are_refused_at_once() {
    for how in ["", "profile = \"dpm\""] {
        let pair = Pair::of(&Setup {
            servers: ["SQL-A", "SQL-A\\TWO"],
            addresses: ["TCP://sql-a:5022", "TCP://sql-a:5023"],
            how,
            ..fast()
        });
        let mut a = pair.serve(A);
        assert!(a.says("unsupported: both copies are on one computer, SQL-A"));
        opens(&pair, A, "TW6006");
        pair.json(A, &["check", "payroll"])
            .ended(5)
            .failed("TW6016");
        a.stop().ended(0);
        assert!(pair.kinds(A, "payroll").is_empty());
    }
}

#[test]
fn row_11_a_partner_named_by_number_is_refused_by_dpm_alone() {
    let by_number = Setup {
        addresses: ["TCP://10.0.0.1:5022", "TCP://10.0.0.2:5022"],
        ..fast()
    };
    let pair = Pair::of(&by_number);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    a.stop().ended(0);
    let pair = Pair::of(&Setup {
        how: "profile = \"dpm\"",
        ..by_number
    });
    let mut a = pair.serve(A);
    assert!(a.says("unsupported: "));
    opens(&pair, A, "TW6006");
    a.stop().ended(0);
}

#[test]
fn row_15_a_login_that_is_refused_blocks_and_is_no_broken_mirror() {
    let pair = Pair::of(&fast());
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    let password = pair.path().join("password");
    fs::write(&password, "Wrong-4711").unwrap();
    let watching = "SELECT s.session_id FROM sys.dm_exec_sessions s \
                    WHERE s.program_name LIKE N'Twinset control watch%'";
    // A connection that is lost is opened again some times with the password that it knows.
    while state(&pair, A) != "blocked" {
        for row in pair.sql(A, watching).all() {
            let kill = format!("KILL {}", row.need_int("session_id").unwrap());
            // It may have ended meanwhile.
            let _ = pair.try_sql(A, &kill);
        }
    }
    opens(&pair, A, "TW6010");
    assert!(
        !is_open(&pair, A, "TW6004"),
        "never read as a broken mirror"
    );
    fs::write(&password, PASSWORD).unwrap();
    assert!(a.says("\"protected\""));
    ends(&pair, A, "TW6010");
    pair.take(A, "log", &[]).ended(0);
    a.stop().ended(0);
}

#[test]
fn row_16_the_principals_agent_is_missed_and_heard_again() {
    for how in ["", "profile = \"dpm\""] {
        let pair = Pair::of(&Setup {
            group: "[failover]\npoll = \"1s\"\nno_agent_alert = \"3s\"\n\
                    [schedule]\nlog = \"0 1 * * *\"\n",
            how,
            ..fast()
        });
        let mut b = pair.serve(B);
        assert!(b.says("the principal's agent is silent"));
        opens(&pair, B, "TW6012");
        assert_eq!(state(&pair, B), "agent-missing");
        let a = pair.serve(A);
        assert!(b.says("not principal: sql-a serves it"), "heard");
        ends(&pair, B, "TW6012");
        a.kill();
        assert!(b.says("the principal's agent is silent"));
        // A frozen agent holds its connections and asks nothing: it is as silent as a dead one.
        let a = pair.serve(A);
        assert!(b.says("not principal: sql-a serves it"), "heard");
        a.freeze();
        assert!(b.says("the principal's agent is silent"));
        a.thaw();
        assert!(b.says("not principal: sql-a serves it"), "heard");
        a.stop().ended(0);
        b.stop().ended(0);
    }
}
