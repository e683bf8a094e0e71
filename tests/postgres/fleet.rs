//! Two agents of a pair are one replica.

use crate::away::{fast, shares};
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
