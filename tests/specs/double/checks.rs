//! DBCC CHECKDB: what it finds, how it tells it, what it leaves behind.

use super::sql::Pair;

#[test]
fn a_sound_database_has_no_finding_and_its_check_is_remembered() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let checked = "SELECT DATABASEPROPERTYEX('Payroll', 'LastGoodCheckDbTime')";
    let never = sql.cell(checked);
    assert!(never.starts_with("1900-01-01"), "{never}");
    assert_eq!(sql.numbers("DBCC CHECKDB (Payroll)"), [2536, 8989, 2528]);
    sql.works("DBCC CHECKDB (N'Payroll') WITH NO_INFOMSGS");
    assert!(!sql.cell(checked).starts_with("1900"));
    let rows = sql.rows("DBCC CHECKDB ([Payroll]) WITH TABLERESULTS, NO_INFOMSGS, PHYSICAL_ONLY");
    assert_eq!(rows.len(), 0);
}

#[test]
fn a_damaged_page_is_an_error_a_row_and_a_suspect() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let expected = [2536, 8928, 8939, 8990, 8989, 8958, 2528];
    assert_eq!(sql.numbers("DBCC CHECKDB (Torn)"), expected);
    let rows = sql.rows("DBCC CHECKDB (Torn) WITH TABLERESULTS, ALL_ERRORMSGS, NO_INFOMSGS");
    let heads: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_str()))
        .collect();
    let expected = [
        ("8928", "16"),
        ("8939", "16"),
        ("8990", "10"),
        ("8989", "10"),
        ("8958", "10"),
    ];
    assert_eq!(heads, expected);
    let named = sql.named("DBCC CHECKDB (Torn) WITH TABLERESULTS");
    assert_eq!(named.len(), 23);
    assert_eq!(
        (named[4].0.as_str(), named[22].0.as_str()),
        ("RepairLevel", "Allocation")
    );
    let suspects = "SELECT file_id, page_id, event_type, error_count FROM msdb.dbo.suspect_pages";
    assert_eq!(sql.rows(suspects), [["1", "77", "2", "3"]]);
    let checked = "SELECT DATABASEPROPERTYEX('Torn', 'LastGoodCheckDbTime')";
    assert!(sql.cell(checked).starts_with("1900-01-01"));
}

#[test]
fn a_physical_check_counts_where_the_switch_says_so() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let checked = "SELECT DATABASEPROPERTYEX('Payroll', 'LastGoodCheckDbTime')";
    sql.works("DBCC CHECKDB (Payroll) WITH PHYSICAL_ONLY");
    assert!(sql.cell(checked).starts_with("1900-01-01"));
    pair.lab.instances[0]
        .instance
        .set_faults(twinset_tests::instance::faults::Faults {
            physical_only_counts: true,
            ..Default::default()
        });
    sql.works("DBCC CHECKDB (Payroll) WITH PHYSICAL_ONLY");
    assert!(!sql.cell(checked).starts_with("1900-01-01"));
}

#[test]
fn what_cannot_be_checked_says_why() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let cases = [
        ("DBCC CHECKDB (Nobody)", 2520),
        ("DBCC CHECKDB (Broken)", 926),
        ("DBCC CHECKDB (Payroll) WITH FOO", 155),
        ("DBCC CHECKDB (Payroll, REPAIR_REBUILD)", 7919),
        ("DBCC CHECKDB (Payroll, WHAT)", 102),
    ];
    for (statement, number) in cases {
        assert_eq!(sql.numbers(statement), [number], "{statement}");
    }
    let mut reader = pair.sql_as(0, "reader", "Reader-1");
    assert_eq!(reader.numbers("DBCC CHECKDB (Payroll)"), [7983]);
}

#[test]
fn a_restored_copy_does_not_touch_the_check_of_its_source() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    sql.works(
        "RESTORE DATABASE Copy FROM DISK = 'f.bak' WITH MOVE 'Payroll' TO '/c.mdf', \
               MOVE 'Payroll_log' TO '/c.ldf'",
    );
    sql.works("DBCC CHECKDB (Copy) WITH NO_INFOMSGS");
    let checked = "SELECT DATABASEPROPERTYEX('Payroll', 'LastGoodCheckDbTime')";
    assert!(sql.cell(checked).starts_with("1900-01-01"));
}
