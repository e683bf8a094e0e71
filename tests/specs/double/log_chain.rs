//! What is in the log, when is it released, and who can say what is lost?

use super::sql::Pair;

fn positions(sql: &mut super::sql::Sql, column: &str) -> Vec<String> {
    let query =
        format!("SELECT {column} FROM msdb.dbo.backupset WHERE type = 'L' ORDER BY backup_set_id");
    sql.rows(&query).concat()
}

#[test]
fn each_log_begins_where_the_last_one_ended_and_writes_move_the_end() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    for (at, note) in ["one", "two", "three"].into_iter().enumerate() {
        sql.write("Payroll", &[note]);
        sql.works(&format!("BACKUP LOG Payroll TO DISK = 'l{at}.trn'"));
    }
    let (first, last) = (
        positions(&mut sql, "first_lsn"),
        positions(&mut sql, "last_lsn"),
    );
    assert_eq!(first[1..], last[..2]);
    assert_eq!(positions(&mut sql, "begins_log_chain"), ["1", "0", "0"]);
    let stands = "SELECT last_log_backup_lsn FROM sys.database_recovery_status r JOIN \
                  sys.databases d ON d.database_id = r.database_id WHERE d.name = 'Payroll'";
    assert_eq!(sql.cell(stands), last[2]);
}

#[test]
fn a_copy_only_log_releases_nothing() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'c.trn' WITH COPY_ONLY");
    sql.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
    let first = positions(&mut sql, "first_lsn");
    assert_eq!(first[0], first[1]);
    assert_eq!(positions(&mut sql, "is_copy_only"), ["1", "0"]);
}

#[test]
fn a_log_needs_a_full_and_a_model_that_keeps_it() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.fails("BACKUP LOG Payroll TO DISK = 'l.trn'", 4214);
    sql.fails("BACKUP LOG Simple TO DISK = 'l.trn'", 4208);
    sql.fails("BACKUP LOG master TO DISK = 'l.trn'", 4212);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
    // Through SIMPLE and back the chain is broken; the next full begins a new one.
    sql.works("ALTER DATABASE Payroll SET RECOVERY SIMPLE");
    sql.works("ALTER DATABASE Payroll SET RECOVERY FULL");
    sql.fails("BACKUP LOG Payroll TO DISK = 'l2.trn'", 4214);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f2.bak'");
    sql.works("BACKUP LOG Payroll TO DISK = 'l3.trn'");
    assert_eq!(positions(&mut sql, "begins_log_chain"), ["1", "1"]);
}

#[test]
fn a_log_that_nobody_backs_up_fills() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Small TO DISK = 'f.bak'");
    sql.write("Small", &["one", "two"]);
    assert_eq!(
        sql.numbers("INSERT INTO Small.dbo.ledger VALUES ('three')"),
        [9002]
    );
    let waits = "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'Small'";
    assert_eq!(sql.cell(waits), "LOG_BACKUP");
    sql.works("BACKUP LOG Small TO DISK = 'l.trn'");
    assert_eq!(sql.cell(waits), "NOTHING");
    sql.write("Small", &["three"]);
}

#[test]
fn differentials_name_the_newest_full_that_is_not_copy_only() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.fails(
        "BACKUP DATABASE Payroll TO DISK = 'd.bak' WITH DIFFERENTIAL",
        3035,
    );
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak' WITH NAME = 'base'");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'c.bak' WITH COPY_ONLY");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'd.bak' WITH DIFFERENTIAL, COPY_ONLY");
    let bases = "SELECT b.name FROM msdb.dbo.backupset d JOIN msdb.dbo.backupset b ON \
                 b.backup_set_uuid = d.differential_base_guid WHERE d.type = 'I'";
    assert_eq!(sql.cell(bases), "base");
    let of_files = "SELECT b.name FROM sys.master_files f JOIN msdb.dbo.backupset b ON \
                    b.backup_set_uuid = f.differential_base_guid WHERE f.type = 0";
    assert_eq!(sql.cell(of_files), "base");
}

#[test]
fn what_was_released_and_never_stored_is_known_by_range_and_content() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["one"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    sql.write("Payroll", &["two"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'lost.trn'");
    std::fs::remove_file(pair.folder.path().join("lost.trn")).unwrap();
    sql.write("Payroll", &["three"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l3.trn'");
    let state = pair.lab.instances[0].instance.state();
    let database = state.database("Payroll").unwrap();
    let lost = database.released[1];
    let gone = database
        .writes
        .iter()
        .filter(|w| w.lsn >= lost.first && w.lsn < lost.last);
    assert_eq!(gone.map(|w| w.note.as_str()).collect::<Vec<_>>(), ["two"]);
    drop(state);
    // The chain ends before the gap: nothing behind it can be restored any more.
    sql.works(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, \
               MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'",
    );
    sql.works("RESTORE LOG Copy FROM DISK = 'l1.trn' WITH NORECOVERY");
    sql.fails(
        "RESTORE LOG Copy FROM DISK = 'l3.trn' WITH NORECOVERY",
        4305,
    );
    sql.works("RESTORE DATABASE Copy WITH RECOVERY");
    assert_eq!(sql.ledger("Copy"), "one");
}
