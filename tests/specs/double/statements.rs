//! What BACKUP and RESTORE take, and what they refuse before they touch anything.

use super::sql::Pair;

#[test]
fn what_is_not_an_option_is_155_alone() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    for statement in [
        "BACKUP DATABASE Payroll TO DISK = 'x' WITH FOO",
        "BACKUP DATABASE Payroll TO DISK = 'x' WITH STOPAT = '2026-01-01'",
        "BACKUP DATABASE Payroll TO DISK = 'x' WITH PASSWORD = 'p'",
        "RESTORE DATABASE Payroll FROM DISK = 'x' WITH COPY_ONLY",
        "RESTORE HEADERONLY FROM DISK = 'x' WITH COMPRESSION",
    ] {
        assert_eq!(sql.numbers(statement), [155], "{statement}");
    }
}

#[test]
fn options_of_another_statement_and_options_that_conflict_are_named() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let cases = [
        (
            "BACKUP DATABASE Payroll TO DISK = 'x' WITH NORECOVERY",
            3032,
        ),
        (
            "BACKUP DATABASE Payroll TO DISK = 'x' WITH NO_TRUNCATE",
            3032,
        ),
        ("BACKUP LOG Payroll TO DISK = 'x' WITH DIFFERENTIAL", 3032),
        ("RESTORE LABELONLY FROM DISK = 'x' WITH STATS", 3032),
        ("RESTORE VERIFYONLY FROM DISK = 'x' WITH RECOVERY", 3032),
        (
            "BACKUP DATABASE Payroll TO DISK = 'x' WITH CHECKSUM, NO_CHECKSUM",
            3031,
        ),
        (
            "BACKUP DATABASE Payroll TO DISK = 'x' WITH INIT, NOINIT",
            3031,
        ),
        (
            "BACKUP LOG Payroll TO DISK = 'x' WITH NORECOVERY, STANDBY = '/u'",
            3031,
        ),
        (
            "RESTORE DATABASE Payroll FROM DISK = 'x' WITH RECOVERY, NORECOVERY",
            3031,
        ),
        (
            "RESTORE LOG Payroll FROM DISK = 'x' WITH KEEP_CDC, NORECOVERY",
            3031,
        ),
    ];
    for (statement, number) in cases {
        sql.fails(statement, number);
    }
}

#[test]
fn sizes_out_of_range_have_their_numbers() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let cases = [
        ("BLOCKSIZE = 256", 3250),
        ("BLOCKSIZE = 131072", 3250),
        ("BLOCKSIZE = 3000", 3253),
        ("MAXTRANSFERSIZE = 65537", 3250),
        ("MAXTRANSFERSIZE = 8388608", 3250),
        ("BUFFERCOUNT = 0", 3250),
    ];
    for (option, number) in cases {
        sql.fails(
            &format!("BACKUP DATABASE Payroll TO DISK = 'x' WITH {option}"),
            number,
        );
    }
    sql.fails(
        "BACKUP DATABASE Payroll TO DISK = 'x', DISK = 'y' WITH BUFFERCOUNT = 1",
        3273,
    );
}

#[test]
fn the_first_reason_in_order_is_the_one_that_is_told() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    // No such database comes before the devices, the model before the base, the base before them.
    let many = vec!["DISK = 'x'"; 65].join(", ");
    sql.fails(&format!("BACKUP DATABASE Nobody TO {many}"), 911);
    sql.fails(&format!("BACKUP LOG Simple TO {many}"), 4208);
    sql.fails(&format!("BACKUP LOG Payroll TO {many}"), 4214);
    sql.fails(
        &format!("BACKUP DATABASE Payroll TO {many} WITH DIFFERENTIAL"),
        3035,
    );
    sql.fails(&format!("BACKUP DATABASE Payroll TO {many}"), 3205);
    sql.fails(
        "BACKUP DATABASE Broken TO DISK = 'x' WITH DIFFERENTIAL",
        926,
    );
    let numbers = sql.numbers("BEGIN TRAN BACKUP LOG Simple TO DISK = 'x' ROLLBACK");
    assert_eq!(numbers, [3021, 3013]);
}

#[test]
fn devices_are_of_one_class_and_exist() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let long = "x".repeat(260);
    let cases = [
        ("TO DISK = ''".to_owned(), 3044),
        (format!("TO DISK = '{long}'"), 3057),
        ("TO somewhere".to_owned(), 3206),
        ("TO TAPE = '\\\\.\\tape0'".to_owned(), 3201),
        ("TO URL = 's3://host/bucket/key'".to_owned(), 3201),
        ("TO DISK = '/no/such/folder/x'".to_owned(), 3201),
        ("TO VIRTUAL_DEVICE = 'nobody'".to_owned(), 3201),
    ];
    for (devices, number) in cases {
        sql.fails(&format!("BACKUP DATABASE Payroll {devices}"), number);
    }
    assert_eq!(
        sql.numbers("BACKUP DATABASE Payroll TO DISK = 'x', TAPE = 'y'"),
        [3011]
    );
}

#[test]
fn mirrors_follow_their_rules() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let mirror = "MIRROR TO DISK = 'm'";
    let cases = [
        (
            "TO DISK = 'x', DISK = 'y'",
            mirror.to_owned(),
            "FORMAT",
            3010,
        ),
        (
            "TO VIRTUAL_DEVICE = 'x'",
            "MIRROR TO VIRTUAL_DEVICE = 'y'".into(),
            "FORMAT",
            3008,
        ),
        ("TO DISK = 'x'", [mirror; 4].join(" "), "FORMAT", 3214),
        ("TO DISK = 'x'", mirror.to_owned(), "INIT", 3215),
    ];
    for (to, mirrors, with, number) in cases {
        sql.fails(
            &format!("BACKUP DATABASE Payroll {to} {mirrors} WITH {with}"),
            number,
        );
    }
    sql.works(
        "BACKUP DATABASE Payroll TO DISK = 'a1', DISK = 'a2' MIRROR TO DISK = 'b1', DISK = 'b2' \
         WITH FORMAT, CHECKSUM",
    );
    let bytes = |name: &str| std::fs::read(pair.folder.path().join(name)).unwrap();
    assert_eq!((bytes("a1"), bytes("a2")), (bytes("b1"), bytes("b2")));
    let families = "SELECT physical_device_name, family_sequence_number, mirror FROM \
                    msdb.dbo.backupmediafamily ORDER BY mirror, family_sequence_number";
    let expected = [
        ["a1", "1", "0"],
        ["a2", "2", "0"],
        ["b1", "1", "1"],
        ["b2", "2", "1"],
    ];
    assert_eq!(sql.rows(families), expected);
    assert_eq!(sql.named("RESTORE LABELONLY FROM DISK = 'b2'")[11].1, "2");
    // One device of each family, from either mirror.
    sql.works("RESTORE DATABASE Payroll FROM DISK = 'b1', DISK = 'a2' WITH REPLACE");
    sql.fails(
        "RESTORE DATABASE Payroll FROM DISK = 'b1', DISK = 'a1' WITH REPLACE",
        3227,
    );
}

#[test]
fn compression_and_encryption_name_their_algorithms() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let to = "BACKUP DATABASE Payroll TO DISK = 'x.bak' WITH FORMAT,";
    for bad in [
        "COMPRESSION (ALGORITHM = GZIP)",
        "COMPRESSION (ALGORITHM = ZSTD)",
        "COMPRESSION (LEVEL = LOW)",
        "ENCRYPTION (ALGORITHM = ROT13, SERVER CERTIFICATE = BackupCert)",
        "ENCRYPTION (ALGORITHM = AES_256)",
    ] {
        assert_eq!(sql.numbers(&format!("{to} {bad}")), [102], "{bad}");
    }
    let by =
        |name: &str| format!("{to} ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = {name})");
    sql.fails(&by("Nobody"), 33_111);
    sql.fails(&by("OldCert"), 3096);
    sql.works(&format!("{to} COMPRESSION (ALGORITHM = QAT_DEFLATE)"));
    sql.works(&by("[BackupCert]"));
    let told = "SELECT compression_algorithm, key_algorithm, encryptor_type FROM \
                msdb.dbo.backupset ORDER BY backup_set_id";
    let expected = [
        ["QAT_DEFLATE", "NULL", "NULL"],
        ["NULL", "aes_256", "CERTIFICATE"],
    ];
    assert_eq!(sql.rows(told), expected);
}

#[test]
fn expiry_is_kept_in_history() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(
        "BACKUP DATABASE Payroll TO DISK = 'x' WITH RETAINDAYS = 2, EXPIREDATE = '2026-01-01'",
    );
    let days = "SELECT DATEDIFF(day, backup_finish_date, expiration_date) FROM msdb.dbo.backupset";
    assert_eq!(sql.cell(days), "2");
}
