//! The server's own history of a backup: `msdb.dbo.backupset` and its companions.

use serde::Serialize;
use twinset_domain::{Fault, LocalTime, Lsn};
use uuid::Uuid;

use super::rows::{Param, Row};
use super::session::Session;

/// What a set is looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKey<'a> {
    /// `backup_set_uuid`, as it stands in the stream.
    Guid(Uuid),
    /// Name of one of its virtual devices.
    VirtualDevice(&'a str),
    /// Name of one of its files, without the folder; letters, digits, `-` and `.` only.
    File(&'a str),
}

/// One device that a set was written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MsdbFamily {
    /// 1 for the first device of the statement.
    pub family: i64,
    /// `media_family_id`.
    pub media_family_id: Option<Uuid>,
    /// Name of the device: for virtual devices the name in the statement.
    pub device: Option<String>,
    /// 2 disk, 5 tape, 7 virtual, 9 URL; more by 100 for a permanent device.
    pub device_type: i64,
    /// 0 to 3.
    pub mirror: i64,
}

/// A set as msdb has it. Fields are the columns of `msdb.dbo.backupset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(
    missing_docs,
    reason = "the fields are the columns of msdb.dbo.backupset"
)]
pub struct MsdbSet {
    pub backup_set_id: i64,
    pub backup_set_uuid: Uuid,
    pub media_uuid: Option<Uuid>,
    pub position: Option<i64>,
    /// D full, I differential, L log, F file, G, P, Q.
    pub kind: String,
    pub database_name: String,
    pub server_name: String,
    pub machine_name: Option<String>,
    pub first_lsn: Option<Lsn>,
    pub last_lsn: Option<Lsn>,
    pub checkpoint_lsn: Option<Lsn>,
    pub database_backup_lsn: Option<Lsn>,
    pub differential_base_lsn: Option<Lsn>,
    pub differential_base_guid: Option<Uuid>,
    pub start: Option<LocalTime>,
    pub finish: Option<LocalTime>,
    /// Uncompressed size in bytes.
    pub size_bytes: Option<i128>,
    /// Size as written, in bytes.
    pub compressed_bytes: Option<i128>,
    pub database_guid: Option<Uuid>,
    pub family_guid: Option<Uuid>,
    pub first_recovery_fork_guid: Option<Uuid>,
    pub last_recovery_fork_guid: Option<Uuid>,
    pub fork_point_lsn: Option<Lsn>,
    pub is_copy_only: bool,
    pub is_damaged: bool,
    pub has_backup_checksums: bool,
    pub begins_log_chain: bool,
    pub has_bulk_logged_data: Option<bool>,
    pub recovery_model: Option<String>,
    pub software_major: Option<i64>,
    pub software_minor: Option<i64>,
    pub software_build: Option<i64>,
    /// Every device, in the order of families and mirrors.
    pub families: Vec<MsdbFamily>,
}

const SELECT: &str = "\
SELECT s.backup_set_id, s.backup_set_uuid, ms.media_uuid, s.position, s.type, s.database_name,
       s.server_name, s.machine_name, s.first_lsn, s.last_lsn, s.checkpoint_lsn,
       s.database_backup_lsn, s.differential_base_lsn, s.differential_base_guid,
       s.backup_start_date, s.backup_finish_date, s.backup_size, s.compressed_backup_size,
       s.database_guid, s.family_guid, s.first_recovery_fork_guid, s.last_recovery_fork_guid,
       s.fork_point_lsn, s.is_copy_only, s.is_damaged, s.has_backup_checksums, s.begins_log_chain,
       s.has_bulk_logged_data, s.recovery_model, s.software_major_version, s.software_minor_version,
       s.software_build_version, f.family_sequence_number, f.media_family_id,
       f.physical_device_name, f.device_type, f.mirror
FROM msdb.dbo.backupset s
JOIN msdb.dbo.backupmediaset ms ON ms.media_set_id = s.media_set_id
JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id
WHERE ";
const BY_GUID: &str = "s.backup_set_uuid = @P1";
// 7 is a virtual device (facts/sqlserver.md 4.4).
const BY_DEVICE: &str = "s.media_set_id IN (SELECT v.media_set_id FROM \
                         msdb.dbo.backupmediafamily v WHERE v.physical_device_name = @P1 \
                         AND v.device_type = 7)";
// 2 is a file; the folder is written as whoever took the backup saw it.
const BY_FILE: &str = "s.media_set_id IN (SELECT v.media_set_id FROM \
                       msdb.dbo.backupmediafamily v WHERE v.physical_device_name LIKE @P1 \
                       AND v.device_type = 2)";
const ORDER: &str = " ORDER BY s.backup_set_id DESC, f.family_sequence_number, f.mirror";

/// Looks a set up; the newest one when several match. `None` when msdb has none.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn find_set(session: &mut Session, key: SetKey<'_>) -> Result<Option<MsdbSet>, Fault> {
    let file;
    let (condition, param) = match key {
        SetKey::Guid(guid) => (BY_GUID, Param::Guid(guid)),
        SetKey::VirtualDevice(name) => (BY_DEVICE, Param::Text(name)),
        SetKey::File(name) => {
            file = format!("%{name}");
            (BY_FILE, Param::Text(&file))
        }
    };
    let rows = session.query(&format!("{SELECT}{condition}{ORDER}"), &[param])?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut set = set(first)?;
    for row in rows.all() {
        if row.need_int("backup_set_id")? == set.backup_set_id {
            set.families.push(family(row)?);
        }
    }
    Ok(Some(set))
}

const LAST_SIZE: &str = "\
SELECT TOP 1 s.compressed_backup_size, s.backup_size FROM msdb.dbo.backupset s
WHERE s.database_name = @P1 AND s.type = @P2 ORDER BY s.backup_set_id DESC";

/// Bytes that the last backup of a kind wrote; `None` when msdb has none.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn last_size(
    session: &mut Session,
    database: &str,
    letter: &str,
) -> Result<Option<u64>, Fault> {
    let rows = session.query(LAST_SIZE, &[Param::Text(database), Param::Text(letter)])?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let size = row
        .number("compressed_backup_size")?
        .or(row.number("backup_size")?);
    Ok(size.and_then(|size| u64::try_from(size).ok()))
}

fn set(row: &Row) -> Result<MsdbSet, Fault> {
    Ok(MsdbSet {
        backup_set_id: row.need_int("backup_set_id")?,
        backup_set_uuid: row.need_guid("backup_set_uuid")?,
        media_uuid: row.guid("media_uuid")?,
        position: row.int("position")?,
        kind: row.text("type")?.unwrap_or_default().trim().to_owned(),
        database_name: row.text("database_name")?.unwrap_or_default(),
        server_name: row.text("server_name")?.unwrap_or_default(),
        machine_name: row.text("machine_name")?,
        first_lsn: row.lsn("first_lsn")?,
        last_lsn: row.lsn("last_lsn")?,
        checkpoint_lsn: row.lsn("checkpoint_lsn")?,
        database_backup_lsn: row.lsn("database_backup_lsn")?,
        differential_base_lsn: row.lsn("differential_base_lsn")?,
        differential_base_guid: row.guid("differential_base_guid")?,
        start: row.time("backup_start_date")?,
        finish: row.time("backup_finish_date")?,
        size_bytes: row.number("backup_size")?,
        compressed_bytes: row.number("compressed_backup_size")?,
        database_guid: row.guid("database_guid")?,
        family_guid: row.guid("family_guid")?,
        first_recovery_fork_guid: row.guid("first_recovery_fork_guid")?,
        last_recovery_fork_guid: row.guid("last_recovery_fork_guid")?,
        fork_point_lsn: row.lsn("fork_point_lsn")?,
        is_copy_only: row.bit("is_copy_only")?.unwrap_or(false),
        is_damaged: row.bit("is_damaged")?.unwrap_or(false),
        has_backup_checksums: row.bit("has_backup_checksums")?.unwrap_or(false),
        begins_log_chain: row.bit("begins_log_chain")?.unwrap_or(false),
        has_bulk_logged_data: row.bit("has_bulk_logged_data")?,
        recovery_model: row.text("recovery_model")?,
        software_major: row.int("software_major_version")?,
        software_minor: row.int("software_minor_version")?,
        software_build: row.int("software_build_version")?,
        families: Vec::new(),
    })
}

fn family(row: &Row) -> Result<MsdbFamily, Fault> {
    Ok(MsdbFamily {
        family: row.need_int("family_sequence_number")?,
        media_family_id: row.guid("media_family_id")?,
        device: row.text("physical_device_name")?,
        device_type: row.int("device_type")?.unwrap_or(0),
        mirror: row.int("mirror")?.unwrap_or(0),
    })
}

/// A backup of a database, as it is looked at to find those that others took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSet {
    /// `backup_set_uuid`.
    pub set: Uuid,
    /// The letter of its kind.
    pub letter: Option<u8>,
    /// WITH COPY_ONLY.
    pub copy_only: bool,
    /// Oldest record in it.
    pub first_lsn: Option<Lsn>,
    /// Record after it.
    pub last_lsn: Option<Lsn>,
    /// When it was finished, in the server's own zone.
    pub finished: Option<LocalTime>,
    /// NAME.
    pub name: Option<String>,
    /// The login that took it.
    pub user: Option<String>,
    /// Its first device: logical name, else physical.
    pub device: Option<String>,
}

/// Newest backups of a database that are looked at: a week of logs every 15 minutes is 672.
const NEWEST: u32 = 1000;

/// The newest backups of a database in the server's history, newest first, whoever took them.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn newest_sets(session: &mut Session, database: &str) -> Result<Vec<OtherSet>, Fault> {
    let sql = format!(
        "SELECT TOP ({NEWEST}) s.backup_set_id, s.backup_set_uuid, s.type, s.is_copy_only, \
         s.first_lsn, s.last_lsn, s.backup_finish_date, s.name, s.user_name, \
         f.logical_device_name, f.physical_device_name \
         FROM msdb.dbo.backupset s \
         JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id \
         WHERE s.database_name = @P1 AND f.family_sequence_number = 1 AND f.mirror = 0 \
         ORDER BY s.backup_set_id DESC"
    );
    let rows = session.query(&sql, &[Param::Text(database)])?;
    let other = |row: &Row| {
        let kind = row.text("type")?.unwrap_or_default();
        let logical = row.text("logical_device_name")?;
        Ok(OtherSet {
            set: row.need_guid("backup_set_uuid")?,
            letter: kind.trim().bytes().next(),
            copy_only: row.bit("is_copy_only")?.unwrap_or(false),
            first_lsn: row.lsn("first_lsn")?,
            last_lsn: row.lsn("last_lsn")?,
            finished: row.time("backup_finish_date")?,
            name: row.text("name")?,
            user: row.text("user_name")?,
            device: logical.or(row.text("physical_device_name")?),
        })
    };
    rows.all().iter().map(other).collect()
}
