//! Where does a restore stop, and what does it say when it cannot?

use super::sql::{Pair, Sql};

const MOVES: &str = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";

/// Server time as T-SQL takes it.
fn now(sql: &mut Sql) -> String {
    sql.cell("SELECT CONVERT(varchar(23), GETDATE(), 121)")
}

/// A full, then a minute between writes; returns a time before each write and one at the end.
fn minutes(pair: &Pair, sql: &mut Sql) -> Vec<String> {
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    let mut times = Vec::new();
    for note in ["a", "b", "c", "d"] {
        pair.wait(60);
        times.push(now(sql));
        pair.wait(60);
        sql.write("Payroll", &[note]);
        if note == "b" {
            sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
        }
    }
    pair.wait(60);
    sql.works("BACKUP LOG Payroll TO DISK = 'l2.trn'");
    pair.wait(60);
    times.push(now(sql));
    times
}

fn base(sql: &mut Sql) {
    sql.works(&format!(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, REPLACE, {MOVES}"
    ));
}

fn log(file: &str, stop: &str, more: &str) -> String {
    format!("RESTORE LOG Copy FROM DISK = '{file}' WITH {stop}{more}")
}

#[test]
fn a_time_brings_back_what_was_committed_before_it() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let times = minutes(&pair, &mut sql);
    for (at, expected) in [(0, ""), (1, "a"), (2, "a b"), (3, "a b c")] {
        let stop = format!("STOPAT = '{}'", times[at]);
        base(&mut sql);
        if at < 2 {
            sql.works(&log("l1.trn", &stop, ", RECOVERY"));
        } else {
            let first = sql.numbers(&log("l1.trn", &stop, ", NORECOVERY"));
            assert!(first.contains(&4322), "{first:?}");
            sql.works(&log("l2.trn", &stop, ", RECOVERY"));
        }
        assert_eq!(sql.ledger("Copy"), expected, "{stop}");
    }
}

#[test]
fn a_time_behind_the_last_log_leaves_the_database_restoring() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let times = minutes(&pair, &mut sql);
    let stop = format!("STOPAT = '{}'", times[4]);
    base(&mut sql);
    let _ = sql.numbers(&log("l1.trn", &stop, ", NORECOVERY"));
    let said = sql.numbers(&log("l2.trn", &stop, ", RECOVERY"));
    assert_eq!(said, [4035, 4035, 4322, 3014]);
    assert_eq!(sql.state("Copy"), "RESTORING");
    sql.works("RESTORE DATABASE Copy WITH RECOVERY");
    assert_eq!(sql.ledger("Copy"), "a b c d");
}

#[test]
fn a_time_that_is_too_early_is_refused() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let long_ago = now(&mut sql);
    pair.wait(60);
    let times = minutes(&pair, &mut sql);
    let stop = format!("STOPAT = '{long_ago}'");
    sql.fails(
        &format!("RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, {stop}, {MOVES}"),
        4338,
    );
    base(&mut sql);
    sql.fails(&log("l1.trn", &stop, ""), 4335);
    sql.works(&log("l1.trn", "NORECOVERY", ""));
    sql.fails(
        &log("l2.trn", &format!("STOPAT = '{}'", times[0]), ""),
        4335,
    );
    sql.fails(&log("l2.trn", "STOPAT = 'yesterday'", ""), 241);
}

#[test]
fn marks_are_found_by_name_and_time() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    for note in ["a", "b"] {
        pair.wait(60);
        sql.works(&format!(
            "BEGIN TRAN close_of_day WITH MARK 'x' INSERT INTO Payroll.dbo.ledger VALUES \
             ('{note}1'), ('{note}2') COMMIT"
        ));
        pair.wait(60);
        sql.write("Payroll", &[&format!("{note}3")]);
    }
    sql.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
    let marks = "SELECT CONVERT(varchar(23), mark_time, 121) FROM msdb.dbo.logmarkhistory WHERE \
                 mark_name = 'close_of_day' ORDER BY lsn";
    let second = sql.rows(marks)[1][0].clone();
    let cases = [
        ("STOPATMARK = 'close_of_day'".to_owned(), "a1 a2"),
        ("STOPBEFOREMARK = 'close_of_day'".to_owned(), "a1"),
        (
            format!("STOPATMARK = 'close_of_day' AFTER '{second}'"),
            "a1 a2 a3 b1 b2",
        ),
    ];
    for (stop, expected) in cases {
        base(&mut sql);
        sql.works(&log("l.trn", &stop, ""));
        assert_eq!(sql.ledger("Copy"), expected, "{stop}");
    }
    base(&mut sql);
    assert!(
        sql.numbers(&log("l.trn", "STOPATMARK = 'nobody'", ""))
            .contains(&4329)
    );
    assert_eq!(sql.state("Copy"), "RESTORING");
    sql.fails(&log("l.trn", "STOPATMARK = 'lsn:what'", ""), 4334);
    sql.fails(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH STOPATMARK = 'm'",
        4340,
    );
}

#[test]
fn a_record_is_a_stop_point() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    minutes(&pair, &mut sql);
    let lsn = sql.cell("SELECT lsn FROM Payroll.dbo.ledger WHERE note = 'b'");
    for (option, expected) in [("STOPATMARK", "a b"), ("STOPBEFOREMARK", "a")] {
        base(&mut sql);
        sql.works(&log("l1.trn", &format!("{option} = 'lsn:{lsn}'"), ""));
        assert_eq!(sql.ledger("Copy"), expected);
    }
}

#[test]
fn bulk_changes_and_simple_allow_no_stop_point() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let before = now(&mut sql);
    sql.works("BACKUP DATABASE Bulk TO DISK = 'f.bak'");
    pair.wait(60);
    sql.works("INSERT INTO Bulk.dbo.ledger WITH (TABLOCK) VALUES ('a')");
    let at = now(&mut sql);
    pair.wait(60);
    sql.works("BACKUP LOG Bulk TO DISK = 'l.trn'");
    let told = "SELECT has_bulk_logged_data FROM msdb.dbo.backupset WHERE type = 'L'";
    assert_eq!(sql.cell(told), "1");
    let moves = "MOVE 'Bulk' TO '/c.mdf', MOVE 'Bulk_log' TO '/c.ldf'";
    sql.works(&format!(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, {moves}"
    ));
    sql.fails(&log("l.trn", &format!("STOPAT = '{at}'"), ""), 4341);
    sql.works(&log("l.trn", "RECOVERY", ""));
    assert_eq!(sql.ledger("Copy"), "a");
    sql.works("BACKUP DATABASE Simple TO DISK = 's.bak'");
    let simple = format!("RESTORE DATABASE Simple FROM DISK = 's.bak' WITH STOPAT = '{before}'");
    sql.fails(&simple, 3145);
}
