//! Compressed and encrypted backups: nobody but the server sees inside.

use super::sql::Pair;

#[test]
fn a_compressed_or_encrypted_backup_shows_nothing_and_restores() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.write("Payroll", &["a"]);
    let by = "ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = BackupCert)";
    for (name, with, shown) in [("c", "COMPRESSION", "1"), ("e", by, "0")] {
        sql.works(&format!(
            "BACKUP DATABASE Payroll TO DISK = '{name}1', DISK = '{name}2' WITH FORMAT, CHECKSUM, {with}"
        ));
        let bytes = std::fs::read(pair.folder.path().join(format!("{name}1"))).unwrap();
        assert!(bytes.starts_with(b"MSSQLBAK"));
        assert!(
            !bytes.windows(4).any(|four| four == b"SSET"),
            "the set shows"
        );
        let from = format!("DISK = '{name}1', DISK = '{name}2'");
        sql.works(&format!("RESTORE VERIFYONLY FROM {from} WITH CHECKSUM"));
        assert_eq!(
            sql.named(&format!("RESTORE LABELONLY FROM DISK = '{name}2'"))[12].1,
            shown
        );
        sql.works(&format!(
            "RESTORE DATABASE Payroll FROM {from} WITH REPLACE"
        ));
        assert_eq!(sql.ledger("Payroll"), "a");
        sql.fails(&format!("RESTORE VERIFYONLY FROM DISK = '{name}1'"), 3132);
    }
}

#[test]
fn an_encrypted_backup_needs_its_certificate() {
    let pair = Pair::start();
    let (mut sql, mut other) = (pair.sql(0), pair.sql(1));
    let by = "ENCRYPTION (ALGORITHM = AES_128, SERVER CERTIFICATE = BackupCert)";
    sql.works(&format!("BACKUP DATABASE Payroll TO DISK = 'e' WITH {by}"));
    sql.works("RESTORE VERIFYONLY FROM DISK = 'e'");
    other.fails("RESTORE VERIFYONLY FROM DISK = 'e'", 33_111);
    other.fails("RESTORE DATABASE Payroll FROM DISK = 'e'", 33_111);
}

#[test]
fn damage_inside_a_container_is_found() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'c' WITH COMPRESSION, CHECKSUM");
    let path = pair.folder.path().join("c");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    sql.fails("RESTORE VERIFYONLY FROM DISK = 'c'", 3189);
    std::fs::write(&path, &bytes[..middle]).unwrap();
    sql.fails("RESTORE VERIFYONLY FROM DISK = 'c'", 3203);
}
