//! Two agents of a pair are one replica.

use serde_json::Value;

use crate::away::{fast, shares, waits};
use crate::server::Server;
use crate::support::pair::{A, B, Pair};

#[test]
fn after_a_failover_both_agents_tell_of_one_chain() {
    let server = Server::start();
    let mut pair = Pair::of(&fast());
    for agent in [A, B] {
        shares(&pair, agent, &server, server.port, "");
    }
    pair.take(A, "full", &[]).ended(0);
    pair.take(A, "log", &[]).ended(0);
    pair.fail_over(A);
    pair.write(B, "behind the switch");
    pair.take(B, "log", &[]).ended(0);
    for agent in [A, B, A] {
        pair.json(agent, &["catalog", "push"]).ended(0);
    }
    let families = "SELECT count(DISTINCT family), count(DISTINCT server), count(*)
                    FROM twinset.backup_set";
    assert_eq!(
        server.ask(families),
        "1|2|3",
        "one replica, two servers, three sets"
    );
    // The partner's agent read the sets of the other, and tells of the same rows.
    let twice = "SELECT count(DISTINCT agent) FROM twinset.holding h
                 WHERE set_guid = (SELECT set_guid FROM twinset.backup_set WHERE kind = 'full')";
    assert_eq!(server.ask(twice), "2");
    let gaps = "SELECT count(*) FROM (SELECT first_lsn, lag(last_lsn) OVER (ORDER BY first_lsn) AS
                before FROM twinset.backup_set WHERE kind = 'log') l WHERE before <> first_lsn";
    assert_eq!(server.ask(gaps), "0", "the second log follows on the first");
    let last = "SELECT kind, count(*) FROM twinset.last_success GROUP BY 1 ORDER BY 1";
    assert_eq!(server.ask(last), "full|1\nlog|1");
}

#[test]
fn the_fleet_at_one_look() {
    let server = Server::start();
    let mut pair = Pair::of(&fast());
    for agent in [A, B] {
        shares(&pair, agent, &server, server.port, "");
    }
    // Nobody has told anything.
    pair.json(A, &["fleet", "status"]).ended(5).failed("TW5014");
    pair.take(A, "full", &[]).ended(0);
    let mut services = [pair.serve(A), pair.serve(B)];
    for service in &mut services {
        service.line_with("the shared catalog is told");
    }
    let mut fleet = Value::Null;
    let settled = |fleet: &mut Value| {
        *fleet = pair.json(B, &["fleet", "status"]).result();
        let line = &fleet["databases"][0];
        let members = line["members"].as_array();
        members.is_some_and(|members| members.len() == 2)
            && line["guarded"] == "protected"
            && !line["last"].as_array().unwrap().is_empty()
    };
    waits(|| settled(&mut fleet), "one replica with two agents");
    assert_eq!(fleet["databases"].as_array().unwrap().len(), 1, "{fleet}");
    assert_ne!(fleet["databases"][0]["family"], Value::Null);
    let states = |fleet: &Value| {
        let members = fleet["databases"][0]["members"].as_array().unwrap();
        let state = |one: &Value| format!("{} {}", one["agent"], one["state"]).replace('"', "");
        members.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(states(&fleet), ["sql-a protected", "sql-b not-principal"]);
    pair.fail_over(A);
    let turned = || {
        let fleet = pair.json(A, &["fleet", "status"]).result();
        states(&fleet) == ["sql-a not-principal", "sql-b protected"]
    };
    waits(turned, "the other principal");
    let shown = pair.run_as(A, &[], &["fleet", "status"]).stdout;
    let line = shown.lines().find(|line| line.starts_with("Payroll"));
    let line = line.unwrap_or_else(|| panic!("{shown}"));
    assert!(line.contains("sql-b") && !line.contains("sql-a"), "{shown}");
    // Who is not heard for long is named.
    for service in services {
        service.stop().ended(0);
    }
    server.ask("UPDATE twinset.agent SET heard = now() - interval '1 hour' WHERE name = 'sql-a'");
    let fleet = pair.json(B, &["fleet", "status"]).ended(3).result();
    let silent = |at: usize| fleet["agents"][at]["silent"].clone();
    assert_eq!((silent(0), silent(1)), (true.into(), false.into()));
}
