//! What other tools do on an instance: the jobs of SQL Server Agent, and the backups that msdb
//! tells of with all their files.

use std::collections::BTreeMap;

use twinset_domain::adopt::{Job, Step, Theirs};
use twinset_domain::{BackupKind, Fault};
use uuid::Uuid;

use super::rows::{Param, Row};
use super::session::Session;

const STEPS: &str = "\
SELECT j.job_id, j.name, j.enabled, s.step_id, s.step_name, s.subsystem, s.command
FROM msdb.dbo.sysjobs j JOIN msdb.dbo.sysjobsteps s ON s.job_id = j.job_id
ORDER BY j.name, s.step_id";
const SCHEDULED: &str = "\
SELECT DISTINCT js.job_id FROM msdb.dbo.sysjobschedules js
JOIN msdb.dbo.sysschedules s ON s.schedule_id = js.schedule_id WHERE s.enabled = 1";

/// The jobs of SQL Server Agent with their steps.
///
/// # Errors
/// The faults of [`Session::query`]: 229 where the login may not read them.
pub fn jobs(session: &mut Session) -> Result<Vec<Job>, Fault> {
    let rows = session.query(SCHEDULED, &[])?;
    let scheduled: Vec<Uuid> = rows
        .all()
        .iter()
        .map(|row| row.need_guid("job_id"))
        .collect::<Result<_, _>>()?;
    let rows = session.query(STEPS, &[])?;
    let mut jobs: BTreeMap<(String, Uuid), Job> = BTreeMap::new();
    for row in rows.all() {
        let (id, name) = (row.need_guid("job_id")?, row.need_text("name")?);
        let job = jobs.entry((name.clone(), id)).or_default();
        job.name = name;
        job.enabled = row.int("enabled")?.unwrap_or(0) != 0;
        job.scheduled = scheduled.contains(&id);
        job.steps.push(Step {
            name: row.text("step_name")?.unwrap_or_default(),
            subsystem: row.text("subsystem")?.unwrap_or_default(),
            command: row.text("command")?.unwrap_or_default(),
        });
    }
    Ok(jobs.into_values().collect())
}

/// Most files of backups that are looked at, newest first: a month of logs every 15 minutes.
const MOST: u32 = 4000;

/// The backups of a database in the server's history, newest first, whoever took them. Whether
/// their files can be read is not said here.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn backups(session: &mut Session, database: &str) -> Result<Vec<Theirs>, Fault> {
    // Mirror 0 is the first copy; its families lie in order.
    let sql = format!(
        "SELECT TOP ({MOST}) s.backup_set_id, s.backup_set_uuid, s.type, s.is_copy_only, \
         s.first_lsn, s.last_lsn, s.differential_base_guid, s.is_damaged, \
         f.physical_device_name, f.device_type \
         FROM msdb.dbo.backupset s \
         JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id \
         WHERE s.database_name = @P1 AND f.mirror = 0 \
         ORDER BY s.backup_set_id DESC, f.family_sequence_number"
    );
    let rows = session.query(&sql, &[Param::Text(database)])?;
    let mut sets: Vec<Theirs> = Vec::new();
    for row in rows.all() {
        let kind = row.text("type")?.unwrap_or_default();
        let kind = kind.trim().bytes().next().and_then(BackupKind::from_letter);
        let Some(kind) = kind else { continue };
        let set = row.need_guid("backup_set_uuid")?;
        if sets.last().is_none_or(|last| last.set != set) {
            sets.push(theirs(row, set, kind)?);
        }
        if let (Some(last), Some(file)) = (sets.last_mut(), row.text("physical_device_name")?) {
            last.files.push(file);
        }
    }
    Ok(sets)
}

fn theirs(row: &Row, set: Uuid, kind: BackupKind) -> Result<Theirs, Fault> {
    // 2 is a file, 102 one behind a logical device (facts/sqlserver.md 4.4).
    let unreachable = match row.int("device_type")?.unwrap_or(0) % 100 {
        2 => None,
        5 => Some("it lies on tape"),
        7 => Some("another program took it through virtual devices"),
        9 => Some("it lies behind a URL"),
        _ => Some("it lies on no file"),
    };
    let is_damaged = row.bit("is_damaged")?.unwrap_or(false);
    let unreachable = unreachable.or(is_damaged.then_some("it is damaged"));
    Ok(Theirs {
        set,
        kind,
        copy_only: row.bit("is_copy_only")?.unwrap_or(false),
        first: row.lsn("first_lsn")?,
        last: row.lsn("last_lsn")?,
        base: row.guid("differential_base_guid")?,
        files: Vec::new(),
        unreachable: unreachable.map(str::to_owned),
    })
}
