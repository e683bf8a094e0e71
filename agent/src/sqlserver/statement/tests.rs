#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use twinset_domain::BackupKind;

use super::*;

/// Reads one quoted token as SQL Server's lexer does; what is left over must be empty.
fn unquote(text: &str, open: &str, close: char) -> Option<(String, String)> {
    let mut rest = text.strip_prefix(open)?.chars().peekable();
    let mut name = String::new();
    while let Some(c) = rest.next() {
        if c != close {
            name.push(c);
        } else if rest.peek() == Some(&close) {
            rest.next();
            name.push(close);
        } else {
            return Some((name, rest.collect()));
        }
    }
    None
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("]".to_owned()),
        Just("]]".to_owned()),
        Just("'".to_owned()),
        Just("''".to_owned()),
        Just("\n--".to_owned()),
        Just("\0".to_owned()),
        Just("]; DROP DATABASE x; --".to_owned()),
        Just("N'".to_owned()),
        // Looks like a quote to those who normalise.
        Just("\u{2019}\u{FF07}\u{FF3D}".to_owned()),
        any::<char>().prop_map(String::from),
        // A character of every plane, so that each is met in few cases.
        (0_u32..17, 0x20_u32..0xFFFE).prop_filter_map("surrogate", |(plane, low)| {
            char::from_u32((plane << 16) | low).map(String::from)
        }),
    ];
    prop::collection::vec(piece, 0..128).prop_map(|pieces| pieces.concat())
}

fn backup() -> BackupStatement {
    BackupStatement {
        database: "Payroll".into(),
        kind: BackupKind::Full,
        devices: vec![
            Medium::Virtual("twinset-1".into()),
            Medium::Virtual("twinset-1-1".into()),
        ],
        transfer: Transfer {
            block_size: 4096,
            max_transfer_size: 1 << 20,
            buffer_count: 10,
        },
        copy_only: false,
        tail: None,
        over_damage: false,
        compression: Compression::Default,
        encryption: None,
        name: None,
    }
}

fn restore() -> RestoreStatement {
    RestoreStatement {
        database: "Payroll2".into(),
        kind: BackupKind::Full,
        devices: vec![Medium::Virtual("twinset-2".into())],
        moves: Vec::new(),
        replace: false,
        recovery: Recovery::Recovery,
        checksum: true,
        over_damage: false,
        transfer: Transfer {
            block_size: 4096,
            ..Transfer::default()
        },
        stop: None,
    }
}

#[test]
fn logs_are_told_where_to_stop() {
    use twinset_domain::LocalTime;
    use twinset_domain::restore::Stop;
    let time = LocalTime {
        year: 2026,
        month: 11,
        day: 21,
        time: (3, 15, 0),
    };
    let mark = |before, after| Stop::Mark {
        name: "it's".into(),
        before,
        after,
    };
    for (stop, expected) in [
        (Stop::At(time), "STOPAT = N'2026-11-21T03:15:00'"),
        (Stop::Lsn(twinset_domain::Lsn(7)), "STOPATMARK = N'lsn:7'"),
        (mark(true, None), "STOPBEFOREMARK = N'it''s'"),
        (
            mark(false, Some(time)),
            "STOPATMARK = N'it''s' AFTER N'2026-11-21T03:15:00'",
        ),
    ] {
        let sql = RestoreStatement {
            kind: BackupKind::Log,
            stop: Some(stop),
            ..restore()
        }
        .to_sql();
        let sure = format!("WITH RECOVERY, {expected}, CHECKSUM");
        assert!(
            sql.starts_with("RESTORE LOG [Payroll2] FROM") && sql.contains(&sure),
            "{sql}"
        );
    }
}

proptest! {
    #[test]
    fn a_name_stays_one_identifier(name in hostile()) {
        let quoted = quote_name(&name);
        prop_assert_eq!(unquote(&quoted, "[", ']'), Some((name, String::new())));
    }

    #[test]
    fn a_text_stays_one_literal(text in hostile()) {
        let quoted = quote_literal(&text);
        prop_assert_eq!(unquote(&quoted, "N'", '\''), Some((text, String::new())));
    }

    #[test]
    fn a_hostile_database_reaches_no_other_part(name in hostile(), device in hostile()) {
        let mut statement = backup();
        statement.database.clone_from(&name);
        statement.devices = vec![Medium::Disk(device.clone())];
        let sql = statement.to_sql();
        let rest = sql.strip_prefix("BACKUP DATABASE ").unwrap();
        let (found, rest) = unquote(rest, "[", ']').unwrap();
        prop_assert_eq!(found, name);
        let (found, rest) = unquote(&rest, " TO DISK = N'", '\'').unwrap();
        prop_assert_eq!(found, device);
        prop_assert!(rest.starts_with(" WITH FORMAT, CHECKSUM, STATS"));
    }
}

proptest! {
    #[test]
    fn hostile_names_stay_where_they_belong(
        name in hostile(), by in hostile(), title in hostile(), certificate: bool,
    ) {
        let mut statement = backup();
        statement.kind = BackupKind::Log;
        statement.tail = Some(Tail::NoRecovery);
        statement.database.clone_from(&name);
        statement.devices.truncate(1);
        statement.name = Some(title.clone());
        let (word, encryptor) = if certificate {
            ("CERTIFICATE", Encryptor::Certificate(by.clone()))
        } else {
            ("ASYMMETRIC KEY", Encryptor::AsymmetricKey(by.clone()))
        };
        statement.encryption = Some(Encryption { cipher: Cipher::Aes256, encryptor });
        let sql = statement.to_sql();
        let (found, rest) = unquote(&sql, "BACKUP LOG [", ']').unwrap();
        prop_assert_eq!(found, name);
        let begins = format!(
            " TO VIRTUAL_DEVICE = N'twinset-1' WITH FORMAT, CHECKSUM, NORECOVERY, \
             ENCRYPTION (ALGORITHM = AES_256, SERVER {word} = ["
        );
        let (found, rest) = unquote(&rest, &begins, ']').unwrap();
        prop_assert_eq!(found, by);
        let (found, rest) = unquote(&rest, "), NAME = N'", '\'').unwrap();
        prop_assert_eq!(found, title);
        prop_assert!(rest.starts_with(", STATS = 5"), "{}", rest);
    }
}

#[test]
fn every_wish_has_its_words() {
    let words = |change: &dyn Fn(&mut BackupStatement)| {
        let mut statement = backup();
        statement.transfer = Transfer::default();
        change(&mut statement);
        let sql = statement.to_sql();
        let (_, with) = sql.split_once(" WITH FORMAT, CHECKSUM").unwrap();
        with.strip_suffix(", STATS = 5").unwrap().to_owned()
    };
    let by = |algorithm| words(&|s| s.compression = Compression::By(algorithm));
    assert_eq!(
        by(Algorithm::MsXpress),
        ", COMPRESSION (ALGORITHM = MS_XPRESS)"
    );
    assert_eq!(
        by(Algorithm::QatDeflate),
        ", COMPRESSION (ALGORITHM = QAT_DEFLATE)"
    );
    assert_eq!(
        by(Algorithm::Zstd(None)),
        ", COMPRESSION (ALGORITHM = ZSTD)"
    );
    assert_eq!(
        by(Algorithm::Zstd(Some(Level::High))),
        ", COMPRESSION (ALGORITHM = ZSTD, LEVEL = HIGH)"
    );
    assert_eq!(words(&|s| s.compression = Compression::On), ", COMPRESSION");
    assert_eq!(
        words(&|s| s.compression = Compression::Off),
        ", NO_COMPRESSION"
    );
    assert_eq!(words(&|s| s.tail = Some(Tail::NoTruncate)), ", NO_TRUNCATE");
}

#[test]
fn a_full_backup_to_two_families() {
    assert_eq!(
        backup().to_sql(),
        "BACKUP DATABASE [Payroll] TO VIRTUAL_DEVICE = N'twinset-1', \
         VIRTUAL_DEVICE = N'twinset-1-1' WITH FORMAT, CHECKSUM, STATS = 5, BLOCKSIZE = 4096, \
         MAXTRANSFERSIZE = 1048576, BUFFERCOUNT = 10"
    );
}

#[test]
fn kinds_and_options_of_a_backup() {
    let mut statement = backup();
    statement.devices.truncate(1);
    statement.transfer = Transfer::default();
    statement.kind = BackupKind::Differential;
    statement.compression = Compression::Off;
    assert_eq!(
        statement.to_sql(),
        "BACKUP DATABASE [Payroll] TO VIRTUAL_DEVICE = N'twinset-1' \
         WITH FORMAT, CHECKSUM, DIFFERENTIAL, NO_COMPRESSION, STATS = 5"
    );
    statement.kind = BackupKind::Log;
    statement.copy_only = true;
    statement.compression = Compression::On;
    statement.name = Some("it's".into());
    assert_eq!(
        statement.to_sql(),
        "BACKUP LOG [Payroll] TO VIRTUAL_DEVICE = N'twinset-1' \
         WITH FORMAT, CHECKSUM, COPY_ONLY, COMPRESSION, NAME = N'it''s', STATS = 5"
    );
}

#[test]
fn a_restore_under_a_new_name_moves_its_files() {
    let mut statement = restore();
    let to = "/var/opt/mssql/data/o'hara.mdf".to_owned();
    statement.moves = vec![Move {
        logical: "Payroll".into(),
        to,
    }];
    statement.replace = true;
    assert_eq!(
        statement.to_sql(),
        "RESTORE DATABASE [Payroll2] FROM VIRTUAL_DEVICE = N'twinset-2' \
         WITH MOVE N'Payroll' TO N'/var/opt/mssql/data/o''hara.mdf', REPLACE, RECOVERY, CHECKSUM, \
         STATS = 5, BLOCKSIZE = 4096"
    );
}

#[test]
fn a_log_restore_that_goes_on() {
    let mut statement = restore();
    statement.kind = BackupKind::Log;
    statement.recovery = Recovery::NoRecovery;
    statement.checksum = false;
    statement.transfer = Transfer::default();
    assert_eq!(
        statement.to_sql(),
        "RESTORE LOG [Payroll2] FROM VIRTUAL_DEVICE = N'twinset-2' WITH NORECOVERY, STATS = 5"
    );
}

#[test]
fn headers_only() {
    let devices = [Medium::Disk("/b/1.bak".into())];
    let sizes = Transfer {
        block_size: 512,
        ..Transfer::default()
    };
    assert_eq!(
        file_list_sql(&devices, Transfer::default()),
        "RESTORE FILELISTONLY FROM DISK = N'/b/1.bak'"
    );
    assert_eq!(
        verify_sql(&devices, sizes, true),
        "RESTORE VERIFYONLY FROM DISK = N'/b/1.bak' WITH CHECKSUM, BLOCKSIZE = 512"
    );
}

#[test]
fn damaged_pages_end_neither_statement_where_they_are_known() {
    let taken = BackupStatement {
        over_damage: true,
        ..backup()
    };
    assert!(
        taken
            .to_sql()
            .contains("WITH FORMAT, CHECKSUM, CONTINUE_AFTER_ERROR, ")
    );
    let log = BackupStatement {
        kind: BackupKind::Log,
        ..taken
    };
    assert!(
        !log.to_sql().contains("CONTINUE"),
        "nobody looks at pages there"
    );
    let restored = RestoreStatement {
        over_damage: true,
        ..restore()
    };
    assert!(
        restored
            .to_sql()
            .contains("CHECKSUM, CONTINUE_AFTER_ERROR, STATS")
    );
}
