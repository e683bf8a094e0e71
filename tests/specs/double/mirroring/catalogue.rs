//! What the views show of sessions, to whom.

use serde_json::json;

use super::{A, B, Partners, W};
use crate::double::sql::Sql;

const STATE: &str = "SELECT mirroring_state, mirroring_state_desc FROM sys.database_mirroring m \
                     JOIN sys.databases d ON d.database_id = m.database_id WHERE d.name = 'Payroll'";

#[test]
fn a_mirror_shows_its_row_to_sysadmins_alone() {
    let pair = Partners::start();
    let mut there = Sql::login(pair.lab.instances[A].port, "reader", "Reader-1");
    let mut here = Sql::login(pair.lab.instances[B].port, "reader", "Reader-1");
    assert_eq!(there.rows(STATE), [["4", "SYNCHRONIZED"]]);
    assert_eq!(here.rows(STATE), [["NULL", "NULL"]]);
    pair.turn(B, |faults| faults.mirroring.everybody_sees_mirrors = true);
    assert_eq!(here.rows(STATE), [["4", "SYNCHRONIZED"]]);
}

#[test]
fn states_five_and_six_are_a_switch() {
    let pair = Partners::start();
    pair.turn(A, |faults| faults.mirroring.five_and_six = true);
    assert_eq!(pair.sql(A).rows(STATE), [["6", "SYNCHRONIZED"]]);
    pair.links(A, json!({ "log": false }));
    assert_eq!(pair.sql(A).rows(STATE), [["5", "UNSYNCHRONIZED"]]);
}

#[test]
fn the_witness_names_the_principal_with_its_sequence() {
    let pair = Partners::witnessed();
    let query = "SELECT principal_server_name, mirror_server_name, role_sequence_number, \
                 partner_sync_state, safety_level_desc FROM sys.database_mirroring_witnesses";
    assert_eq!(
        pair.sql(W).rows(query),
        [["SQL-A", "SQL-B", "1", "5", "FULL"]]
    );
    pair.order(A, json!({ "failover": "Payroll" }));
    assert_eq!(
        pair.sql(W).rows(query),
        [["SQL-B", "SQL-A", "2", "5", "FULL"]]
    );
    assert_eq!(pair.sql(A).rows(query), Vec::<Vec<String>>::new());
}

#[test]
fn nothing_here_is_a_cluster() {
    let pair = Partners::start();
    let query = "SELECT NodeName, status, status_description, is_current_owner FROM \
                 sys.dm_os_cluster_nodes";
    assert_eq!(pair.sql(A).rows(query), Vec::<Vec<String>>::new());
}

#[test]
fn an_order_tells_how_a_session_stands() {
    let pair = Partners::start();
    let told = pair.order(B, json!({ "database": "Payroll", "errorlog": true }));
    assert_eq!(told["database"]["mirroring"]["role"], "mirror");
    assert_eq!(told["errorlog"], json!([]));
    let refused = pair.try_order(A, json!({ "failover": "Ledger" }));
    assert!(refused.is_err(), "{refused:?}");
    let refused = pair
        .try_order(B, json!({ "failover": "Payroll" }))
        .unwrap_err();
    assert!(refused.starts_with("1470"), "{refused}");
}
