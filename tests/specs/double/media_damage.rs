//! Media that are cut off, altered, mixed up or missing: which number does RESTORE say?

use super::sql::{Pair, Sql};

const VERIFY: &str = "RESTORE VERIFYONLY FROM";

/// Backs Payroll up to two families in `a1` and `a2`, another set to `b1` and `b2`.
fn stripes(sql: &mut Sql) {
    for name in ["a", "b"] {
        sql.works(&format!(
            "BACKUP DATABASE Payroll TO DISK = '{name}1', DISK = '{name}2' WITH FORMAT, CHECKSUM"
        ));
    }
}

#[test]
fn families_must_be_complete_of_one_set_and_each_once() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    stripes(&mut sql);
    sql.works(&format!("{VERIFY} DISK = 'a2', DISK = 'a1'"));
    let cases = [
        ("DISK = 'a1'", 3132),
        ("DISK = 'a1', DISK = 'a1'", 3227),
        ("DISK = 'a1', DISK = 'b2'", 3258),
        ("DISK = 'a1', DISK = 'a2', DISK = 'b1'", 3231),
    ];
    for (devices, number) in cases {
        sql.fails(&format!("{VERIFY} {devices}"), number);
    }
    // The same refusals leave no database behind.
    sql.fails(
        "RESTORE DATABASE Copy FROM DISK = 'a1', DISK = 'b2' WITH REPLACE, MOVE 'Payroll' \
               TO '/c', MOVE 'Payroll_log' TO '/d'",
        3258,
    );
    assert_eq!(
        sql.rows("SELECT name FROM sys.databases WHERE name = 'Copy' AND state = 0")
            .len(),
        0
    );
}

#[test]
fn damage_is_told_by_its_kind() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'good' WITH CHECKSUM");
    let file = |name: &str| pair.folder.path().join(name);
    let good = std::fs::read(file("good")).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let middle = good.len() / 2;
    let cases: [(&str, Vec<u8>, i32); 7] = [
        ("empty", Vec::new(), 3254),
        (
            "foreign",
            b"not a backup at all, but long enough to be looked at".repeat(40),
            3242,
        ),
        ("cut", good[..middle].to_vec(), 3203),
        ("short", good[..1024].to_vec(), 3208),
        ("page", flipped(middle), 3189),
        ("header", flipped(8), 3241),
        ("behind", [&good[..], &[7; 512]].concat(), 3266),
    ];
    for (name, bytes, number) in cases {
        std::fs::write(file(name), bytes).unwrap();
        sql.fails(&format!("{VERIFY} DISK = '{name}'"), number);
        let to = "MOVE 'Payroll' TO '/c', MOVE 'Payroll_log' TO '/d'";
        sql.fails(
            &format!("RESTORE DATABASE Copy FROM DISK = '{name}' WITH {to}"),
            number,
        );
    }
    sql.fails(&format!("{VERIFY} DISK = 'absent'"), 3201);
    assert_eq!(
        sql.rows("SELECT name FROM sys.databases WHERE name = 'Copy'")
            .len(),
        0
    );
}

#[test]
fn checksums_are_verified_where_they_are_and_missed_where_they_are_asked_for() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'plain' WITH NO_CHECKSUM");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'summed' WITH CHECKSUM");
    sql.works(&format!("{VERIFY} DISK = 'plain'"));
    sql.fails(&format!("{VERIFY} DISK = 'plain' WITH CHECKSUM"), 3187);
    sql.works(&format!("{VERIFY} DISK = 'summed' WITH CHECKSUM"));
    sql.fails(&format!("{VERIFY} DISK = 'summed' WITH FILE = 2"), 3287);
}

#[test]
fn a_verified_set_enters_history_on_request() {
    let pair = Pair::start();
    let (mut sql, mut other) = (pair.sql(0), pair.sql(1));
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    other.works(&format!("{VERIFY} DISK = 'f'"));
    assert_eq!(other.cell("SELECT COUNT(*) FROM msdb.dbo.backupset"), "0");
    other.works(&format!("{VERIFY} DISK = 'f' WITH LOADHISTORY"));
    let set = "SELECT backup_set_uuid FROM msdb.dbo.backupset";
    assert_eq!(other.cell(set), sql.cell(set));
    assert_eq!(
        other.cell("SELECT restore_type FROM msdb.dbo.restorehistory"),
        "V"
    );
}

#[test]
fn a_damaged_database_ends_its_backup_or_marks_it() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    // Without checksums nobody looks.
    sql.works("BACKUP DATABASE Torn TO DISK = 't0'");
    sql.fails("BACKUP DATABASE Torn TO DISK = 't1' WITH CHECKSUM", 3043);
    let sets = "SELECT COUNT(*) FROM msdb.dbo.backupset";
    assert_eq!(sql.cell(sets), "1");
    let suspects = "SELECT page_id, error_count FROM msdb.dbo.suspect_pages";
    assert_eq!(sql.rows(suspects), [["77", "1"]]);
    let said =
        sql.numbers("BACKUP DATABASE Torn TO DISK = 't2' WITH CHECKSUM, CONTINUE_AFTER_ERROR");
    assert_eq!(said, [4035, 4035, 3042, 3014]);
    let damaged = "SELECT is_damaged FROM msdb.dbo.backupset ORDER BY backup_set_id";
    assert_eq!(sql.rows(damaged).concat(), ["0", "1"]);
}
