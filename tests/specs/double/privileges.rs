//! Who sees what, and who may do what?

use super::sql::Pair;

#[test]
fn the_files_of_databases_are_hidden_from_those_who_may_not_see_definitions() {
    let pair = Pair::start();
    let (mut sql, mut reader) = (pair.sql(0), pair.sql_as(0, "reader", "Reader-1"));
    let mut definer = pair.sql_as(0, "definer", "Definer-1");
    let files = "SELECT COUNT(*) FROM sys.master_files";
    // Those of master and tempdb are open to everybody.
    assert_eq!(reader.cell(files), "4");
    assert_ne!(sql.cell(files), "4");
    assert_eq!(sql.cell(files), definer.cell(files));
}

#[test]
fn sessions_and_requests_of_others_need_view_server_state() {
    let pair = Pair::start();
    let (_sql, mut reader) = (pair.sql(0), pair.sql_as(0, "reader", "Reader-1"));
    let mut watcher = pair.sql_as(0, "watcher", "Watcher-1");
    for view in ["dm_exec_sessions", "dm_exec_connections"] {
        let count = format!("SELECT COUNT(*) FROM sys.{view}");
        assert_eq!(reader.cell(&count), "1", "{view}");
        assert_eq!(watcher.cell(&count), "6", "{view}");
    }
}

#[test]
fn statements_are_refused_by_right() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    let mut reader = pair.sql_as(0, "reader", "Reader-1");
    reader.fails("BACKUP DATABASE Payroll TO DISK = 'x'", 262);
    reader.fails("RESTORE DATABASE Payroll FROM DISK = 'f'", 3110);
    reader.fails("RESTORE HEADERONLY FROM DISK = 'f'", 262);
    assert_eq!(
        reader.numbers("INSERT INTO Payroll.dbo.ledger VALUES ('x')"),
        [229]
    );
    let mut keeper = pair.sql_as(0, "keeper", "Keeper-1");
    keeper.works("BACKUP DATABASE Payroll TO DISK = 'y'");
    keeper.fails("BACKUP DATABASE Payroll TO VIRTUAL_DEVICE = 'x'", 3265);
}

#[test]
fn misspelt_columns_and_objects_are_errors() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    assert_eq!(sql.try_rows("SELECT nmae FROM sys.databases"), Err(207));
    assert_eq!(sql.try_rows("SELECT name FROM sys.database"), Err(208));
    assert_eq!(
        sql.try_rows("SELECT note FROM Payroll.dbo.legder"),
        Err(208)
    );
    assert_eq!(sql.try_rows("SELECT note FROM Broken.dbo.ledger"), Err(926));
}
