//! Options of RESTORE: what each leaves behind, and what each refuses.

use twinset_tests::instance::model::DbState;

use super::sql::{Pair, Sql};

const MOVES: &str = "MOVE 'Payroll' TO '/c.mdf', MOVE 'Payroll_log' TO '/c.ldf'";

/// A column of sys.databases of the copy.
fn copy(sql: &mut Sql, column: &str) -> String {
    sql.cell(&format!(
        "SELECT {column} FROM sys.databases WHERE name = 'Copy'"
    ))
}

/// Restores `f` as Copy with this option.
fn restored(sql: &mut Sql, option: &str) {
    sql.works(&format!(
        "RESTORE DATABASE Copy FROM DISK = 'f' WITH {option}, REPLACE, {MOVES}"
    ));
}

#[test]
fn users_and_brokers_find_the_database_as_the_statement_says() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    restored(&mut sql, "RESTRICTED_USER");
    assert_eq!(copy(&mut sql, "user_access"), "2");
    assert_eq!(copy(&mut sql, "user_access_desc"), "RESTRICTED_USER");
    sql.works("ALTER DATABASE Copy SET MULTI_USER");
    assert_eq!(copy(&mut sql, "user_access"), "0");
    sql.works("ALTER DATABASE Copy SET SINGLE_USER");
    assert_eq!(copy(&mut sql, "user_access_desc"), "SINGLE_USER");
    restored(&mut sql, "KEEP_REPLICATION, KEEP_CDC");
    assert_eq!(copy(&mut sql, "user_access"), "0");
    let mut guid = copy(&mut sql, "service_broker_guid");
    for (option, enabled, fresh) in [
        ("RECOVERY", "0", false),
        ("ENABLE_BROKER", "1", false),
        ("STATS = 10", "0", false),
        ("NEW_BROKER", "1", true),
        ("ERROR_BROKER_CONVERSATIONS", "1", false),
    ] {
        restored(&mut sql, option);
        assert_eq!(copy(&mut sql, "is_broker_enabled"), enabled, "{option}");
        let now = copy(&mut sql, "service_broker_guid");
        assert_eq!(now != guid, fresh, "{option}");
        guid = now;
    }
    sql.fails(
        "RESTORE DATABASE Copy FROM DISK = 'f' WITH ENABLE_BROKER, NEW_BROKER",
        3031,
    );
}

#[test]
fn a_medium_of_another_name_is_not_read() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f' WITH MEDIANAME = 'tape 1'");
    for verb in [
        "VERIFYONLY",
        "HEADERONLY",
        "LABELONLY",
        "FILELISTONLY",
        "DATABASE Copy",
    ] {
        let other = format!("RESTORE {verb} FROM DISK = 'f' WITH MEDIANAME = 'tape 2'");
        sql.fails(&other, 4037);
    }
    sql.works("RESTORE VERIFYONLY FROM DISK = 'f' WITH MEDIANAME = 'tape 1'");
    restored(&mut sql, "MEDIANAME = 'TAPE 1'");
}

#[test]
fn blocks_are_read_in_the_size_they_were_written_with() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f' WITH BLOCKSIZE = 4096");
    sql.fails(
        "RESTORE VERIFYONLY FROM DISK = 'f' WITH BLOCKSIZE = 512",
        3284,
    );
    sql.fails(
        "RESTORE HEADERONLY FROM DISK = 'f' WITH BLOCKSIZE = 65536",
        3284,
    );
    restored(&mut sql, "BLOCKSIZE = 4096");
    // Of a file the server finds it out by itself.
    restored(&mut sql, "RECOVERY");
}

#[test]
fn what_was_backed_up_over_damage_is_restored_over_damage_alone() {
    let pair = Pair::start();
    let (mut sql, mut other) = (pair.sql(0), pair.sql(1));
    let moves = "MOVE 'Torn' TO '/c.mdf', MOVE 'Torn_log' TO '/c.ldf'";
    sql.works("BACKUP DATABASE Torn TO DISK = 'unseen'");
    let over = "BACKUP DATABASE Torn TO DISK = 'f' WITH CHECKSUM, CONTINUE_AFTER_ERROR";
    assert!(sql.numbers(over).contains(&3042));
    assert_eq!(
        sql.numbers("RESTORE VERIFYONLY FROM DISK = 'f'"),
        [3188, 3262]
    );
    let restore = |file: &str, with: &str| {
        format!("RESTORE DATABASE Copy FROM DISK = '{file}' WITH {moves}{with}")
    };
    for sql in [&mut sql, &mut other] {
        sql.fails(&restore("f", ""), 3183);
        let there = "SELECT name FROM sys.databases WHERE name = 'Copy' AND state = 0";
        assert_eq!(sql.rows(there).len(), 0, "a refused restore opened it");
        let said = sql.numbers(&restore("f", ", CONTINUE_AFTER_ERROR, REPLACE"));
        assert_eq!(said, [4035, 4035, 3184, 3014]);
        assert!(sql.numbers("DBCC CHECKDB (Copy)").contains(&8939));
        // Nobody looked at the pages then, so nobody does now; the damage is there all the same.
        sql.works(&restore("unseen", ", REPLACE"));
        assert!(sql.numbers("DBCC CHECKDB (Copy)").contains(&8939));
    }
    sql.works("BACKUP DATABASE Payroll TO DISK = 'sound'");
    sql.works(
        "RESTORE DATABASE Copy FROM DISK = 'sound' WITH REPLACE, MOVE 'Payroll' TO '/c.mdf', \
         MOVE 'Payroll_log' TO '/c.ldf'",
    );
    assert_eq!(sql.numbers("DBCC CHECKDB (Copy)"), [2536, 8989, 2528]);
}

#[test]
fn what_belongs_to_urls_is_refused_with_files() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    for option in ["CREDENTIAL = 'c'", "FILE_SNAPSHOT", "BACKUP_OPTIONS = '{}'"] {
        let statement = format!("BACKUP DATABASE Payroll TO DISK = 'x' WITH {option}");
        sql.fails(&statement, 3032);
    }
    sql.fails(
        "RESTORE VERIFYONLY FROM DISK = 'x' WITH CREDENTIAL = 'c'",
        3032,
    );
    sql.fails(
        "BACKUP DATABASE Payroll TO URL = 's3://h/b/k' WITH CREDENTIAL = 'c'",
        3201,
    );
}

#[test]
fn who_is_not_in_the_right_database_or_state_is_told_so() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    sql.works("BACKUP LOG Payroll TO DISK = 'l'");
    assert_eq!(
        sql.numbers("USE Payroll RESTORE DATABASE Payroll FROM DISK = 'f' WITH REPLACE"),
        [5701, 3102, 3013]
    );
    sql.works("USE master");
    let instance = &pair.lab.instances[0].instance;
    for (state, number) in [
        (DbState::Offline, 942),
        (DbState::RecoveryPending, 945),
        (DbState::Emergency, 3033),
    ] {
        instance.state().database_mut("Payroll").unwrap().state = state;
        sql.fails("BACKUP DATABASE Payroll TO DISK = 'x'", number);
    }
}

#[test]
fn a_continuation_volume_is_not_where_a_set_begins() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
    let path = pair.folder.path().join("f");
    let mut bytes = std::fs::read(&path).unwrap();
    // The media sequence number of the first block, whose sum over 50 bytes it is no part of.
    bytes[60] = 2;
    std::fs::write(&path, bytes).unwrap();
    sql.fails("RESTORE VERIFYONLY FROM DISK = 'f'", 3249);
    sql.fails("RESTORE HEADERONLY FROM DISK = 'f'", 3249);
}

#[test]
fn a_log_that_ends_where_the_database_stands_applies_once_more_where_the_switch_says_so() {
    for (switch, number) in [(false, Some(4326)), (true, None)] {
        let pair = Pair::start();
        let mut sql = pair.sql(0);
        sql.works("BACKUP DATABASE Payroll TO DISK = 'f'");
        sql.write("Payroll", &["a"]);
        sql.works("BACKUP LOG Payroll TO DISK = 'l'");
        let instance = &pair.lab.instances[0].instance;
        instance.set_faults(twinset_tests::instance::faults::Faults {
            equal_log_applies: switch,
            ..Default::default()
        });
        restored(&mut sql, "NORECOVERY");
        let log = "RESTORE LOG Copy FROM DISK = 'l' WITH NORECOVERY";
        sql.works(log);
        match number {
            Some(number) => sql.fails(log, number),
            None => sql.works(log),
        }
        sql.works("RESTORE DATABASE Copy WITH RECOVERY");
        assert_eq!(sql.ledger("Copy"), "a");
    }
}
