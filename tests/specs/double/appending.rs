//! Several backup sets on one medium: appended, listed, chosen, overwritten, refused.

use std::fs;
use std::path::PathBuf;

use super::sql::{Pair, Sql};

const TO: &str = "BACKUP DATABASE Payroll TO DISK = 'one'";

fn path(pair: &Pair, name: &str) -> PathBuf {
    pair.folder.path().join(name)
}

/// A column of HEADERONLY, one value for each set.
fn header(sql: &mut Sql, from: &str, column: &str) -> Vec<String> {
    let statement = format!("RESTORE HEADERONLY FROM {from}");
    let named = sql.named(&statement);
    let at = named.iter().position(|(name, _)| name == column).unwrap();
    let rows = sql.rows(&statement).into_iter();
    rows.map(|row| row[at].clone()).collect()
}

fn media_set(sql: &mut Sql, from: &str) -> String {
    sql.named(&format!("RESTORE LABELONLY FROM {from}"))[1]
        .1
        .clone()
}

#[test]
fn sets_are_appended_listed_and_restored_by_their_position() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    for with in ["CHECKSUM", "COMPRESSION"] {
        let to = format!("TO DISK = '{with}-1', DISK = '{with}-2'");
        let from = to.replacen("TO", "FROM", 1);
        sql.write("Payroll", &[with]);
        sql.works(&format!(
            "BACKUP DATABASE Payroll {to} WITH {with}, NAME = 'first'"
        ));
        sql.write("Payroll", &["and more"]);
        let written = sql.ledger("Payroll");
        sql.works(&format!("BACKUP LOG Payroll {to} WITH NAME = 'second'"));
        sql.works(&format!(
            "BACKUP DATABASE Payroll {to} WITH COPY_ONLY, NAME = 'third'"
        ));
        for disk in [1, 2] {
            let one = format!("DISK = '{with}-{disk}'");
            assert_eq!(header(&mut sql, &one, "Position"), ["1", "2", "3"]);
            assert_eq!(header(&mut sql, &one, "BackupType"), ["1", "2", "1"]);
            assert_eq!(
                header(&mut sql, &one, "BackupName"),
                ["first", "second", "third"]
            );
        }
        let in_msdb = sql.rows(&format!(
            "SELECT s.position, s.backup_set_uuid FROM msdb.dbo.backupset AS s \
             JOIN msdb.dbo.backupmediafamily AS f ON f.media_set_id = s.media_set_id \
             WHERE f.physical_device_name = '{with}-1' ORDER BY s.position"
        ));
        let uuids = header(&mut sql, &format!("DISK = '{with}-1'"), "BackupSetGUID");
        let expected = (1..=3)
            .zip(uuids)
            .map(|(at, uuid)| vec![at.to_string(), uuid]);
        assert_eq!(in_msdb, expected.collect::<Vec<_>>());
        sql.works(&format!("RESTORE VERIFYONLY {from} WITH FILE = 2"));
        sql.fails(&format!("RESTORE VERIFYONLY {from} WITH FILE = 4"), 3287);
        sql.fails(&format!("RESTORE DATABASE Copy {from} WITH FILE = 2"), 3135);
        let moved = "MOVE 'Payroll' TO '/c/d.mdf', MOVE 'Payroll_log' TO '/c/d.ldf'";
        sql.works(&format!(
            "RESTORE DATABASE Copy {from} WITH NORECOVERY, {moved}"
        ));
        sql.works(&format!("RESTORE LOG Copy {from} WITH FILE = 2"));
        assert_eq!(sql.ledger("Copy"), written);
        sql.works(&format!(
            "RESTORE DATABASE Copy {from} WITH FILE = 3, REPLACE, {moved}"
        ));
        assert_eq!(sql.ledger("Copy"), written);
        sql.works("DROP DATABASE Copy");
    }
}

#[test]
fn init_overwrites_the_sets_and_format_the_medium() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(&format!("{TO} WITH NAME = 'old', MEDIANAME = 'tape 1'"));
    sql.works(&format!("{TO} WITH NAME = 'newer'"));
    let one = "DISK = 'one'";
    let first = media_set(&mut sql, one);
    sql.works(&format!("{TO} WITH INIT, SKIP, NAME = 'over'"));
    assert_eq!(header(&mut sql, one, "BackupName"), ["over"]);
    assert_eq!(header(&mut sql, one, "Position"), ["1"]);
    assert_eq!(media_set(&mut sql, one), first);
    sql.works(&format!(
        "RESTORE VERIFYONLY FROM {one} WITH MEDIANAME = 'tape 1'"
    ));
    sql.works(&format!("{TO} WITH FORMAT"));
    assert_ne!(media_set(&mut sql, one), first);
}

#[test]
fn a_set_bears_its_own_date_of_expiry() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(TO);
    sql.works(&format!("{TO} WITH EXPIREDATE = '2031-05-01'"));
    let dates = header(&mut sql, "DISK = 'one'", "ExpirationDate");
    assert_eq!(dates[0], "NULL");
    // In days since 1900.
    assert!(dates[1].starts_with("47967."), "{dates:?}");
    // Another server reads it from the medium: its own history knows nothing of it.
    let mut other = pair.sql(1);
    other.works("RESTORE DATABASE Payroll FROM DISK = 'one'");
    other.fails(&format!("{TO} WITH INIT"), 4030);
    other.works(TO);
    other.works(&format!("{TO} WITH INIT, SKIP"));
}

#[test]
fn what_does_not_fit_the_medium_is_refused_and_changes_nothing() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(&format!("{TO} WITH BLOCKSIZE = 4096, MEDIANAME = 'm'"));
    sql.works("BACKUP DATABASE Payroll TO DISK = 'c' WITH COMPRESSION");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'a1', DISK = 'a2'");
    sql.works("BACKUP DATABASE Payroll TO DISK = 'm1' MIRROR TO DISK = 'm2' WITH FORMAT");
    let names = ["one", "c", "a1", "a2", "m1", "m2"];
    let read = || names.map(|name| fs::read(path(&pair, name)).unwrap());
    let before = read();
    let by = "ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = BackupCert)";
    let cases = [
        ("DISK = 'one'", "COMPRESSION", 3098),
        ("DISK = 'c'", "NO_COMPRESSION", 3098),
        ("DISK = 'one'", by, 3095),
        ("DISK = 'one'", "BLOCKSIZE = 512", 3268),
        ("DISK = 'one'", "MEDIANAME = 'n'", 4037),
        ("DISK = 'a1'", "NOINIT", 3132),
        ("DISK = 'one', DISK = 'new'", "NOINIT", 3231),
        ("DISK = 'a1', DISK = 'new'", "NOINIT", 3254),
        ("DISK = 'a2', DISK = 'a1'", "NOINIT", 3133),
        ("DISK = 'm1'", "NOINIT", 3240),
        ("DISK = 'one' MIRROR TO DISK = 'new'", "NOINIT", 3215),
        ("DISK = 'new1' MIRROR TO DISK = 'new2'", "NOINIT", 3215),
    ];
    for (devices, with, number) in cases {
        let statement = format!("BACKUP DATABASE Payroll TO {devices} WITH {with}");
        sql.fails(&statement, number);
    }
    assert!(read() == before, "a refused backup wrote");
    // What says nothing is stored as the others are.
    sql.works("BACKUP DATABASE Payroll TO DISK = 'c'");
    assert_eq!(header(&mut sql, "DISK = 'c'", "Compressed"), ["1", "1"]);
}

#[test]
fn mirrors_are_appended_together_while_they_are_alike() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let to = "BACKUP DATABASE Payroll TO DISK = 'm1' MIRROR TO DISK = 'm2'";
    sql.works(&format!("{to} WITH FORMAT"));
    sql.works(to);
    let twin = path(&pair, "m2");
    assert!(fs::read(path(&pair, "m1")).unwrap() == fs::read(&twin).unwrap());
    assert_eq!(header(&mut sql, "DISK = 'm2'", "Position"), ["1", "2"]);
    let mut bytes = fs::read(&twin).unwrap();
    let middle = bytes.len() / 4;
    bytes[middle] ^= 1;
    fs::write(&twin, bytes).unwrap();
    sql.fails(to, 3210);
}

#[test]
fn nothing_is_appended_behind_a_set_that_was_cut_off() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(TO);
    sql.works(TO);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(path(&pair, "one"))
        .unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 65_536).unwrap();
    sql.fails(TO, 3266);
    // The first set is whole.
    sql.works("RESTORE VERIFYONLY FROM DISK = 'one' WITH FILE = 1");
    assert_ne!(
        sql.numbers("RESTORE VERIFYONLY FROM DISK = 'one' WITH FILE = 2")[0],
        3262
    );
    sql.works(&format!("{TO} WITH INIT"));
}

#[test]
fn damage_to_one_set_is_no_damage_to_the_others() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works(&format!("{TO} WITH CHECKSUM"));
    let first = fs::read(path(&pair, "one")).unwrap().len();
    sql.works(&format!("{TO} WITH CHECKSUM"));
    let mut bytes = fs::read(path(&pair, "one")).unwrap();
    let middle = first + (bytes.len() - first) / 2;
    bytes[middle] ^= 1;
    fs::write(path(&pair, "one"), bytes).unwrap();
    sql.works("RESTORE VERIFYONLY FROM DISK = 'one' WITH FILE = 1");
    sql.fails("RESTORE VERIFYONLY FROM DISK = 'one' WITH FILE = 2", 3189);
}

#[test]
fn every_block_size_is_written_and_read() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    for block in [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] {
        for with in ["NO_COMPRESSION", "COMPRESSION"] {
            let disk = format!("DISK = 'b{block}-{with}'");
            let to = format!("BACKUP DATABASE Payroll TO {disk}");
            sql.works(&format!("{to} WITH {with}, BLOCKSIZE = {block}"));
            sql.works(&format!("{to} WITH {with}"));
            let length = fs::metadata(path(&pair, &format!("b{block}-{with}")))
                .unwrap()
                .len();
            assert_eq!(length % block, 0);
            assert_eq!(
                header(&mut sql, &disk, "Position"),
                ["1", "2"],
                "{block} {with}"
            );
            sql.works(&format!(
                "RESTORE VERIFYONLY FROM {disk} WITH FILE = 2, BLOCKSIZE = {block}"
            ));
        }
    }
}
