//! What the server says about itself, a database, and a statement that runs.

use serde::Serialize;
use twinset_domain::stamp::PRODUCT;
use twinset_domain::{Fault, LocalTime, Lsn, RunId};
use uuid::Uuid;

use super::connect::Purpose;
use super::rows::{Param, Row, Rows};
use super::session::Session;

/// Who the instance is and what the login may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstanceFacts {
    /// `HOST` or `HOST\INSTANCE`, as the server names itself.
    pub server_name: String,
    /// Computer, or virtual name of a cluster.
    pub machine_name: String,
    /// Physical computer that it runs on now.
    pub physical_name: Option<String>,
    /// Instance name; `None` for the default instance.
    pub instance_name: Option<String>,
    /// Such as `16.0.4236.2`.
    pub version: String,
    /// First part of the version; 0 when it cannot be read.
    pub major: u16,
    /// Such as `Developer Edition (64-bit)`.
    pub edition: String,
    /// 2 Standard, 3 Enterprise and Developer, 4 Express.
    pub engine_edition: i64,
    /// The login as the server sees it.
    pub login: String,
    /// The login is a member of sysadmin: virtual devices need it (3265).
    pub is_sysadmin: bool,
    /// Availability groups are enabled.
    pub is_hadr: bool,
}

/// `sys.databases.state` where data are damaged or missing, while the log may be whole: recovery
/// pending, suspect.
pub const DAMAGED: [i64; 2] = [3, 4];

/// The row of facts/sqlserver.md 1.11 for one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(
    missing_docs,
    reason = "the fields are the columns of sys.databases and its companions"
)]
pub struct DatabaseFacts {
    pub name: String,
    pub database_id: i64,
    pub state: i64,
    pub state_desc: String,
    pub recovery_model: String,
    pub is_read_only: bool,
    pub is_in_standby: bool,
    pub source_database_id: Option<i64>,
    pub log_reuse_wait: Option<String>,
    pub replica_id: Option<Uuid>,
    pub create_date: Option<LocalTime>,
    pub mirroring_guid: Option<Uuid>,
    pub mirroring_role: Option<i64>,
    pub mirroring_role_sequence: Option<i64>,
    pub mirroring_state: Option<String>,
    pub mirroring_safety_level: Option<String>,
    pub mirroring_partner_name: Option<String>,
    pub mirroring_partner_instance: Option<String>,
    pub mirroring_witness_name: Option<String>,
    pub mirroring_witness_state: Option<String>,
    pub mirroring_failover_lsn: Option<Lsn>,
    pub family_guid: Option<Uuid>,
    pub database_guid: Option<Uuid>,
    pub last_log_backup_lsn: Option<Lsn>,
    pub recovery_fork_guid: Option<Uuid>,
    pub first_recovery_fork_guid: Option<Uuid>,
    pub fork_point_lsn: Option<Lsn>,
    /// The newest of its data files.
    pub differential_base_lsn: Option<Lsn>,
}

/// How far a BACKUP or RESTORE has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Percent {
    /// 0 to 100.
    pub percent: f64,
    /// What the server calls it: `BACKUP DATABASE`, `RESTORE DATABASE`, ...
    pub command: String,
    /// What it waits for, such as `BACKUPIO` or a lock.
    pub wait: Option<String>,
    /// Session that blocks it.
    pub blocked_by: Option<i64>,
}

/// One file of `RESTORE FILELISTONLY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedFile {
    /// Name to use in MOVE.
    pub logical_name: String,
    /// Where it lay.
    pub physical_name: String,
    /// D data, L log, F full-text, S filestream or memory-optimized.
    pub kind: String,
    /// Size in bytes that RESTORE will need.
    pub size_bytes: u64,
}

const INSTANCE: &str = "\
SELECT CAST(SERVERPROPERTY(N'ServerName') AS nvarchar(128)) AS server_name,
       CAST(SERVERPROPERTY(N'MachineName') AS nvarchar(128)) AS machine_name,
       CAST(SERVERPROPERTY(N'ComputerNamePhysicalNetBIOS') AS nvarchar(128)) AS physical_name,
       CAST(SERVERPROPERTY(N'InstanceName') AS nvarchar(128)) AS instance_name,
       CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)) AS product_version,
       CAST(SERVERPROPERTY(N'Edition') AS nvarchar(128)) AS edition,
       CAST(SERVERPROPERTY(N'EngineEdition') AS int) AS engine_edition,
       CAST(SERVERPROPERTY(N'IsHadrEnabled') AS int) AS is_hadr,
       SUSER_SNAME() AS login_name,
       IS_SRVROLEMEMBER(N'sysadmin') AS is_sysadmin";

const DATABASES: &str = "\
SELECT d.name, d.database_id, d.state, d.state_desc, d.recovery_model_desc, d.is_read_only,
       d.is_in_standby, d.source_database_id,
       d.log_reuse_wait_desc, d.replica_id, d.create_date,
       m.mirroring_guid, m.mirroring_role, m.mirroring_role_sequence, m.mirroring_state_desc,
       m.mirroring_safety_level_desc,
       m.mirroring_partner_name, m.mirroring_partner_instance, m.mirroring_witness_name,
       m.mirroring_witness_state_desc,
       m.mirroring_failover_lsn, r.family_guid, r.database_guid, r.last_log_backup_lsn,
       r.recovery_fork_guid,
       r.first_recovery_fork_guid, r.fork_point_lsn, b.differential_base_lsn
FROM sys.databases d
LEFT JOIN sys.database_mirroring m ON m.database_id = d.database_id
LEFT JOIN sys.database_recovery_status r ON r.database_id = d.database_id
LEFT JOIN (SELECT f.database_id, MAX(f.differential_base_lsn) AS differential_base_lsn
           FROM sys.master_files f WHERE f.type = 0 GROUP BY f.database_id) b
       ON b.database_id = d.database_id";

const PROGRESS: &str = "\
SELECT percent_complete, command, wait_type, blocking_session_id
FROM sys.dm_exec_requests WHERE session_id = @P1";

const DATA_FOLDER: &str = "\
SELECT CAST(SERVERPROPERTY(N'InstanceDefaultDataPath') AS nvarchar(260)) AS data_folder";

/// Where the instance puts new data files; `None` when it does not say (before 2012).
///
/// # Errors
/// The faults of [`Session::query`].
pub fn default_data_folder(session: &mut Session) -> Result<Option<String>, Fault> {
    let rows = session.query(DATA_FOLDER, &[])?;
    match rows.first() {
        Some(row) => row.text("data_folder"),
        None => Ok(None),
    }
}

/// Asks the instance who it is.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn probe_instance(session: &mut Session) -> Result<InstanceFacts, Fault> {
    let rows = session.query(INSTANCE, &[])?;
    let row = rows.one()?;
    let version = row.need_text("product_version")?;
    let major = version
        .split('.')
        .next()
        .and_then(|part| part.parse().ok())
        .unwrap_or(0);
    Ok(InstanceFacts {
        server_name: row.need_text("server_name")?,
        machine_name: row.need_text("machine_name")?,
        physical_name: row.text("physical_name")?,
        instance_name: row.text("instance_name")?,
        version,
        major,
        edition: row.need_text("edition")?,
        engine_edition: row.need_int("engine_edition")?,
        login: row.need_text("login_name")?,
        // NULL would mean that the role's name is unknown, which no server answers.
        is_sysadmin: row.bit("is_sysadmin")?.unwrap_or(false),
        // NULL where the version, or the edition, has none.
        is_hadr: row.int("is_hadr")? == Some(1),
    })
}

/// Asks for one database; `None` when the server has none of this name (or hides it).
///
/// # Errors
/// The faults of [`Session::query`].
pub fn probe_database(session: &mut Session, name: &str) -> Result<Option<DatabaseFacts>, Fault> {
    let one = format!("{DATABASES} WHERE d.name = @P1");
    let rows = session.query(&one, &[Param::Text(name)])?;
    rows.first().map(database).transpose()
}

/// Asks for all databases that the login may see, by name, snapshots too: one statement, however
/// many there are.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn probe_databases(session: &mut Session) -> Result<Vec<DatabaseFacts>, Fault> {
    let all = format!("{DATABASES} ORDER BY d.name");
    let rows = session.query(&all, &[])?;
    rows.all().iter().map(database).collect()
}

fn database(row: &Row) -> Result<DatabaseFacts, Fault> {
    Ok(DatabaseFacts {
        name: row.need_text("name")?,
        database_id: row.need_int("database_id")?,
        state: row.need_int("state")?,
        state_desc: row.need_text("state_desc")?,
        recovery_model: row.need_text("recovery_model_desc")?,
        is_read_only: row.bit("is_read_only")?.unwrap_or(false),
        is_in_standby: row.bit("is_in_standby")?.unwrap_or(false),
        source_database_id: row.int("source_database_id")?,
        log_reuse_wait: row.text("log_reuse_wait_desc")?,
        replica_id: row.guid("replica_id")?,
        create_date: row.time("create_date")?,
        mirroring_guid: row.guid("mirroring_guid")?,
        mirroring_role: row.int("mirroring_role")?,
        mirroring_role_sequence: row.int("mirroring_role_sequence")?,
        mirroring_state: row.text("mirroring_state_desc")?,
        mirroring_safety_level: row.text("mirroring_safety_level_desc")?,
        mirroring_partner_name: row.text("mirroring_partner_name")?,
        mirroring_partner_instance: row.text("mirroring_partner_instance")?,
        mirroring_witness_name: row.text("mirroring_witness_name")?,
        mirroring_witness_state: row.text("mirroring_witness_state_desc")?,
        mirroring_failover_lsn: row.lsn("mirroring_failover_lsn")?,
        family_guid: row.guid("family_guid")?,
        database_guid: row.guid("database_guid")?,
        last_log_backup_lsn: row.lsn("last_log_backup_lsn")?,
        recovery_fork_guid: row.guid("recovery_fork_guid")?,
        first_recovery_fork_guid: row.guid("first_recovery_fork_guid")?,
        fork_point_lsn: row.lsn("fork_point_lsn")?,
        differential_base_lsn: row.lsn("differential_base_lsn")?,
    })
}

/// How far the request of session `spid` has come; `None` when it has no request (any more), or
/// the login may not see it.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn progress(session: &mut Session, spid: i64) -> Result<Option<Percent>, Fault> {
    let spid = i32::try_from(spid).unwrap_or(-1);
    let rows = session.query(PROGRESS, &[Param::Int(spid)])?;
    rows.first()
        .map(|row| {
            Ok(Percent {
                percent: row.float("percent_complete")?.unwrap_or(0.0),
                command: row.text("command")?.unwrap_or_default(),
                wait: row.text("wait_type")?,
                blocked_by: row.int("blocking_session_id")?.filter(|id| *id != 0),
            })
        })
        .transpose()
}

const BASES: &str = "\
SELECT f.differential_base_guid FROM sys.master_files f WHERE f.database_id = @P1 AND f.type = 0";

const PLACES: &str = "\
SELECT f.name, f.physical_name FROM sys.master_files f WHERE f.database_id = @P1";

/// Logical name and path of every file of a database, as far as the login may see them.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn file_places(session: &mut Session, database: i64) -> Result<Vec<(String, String)>, Fault> {
    let rows = session.query(PLACES, &[Param::Big(database)])?;
    let place = |row: &Row| Ok((row.need_text("name")?, row.need_text("physical_name")?));
    rows.all().iter().map(place).collect()
}

const SIZES: &str = "\
SELECT f.size FROM sys.master_files f WHERE f.database_id = @P1 AND f.type = 0";
/// Bytes of a page; sizes of files are counted in them.
const PAGE: u64 = 8192;

/// Bytes allocated in the data files of a database, as far as the login may see them.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn allocated(session: &mut Session, database: i64) -> Result<u64, Fault> {
    let rows = session.query(SIZES, &[Param::Big(database)])?;
    let mut pages = 0_u64;
    for row in rows.all() {
        let size = row.int("size")?.and_then(|size| u64::try_from(size).ok());
        pages = pages.saturating_add(size.unwrap_or(0));
    }
    Ok(pages.saturating_mul(PAGE))
}

// The database of a request is the one that its session stands in, not the one that is backed up:
// sessions of ours stand in master. So a run is known by its name, a stranger's by his database.
const BACKUPS: &str = "\
SELECT r.session_id FROM sys.dm_exec_requests r
JOIN sys.dm_exec_sessions s ON s.session_id = r.session_id
LEFT JOIN sys.databases d ON d.database_id = r.database_id
WHERE r.command LIKE N'BACKUP%' AND (s.program_name LIKE @P2 OR d.name = @P1)";
/// Characters of a run's id that every program name keeps, however long its stamp is.
const RUN_KEPT: usize = 30;

/// Differential base of each data file of a database; NULL where there is none.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn differential_bases(
    session: &mut Session,
    database: i64,
) -> Result<Vec<Option<Uuid>>, Fault> {
    let rows = session.query(BASES, &[Param::Big(database)])?;
    rows.all()
        .iter()
        .map(|row| row.guid("differential_base_guid"))
        .collect()
}

/// Whether the BACKUP of a run is under way, or another one in its database, as far as the login
/// may see.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn backup_runs(session: &mut Session, database: &str, run: RunId) -> Result<bool, Fault> {
    let run: String = run.to_string().chars().take(RUN_KEPT).collect();
    let program = format!("{PRODUCT} {} {run}%", Purpose::Work.word());
    let params = [Param::Text(database), Param::Text(&program)];
    Ok(session.query(BACKUPS, &params)?.first().is_some())
}

/// Columns that tell whether the login may see the sessions of others: without, only its own are
/// shown, and all others look gone. Each role that may has one of these rights.
pub(super) const SIGHT: &str = "\
HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS sees_all,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER PERFORMANCE STATE') AS sees_work";

/// What those columns say.
pub(super) fn sees_others(row: &Row) -> Result<bool, Fault> {
    // The lesser right is of 2022 and later, NULL before, and enough there.
    Ok(row.int("sees_all")? == Some(1) || row.int("sees_work")? == Some(1))
}

/// Whether the login may see the sessions of others.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn may_see_others(session: &mut Session) -> Result<bool, Fault> {
    let rows = session.query(&format!("SELECT {SIGHT}"), &[])?;
    sees_others(rows.one()?)
}

/// Whether it is proved that no BACKUP of the run is under way: `false` also when the login may
/// not see other sessions.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn backup_ended(session: &mut Session, database: &str, run: RunId) -> Result<bool, Fault> {
    Ok(may_see_others(session)? && !backup_runs(session, database, run)?)
}

/// Reads the rows of `RESTORE FILELISTONLY` ([`super::Running::take_rows`]).
///
/// # Errors
/// `TW4003` when a column is missing or has another type.
pub fn file_list(rows: &Rows) -> Result<Vec<ListedFile>, Fault> {
    rows.all()
        .iter()
        .map(|row| {
            Ok(ListedFile {
                logical_name: row.need_text("LogicalName")?,
                physical_name: row.need_text("PhysicalName")?,
                kind: row.need_text("Type")?.trim().to_owned(),
                size_bytes: row
                    .number("Size")?
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or(0),
            })
        })
        .collect()
}

const NAMES: &str = "\
SELECT d.name, d.state_desc FROM sys.databases d
WHERE d.source_database_id IS NULL ORDER BY d.name";

/// Names of all databases that are no snapshots, with their states, as the login may see them.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn database_names(session: &mut Session) -> Result<Vec<(String, String)>, Fault> {
    let rows = session.query(NAMES, &[])?;
    let line = |row: &Row| Ok((row.need_text("name")?, row.need_text("state_desc")?));
    rows.all().iter().map(line).collect()
}
