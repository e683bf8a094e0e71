//! Who serves the database when some of the three cannot see each other (sqlserver.md 1.6)?

use serde_json::json;

use super::{A, B, Partners, W, opening};
use crate::double::wire::Client;

#[test]
fn a_lost_principal_is_replaced_where_mirror_and_witness_saw_it_go() {
    let pair = Partners::witnessed();
    pair.sql(A).write("Payroll", &["one"]);
    pair.order(A, json!({ "running": false }));
    assert_eq!(pair.seen(B), "PRINCIPAL DISCONNECTED 2");
    assert_eq!(pair.sql(B).ledger("Payroll"), "one");
    pair.sql(B).write("Payroll", &["two"]);
    // Back, it finds that it is the mirror now; nothing is suspended, nothing was lost.
    pair.order(A, json!({ "running": true }));
    assert_eq!(pair.seen(A), "MIRROR SYNCHRONIZED 2");
    assert_eq!(pair.seen(B), "PRINCIPAL SYNCHRONIZED 2");
    pair.order(B, json!({ "failover": "Payroll" }));
    assert_eq!(pair.sql(A).ledger("Payroll"), "one two");
}

#[test]
fn a_principal_cut_off_from_both_serves_nobody_and_still_believes_in_itself() {
    let pair = Partners::witnessed();
    let mut inside = Client::login(pair.lab.instances[A].port);
    inside.batch("USE Payroll");
    inside.tokens();
    pair.links(A, json!({ "partner": false, "witness": false }));
    assert!(inside.is_closed());
    assert_eq!(opening(&mut pair.sql(A)), [955]);
    assert_eq!(pair.seen(A), "PRINCIPAL DISCONNECTED 1");
    assert_eq!(pair.seen(B), "PRINCIPAL DISCONNECTED 2");
    pair.sql(A)
        .fails("BACKUP DATABASE Payroll TO DISK = 'f.bak'", 955);
    pair.links(A, json!({ "partner": true }));
    assert_eq!(pair.seen(A), "MIRROR SYNCHRONIZED 2");
}

#[test]
fn partners_apart_that_both_see_the_witness_keep_their_roles() {
    let pair = Partners::witnessed();
    pair.links(A, json!({ "partner": false }));
    assert_eq!(pair.seen(A), "PRINCIPAL DISCONNECTED 1");
    assert_eq!(pair.seen(B), "MIRROR DISCONNECTED 1");
    assert_eq!(opening(&mut pair.sql(A)), [5701]);
    // The principal runs exposed; that the witness is lost later makes no new principal.
    pair.links(A, json!({ "witness": false }));
    assert_eq!(opening(&mut pair.sql(A)), [955]);
    assert_eq!(pair.seen(B), "MIRROR DISCONNECTED 1");
}

#[test]
fn a_mirror_that_regains_the_witness_waits_for_the_old_principal() {
    let pair = Partners::witnessed();
    pair.order(W, json!({ "running": false }));
    assert_eq!(opening(&mut pair.sql(A)), [5701]);
    pair.order(A, json!({ "running": false }));
    assert_eq!(pair.seen(B), "MIRROR DISCONNECTED 1");
    pair.order(W, json!({ "running": true }));
    assert_eq!(pair.seen(B), "MIRROR DISCONNECTED 1");
    pair.order(A, json!({ "running": true }));
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZED 1");
}

#[test]
fn without_safety_or_witness_nobody_takes_over() {
    let pair = Partners::witnessed();
    pair.sql(A)
        .works("ALTER DATABASE Payroll SET PARTNER SAFETY OFF");
    pair.order(A, json!({ "running": false }));
    assert_eq!(pair.seen(B), "MIRROR DISCONNECTED 1");
    let alone = Partners::start();
    alone.order(A, json!({ "running": false }));
    assert_eq!(alone.seen(B), "MIRROR DISCONNECTED 1");
    alone.order(A, json!({ "running": true }));
    assert_eq!(alone.seen(A), "PRINCIPAL SYNCHRONIZED 1");
}

#[test]
fn roles_may_flap_and_both_sides_count_alike() {
    let pair = Partners::witnessed();
    for turn in 0..6 {
        let principal = if turn % 2 == 0 { A } else { B };
        pair.sql(principal).write("Payroll", &[&turn.to_string()]);
        pair.order(principal, json!({ "running": false }));
        pair.order(principal, json!({ "running": true }));
    }
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZED 7");
    assert_eq!(pair.seen(B), "MIRROR SYNCHRONIZED 7");
    assert_eq!(pair.sql(A).ledger("Payroll"), "0 1 2 3 4 5");
}

#[test]
fn a_stopped_instance_refuses_and_comes_back_at_its_port() {
    let pair = Partners::start();
    let port = pair.lab.instances[A].port;
    let mut client = Client::login(port);
    pair.order(A, json!({ "running": false }));
    assert!(client.is_closed());
    let refused = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    pair.order(A, json!({ "running": true }));
    assert_eq!(pair.sql(A).state("Payroll"), "ONLINE");
}
