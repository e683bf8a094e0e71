//! BACKUPs and RESTOREs on the server whose agent is dead.
//!
//! An agent that is killed may leave a statement that waits for its virtual devices for ever, and
//! refuses every later backup of the database (3023). Found by program name at the start of a run
//! and by `media recover`; killed only when [`twinset_domain::stamp`] proves that it is this
//! agent's and its process is gone, and otherwise named.

use std::time::Duration;

use serde::Serialize;
use twinset_domain::Fault;
use twinset_domain::stamp::{self, Finding, Me, Seen};

use super::cancel::{Cancelled, end};
use super::connect::Connector;
use super::os;
use super::rows::Row;
use super::running::Identity;
use super::session::Session;

/// Sessions looked at in one go.
const MAX_SEEN: usize = 64;

const LOOK: &str = "\
SELECT s.session_id, s.program_name, s.login_name, s.host_name, s.login_time, r.command,
       d.name AS database_name
FROM sys.dm_exec_requests r
JOIN sys.dm_exec_sessions s ON s.session_id = r.session_id
LEFT JOIN sys.databases d ON d.database_id = r.database_id
WHERE s.program_name LIKE N'Twinset %' AND s.session_id <> @@SPID
  AND (r.command LIKE N'BACKUP%' OR r.command LIKE N'RESTORE%')
ORDER BY s.session_id";

/// What was done about one such session.
#[derive(Clone, Debug, Serialize)]
pub struct Orphan {
    /// The session.
    pub seen: Seen,
    /// What was proven of it.
    pub finding: Finding,
    /// What was done, for an operator.
    pub told: String,
}

/// Looks for statements of dead agents, ends those that are proven to be this agent's, and says
/// what was found. Sessions of agents that live are not mentioned. A login that may not see the
/// sessions of others finds none.
///
/// # Errors
/// The faults of [`Session::query`]; a KILL that is refused is told of the session instead.
pub fn sweep(connector: &Connector, control: &mut Session) -> Result<Vec<Orphan>, Fault> {
    let mut found = Vec::new();
    for (seen, finding) in look(connector, control)? {
        let told = match finding {
            Finding::Lives => continue,
            Finding::Orphan => match end(control, &identity(&seen), Duration::ZERO) {
                Ok(Cancelled::Gone) => {
                    format!("{seen} of a dead run of this agent ended by itself")
                }
                Ok(Cancelled::Killed) => format!("{seen} of a dead run of this agent was killed"),
                Ok(Cancelled::Lingers | Cancelled::Unseen) => {
                    format!("{seen} of a dead run of this agent was killed and rolls back")
                }
                Err(fault) => format!(
                    "{seen} of a dead run of this agent could not be killed: {}; {}",
                    fault.message, fault.remedy
                ),
            },
            Finding::Unproven(doubt) => format!(
                "{seen} looks like a run of Twinset and is left alone: {}; if nobody works on \
                 it, end it: KILL {}",
                doubt.why(),
                seen.session
            ),
        };
        tracing::warn!(session = seen.session, ?finding, "{told}");
        found.push(Orphan {
            seen,
            finding,
            told,
        });
    }
    Ok(found)
}

/// What [`sweep`] would find; nothing is ended.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn look(connector: &Connector, control: &mut Session) -> Result<Vec<(Seen, Finding)>, Fault> {
    let Some(stamp) = connector.stamp() else {
        return Ok(Vec::new());
    };
    let rows = control.query(LOOK, &[])?;
    let login = control.login().to_owned();
    let me = Me {
        stamp,
        login: &login,
    };
    let judged = |row: &Row| {
        let seen = seen(row)?;
        let finding = stamp::judge(&seen, &me, os::lives);
        Ok((seen, finding))
    };
    rows.all().iter().take(MAX_SEEN).map(judged).collect()
}

fn seen(row: &Row) -> Result<Seen, Fault> {
    Ok(Seen {
        session: row.need_int("session_id")?,
        program: row.text("program_name")?.unwrap_or_default(),
        login: row.text("login_name")?.unwrap_or_default(),
        host: row.text("host_name")?.unwrap_or_default(),
        since: row.time("login_time")?,
        command: row.text("command")?.unwrap_or_default(),
        // Sessions of ours begin in master, which says nothing of what they work on.
        database: row.text("database_name")?.filter(|name| name != "master"),
    })
}

/// The same session as [`end`] must find it before it is killed.
fn identity(seen: &Seen) -> Identity {
    Identity {
        spid: seen.session,
        program: seen.program.clone(),
        login: seen.login.clone(),
        since: seen.since,
    }
}
