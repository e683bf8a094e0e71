//! Which rights a login needs, for what, and the T-SQL that gives them.
//!
//! From facts/sqlserver.md 7.1. Virtual devices need sysadmin, which holds everything else. What
//! works without sysadmin is given right by right, so that an administrator can leave out what is
//! not wanted and knows what then fails.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

mod text;

pub use text::{literal, quoted, script};

/// A release of SQL Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Release {
    /// 11
    Sql2012,
    /// 12
    Sql2014,
    /// 13
    Sql2016,
    /// 14
    Sql2017,
    /// 15
    Sql2019,
    /// 16
    Sql2022,
    /// 17
    Sql2025,
}

/// Every release, oldest first, with its year and the first part of its version.
pub const RELEASES: [(Release, u16, u16); 7] = [
    (Release::Sql2012, 2012, 11),
    (Release::Sql2014, 2014, 12),
    (Release::Sql2016, 2016, 13),
    (Release::Sql2017, 2017, 14),
    (Release::Sql2019, 2019, 15),
    (Release::Sql2022, 2022, 16),
    (Release::Sql2025, 2025, 17),
];

impl Release {
    /// From the first part of a server's version. A later one counts as the last that is known, an
    /// earlier one is `None`.
    #[must_use]
    pub fn of_major(major: u16) -> Option<Self> {
        let known = RELEASES.iter().rev().find(|(_, _, first)| major >= *first);
        known.map(|(release, _, _)| *release)
    }

    /// Its year.
    #[must_use]
    pub fn year(self) -> u16 {
        let known = RELEASES.iter().find(|(release, _, _)| *release == self);
        known.map_or(0, |(_, year, _)| *year)
    }

    /// VIEW SERVER STATE was cut into PERFORMANCE and SECURITY, and roles were made for them.
    #[must_use]
    pub fn splits_server_state(self) -> bool {
        self >= Self::Sql2022
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQL Server {}", self.year())
    }
}

impl FromStr for Release {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = RELEASES
            .iter()
            .find(|(_, year, _)| year.to_string() == text);
        known
            .map(|(release, _, _)| *release)
            .ok_or_else(|| "write a year: 2012, 2014, 2016, 2017, 2019, 2022 or 2025".to_owned())
    }
}

/// What a login is to be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Backup and restore through virtual devices.
    Vdi,
    /// Backup through files.
    Stage,
    /// Restore from files, under a new name.
    Restore,
    /// DBCC CHECKDB.
    Check,
    /// Seeing the mirror's side of a mirroring session.
    Mirroring,
}

/// One right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// A login that the server admits.
    Login,
    /// The server role sysadmin.
    Sysadmin,
    /// The server role dbcreator.
    DbCreator,
    /// Seeing the sessions of others.
    ServerState,
    /// Seeing the catalogue of every database.
    AnyDefinition,
    /// KILL.
    AnyConnection,
    /// Reading a table of msdb's history.
    History(&'static str),
    /// Taking backups of a database.
    BackupOperator(String),
    /// Everything in a database.
    Owner(String),
}

/// One right with what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The right.
    pub right: Right,
    /// The T-SQL that gives it: one or more statements, a line each.
    pub sql: Vec<String>,
    /// What it is for, and what fails without it.
    pub why: String,
    /// Another statement to the same end.
    pub or: Option<String>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The login.
    pub login: &'a str,
    /// What it is to be able to do; never empty.
    pub features: &'a BTreeSet<Feature>,
    /// The server's release; `None` where it is not known: then the forms that all of them take.
    pub release: Option<Release>,
    /// The databases, for rights that are given in each.
    pub databases: &'a [String],
}

/// msdb's tables that the agent reads.
pub const HISTORY: [&str; 3] = ["backupset", "backupmediaset", "backupmediafamily"];
/// Stands for the password, which the agent never sees in clear.
pub const PASSWORD: &str = "a long password of its own";

/// The rights that a login needs, in the order in which they must be given. Nothing is given twice,
/// and nothing beside sysadmin where that is needed.
#[must_use]
pub fn grants(wanted: &Wanted<'_>) -> Vec<Grant> {
    let has = |feature| wanted.features.contains(&feature);
    let mut list = vec![login(wanted.login)];
    if has(Feature::Vdi) || has(Feature::Mirroring) {
        list.push(sysadmin(wanted, has(Feature::Vdi)));
        return list;
    }
    list.extend([server_state(wanted), any_connection(wanted.login)]);
    // Who may create databases sees the files of all of them.
    list.push(if has(Feature::Restore) {
        db_creator(wanted.login)
    } else {
        any_definition(wanted.login)
    });
    if has(Feature::Stage) {
        list.extend(history(wanted.login));
    }
    for database in wanted.databases {
        if has(Feature::Check) {
            list.push(owner(wanted.login, database));
        } else if has(Feature::Stage) {
            list.push(backup_operator(wanted.login, database));
        }
    }
    list
}

fn grant(right: Right, sql: &[String], why: &str) -> Grant {
    Grant {
        right,
        sql: sql.to_vec(),
        why: why.to_owned(),
        or: None,
    }
}

/// Whether a login is that of an account of Windows, `DOMAIN\user`. Names of SQL Server's own logins
/// hold no backslash (CREATE LOGIN).
#[must_use]
pub fn is_of_windows(login: &str) -> bool {
    login.contains('\\')
}

fn login(name: &str) -> Grant {
    if is_of_windows(name) {
        let sql = format!("CREATE LOGIN {} FROM WINDOWS;", quoted(name));
        let why = "the account of Windows that the agent logs in with; without it every connection \
                   fails with 18456. It needs no database of its own: the agent connects to master";
        return grant(Right::Login, &[sql], why);
    }
    let sql = format!(
        "CREATE LOGIN {} WITH PASSWORD = {}, CHECK_POLICY = ON;",
        quoted(name),
        literal(PASSWORD)
    );
    let why = "a login that nobody else uses; without it every connection fails with 18456. It \
               needs no database of its own: the agent connects to master";
    grant(Right::Login, &[sql], why)
}

fn sysadmin(wanted: &Wanted<'_>, vdi: bool) -> Grant {
    let why = if vdi {
        "SQL Server lets nobody else use VIRTUAL_DEVICE (error 3265), and no lesser right \
         replaces it. It holds every other right that the agent needs"
    } else {
        "nobody else sees the mirroring columns of a mirror: for others they are NULL, as if \
         there were no session"
    };
    let sql = format!(
        "ALTER SERVER ROLE [sysadmin] ADD MEMBER {};",
        quoted(wanted.login)
    );
    grant(Right::Sysadmin, &[sql], why)
}

fn server_state(wanted: &Wanted<'_>) -> Grant {
    let name = quoted(wanted.login);
    let split = wanted.release.is_some_and(Release::splits_server_state);
    let right = if split {
        "VIEW SERVER PERFORMANCE STATE"
    } else {
        "VIEW SERVER STATE"
    };
    let why = "progress of BACKUP and RESTORE, and the proof that a session is ours before it is \
               killed; without it other sessions are not shown, so a run shows no progress and \
               cannot tell what a cancel left on the server";
    let mut grant = grant(
        Right::ServerState,
        &[format!("GRANT {right} TO {name};")],
        why,
    );
    if split {
        let role = "[##MS_ServerPerformanceStateReader##]";
        grant.or = Some(format!("ALTER SERVER ROLE {role} ADD MEMBER {name};"));
    }
    grant
}

fn any_definition(login: &str) -> Grant {
    let why = "differential bases and files (sys.master_files) of every database; without it \
               those rows are hidden, and a differential cannot be proven to fit its full";
    let sql = format!("GRANT VIEW ANY DEFINITION TO {};", quoted(login));
    grant(Right::AnyDefinition, &[sql], why)
}

fn any_connection(login: &str) -> Grant {
    let why = "KILL of the agent's own sessions, on cancel and after a crash; without it \
               (error 6102) a BACKUP whose agent died refuses the next one (3023)";
    let sql = format!("GRANT ALTER ANY CONNECTION TO {};", quoted(login));
    grant(Right::AnyConnection, &[sql], why)
}

fn db_creator(login: &str) -> Grant {
    let why = "RESTORE, and reading the headers of a backup (HEADERONLY, FILELISTONLY, \
               VERIFYONLY); without it error 262. It also shows the files and differential bases \
               of every database (sys.master_files)";
    let sql = format!(
        "ALTER SERVER ROLE [dbcreator] ADD MEMBER {};",
        quoted(login)
    );
    grant(Right::DbCreator, &[sql], why)
}

fn history(login: &str) -> Vec<Grant> {
    let name = quoted(login);
    let why = "the server's own history, which proves a backup; without it error 229 where msdb \
               does not let everybody read it, and every backup stays unconfirmed";
    let user = [
        "USE [msdb];".to_owned(),
        format!("CREATE USER {name} FOR LOGIN {name};"),
    ];
    let select = |table: &'static str| {
        let sql = format!("GRANT SELECT ON OBJECT::[dbo].[{table}] TO {name};");
        grant(Right::History(table), &["USE [msdb];".to_owned(), sql], why)
    };
    let mut list: Vec<Grant> = HISTORY.into_iter().map(select).collect();
    // The user comes with the first of them.
    if let Some(first) = list.first_mut() {
        let grants = first.sql.split_off(1);
        first.sql = [&user[..], &grants].concat();
    }
    list
}

fn in_database(login: &str, database: &str, role: &str) -> [String; 3] {
    let name = quoted(login);
    [
        format!("USE {};", quoted(database)),
        format!("CREATE USER {name} FOR LOGIN {name};"),
        format!("ALTER ROLE [{role}] ADD MEMBER {name};"),
    ]
}

fn backup_operator(login: &str, database: &str) -> Grant {
    let why = "BACKUP DATABASE and BACKUP LOG (without it error 262, then 3013). On a mirrored \
               database give it on the principal: it travels to the mirror, where a login with \
               the same SID must be";
    let right = Right::BackupOperator(database.to_owned());
    grant(
        right,
        &in_database(login, database, "db_backupoperator"),
        why,
    )
}

fn owner(login: &str, database: &str) -> Grant {
    let why = "DBCC CHECKDB; it holds the right to back the database up";
    let right = Right::Owner(database.to_owned());
    grant(right, &in_database(login, database, "db_owner"), why)
}

#[cfg(test)]
mod tests;
