//! A planned switch: what moves, what travels, who is thrown out, and where it can stand still.

use serde_json::json;

use super::{A, B, Partners, opening};
use crate::double::wire::Client;

const POSITION: &str = "SELECT last_log_backup_lsn FROM sys.database_recovery_status r JOIN \
                        sys.databases d ON d.database_id = r.database_id WHERE d.name = 'Payroll'";
const BASE: &str = "SELECT differential_base_guid FROM sys.master_files f JOIN sys.databases d ON \
                    d.database_id = f.database_id WHERE d.name = 'Payroll' AND f.type = 0";
const FORK: &str = "SELECT recovery_fork_guid FROM sys.database_recovery_status r JOIN \
                    sys.databases d ON d.database_id = r.database_id WHERE d.name = 'Payroll'";
const IDENTITY: &str = "SELECT family_guid FROM sys.database_recovery_status r JOIN sys.databases \
                        d ON d.database_id = r.database_id WHERE d.name = 'Payroll'";

#[test]
fn a_planned_switch_exchanges_the_roles_and_counts_on_both_sides() {
    let pair = Partners::start();
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZED 1");
    assert_eq!(pair.seen(B), "MIRROR SYNCHRONIZED 1");
    assert_eq!(opening(&mut pair.sql(B)), [954]);
    pair.sql(A)
        .works("ALTER DATABASE Payroll SET PARTNER FAILOVER");
    assert_eq!(pair.seen(A), "MIRROR SYNCHRONIZED 2");
    assert_eq!(pair.seen(B), "PRINCIPAL SYNCHRONIZED 2");
    assert_eq!(pair.sql(A).state("Payroll"), "RESTORING");
    assert_eq!(pair.sql(B).state("Payroll"), "ONLINE");
    assert_eq!(opening(&mut pair.sql(A)), [954]);
    assert_eq!(opening(&mut pair.sql(B)), [5701]);
    assert_eq!(pair.errors(A), [1480, 1441]);
    assert_eq!(pair.errors(B), [1480, 1440]);
    pair.order(B, json!({ "failover": "Payroll" }));
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZED 3");
}

#[test]
fn all_that_is_of_the_data_travels_and_what_is_of_the_server_stays() {
    let pair = Partners::start();
    let (mut a, mut b) = (pair.sql(A), pair.sql(B));
    a.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    a.write("Payroll", &["one"]);
    a.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    a.write("Payroll", &["two"]);
    let before = [POSITION, BASE, FORK, IDENTITY].map(|query| a.cell(query));
    pair.order(A, json!({ "failover": "Payroll" }));
    assert_eq!(
        [POSITION, BASE, FORK, IDENTITY].map(|query| b.cell(query)),
        before
    );
    assert_eq!(b.ledger("Payroll"), "one two");
    // The log goes on where the other server left it, though msdb here has never heard of it.
    assert_eq!(b.cell("SELECT COUNT(*) FROM msdb.dbo.backupset"), "0");
    b.works("BACKUP LOG Payroll TO DISK = 'l2.trn'");
    b.works("BACKUP DATABASE Payroll TO DISK = 'd.bak' WITH DIFFERENTIAL");
    let logs = "SELECT first_lsn, begins_log_chain FROM msdb.dbo.backupset WHERE type = 'L'";
    assert_eq!(b.rows(logs), [[before[0].clone(), "0".into()]]);
    let based = "SELECT differential_base_guid FROM msdb.dbo.backupset WHERE type = 'I'";
    assert_eq!(b.cell(based), before[1]);
    // Logs of both servers are one chain.
    b.works(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, MOVE 'Payroll' TO '/c.mdf', \
         MOVE 'Payroll_log' TO '/c.ldf'",
    );
    b.works("RESTORE LOG Copy FROM DISK = 'l1.trn' WITH NORECOVERY");
    b.works("RESTORE LOG Copy FROM DISK = 'l2.trn' WITH RECOVERY");
    assert_eq!(b.ledger("Copy"), "one two");
}

#[test]
fn the_base_of_differentials_stays_behind_where_the_knob_says_so() {
    let pair = Partners::start();
    pair.turn(B, |faults| faults.mirroring.base_stays_behind = true);
    pair.sql(A)
        .works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    pair.order(A, json!({ "failover": "Payroll" }));
    pair.sql(B).fails(
        "BACKUP DATABASE Payroll TO DISK = 'd.bak' WITH DIFFERENTIAL",
        3035,
    );
}

#[test]
fn who_is_in_the_database_is_thrown_out_and_nobody_else() {
    let pair = Partners::start();
    let mut inside = Client::login(pair.lab.instances[A].port);
    inside.batch("USE Payroll");
    inside.tokens();
    let mut outside = pair.sql(A);
    pair.order(A, json!({ "failover": "Payroll" }));
    assert!(inside.is_closed());
    assert_eq!(outside.state("Payroll"), "RESTORING");
}

#[test]
fn a_write_that_waits_for_its_commit_does_not_reach_a_mirror() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    a.works("BEGIN TRAN");
    a.works("INSERT INTO Payroll.dbo.ledger VALUES ('late')");
    pair.order(A, json!({ "failover": "Payroll" }));
    assert_eq!(a.numbers("COMMIT"), [954]);
    assert_eq!(pair.sql(B).ledger("Payroll"), "");
}

#[test]
fn a_switch_can_stand_still_while_it_is_pending() {
    let pair = Partners::start();
    let order = json!({ "session": { "database": "Payroll", "fail_over_to": "pending" } });
    pair.order(A, order.clone());
    assert_eq!(pair.seen(A), "PRINCIPAL PENDING_FAILOVER 1");
    assert_eq!(pair.seen(B), "MIRROR SYNCHRONIZING 1");
    assert_eq!(opening(&mut pair.sql(A)), [952]);
    pair.turn(A, |faults| {
        faults.mirroring.pending_shows_synchronizing = true
    });
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZING 1");
    pair.order(
        A,
        json!({ "session": { "database": "Payroll", "go_on": true } }),
    );
    assert_eq!(pair.seen(B), "PRINCIPAL SYNCHRONIZED 2");
    // Lost before it was done, it does not take place.
    pair.order(B, order);
    pair.links(B, json!({ "partner": false }));
    assert_eq!(pair.seen(B), "PRINCIPAL DISCONNECTED 2");
    assert_eq!(opening(&mut pair.sql(B)), [5701]);
}

#[test]
fn a_new_principal_can_be_seen_recovering_or_not_ready() {
    let pair = Partners::start();
    for (place, number) in [("recovering", 922), ("not-ready", 956)] {
        let (old, new) = match place {
            "recovering" => (A, B),
            _ => (B, A),
        };
        let session = json!({ "database": "Payroll", "fail_over_to": place });
        pair.order(old, json!({ "session": session }));
        assert_eq!(opening(&mut pair.sql(new)), [number], "{place}");
        assert_eq!(opening(&mut pair.sql(old)), [954], "{place}");
        pair.order(
            new,
            json!({ "session": { "database": "Payroll", "go_on": true } }),
        );
        assert_eq!(opening(&mut pair.sql(new)), [5701], "{place}");
    }
}

#[test]
fn a_new_principal_recovers_as_long_as_the_knob_says() {
    let pair = Partners::start();
    pair.turn(B, |faults| faults.mirroring.recovery_ms = 600_000);
    pair.sql(A)
        .works("ALTER DATABASE Payroll SET PARTNER FAILOVER");
    assert!(pair.seen(B).starts_with("PRINCIPAL"));
    assert_eq!(opening(&mut pair.sql(B)), [922]);
    pair.sql(B)
        .fails("BACKUP DATABASE Payroll TO DISK = 'f.bak'", 922);
}
