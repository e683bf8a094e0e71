//! Signs of agents on an instance: their sessions, and the sets in msdb that bear their names.

use std::collections::BTreeMap;

use twinset_domain::presence::{Taken, Traces, of_set};
use twinset_domain::{AgentId, Fault, LocalTime, stamp};

use super::facts::{SIGHT, sees_others};
use super::rows::Param;
use super::session::Session;

/// Most program names, and most new rows of history, that one look reads; of these more come with
/// the next one.
const MOST: u32 = 1000;

/// What is remembered from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// The highest `backup_set_id` that was read.
    newest: Option<i64>,
}

/// Looks once: the sessions, and what is new in msdb since the last look. Two statements, the
/// second over rows behind a place in the table's own order.
///
/// # Errors
/// The faults of [`Session::query`]. A history that may not be read is no fault: then it shows
/// nothing.
pub fn look(control: &mut Session, mark: &mut Mark) -> Result<Traces, Fault> {
    let sessions = sessions(control)?;
    let sets = match sets(control, mark) {
        Ok(sets) => sets,
        Err(fault) => {
            tracing::debug!(%fault, "msdb shows no sets");
            Vec::new()
        }
    };
    Ok(Traces { sessions, sets })
}

fn sessions(control: &mut Session) -> Result<Option<BTreeMap<AgentId, Option<LocalTime>>>, Fault> {
    let sql = format!(
        "SELECT TOP ({MOST}) s.program_name, MAX(s.last_request_start_time) AS asked, {SIGHT} \
         FROM sys.dm_exec_sessions s WHERE s.program_name LIKE N'Twinset %' \
         GROUP BY s.program_name ORDER BY asked DESC"
    );
    let rows = control.query(&sql, &[])?;
    let mut seen = BTreeMap::new();
    let mut sees = false;
    for row in rows.all() {
        sees = sees_others(row)?;
        let program = row.text("program_name")?.unwrap_or_default();
        if let Some(stamp) = stamp::read(&program) {
            let asked = row.time("asked")?;
            let newest = seen.entry(stamp.agent).or_insert(asked);
            *newest = asked.max(*newest);
        }
    }
    Ok(sees.then_some(seen))
}

fn sets(control: &mut Session, mark: &mut Mark) -> Result<Vec<Taken>, Fault> {
    let Some(newest) = mark.newest else {
        let sql = "SELECT MAX(s.backup_set_id) AS newest FROM msdb.dbo.backupset s";
        mark.newest = Some(control.query(sql, &[])?.one()?.int("newest")?.unwrap_or(0));
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT TOP ({MOST}) s.backup_set_id, s.database_name, s.name \
         FROM msdb.dbo.backupset s WHERE s.backup_set_id > @P1 ORDER BY s.backup_set_id"
    );
    let rows = control.query(&sql, &[Param::Big(newest)])?;
    let mut sets = Vec::new();
    for row in rows.all() {
        mark.newest = mark.newest.max(row.int("backup_set_id")?);
        let (name, database) = (row.text("name")?, row.text("database_name")?);
        if let Some((group, agent)) = name.as_deref().and_then(of_set)
            && let Some(database) = database
        {
            let group = group.to_owned();
            sets.push(Taken {
                database,
                group,
                agent,
            });
        }
    }
    Ok(sets)
}
