//! May BACKUP write where something lies already?

use super::sql::Pair;

#[test]
fn what_lies_there_decides() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'one' WITH MEDIANAME = 'tape 1'");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'a1', DISK = 'a2'");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'm1' MIRROR TO DISK = 'm2' WITH FORMAT");
    std::fs::write(pair.folder.path().join("junk"), [7_u8; 4096]).unwrap();
    let cases = [
        ("DISK = 'junk'", "NOINIT", 3242),
        ("DISK = 'one', DISK = 'two'", "INIT", 3231),
        ("DISK = 'a1'", "INIT", 3132),
        ("DISK = 'm1'", "INIT", 3240),
        ("DISK = 'one'", "INIT, MEDIANAME = 'tape 2'", 4037),
    ];
    for (devices, with, number) in cases {
        sql.fails(
            &format!("BACKUP DATABASE Payroll TO {devices} WITH {with}"),
            number,
        );
    }
    sql.works("BACKUP DATABASE Payroll TO DISK = 'one' WITH INIT, SKIP, MEDIANAME = 'tape 2'");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'junk' WITH INIT");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'a1' WITH FORMAT");
}

#[test]
fn a_set_that_has_not_expired_is_not_overwritten() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'one' WITH RETAINDAYS = 2");
    sql.fails("BACKUP DATABASE Payroll TO DISK = 'one' WITH INIT", 4030);
    pair.wait(3 * 86_400);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'one' WITH INIT");
}
