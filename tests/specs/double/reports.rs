//! HEADERONLY, LABELONLY and FILELISTONLY: columns, types, and whether they agree with msdb.

use twinset_tests::lab::{Lab, Scene};

use super::sql::{Pair, Sql};

const HEADER: &str = "BackupName BackupDescription BackupType ExpirationDate Compressed Position \
    DeviceType UserName ServerName DatabaseName DatabaseVersion DatabaseCreationDate BackupSize \
    FirstLSN LastLSN CheckpointLSN DatabaseBackupLSN BackupStartDate BackupFinishDate SortOrder \
    CodePage UnicodeLocaleId UnicodeComparisonStyle CompatibilityLevel SoftwareVendorId \
    SoftwareVersionMajor SoftwareVersionMinor SoftwareVersionBuild MachineName Flags BindingID \
    RecoveryForkID Collation FamilyGUID HasBulkLoggedData IsSnapshot IsReadOnly IsSingleUser \
    HasBackupChecksums IsDamaged BeginsLogChain HasIncompleteMetaData IsForceOffline IsCopyOnly \
    FirstRecoveryForkID ForkPointLSN RecoveryModel DifferentialBaseLSN DifferentialBaseGUID \
    BackupTypeDescription BackupSetGUID CompressedBackupSize Containment KeyAlgorithm \
    EncryptorThumbprint EncryptorType LastValidRestoreTime TimeZone CompressionAlgorithm";

const LABEL: &str = "MediaName MediaSetId FamilyCount FamilySequenceNumber MediaFamilyId \
    MediaSequenceNumber MediaLabelPresent MediaDescription SoftwareName SoftwareVendorId \
    MediaDate Mirror_Count IsCompressed";

const FILES: &str = "LogicalName PhysicalName Type FileGroupName Size MaxSize FileId CreateLSN \
    DropLSN UniqueId ReadOnlyLSN ReadWriteLSN BackupSizeInBytes SourceBlockSize FileGroupId \
    LogGroupGUID DifferentialBaseLSN DifferentialBaseGUID IsReadOnly IsPresent TDEThumbprint \
    SnapshotUrl";

fn names(sql: &mut Sql, statement: &str) -> String {
    let named = sql.named(statement);
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    names.join(" ")
}

#[test]
fn the_columns_are_those_of_the_version() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Payroll TO DISK = 'f' WITH MEDIANAME = 'm', DESCRIPTION = 'd'");
    assert_eq!(
        names(&mut sql, "RESTORE HEADERONLY FROM DISK = 'f'"),
        HEADER
    );
    assert_eq!(names(&mut sql, "RESTORE LABELONLY FROM DISK = 'f'"), LABEL);
    assert_eq!(
        names(&mut sql, "RESTORE FILELISTONLY FROM DISK = 'f'"),
        FILES
    );
    let text = "[[instances]]\nname = \"OLD\"\nencryption = \"not-supported\"\n\
                version = { major = 15, build = 4420 }\n\
                logins = [{ name = \"twinset\", password = \"Secret-1\", sysadmin = true }]\n\
                databases = [{ name = \"Payroll\", size = 65536 }]";
    let scene: Scene = toml::from_str(text).unwrap();
    let lab = Lab::start(&scene, pair.folder.path()).unwrap();
    let mut old = Sql::login(lab.instances[0].port, "twinset", "Secret-1");
    old.works("BACKUP DATABASE Payroll TO DISK = 'o'");
    let header = names(&mut old, "RESTORE HEADERONLY FROM DISK = 'o'");
    assert!(
        HEADER.starts_with(&header) && header.ends_with("EncryptorType"),
        "{header}"
    );
}

#[test]
fn headers_say_what_msdb_says() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let sets = [
        "BACKUP DATABASE Payroll TO DISK = 's0' WITH NAME = 'full', CHECKSUM, DESCRIPTION = 'x'",
        "BACKUP DATABASE Payroll TO DISK = 's1' WITH DIFFERENTIAL, NAME = 'diff'",
        "BACKUP LOG Payroll TO DISK = 's2' WITH NAME = 'log'",
        "BACKUP DATABASE Payroll TO DISK = 's3' WITH COPY_ONLY, NAME = 'copy'",
        "BACKUP DATABASE Payroll TO DISK = 's4' WITH FORMAT, COPY_ONLY, NAME = 'hidden', \
         COMPRESSION (ALGORITHM = QAT_DEFLATE), \
         ENCRYPTION (ALGORITHM = AES_192, SERVER CERTIFICATE = BackupCert)",
        "BACKUP LOG Payroll TO DISK = 's5' WITH NORECOVERY, NAME = 'tail'",
    ];
    let pairs = [
        ("BackupName", "name"),
        ("BackupDescription", "description"),
        ("Position", "position"),
        ("UserName", "user_name"),
        ("ServerName", "server_name"),
        ("DatabaseName", "database_name"),
        ("FirstLSN", "first_lsn"),
        ("LastLSN", "last_lsn"),
        ("CheckpointLSN", "checkpoint_lsn"),
        ("DatabaseBackupLSN", "database_backup_lsn"),
        ("Flags", "flags"),
        ("BindingID", "database_guid"),
        ("FamilyGUID", "family_guid"),
        ("FirstRecoveryForkID", "first_recovery_fork_guid"),
        ("RecoveryForkID", "last_recovery_fork_guid"),
        ("ForkPointLSN", "fork_point_lsn"),
        ("HasBackupChecksums", "has_backup_checksums"),
        ("BeginsLogChain", "begins_log_chain"),
        ("IsForceOffline", "is_force_offline"),
        ("IsCopyOnly", "is_copy_only"),
        ("RecoveryModel", "recovery_model"),
        ("DifferentialBaseLSN", "differential_base_lsn"),
        ("DifferentialBaseGUID", "differential_base_guid"),
        ("BackupSetGUID", "backup_set_uuid"),
        ("BackupFinishDate", "backup_finish_date"),
        ("KeyAlgorithm", "key_algorithm"),
        ("EncryptorThumbprint", "encryptor_thumbprint"),
        ("EncryptorType", "encryptor_type"),
        ("CompressionAlgorithm", "compression_algorithm"),
    ];
    for (at, statement) in sets.iter().enumerate() {
        sql.works(statement);
        let header = sql.named(&format!("RESTORE HEADERONLY FROM DISK = 's{at}'"));
        let query = format!(
            "SELECT * FROM msdb.dbo.backupset WHERE backup_set_id = {}",
            at + 1
        );
        let row = sql.named(&query);
        let cell = |list: &[(String, String)], name: &str| {
            let found = list.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap()
        };
        for (theirs, ours) in pairs {
            let (theirs_said, ours_said) = (cell(&header, theirs), cell(&row, ours));
            assert_eq!(theirs_said, ours_said, "{statement}: {theirs} and {ours}");
        }
    }
}

#[test]
fn the_file_list_names_the_files_of_the_database() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    sql.works("BACKUP DATABASE Streams TO DISK = 'f'");
    let files = sql.rows("RESTORE FILELISTONLY FROM DISK = 'f'");
    let heads: Vec<_> = files
        .iter()
        .map(|row| (row[0].as_str(), row[2].as_str()))
        .collect();
    assert_eq!(
        heads,
        [("Streams", "D"), ("Streams_log", "L"), ("Streams_fs", "S")]
    );
    let known = "SELECT name, physical_name FROM sys.master_files f WHERE f.name LIKE 'Streams%'";
    let known = sql.rows(known);
    let listed: Vec<_> = files
        .iter()
        .map(|row| [row[0].clone(), row[1].clone()])
        .collect();
    assert_eq!(known, listed);
}
