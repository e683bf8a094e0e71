//! ALTER DATABASE ... SET PARTNER and SET WITNESS: who may, where, and when.

use serde_json::json;

use super::{A, B, Partners, opening};
use crate::double::sql::Sql;

fn set(what: &str) -> String {
    format!("ALTER DATABASE Payroll SET {what}")
}

#[test]
fn each_option_belongs_to_a_side() {
    let pair = Partners::start();
    let mut b = pair.sql(B);
    for option in ["FAILOVER", "RESUME", "SAFETY OFF", "TIMEOUT 20"] {
        assert_eq!(
            b.numbers(&set(&format!("PARTNER {option}"))),
            [1470],
            "{option}"
        );
    }
    assert_eq!(b.numbers(&set("WITNESS OFF")), [1470]);
    assert_eq!(
        pair.sql(A).numbers("ALTER DATABASE Ledger SET PARTNER OFF"),
        [1416]
    );
    assert_eq!(
        pair.sql(A).numbers("ALTER DATABASE Nobody SET PARTNER OFF"),
        [911]
    );
}

#[test]
fn a_switch_needs_safety_and_a_mirror_that_has_caught_up() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    a.works(&set("PARTNER SAFETY OFF"));
    assert_eq!(a.numbers(&set("PARTNER FAILOVER")), [1477]);
    a.works(&set("PARTNER SAFETY FULL"));
    pair.links(A, json!({ "log": false }));
    assert_eq!(a.numbers(&set("PARTNER FAILOVER")), [1422]);
    pair.links(A, json!({ "log": true, "partner": false }));
    assert_eq!(a.numbers(&set("PARTNER FAILOVER")), [1447]);
}

#[test]
fn suspended_by_either_resumed_by_the_principal() {
    let pair = Partners::start();
    pair.sql(B).works(&set("PARTNER SUSPEND"));
    assert_eq!(pair.seen(A), "PRINCIPAL SUSPENDED 1");
    pair.sql(A).write("Payroll", &["behind"]);
    assert_eq!(pair.sql(A).numbers(&set("PARTNER FAILOVER")), [1422]);
    // It outlives a restart.
    pair.order(A, json!({ "running": false }));
    pair.order(A, json!({ "running": true }));
    assert_eq!(pair.seen(B), "MIRROR SUSPENDED 1");
    pair.links(A, json!({ "partner": false }));
    assert_eq!(pair.sql(A).numbers(&set("PARTNER RESUME")), [1447]);
    pair.links(A, json!({ "partner": true }));
    pair.sql(A).works(&set("PARTNER RESUME"));
    pair.order(A, json!({ "failover": "Payroll" }));
    assert_eq!(pair.sql(B).ledger("Payroll"), "behind");
}

#[test]
fn a_redo_error_suspends_both_sides() {
    let pair = Partners::start();
    pair.order(
        A,
        json!({ "session": { "database": "Payroll", "redo_fails": true } }),
    );
    assert_eq!(pair.seen(A), "PRINCIPAL SUSPENDED 1");
    assert_eq!(pair.errors(A), [1453]);
    assert_eq!(pair.errors(B), [1454]);
}

#[test]
fn a_session_ends_on_both_sides_as_soon_as_they_talk() {
    let pair = Partners::start();
    pair.sql(A).works(&set("PARTNER OFF"));
    assert_eq!(pair.seen(A), "NULL NULL NULL");
    assert_eq!(pair.seen(B), "NULL NULL NULL");
    assert_eq!(opening(&mut pair.sql(A)), [5701]);
    assert_eq!(opening(&mut pair.sql(B)), [927]);
    assert_eq!(pair.errors(B), [1443]);
    // What recovers on its own goes its own way.
    pair.sql(B)
        .numbers("RESTORE DATABASE Payroll WITH RECOVERY");
    assert_eq!(pair.sql(B).state("Payroll"), "ONLINE");
    let apart = Partners::start();
    apart.links(A, json!({ "partner": false }));
    apart.sql(B).works(&set("PARTNER OFF"));
    assert_eq!(apart.seen(A), "PRINCIPAL DISCONNECTED 1");
    apart.links(A, json!({ "partner": true }));
    assert_eq!(apart.seen(A), "NULL NULL NULL");
}

#[test]
fn safety_and_timeout_are_kept_on_both_sides() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    a.works(&set("PARTNER SAFETY OFF"));
    a.works(&set("PARTNER TIMEOUT 3"));
    assert_eq!(a.numbers(&set("PARTNER TIMEOUT 40000")), [1476]);
    let query = "SELECT mirroring_safety_level_desc, mirroring_safety_sequence, \
                 mirroring_connection_timeout FROM sys.database_mirroring WHERE mirroring_guid \
                 IS NOT NULL";
    for at in [A, B] {
        assert_eq!(pair.sql(at).rows(query), [["OFF", "2", "5"]]);
    }
}

#[test]
fn a_witness_comes_and_goes() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    assert_eq!(a.numbers(&set("WITNESS = 'TCP://sql-b:5022'")), [1429]);
    a.works(&set("WITNESS = 'TCP://sql-w.example.com:5022'"));
    let query = "SELECT mirroring_witness_name, mirroring_witness_state_desc FROM \
                 sys.database_mirroring WHERE mirroring_guid IS NOT NULL";
    assert_eq!(pair.sql(B).rows(query)[0][1], "CONNECTED");
    pair.order(super::W, json!({ "running": false }));
    assert_eq!(a.rows(query)[0][1], "DISCONNECTED");
    a.works(&set("WITNESS OFF"));
    assert_eq!(a.rows(query), [["NULL", "NULL"]]);
    assert_eq!(a.numbers(&set("WITNESS = 'TCP://sql-w:5022'")), [1456]);
    pair.links(A, json!({ "partner": false }));
    assert_eq!(a.numbers(&set("WITNESS = 'TCP://sql-x:5022'")), [1447]);
}

#[test]
fn rights_and_grammar_come_first() {
    let pair = Partners::start();
    let mut reader = Sql::login(pair.lab.instances[A].port, "reader", "Reader-1");
    assert_eq!(reader.numbers(&set("PARTNER FAILOVER")), [5011]);
    let mut a = pair.sql(A);
    for wrong in [
        "PARTNER",
        "PARTNER NOW",
        "PARTNER FAILOVER, SUSPEND",
        "WITNESS 'x'",
    ] {
        assert_eq!(a.numbers(&set(wrong)), [102], "{wrong}");
    }
    let inside = format!("BEGIN TRAN {} ROLLBACK", set("PARTNER FAILOVER"));
    assert_eq!(a.numbers(&inside), [226]);
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZED 1");
}

#[test]
fn other_changes_are_not_for_mirrored_databases() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    for change in ["RECOVERY SIMPLE", "READ_ONLY", "OFFLINE"] {
        assert_eq!(a.numbers(&set(change)), [1468], "{change}");
    }
    assert_eq!(a.numbers("DROP DATABASE Payroll"), [3743]);
}

#[test]
fn an_edition_may_lack_it() {
    for (edition, option, number) in [(2, "PARTNER SAFETY OFF", 1473), (4, "PARTNER OFF", 1463)] {
        let scene = super::SCENE.replacen(
            "seed = 1",
            &format!("seed = 1\nversion = {{ engine_edition = {edition} }}"),
            1,
        );
        let scene = toml::from_str(&scene.replace("WITNESS", "")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lab = twinset_tests::lab::Lab::start(&scene, folder.path()).unwrap();
        let mut sql = Sql::login(lab.instances[A].port, "twinset", "Secret-1");
        assert_eq!(sql.numbers(&set(option)), [number]);
    }
}
