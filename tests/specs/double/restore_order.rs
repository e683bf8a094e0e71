//! Which sets go onto which database, and what is then in it?

use super::sql::{Pair, Sql};

/// Where the files of a copy go.
const MOVES: &str = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";

/// F1 (a), D1 (a b), L1 (a b c), F2, D2, L2 of Payroll, with what had been written until then.
fn history(sql: &mut Sql) {
    sql.write("Payroll", &["a"]);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f1.bak'");
    sql.write("Payroll", &["b"]);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'd1.bak' WITH DIFFERENTIAL");
    sql.write("Payroll", &["c"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    sql.write("Payroll", &["d"]);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f2.bak'");
    sql.write("Payroll", &["e"]);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'd2.bak' WITH DIFFERENTIAL");
    sql.write("Payroll", &["f"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l2.trn'");
}

fn base(sql: &mut Sql, file: &str) {
    sql.works(&format!(
        "RESTORE DATABASE Copy FROM DISK = '{file}' WITH NORECOVERY, REPLACE, {MOVES}"
    ));
}

fn restores(sql: &mut Sql, verb: &str, file: &str) {
    sql.works(&format!(
        "RESTORE {verb} Copy FROM DISK = '{file}' WITH NORECOVERY"
    ));
}

fn refuses(sql: &mut Sql, verb: &str, file: &str, number: i32) {
    sql.fails(
        &format!("RESTORE {verb} Copy FROM DISK = '{file}' WITH NORECOVERY"),
        number,
    );
}

#[test]
fn full_differential_and_logs_bring_back_what_was_written() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    history(&mut sql);
    let chains: &[(&[(&str, &str)], &str)] = &[
        (&[], "a"),
        (&[("DATABASE", "d1.bak")], "a b"),
        (&[("LOG", "l1.trn")], "a b c"),
        (
            &[("DATABASE", "d1.bak"), ("LOG", "l1.trn"), ("LOG", "l2.trn")],
            "a b c d e f",
        ),
    ];
    for (steps, expected) in chains {
        base(&mut sql, "f1.bak");
        for (verb, file) in *steps {
            restores(&mut sql, verb, file);
        }
        assert_eq!(sql.state("Copy"), "RESTORING");
        assert_eq!(sql.try_rows("SELECT note FROM Copy.dbo.ledger"), Err(927));
        sql.works("RESTORE DATABASE Copy WITH RECOVERY");
        assert_eq!(sql.ledger("Copy"), *expected);
    }
}

#[test]
fn wrong_orders_have_their_numbers() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    history(&mut sql);
    refuses(&mut sql, "LOG", "l1.trn", 3118);
    refuses(&mut sql, "DATABASE", "d1.bak", 3118);
    base(&mut sql, "f1.bak");
    // A log before its turn, a differential of another full, a set under the wrong verb.
    refuses(&mut sql, "LOG", "l2.trn", 4305);
    refuses(&mut sql, "DATABASE", "d2.bak", 3136);
    refuses(&mut sql, "DATABASE", "l1.trn", 3135);
    refuses(&mut sql, "LOG", "d1.bak", 3135);
    restores(&mut sql, "LOG", "l1.trn");
    refuses(&mut sql, "LOG", "l1.trn", 4326);
    refuses(&mut sql, "DATABASE", "d1.bak", 3120);
    restores(&mut sql, "LOG", "l2.trn");
    refuses(&mut sql, "LOG", "l1.trn", 4326);
    sql.works("RESTORE DATABASE Copy WITH RECOVERY");
    refuses(&mut sql, "LOG", "l2.trn", 3117);
    refuses(&mut sql, "DATABASE", "d2.bak", 3117);
    sql.fails("RESTORE DATABASE Copy WITH RECOVERY", 3153);
    assert_eq!(sql.ledger("Copy"), "a b c d e f");
}

#[test]
fn a_refused_set_leaves_the_database_as_it_was() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    history(&mut sql);
    base(&mut sql, "f1.bak");
    refuses(&mut sql, "LOG", "l2.trn", 4305);
    restores(&mut sql, "LOG", "l1.trn");
    restores(&mut sql, "LOG", "l2.trn");
    sql.works("RESTORE DATABASE Copy WITH RECOVERY");
    assert_eq!(sql.ledger("Copy"), "a b c d e f");
}

#[test]
fn sets_of_another_database_do_not_apply() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    history(&mut sql);
    sql.works("BACKUP DATABASE Other TO DISK = 'o.bak'");
    sql.works("BACKUP LOG Other TO DISK = 'o.trn'");
    base(&mut sql, "f1.bak");
    refuses(&mut sql, "LOG", "o.trn", 3154);
    sql.fails("RESTORE DATABASE Payroll FROM DISK = 'o.bak'", 3154);
    // The same family over a live database: its newest log was never backed up.
    sql.fails("RESTORE DATABASE Payroll FROM DISK = 'f1.bak'", 3159);
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'f1.bak' WITH REPLACE");
    assert_eq!(sql.ledger("Payroll"), "a");
}

#[test]
fn a_copy_cannot_take_the_files_of_the_original() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    history(&mut sql);
    let numbers = sql.numbers("RESTORE DATABASE Copy FROM DISK = 'f1.bak'");
    assert_eq!(numbers, [1834, 3156, 1834, 3156, 3119, 3013]);
    sql.fails(
        "RESTORE DATABASE Copy FROM DISK = 'f1.bak' WITH MOVE 'nobody' TO '/x'",
        3234,
    );
    assert_eq!(
        sql.rows("SELECT name FROM sys.databases WHERE name = 'Copy'")
            .len(),
        0
    );
}

#[test]
fn another_instance_restores_the_chain_and_learns_its_history() {
    let pair = Pair::start();
    let (mut sql, mut other) = (pair.sql(0), pair.sql(1));
    history(&mut sql);
    other.works("RESTORE DATABASE Payroll FROM DISK = 'f1.bak' WITH NORECOVERY");
    other.works("RESTORE LOG Payroll FROM DISK = 'l1.trn' WITH NORECOVERY");
    other.works("RESTORE LOG Payroll FROM DISK = 'l2.trn'");
    assert_eq!(other.ledger("Payroll"), "a b c d e f");
    let family = "SELECT r.family_guid FROM sys.database_recovery_status r JOIN sys.databases d \
                  ON d.database_id = r.database_id WHERE d.name = 'Payroll'";
    assert_eq!(sql.cell(family), other.cell(family));
    let copy = family.replace("family_guid", "database_guid");
    assert_ne!(sql.cell(&copy), other.cell(&copy));
    let history = "SELECT s.server_name, h.restore_type FROM msdb.dbo.restorehistory h JOIN \
                   msdb.dbo.backupset s ON s.backup_set_id = h.backup_set_id ORDER BY \
                   h.restore_history_id";
    assert_eq!(
        other.rows(history),
        [["SQL-A", "D"], ["SQL-A", "L"], ["SQL-A", "L"]]
    );
}
