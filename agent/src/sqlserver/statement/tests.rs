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
        compression: None,
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
        transfer: Transfer {
            block_size: 4096,
            ..Transfer::default()
        },
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
    statement.compression = Some(false);
    assert_eq!(
        statement.to_sql(),
        "BACKUP DATABASE [Payroll] TO VIRTUAL_DEVICE = N'twinset-1' \
         WITH FORMAT, CHECKSUM, DIFFERENTIAL, NO_COMPRESSION, STATS = 5"
    );
    statement.kind = BackupKind::Log;
    statement.copy_only = true;
    statement.compression = Some(true);
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
