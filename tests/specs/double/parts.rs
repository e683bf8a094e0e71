//! Files, filegroups, pages, PARTIAL, snapshots: refused with SQL Server's numbers where it refuses,
//! and never taken for the whole database.

use super::sql::Pair;

/// What the double says of statements that SQL Server would carry out and it does not.
const NOT_CARRIED_OUT: i32 = 50_000;

#[test]
fn a_backup_of_a_part_is_refused_for_the_right_reason() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let simple = "ALTER DATABASE Payroll SET RECOVERY SIMPLE";
    let cases = [
        ("Payroll FILE = 'nobody'", 3235),
        ("Payroll FILE = 'Payroll_log'", 3219),
        ("Payroll FILEGROUP = 'Archive'", 3235),
        ("master FILE = 'master'", 3024),
        ("Payroll FILE = 'payroll'", NOT_CARRIED_OUT),
        (
            "Payroll FILE = 'Payroll', FILEGROUP = 'primary'",
            NOT_CARRIED_OUT,
        ),
        ("Payroll READ_WRITE_FILEGROUPS", NOT_CARRIED_OUT),
    ];
    for (what, number) in cases {
        sql.fails(&format!("BACKUP DATABASE {what} TO DISK = 'p'"), number);
    }
    sql.works(simple);
    sql.fails(
        "BACKUP DATABASE Payroll FILEGROUP = 'PRIMARY' TO DISK = 'p'",
        3004,
    );
    let whole = "BACKUP DATABASE Payroll READ_WRITE_FILEGROUPS TO DISK = 'p'";
    sql.fails(whole, NOT_CARRIED_OUT);
    assert!(!pair.folder.path().join("p").exists());
}

#[test]
fn what_is_no_syntax_is_none() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    for statement in [
        "BACKUP DATABASE Payroll PAGE = '1:2' TO DISK = 'p'",
        "BACKUP LOG Payroll FILE = 'Payroll' TO DISK = 'p'",
        "BACKUP LOG Payroll READ_WRITE_FILEGROUPS TO DISK = 'p'",
        "BACKUP DATABASE Payroll FILE = 'Payroll', TO DISK = 'p'",
        "RESTORE LOG Payroll READ_WRITE_FILEGROUPS FROM DISK = 'p'",
    ] {
        assert_eq!(sql.numbers(statement), [102], "{statement}");
    }
    assert_eq!(
        sql.numbers("BACKUP DATABASE Payroll TO DISK = 'p' WITH PARTIAL"),
        [155]
    );
    sql.fails("RESTORE LOG Payroll FROM DISK = 'p' WITH PARTIAL", 3032);
}

#[test]
fn a_restore_of_a_part_is_refused_for_the_right_reason() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'p'");
    sql.works("BACKUP LOG Payroll TO DISK = 'tail' WITH NORECOVERY");
    let many = (0..1001)
        .map(|page| format!("1:{page}"))
        .collect::<Vec<_>>();
    let many = format!("PAGE = '{}'", many.join(","));
    let cases = [
        ("PAGE = '1'", "", 3217),
        ("PAGE = '1:x'", "", 3217),
        (many.as_str(), "", 3217),
        ("FILE = 'nobody'", "", 3144),
        ("FILEGROUP = 'Archive'", "", 3190),
        ("FILEGROUP = 'PRIMARY'", "PARTIAL, ", NOT_CARRIED_OUT),
        ("FILE = 'Payroll'", "", NOT_CARRIED_OUT),
        ("PAGE = '1:57, 1:202'", "", NOT_CARRIED_OUT),
    ];
    for (what, with, number) in cases {
        let from = format!("FROM DISK = 'p' WITH {with}NORECOVERY");
        sql.fails(&format!("RESTORE DATABASE Payroll {what} {from}"), number);
    }
    // Nothing of it was taken for a restore of the whole.
    sql.works("RESTORE DATABASE Payroll WITH RECOVERY");
}

#[test]
fn snapshots_are_refused_for_the_right_reason() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let two = "VIRTUAL_DEVICE = 'a', VIRTUAL_DEVICE = 'b'";
    let one = "VIRTUAL_DEVICE = 'a'";
    let cases = [
        ("TO DISK = 's' WITH SNAPSHOT".to_owned(), 3277),
        (format!("TO {two} WITH SNAPSHOT"), 3277),
        (format!("TO {one} WITH SNAPSHOT, DIFFERENTIAL"), 3031),
        (format!("TO {one} WITH SNAPSHOT"), NOT_CARRIED_OUT),
        (
            "TO DISK = 's' WITH METADATA_ONLY, FORMAT".to_owned(),
            NOT_CARRIED_OUT,
        ),
    ];
    for (what, number) in cases {
        sql.fails(&format!("BACKUP DATABASE Payroll {what}"), number);
    }
    sql.fails(&format!("BACKUP LOG Payroll TO {one} WITH SNAPSHOT"), 3032);
    assert!(!pair.folder.path().join("s").exists());
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    sql.fails("RESTORE DATABASE Copy FROM DISK = 'f' WITH SNAPSHOT", 3277);
    let moves = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";
    sql.fails(
        &format!("RESTORE DATABASE Copy FROM DISK = 'f' WITH METADATA_ONLY, {moves}"),
        3276,
    );
}
