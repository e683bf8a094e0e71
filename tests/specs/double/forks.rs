//! Recovery begins a new path; sets of different paths do not mix.

use super::sql::{Pair, Sql};

fn forks(sql: &mut Sql) -> Vec<String> {
    let query = "SELECT first_recovery_fork_guid, last_recovery_fork_guid, fork_point_lsn FROM \
                 msdb.dbo.backupset WHERE type = 'L' ORDER BY backup_set_id DESC";
    sql.rows(query).swap_remove(0)
}

#[test]
fn recovery_makes_a_fork_and_the_next_log_spans_it() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["a"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    let old = forks(&mut sql);
    assert_eq!((&old[0], old[2].as_str()), (&old[1], "NULL"));
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH REPLACE");
    sql.write("Payroll", &["b"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'm1.trn'");
    let spanning = forks(&mut sql);
    assert_eq!(spanning[0], old[0]);
    assert_ne!(spanning[1], old[0]);
    assert_ne!(spanning[2], "NULL");
    sql.works("BACKUP LOG Payroll TO DISK = 'm2.trn'");
    let new = forks(&mut sql);
    assert_eq!((&new[0], &new[1]), (&spanning[1], &spanning[1]));
    assert_eq!(new[2], "NULL");
}

#[test]
fn one_base_leads_down_either_path_but_not_across() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.write("Payroll", &["a"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l1.trn'");
    sql.write("Payroll", &["b"]);
    sql.works("BACKUP LOG Payroll TO DISK = 'l2.trn'");
    // Back to the first log; from there the database goes another way.
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH REPLACE, NORECOVERY");
    sql.works("RESTORE LOG Payroll FROM DISK = 'l1.trn'");
    sql.write(
        "Payroll",
        &["c", "d", "e", "f", "g", "h", "i", "j", "k", "l"],
    );
    sql.works("BACKUP LOG Payroll TO DISK = 'm2.trn'");
    let moves = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";
    let full =
        format!("RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH NORECOVERY, REPLACE, {moves}");
    for (last, expected) in [("l2.trn", "a b"), ("m2.trn", "a c d e f g h i j k l")] {
        sql.works(&full);
        sql.works("RESTORE LOG Copy FROM DISK = 'l1.trn' WITH NORECOVERY");
        sql.works(&format!("RESTORE LOG Copy FROM DISK = '{last}'"));
        assert_eq!(sql.ledger("Copy"), expected);
    }
    sql.works(&full);
    sql.works("RESTORE LOG Copy FROM DISK = 'l1.trn' WITH NORECOVERY");
    sql.works("RESTORE LOG Copy FROM DISK = 'l2.trn' WITH NORECOVERY");
    sql.fails(
        "RESTORE LOG Copy FROM DISK = 'm2.trn' WITH NORECOVERY",
        4330,
    );
}
