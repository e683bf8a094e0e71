//! A session made of two copies of a database.

use serde_json::json;

use super::{A, B, Partners};

const HERE: &str = "ALTER DATABASE Ledger SET PARTNER = 'TCP://sql-b:5022'";
const THERE: &str = "ALTER DATABASE Ledger SET PARTNER = 'TCP://sql-a:5022'";

/// The full backup of Ledger, restored on the other side and left ready for more.
fn seeded() -> Partners {
    let pair = Partners::start();
    pair.sql(A)
        .works("BACKUP DATABASE Ledger TO DISK = 'f.bak'");
    pair.sql(B)
        .works("RESTORE DATABASE Ledger FROM DISK = 'f.bak' WITH NORECOVERY");
    pair
}

#[test]
fn a_restored_copy_becomes_the_mirror_of_the_open_one() {
    let pair = seeded();
    pair.sql(B).works(THERE);
    pair.sql(A).works(HERE);
    let query = "SELECT mirroring_role_desc, mirroring_state_desc, mirroring_partner_name, \
                 mirroring_partner_instance, mirroring_role_sequence FROM sys.database_mirroring \
                 m JOIN sys.databases d ON d.database_id = m.database_id WHERE d.name = 'Ledger'";
    let expected = [
        "PRINCIPAL",
        "SYNCHRONIZED",
        "TCP://sql-b:5022",
        "SQL-B",
        "1",
    ];
    assert_eq!(pair.sql(A).rows(query), [expected]);
    let expected = ["MIRROR", "SYNCHRONIZED", "TCP://SQL-A:5022", "SQL-A", "1"];
    assert_eq!(pair.sql(B).rows(query), [expected]);
    pair.sql(A).write("Ledger", &["one"]);
    pair.order(A, json!({ "failover": "Ledger" }));
    assert_eq!(pair.sql(B).ledger("Ledger"), "one");
    assert_eq!(pair.sql(B).numbers(THERE), [1405]);
}

#[test]
fn a_copy_that_is_not_there_not_ready_or_not_related_is_refused() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    assert_eq!(a.numbers(HERE), [1448]);
    assert_eq!(a.numbers(&HERE.replace("sql-b", "sql-x")), [1418]);
    assert_eq!(a.numbers(&HERE.replace("5022", "5023")), [1418]);
    assert_eq!(a.numbers(&HERE.replace("sql-b", "sql-a")), [1452]);
    assert_eq!(a.numbers(&HERE.replace("Ledger", "Simple")), [1465]);
    assert_eq!(a.numbers(&HERE.replace("Ledger", "master")), [1416]);
    assert_eq!(a.numbers(&HERE.replace("Ledger", "Payroll")), [1405]);
    pair.sql(B).works("CREATE DATABASE Ledger");
    assert_eq!(a.numbers(HERE), [1464]);
    pair.order(B, json!({ "running": false }));
    assert_eq!(a.numbers(HERE), [1418]);
    let pair = seeded();
    // The mirror has to be told first.
    assert_eq!(pair.sql(A).numbers(HERE), [1416]);
    pair.instance(A)
        .state()
        .database_mut("Ledger")
        .unwrap()
        .family_guid = uuid::Uuid::nil();
    pair.sql(B).works(THERE);
    assert_eq!(pair.sql(A).numbers(HERE), [1407]);
}

#[test]
fn every_log_backup_taken_meanwhile_has_to_be_there() {
    let pair = seeded();
    let (mut a, mut b) = (pair.sql(A), pair.sql(B));
    a.write("Ledger", &["one"]);
    a.works("BACKUP LOG Ledger TO DISK = 'l.trn'");
    b.works(THERE);
    assert_eq!(a.numbers(HERE), [1412]);
    b.works("RESTORE LOG Ledger FROM DISK = 'l.trn' WITH NORECOVERY");
    a.works(HERE);
    pair.order(A, json!({ "failover": "Ledger" }));
    assert_eq!(pair.sql(B).ledger("Ledger"), "one");
}
