//! The catalogue: which views and tables exist, with columns and types as documented, and their
//! rows as this session may see them.

pub mod availability;
pub mod columns;
pub mod mirroring;
pub mod msdb;
pub mod server;
pub mod table;

pub use table::{Row, Table};

use super::availability::AvailabilityFaults;
use super::mirroring::knobs::MirroringFaults;
use super::moment::Moment;
use super::{Login, State, openable};
use crate::tds::tokens::ServerMessage;
use crate::tds::types::Value;

/// Who looks.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// The instance's state.
    pub state: &'a State,
    /// Session.
    pub spid: i16,
    /// Login.
    pub login: &'a str,
    /// Member of sysadmin.
    pub sysadmin: bool,
    /// VIEW SERVER STATE.
    pub view_server_state: bool,
    /// Its login, with every right.
    pub me: &'a Login,
    /// msdb lets everybody read its history, as it does where it is installed (a guess: a knob).
    pub public_history: bool,
    /// What is unknown of mirroring.
    pub mirroring: MirroringFaults,
    /// What is unknown of availability groups.
    pub availability: AvailabilityFaults,
    /// Server time of the statement.
    pub now: Moment,
    /// Server name.
    pub server: &'a str,
}

type Rows = fn(&Viewer<'_>) -> Vec<Vec<Value>>;

const VIEWS: &[(&str, &str, Rows)] = &[
    ("databases", server::DATABASES, server::databases),
    ("database_mirroring", mirroring::MIRRORING, mirroring::rows),
    (
        "database_recovery_status",
        server::RECOVERY_STATUS,
        server::recovery_status,
    ),
    ("master_files", server::MASTER_FILES, server::master_files),
    ("dm_exec_requests", server::REQUESTS, server::requests),
    ("dm_exec_sessions", server::SESSIONS, server::sessions),
    (
        "dm_exec_connections",
        server::CONNECTIONS,
        server::connections,
    ),
    ("server_principals", server::PRINCIPALS, server::principals),
    (
        "configurations",
        server::CONFIGURATIONS,
        server::configurations,
    ),
    (
        "database_mirroring_witnesses",
        mirroring::WITNESSES,
        mirroring::witnesses,
    ),
    // No instance of a lab is clustered.
    ("dm_os_cluster_nodes", mirroring::CLUSTER_NODES, |_| {
        Vec::new()
    }),
];

type Guarded = fn(&Viewer<'_>) -> Result<Vec<Vec<Value>>, ServerMessage>;

/// Views that may refuse whoever has no right to them.
const GUARDED: &[(&str, &str, Guarded)] = &[
    (
        "availability_groups",
        availability::GROUPS,
        availability::groups,
    ),
    (
        "availability_replicas",
        availability::REPLICAS,
        availability::replicas,
    ),
    (
        "availability_databases_cluster",
        availability::CLUSTER_DATABASES,
        availability::databases,
    ),
    (
        "dm_hadr_availability_group_states",
        availability::GROUP_STATES,
        availability::group_states,
    ),
    (
        "dm_hadr_availability_replica_states",
        availability::REPLICA_STATES,
        availability::replica_states,
    ),
    (
        "dm_hadr_database_replica_states",
        availability::DATABASE_STATES,
        availability::database_states,
    ),
];

const MSDB: &[(&str, &str, Rows)] = &[
    ("backupset", msdb::BACKUPSET, |viewer| {
        viewer.state.msdb.backupset.clone()
    }),
    ("backupmediaset", msdb::BACKUPMEDIASET, |viewer| {
        viewer.state.msdb.backupmediaset.clone()
    }),
    ("backupmediafamily", msdb::BACKUPMEDIAFAMILY, |viewer| {
        viewer.state.msdb.backupmediafamily.clone()
    }),
    ("backupfile", msdb::BACKUPFILE, |viewer| {
        viewer.state.msdb.backupfile.clone()
    }),
    ("sysjobs", msdb::SYSJOBS, |viewer| {
        viewer.state.msdb.sysjobs.clone()
    }),
    ("sysjobsteps", msdb::SYSJOBSTEPS, |viewer| {
        viewer.state.msdb.sysjobsteps.clone()
    }),
    ("sysjobschedules", msdb::SYSJOBSCHEDULES, |viewer| {
        viewer.state.msdb.sysjobschedules.clone()
    }),
    ("sysschedules", msdb::SYSSCHEDULES, |viewer| {
        viewer.state.msdb.sysschedules.clone()
    }),
    ("restorehistory", msdb::RESTOREHISTORY, |viewer| {
        viewer.state.msdb.restorehistory.clone()
    }),
    ("logmarkhistory", msdb::LOGMARKHISTORY, |viewer| {
        viewer.state.msdb.logmarkhistory.clone()
    }),
    ("suspect_pages", msdb::SUSPECT_PAGES, |viewer| {
        viewer.state.msdb.suspect_pages.clone()
    }),
];

/// What was written to a database: the one table of user databases.
const LEDGER: &str = "id bigint!, note nvarchar(64)!, lsn numeric(25.0)!, at datetime!, \
    mark nvarchar(128)";

/// An object with its rows of this moment.
type Found = (Table, Vec<Vec<Value>>);
/// Whether a table of this name is one of msdb's.
#[must_use]
pub fn is_history(name: &str) -> bool {
    MSDB.iter()
        .any(|(known, ..)| known.eq_ignore_ascii_case(name))
}

/// Finds an object by its name parts, from a session in `current` database.
///
/// # Errors
/// Why the database that holds it cannot be opened.
pub fn find(
    parts: &[String],
    current: &str,
    viewer: &Viewer<'_>,
) -> Result<Option<Found>, ServerMessage> {
    let Some((name, qualifiers)) = parts.split_last() else {
        return Ok(None);
    };
    let (schema, database) = match qualifiers {
        [] => ("dbo", current),
        [schema] => (schema.as_str(), current),
        [.., database, schema] => (schema.as_str(), database.as_str()),
    };
    let schema = if schema.is_empty() { "dbo" } else { schema };
    let dbo = schema.eq_ignore_ascii_case("dbo");
    if dbo && name.eq_ignore_ascii_case("ledger") {
        return ledger(database, viewer);
    }
    let guarded = GUARDED
        .iter()
        .filter(|_| schema.eq_ignore_ascii_case("sys"))
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    if let Some((known, columns, rows)) = guarded {
        return Ok(Some((Table::parse(known, columns), rows(viewer)?)));
    }
    let views = if schema.eq_ignore_ascii_case("sys") {
        VIEWS
    } else if dbo && database.eq_ignore_ascii_case("msdb") {
        MSDB
    } else {
        return Ok(None);
    };
    let view = views
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    Ok(view.map(|(known, columns, rows)| (Table::parse(known, columns), rows(viewer))))
}

fn ledger(database: &str, viewer: &Viewer<'_>) -> Result<Option<Found>, ServerMessage> {
    let Some(database) = viewer.state.database(database) else {
        return Ok(None);
    };
    if let Some(refused) = openable(database) {
        return Err(refused);
    }
    let table = Table::parse("ledger", LEDGER);
    let rows = database.writes.iter().map(|write| {
        Row::new(&table)
            .set("id", write.id)
            .set("note", write.note.as_str())
            .set("lsn", write.lsn)
            .set("at", write.at)
            .set("mark", write.mark.as_deref())
            .build()
    });
    let rows = rows.collect();
    Ok(Some((table, rows)))
}
