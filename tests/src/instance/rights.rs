//! Rights that are given one by one: what a login holds, and what each right lets it do
//! (facts: sqlserver.md 7.1).

use std::collections::{BTreeMap, BTreeSet};

use super::Login;
use super::version::Version;

/// Server permissions that may be granted, with the first major version that knows each.
const PERMISSIONS: &[(&str, u16)] = &[
    ("VIEW SERVER STATE", 9),
    ("VIEW ANY DEFINITION", 9),
    ("VIEW ANY DATABASE", 9),
    ("ALTER ANY CONNECTION", 9),
    ("CREATE ANY DATABASE", 9),
    ("ALTER ANY LOGIN", 9),
    ("CONNECT ANY DATABASE", 12),
    ("VIEW SERVER PERFORMANCE STATE", 16),
    ("VIEW SERVER SECURITY STATE", 16),
];
/// Fixed server roles, with the first major version that knows each.
const SERVER_ROLES: &[(&str, u16)] = &[
    ("sysadmin", 9),
    ("serveradmin", 9),
    ("setupadmin", 9),
    ("securityadmin", 9),
    ("processadmin", 9),
    ("dbcreator", 9),
    ("diskadmin", 9),
    ("bulkadmin", 9),
    ("##MS_ServerPerformanceStateReader##", 16),
    ("##MS_ServerStateReader##", 16),
    ("##MS_DefinitionReader##", 16),
    ("##MS_DatabaseConnector##", 16),
];
/// Fixed database roles.
const DATABASE_ROLES: &[&str] = &[
    "db_owner",
    "db_securityadmin",
    "db_accessadmin",
    "db_backupoperator",
    "db_ddladmin",
    "db_datareader",
    "db_datawriter",
];

/// What a login was given, besides the roles of the scene.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Server permissions, in capitals.
    pub server: BTreeSet<String>,
    /// Server roles, as the table above spells them.
    pub roles: BTreeSet<&'static str>,
    /// Databases in which it has a user, with that user's roles; names in lower case.
    pub users: BTreeMap<String, BTreeSet<&'static str>>,
    /// Tables of msdb that its user there may read, in lower case.
    pub history: BTreeSet<String>,
}

/// A server permission that this version knows, as the table spells it.
#[must_use]
pub fn permission(name: &str, version: &Version) -> Option<&'static str> {
    let known = PERMISSIONS
        .iter()
        .find(|(known, since)| known.eq_ignore_ascii_case(name) && version.major() >= *since);
    known.map(|(known, _)| *known)
}

/// A server role that this version knows, as the table spells it.
#[must_use]
pub fn server_role(name: &str, version: &Version) -> Option<&'static str> {
    let known = SERVER_ROLES
        .iter()
        .find(|(known, since)| known.eq_ignore_ascii_case(name) && version.major() >= *since);
    known.map(|(known, _)| *known)
}

/// A database role, as the table spells it.
#[must_use]
pub fn database_role(name: &str) -> Option<&'static str> {
    let known = DATABASE_ROLES.iter();
    known
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

impl Login {
    /// Whether it is a member of a server role.
    #[must_use]
    pub fn in_role(&self, role: &str) -> bool {
        self.sysadmin || (role == "dbcreator" && self.dbcreator) || self.rights.roles.contains(role)
    }

    /// Whether it holds a server permission, given by name, by role, or within a greater one.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        let given = |name: &str| self.rights.server.contains(name);
        let state = self.view_server_state
            || given("VIEW SERVER STATE")
            || self.in_role("##MS_ServerStateReader##")
            || self.in_role("serveradmin");
        self.sysadmin
            || given(permission)
            || match permission {
                "VIEW SERVER STATE" => state,
                "VIEW SERVER PERFORMANCE STATE" => {
                    state || self.in_role("##MS_ServerPerformanceStateReader##")
                }
                "VIEW ANY DATABASE" => true,
                "VIEW ANY DEFINITION" => {
                    self.view_any_definition || self.in_role("##MS_DefinitionReader##")
                }
                "ALTER ANY CONNECTION" => self.alter_any_connection || self.in_role("processadmin"),
                "CREATE ANY DATABASE" => self.in_role("dbcreator"),
                _ => false,
            }
    }

    /// Whether it may see what other sessions do.
    #[must_use]
    pub fn sees_sessions(&self) -> bool {
        self.holds("VIEW SERVER STATE") || self.holds("VIEW SERVER PERFORMANCE STATE")
    }

    /// Whether it may see the files of databases that are not its own.
    #[must_use]
    pub fn sees_files(&self) -> bool {
        self.holds("VIEW ANY DEFINITION") || self.holds("CREATE ANY DATABASE")
    }

    /// Whether its user in a database is a member of one of these roles.
    #[must_use]
    pub fn in_database_role(&self, database: &str, roles: &[&str]) -> bool {
        let user = self.rights.users.get(&database.to_lowercase());
        let everywhere = self.db_owner && roles.contains(&"db_owner");
        self.sysadmin
            || everywhere
            || user.is_some_and(|user| roles.iter().any(|role| user.contains(role)))
    }

    /// Whether it may take backups of a database.
    #[must_use]
    pub fn may_back_up(&self, database: &str) -> bool {
        let roles = ["db_backupoperator", "db_owner"];
        self.backup_operator || self.in_database_role(database, &roles)
    }

    /// Whether it may enter a database: a user of its own, or the guest of the system's.
    #[must_use]
    pub fn may_enter(&self, database: &str) -> bool {
        let guests = ["master", "tempdb", "msdb"];
        let name = database.to_lowercase();
        self.sysadmin
            || self.backup_operator
            || guests.contains(&name.as_str())
            || self.rights.users.contains_key(&name)
    }

    /// Whether it may read a table of msdb; everybody may where msdb is as it was installed.
    #[must_use]
    pub fn reads_history(&self, table: &str, public: bool) -> bool {
        // Jobs are nobody's by default: their commands may hold secrets.
        let public = public && !table.to_lowercase().starts_with("sys");
        public || self.sysadmin || self.rights.history.contains(&table.to_lowercase())
    }
}
