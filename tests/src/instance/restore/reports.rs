//! HEADERONLY, LABELONLY and FILELISTONLY (facts: sqlserver.md 4.1 to 4.3, wire types as observed).

use uuid::Uuid;

use super::reading::Got;
use super::{head, judge};
use crate::instance::backup::flags;
use crate::instance::backup::source::{from_lsn, from_stream};
use crate::instance::catalog::server::COLLATION_NAME;
use crate::instance::catalog::{Row, Table};
use crate::instance::ledger;
use crate::instance::session::Session;
use crate::instance::transfer::{DeviceKind, Plan, Verb};
use crate::stream::{Lsn, SetFacts, StreamFacts};
use crate::tds::reply::Reply;
use crate::tds::types::Value;

/// Bits of the flags that HEADERONLY tells; the differential's own bit is not among them.
const HEADER_FLAGS: u32 = 0x7FF;
/// DONE command of the rows.
const ROWS: u16 = 230;

const LABEL: &str = "MediaName nvarchar(128), MediaSetId uniqueidentifier, FamilyCount int, \
    FamilySequenceNumber int, MediaFamilyId uniqueidentifier, MediaSequenceNumber int, \
    MediaLabelPresent tinyint, MediaDescription nvarchar(255), SoftwareName nvarchar(128), \
    SoftwareVendorId int, MediaDate datetime, Mirror_Count int, IsCompressed bit";

const HEADER: &str = "BackupName nvarchar(128), BackupDescription nvarchar(255), \
    BackupType tinyint, ExpirationDate datetime, Compressed tinyint, Position smallint, \
    DeviceType tinyint, UserName nvarchar(128), ServerName nvarchar(128), \
    DatabaseName nvarchar(128), DatabaseVersion int, DatabaseCreationDate datetime, \
    BackupSize bigint, FirstLSN numeric(25.0), LastLSN numeric(25.0), \
    CheckpointLSN numeric(25.0), DatabaseBackupLSN numeric(25.0), BackupStartDate datetime, \
    BackupFinishDate datetime, SortOrder smallint, CodePage smallint, UnicodeLocaleId int, \
    UnicodeComparisonStyle int, CompatibilityLevel tinyint, SoftwareVendorId int, \
    SoftwareVersionMajor int, SoftwareVersionMinor int, SoftwareVersionBuild int, \
    MachineName nvarchar(128), Flags int, BindingID uniqueidentifier, \
    RecoveryForkID uniqueidentifier, Collation nvarchar(128), FamilyGUID uniqueidentifier, \
    HasBulkLoggedData bit, IsSnapshot bit, IsReadOnly bit, IsSingleUser bit, \
    HasBackupChecksums bit, IsDamaged bit, BeginsLogChain bit, HasIncompleteMetaData bit, \
    IsForceOffline bit, IsCopyOnly bit, FirstRecoveryForkID uniqueidentifier, \
    ForkPointLSN numeric(25.0), RecoveryModel nvarchar(60), DifferentialBaseLSN numeric(25.0), \
    DifferentialBaseGUID uniqueidentifier, BackupTypeDescription nvarchar(128), \
    BackupSetGUID uniqueidentifier, CompressedBackupSize bigint, Containment tinyint, \
    KeyAlgorithm nvarchar(32), EncryptorThumbprint varbinary(20), EncryptorType nvarchar(32)";

/// Columns that 2022 and later add.
const HEADER_2022: &str =
    ", LastValidRestoreTime datetime, TimeZone smallint, CompressionAlgorithm nvarchar(32)";

const FILES: &str = "LogicalName nvarchar(128), PhysicalName nvarchar(260), Type nchar(1), \
    FileGroupName nvarchar(128), Size bigint, MaxSize bigint, FileId bigint, \
    CreateLSN numeric(25.0), DropLSN numeric(25.0), UniqueId uniqueidentifier, \
    ReadOnlyLSN numeric(25.0), ReadWriteLSN numeric(25.0), BackupSizeInBytes bigint, \
    SourceBlockSize int, FileGroupId int, LogGroupGUID uniqueidentifier, \
    DifferentialBaseLSN numeric(25.0), DifferentialBaseGUID uniqueidentifier, IsReadOnly bit, \
    IsPresent bit, TDEThumbprint varbinary(32), SnapshotUrl nvarchar(336)";

/// The bit columns that repeat the flags.
const FLAGS: &[(&str, u32)] = &[
    ("HasBulkLoggedData", flags::BULK),
    ("IsSnapshot", 2),
    ("IsReadOnly", flags::READ_ONLY),
    ("IsSingleUser", 8),
    ("IsDamaged", flags::DAMAGED),
    ("HasIncompleteMetaData", flags::INCOMPLETE),
    ("IsForceOffline", flags::NO_RECOVERY),
    ("IsCopyOnly", flags::COPY_ONLY),
];

/// Answers with the rows.
pub fn send(session: &Session, plan: &Plan, got: &[Got], reply: &mut Reply) {
    let Some(first) = got.first() else { return };
    let facts = first.check.facts();
    let columns = match plan.verb {
        Verb::LabelOnly => LABEL.to_owned(),
        Verb::FileListOnly => FILES.to_owned(),
        _ if session.instance.version().major >= 16 => format!("{HEADER}{HEADER_2022}"),
        _ => HEADER.to_owned(),
    };
    let table = Table::parse("report", &columns);
    let wanted = plan.number("FILE");
    let rows: Vec<Vec<Value>> = match plan.verb {
        Verb::LabelOnly => vec![label(&table, facts)],
        Verb::FileListOnly => files(&table, plan, facts),
        _ => facts
            .sets
            .iter()
            .filter(|set| wanted.is_none_or(|wanted| u64::from(set.position) == wanted))
            .map(|set| header(&table, plan, facts, set))
            .collect(),
    };
    reply.columns(&table.columns);
    for row in &rows {
        reply.row(&table.columns, row);
    }
    reply.done(ROWS, Some(rows.len() as u64));
}

fn family_guid(id: u32) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&id.to_le_bytes());
    Uuid::from_bytes_le(bytes)
}

fn label(table: &Table, facts: &StreamFacts) -> Vec<Value> {
    Row::new(table)
        .set(
            "MediaName",
            Some(facts.media_name.as_str()).filter(|name| !name.is_empty()),
        )
        .set("MediaSetId", facts.media_set_guid)
        .set("FamilyCount", i64::from(facts.families))
        .set("FamilySequenceNumber", i64::from(facts.family))
        .set("MediaFamilyId", family_guid(facts.family_id))
        .set("MediaSequenceNumber", 1)
        .set("MediaLabelPresent", 0)
        .set("SoftwareName", facts.software.as_str())
        .set("SoftwareVendorId", 4608)
        .set("MediaDate", from_stream(facts.media_date))
        .set("Mirror_Count", i64::from(facts.mirrors))
        .set("IsCompressed", facts.is_compressed)
        .build()
}

fn header(table: &Table, plan: &Plan, media: &StreamFacts, set: &SetFacts) -> Vec<Value> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let known = |lsn: Lsn| (lsn != Lsn::default()).then(|| from_lsn(lsn));
    let (kind, described) = match set.kind_letter {
        b'L' => (2, "Transaction Log"),
        b'I' => (5, "Database Differential"),
        b'F' => (4, "File or Filegroup"),
        _ => (1, "Database"),
    };
    let first_fork = if set.first_fork_guid.is_nil() {
        set.fork_guid
    } else {
        set.first_fork_guid
    };
    let virtual_device = plan.kind == DeviceKind::Virtual;
    let content = ledger::decode(&set.log);
    // Real files of other servers do not tell it where the double looks.
    let model = content.as_ref().map_or_else(
        || "FULL".into(),
        |content| content.recovery.replace('_', "-"),
    );
    let encryption = content
        .as_ref()
        .and_then(|content| content.encryption.as_ref());
    let mut row = Row::new(table)
        .set("BackupName", text(&set.name))
        .set("BackupDescription", text(&set.description))
        .set("BackupType", kind)
        .set("ExpirationDate", from_stream(set.expires))
        .set("Compressed", i64::from(media.is_compressed))
        .set("Position", i64::from(set.position))
        .set("DeviceType", if virtual_device { 7 } else { 2 })
        .set("UserName", set.user.as_str())
        .set("ServerName", set.server.as_str())
        .set("DatabaseName", set.database.as_str())
        .set("DatabaseVersion", i64::from(set.database_version))
        .set("DatabaseCreationDate", from_stream(set.created))
        .set("BackupSize", set.backup_size as i64)
        .set("FirstLSN", from_lsn(set.lsns.first))
        .set("LastLSN", from_lsn(set.lsns.last))
        .set("CheckpointLSN", from_lsn(set.lsns.checkpoint))
        .set("DatabaseBackupLSN", from_lsn(set.lsns.database_backup))
        .set("BackupStartDate", from_stream(set.started))
        .set("BackupFinishDate", from_stream(set.finished))
        .set("SortOrder", 52)
        .set("CodePage", 0)
        .set("UnicodeLocaleId", 1033)
        .set("UnicodeComparisonStyle", 196_609)
        .set("CompatibilityLevel", i64::from(set.compatibility))
        .set("SoftwareVendorId", 4608)
        .set("SoftwareVersionMajor", i64::from(set.version.0))
        .set("SoftwareVersionMinor", i64::from(set.version.1))
        .set("SoftwareVersionBuild", i64::from(set.version.2))
        .set("MachineName", set.machine.as_str())
        .set("Flags", i64::from(set.flags & HEADER_FLAGS))
        .set("BindingID", set.binding_guid)
        .set("RecoveryForkID", set.fork_guid)
        .set("Collation", COLLATION_NAME)
        .set("FamilyGUID", set.family_guid)
        .set("HasBackupChecksums", set.has_checksum)
        .set("FirstRecoveryForkID", first_fork)
        .set(
            "ForkPointLSN",
            (first_fork != set.fork_guid).then(|| from_lsn(set.fork_point)),
        )
        .set("RecoveryModel", model)
        .set(
            "BeginsLogChain",
            content.as_ref().is_some_and(|content| content.begins_chain),
        )
        .set("DifferentialBaseLSN", known(set.lsns.differential_base))
        .set(
            "DifferentialBaseGUID",
            Some(set.base_guid).filter(|guid| !guid.is_nil()),
        )
        .set("BackupTypeDescription", described)
        .set("BackupSetGUID", set.set_guid)
        .set(
            "KeyAlgorithm",
            encryption.map(|(algorithm, _)| algorithm.as_str()),
        )
        .set(
            "EncryptorThumbprint",
            encryption.map(|(_, thumb)| thumb.clone()),
        )
        .set("EncryptorType", encryption.map(|_| "CERTIFICATE"))
        .set("CompressedBackupSize", set.backup_size as i64)
        .set("Containment", 0);
    for (column, bit) in FLAGS {
        row = row.set(column, set.flags & bit != 0);
    }
    if table.position("CompressionAlgorithm").is_some() {
        let algorithm = content.and_then(|content| content.compression);
        row = row
            .set("LastValidRestoreTime", from_stream(set.finished))
            .set("TimeZone", 0)
            .set("CompressionAlgorithm", algorithm);
    }
    row.build()
}

/// L log, S FILESTREAM, D data.
const fn letter(file: &head::FileRecord) -> &'static str {
    match (file.is_log, file.is_filestream) {
        (true, _) => "L",
        (_, true) => "S",
        _ => "D",
    }
}

fn files(table: &Table, plan: &Plan, facts: &StreamFacts) -> Vec<Vec<Value>> {
    let config = judge::chosen(plan, facts).map_or(&[][..], |set| &set.config);
    head::files(config)
        .iter()
        .map(|file| {
            let unlimited = if file.is_log {
                2_199_023_255_552_i64
            } else {
                35_184_372_080_640
            };
            Row::new(table)
                .set("LogicalName", file.logical.as_str())
                .set("PhysicalName", file.physical.as_str())
                .set("Type", letter(file))
                .set("FileGroupName", (!file.is_log).then_some("PRIMARY"))
                .set("Size", file.size as i64)
                .set("MaxSize", unlimited)
                .set("FileId", i64::from(file.id))
                .set("CreateLSN", Value::Numeric(0))
                .set("DropLSN", Value::Numeric(0))
                .set("ReadOnlyLSN", Value::Numeric(0))
                .set("ReadWriteLSN", Value::Numeric(0))
                .set("BackupSizeInBytes", file.size as i64)
                .set("SourceBlockSize", 512)
                .set("FileGroupId", i64::from(!file.is_log))
                .set("IsReadOnly", false)
                .set("IsPresent", true)
                .build()
        })
        .collect()
}
