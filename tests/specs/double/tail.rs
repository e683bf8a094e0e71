//! The tail of the log: what it leaves behind.

use super::sql::Pair;

#[test]
fn no_recovery_leaves_the_database_restoring_and_nothing_is_lost() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    sql.works("BACKUP LOG Payroll TO DISK = 't.trn' WITH NORECOVERY");
    assert_eq!(sql.state("Payroll"), "RESTORING");
    sql.fails("BACKUP DATABASE Payroll TO DISK = 'x.bak'", 927);
    let flags = "SELECT is_force_offline, flags & 320 FROM msdb.dbo.backupset WHERE type = 'L'";
    assert_eq!(sql.rows(flags), [["1", "320"]]);
    // No REPLACE: the tail is safe.
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH NORECOVERY");
    sql.works("RESTORE LOG Payroll FROM DISK = 't.trn' WITH RECOVERY");
    assert_eq!(sql.ledger("Payroll"), "one");
}

#[test]
fn a_tail_can_simply_be_recovered_again() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    sql.works("BACKUP LOG Payroll TO DISK = 't.trn' WITH NORECOVERY");
    sql.works("RESTORE DATABASE Payroll WITH RECOVERY");
    assert_eq!(sql.ledger("Payroll"), "one");
    sql.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
}

#[test]
fn standby_can_be_read_and_rolled_on() {
    let pair = Pair::start();
    let (mut sql, mut other) = (pair.sql(0), pair.sql(1));
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    sql.write("Payroll", &["two"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l2.trn' WITH STANDBY = '/undo'");
    let standby = "SELECT state_desc, is_in_standby, is_read_only FROM sys.databases WHERE name = \
                   'Payroll'";
    assert_eq!(sql.rows(standby), [["ONLINE", "1", "1"]]);
    sql.fails("BACKUP DATABASE Payroll TO DISK = 'x.bak'", 3036);
    other.works("RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH STANDBY = '/undo'");
    assert_eq!(other.ledger("Payroll"), "");
    other.works("RESTORE LOG Payroll FROM DISK = 'l1.trn' WITH STANDBY = '/undo'");
    assert_eq!(other.ledger("Payroll"), "one");
    other.works("RESTORE LOG Payroll FROM DISK = 'l2.trn' WITH NORECOVERY");
    other.works("RESTORE DATABASE Payroll WITH RECOVERY");
    assert_eq!(other.ledger("Payroll"), "one two");
}

#[test]
fn a_tail_needs_the_database_for_itself() {
    let pair = Pair::start();
    let (mut sql, mut user) = (pair.sql(0), pair.sql(0));
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    user.works("USE Payroll");
    sql.fails("BACKUP LOG Payroll TO DISK = 't.trn' WITH NORECOVERY", 3101);
    user.works("USE master");
    sql.works("BACKUP LOG Payroll TO DISK = 't.trn' WITH NORECOVERY");
}

#[test]
fn a_broken_database_gives_its_tail_to_no_truncate_alone() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    let instance = &pair.lab.instances[0].instance;
    let suspect = twinset_tests::instance::model::DbState::Suspect;
    instance.state().database_mut("Payroll").unwrap().state = suspect;
    sql.fails("BACKUP LOG Payroll TO DISK = 't.trn'", 926);
    sql.works("BACKUP LOG Payroll TO DISK = 't.trn' WITH NO_TRUNCATE");
    let told = "SELECT has_incomplete_metadata, is_copy_only FROM msdb.dbo.backupset WHERE type \
                = 'L'";
    assert_eq!(sql.rows(told), [["1", "1"]]);
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH NORECOVERY");
    sql.works("RESTORE LOG Payroll FROM DISK = 't.trn'");
    assert_eq!(sql.ledger("Payroll"), "one");
}
