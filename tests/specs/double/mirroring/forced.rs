//! Forced service: a new fork, two principals, and what becomes of them when they meet.

use serde_json::json;

use super::{A, B, Partners, opening};

const FORK: &str = "SELECT recovery_fork_guid, first_recovery_fork_guid FROM \
                    sys.database_recovery_status r JOIN sys.databases d ON d.database_id = \
                    r.database_id WHERE d.name = 'Payroll'";
const FORCE: &str = "ALTER DATABASE Payroll SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS";

#[test]
fn a_forced_mirror_starts_a_fork_and_loses_the_log_it_was_not_sent() {
    let pair = Partners::start();
    let (mut a, mut b) = (pair.sql(A), pair.sql(B));
    a.write("Payroll", &["sent"]);
    let [old, _] = a.rows(FORK)[0].clone().try_into().unwrap();
    pair.links(A, json!({ "log": false }));
    assert_eq!(pair.seen(A), "PRINCIPAL SYNCHRONIZING 1");
    a.write("Payroll", &["unsent"]);
    pair.order(A, json!({ "force": "Payroll" }));
    assert_eq!(pair.seen(A), "PRINCIPAL DISCONNECTED 1");
    assert_eq!(pair.seen(B), "PRINCIPAL DISCONNECTED 2");
    assert_eq!(b.ledger("Payroll"), "sent");
    assert_eq!(a.ledger("Payroll"), "sent unsent");
    let [new, first] = b.rows(FORK)[0].clone().try_into().unwrap();
    assert_eq!(first, old);
    assert_ne!(new, old);
    assert_eq!(a.rows(FORK)[0][0], old);
}

#[test]
fn when_they_meet_the_older_yields_and_the_session_waits_for_resume() {
    let pair = Partners::start();
    pair.order(A, json!({ "force": "Payroll" }));
    pair.sql(A).write("Payroll", &["abandoned"]);
    pair.sql(B).write("Payroll", &["kept"]);
    pair.links(A, json!({ "partner": true, "log": true }));
    assert_eq!(pair.seen(A), "MIRROR SUSPENDED 2");
    assert_eq!(pair.seen(B), "PRINCIPAL SUSPENDED 2");
    assert_eq!(pair.sql(A).state("Payroll"), "RECOVERING");
    // The abandoned copy cannot be forced: it would bring back what was given up.
    pair.links(A, json!({ "partner": false }));
    assert_eq!(pair.sql(A).numbers(FORCE), [1406]);
    pair.links(A, json!({ "partner": true }));
    let resume = "ALTER DATABASE Payroll SET PARTNER RESUME";
    assert_eq!(pair.sql(A).numbers(resume), [1470]);
    pair.sql(B).works(resume);
    assert_eq!(pair.seen(A), "MIRROR SYNCHRONIZED 2");
    pair.order(B, json!({ "failover": "Payroll" }));
    assert_eq!(pair.sql(A).ledger("Payroll"), "kept");
}

#[test]
fn what_the_abandoned_side_backed_up_after_the_split_does_not_join() {
    let pair = Partners::start();
    let (mut a, mut b) = (pair.sql(A), pair.sql(B));
    a.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    pair.order(A, json!({ "force": "Payroll" }));
    a.write("Payroll", &["abandoned"]);
    b.write("Payroll", &["kept"]);
    a.works("BACKUP LOG Payroll TO DISK = 'a.trn'");
    b.works("BACKUP LOG Payroll TO DISK = 'b.trn'");
    b.write("Payroll", &["more"]);
    b.works("BACKUP LOG Payroll TO DISK = 'b2.trn'");
    let files = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";
    b.works(&format!(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, {files}"
    ));
    b.works("RESTORE LOG Copy FROM DISK = 'a.trn' WITH NORECOVERY");
    b.fails(
        "RESTORE LOG Copy FROM DISK = 'b2.trn' WITH NORECOVERY",
        4330,
    );
    b.works(&format!(
        "RESTORE DATABASE Other FROM DISK = 'f.bak' WITH NORECOVERY, {}",
        files.replace("/c", "/o")
    ));
    b.works("RESTORE LOG Other FROM DISK = 'b.trn' WITH NORECOVERY");
    b.works("RESTORE LOG Other FROM DISK = 'b2.trn' WITH RECOVERY");
    assert_eq!(b.ledger("Other"), "kept more");
}

#[test]
fn service_is_forced_only_where_the_principal_is_out_of_reach() {
    let pair = Partners::start();
    assert_eq!(pair.sql(B).numbers(FORCE), [1455]);
    pair.links(A, json!({ "partner": false }));
    assert_eq!(pair.sql(A).numbers(FORCE), [1455]);
    pair.sql(B).works(FORCE);
    assert_eq!(opening(&mut pair.sql(B)), [5701]);
}

#[test]
fn with_a_witness_it_depends_on_whom_the_mirror_sees_and_on_the_page() {
    let pair = Partners::witnessed();
    pair.links(A, json!({ "partner": false }));
    pair.turn(B, |faults| faults.mirroring.force_with_witness = false);
    assert_eq!(pair.sql(B).numbers(FORCE), [1455]);
    pair.turn(B, |_| {});
    pair.links(B, json!({ "witness": false }));
    assert_eq!(pair.sql(B).numbers(FORCE), [1455]);
    pair.links(B, json!({ "witness": true }));
    pair.sql(B).works(FORCE);
}
