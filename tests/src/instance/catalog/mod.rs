//! The catalogue: which views and tables exist, with columns and types as documented, and their
//! rows as this session may see them.

pub mod columns;
pub mod msdb;
pub mod server;
pub mod table;

pub use table::{Row, Table};

use super::State;
use super::moment::Moment;
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
    /// Server time of the statement.
    pub now: Moment,
    /// Server name.
    pub server: &'a str,
}

type Rows = fn(&Viewer<'_>) -> Vec<Vec<Value>>;

const VIEWS: &[(&str, &str, Rows)] = &[
    ("databases", server::DATABASES, server::databases),
    ("database_mirroring", server::MIRRORING, server::mirroring),
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
    ("restorehistory", msdb::RESTOREHISTORY, |viewer| {
        viewer.state.msdb.restorehistory.clone()
    }),
    ("suspect_pages", msdb::SUSPECT_PAGES, |_| Vec::new()),
];

/// Finds an object by its name parts, from a session in `current` database.
#[must_use]
pub fn find(parts: &[String], current: &str) -> Option<(Table, Rows)> {
    let (name, qualifiers) = parts.split_last()?;
    let (schema, database) = match qualifiers {
        [] => ("dbo", current),
        [schema] => (schema.as_str(), current),
        [.., database, schema] => (schema.as_str(), database.as_str()),
    };
    let schema = if schema.is_empty() { "dbo" } else { schema };
    let views = if schema.eq_ignore_ascii_case("sys") {
        VIEWS
    } else if schema.eq_ignore_ascii_case("dbo") && database.eq_ignore_ascii_case("msdb") {
        MSDB
    } else {
        return None;
    };
    let (known, columns, rows) = views
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    Some((Table::parse(known, columns), *rows))
}
