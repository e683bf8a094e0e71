//! What `doctor` asks of a server beyond the facts of every run.

use twinset_domain::{Fault, LocalTime, Moment};

use super::rows::Param;
use super::session::Session;

/// What a database has that makes its backup special.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Special {
    /// Encrypted by the server (TDE).
    pub encrypted: bool,
    /// It has files of FILESTREAM or memory-optimized data.
    pub filestream: bool,
    /// Bytes of its last full backup as written, and when that ended, as msdb has it.
    pub last_full: Option<(u64, Option<LocalTime>)>,
    /// Bytes of its data files; an estimate where there was no backup.
    pub data_bytes: u64,
}

const ENCRYPTED: &str = "SELECT d.is_encrypted FROM sys.databases d WHERE d.name = @P1";

const FILES: &str = "\
SELECT f.type, f.size FROM sys.master_files f
JOIN sys.databases d ON d.database_id = f.database_id WHERE d.name = @P1";

const LAST_FULL: &str = "\
SELECT TOP (1) s.compressed_backup_size, s.backup_size, s.backup_finish_date
FROM msdb.dbo.backupset s WHERE s.database_name = @P1 AND s.type = 'D'
ORDER BY s.backup_finish_date DESC, s.backup_set_id DESC";

/// Files of FILESTREAM and memory-optimized data (sys.master_files.type).
const FILESTREAM: i64 = 2;
/// Bytes of a page, the unit of sys.master_files.size.
const PAGE: u64 = 8192;

/// Asks what a database has that makes its backup special.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn special(session: &mut Session, database: &str) -> Result<Special, Fault> {
    let name = [Param::Text(database)];
    let mut special = Special::default();
    if let Some(row) = session.query(ENCRYPTED, &name)?.first() {
        special.encrypted = row.bit("is_encrypted")?.unwrap_or(false);
    }
    for row in session.query(FILES, &name)?.all() {
        match row.int("type")? {
            Some(FILESTREAM) => special.filestream = true,
            Some(0) => {
                let pages = row.int("size")?.and_then(|pages| u64::try_from(pages).ok());
                special.data_bytes += pages.unwrap_or(0).saturating_mul(PAGE);
            }
            _ => {}
        }
    }
    if let Some(row) = session.query(LAST_FULL, &name)?.first() {
        let size = match row.number("compressed_backup_size")? {
            Some(size) => Some(size),
            None => row.number("backup_size")?,
        };
        let size = size.and_then(|size| u64::try_from(size).ok());
        let ended = row.time("backup_finish_date")?;
        special.last_full = size.map(|size| (size, ended));
    }
    Ok(special)
}

/// The server's clock, in UTC.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn clock(session: &mut Session) -> Result<Option<Moment>, Fault> {
    let rows = session.query("SELECT SYSUTCDATETIME() AS utc", &[])?;
    let Some(now) = rows.one()?.time("utc")? else {
        return Ok(None);
    };
    let (hour, minute, second) = now.time;
    let text = format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        now.year, now.month, now.day
    );
    Ok(text.parse().ok())
}
