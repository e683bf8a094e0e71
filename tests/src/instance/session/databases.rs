//! CREATE, DROP and ALTER DATABASE.

use super::{Session, missing};
use crate::instance::availability;
use crate::instance::model::{Database, DbState, RecoveryModel};
use crate::instance::openable;
use crate::instance::statement::simple::Change;
use crate::tds::tokens::ServerMessage;

impl Session {
    /// CREATE DATABASE.
    pub fn create_database(&self, name: &str) -> Result<(), ServerMessage> {
        let now = self.instance.clock.now();
        let mut guard = self.instance.state();
        let state = &mut *guard;
        if !self.login.in_role("dbcreator") {
            let text = "CREATE DATABASE permission denied in database 'master'.";
            return Err(ServerMessage::new(262, 14, text));
        }
        if state.database(name).is_some() {
            let text =
                format!("Database '{name}' already exists. Choose a different database name.");
            return Err(ServerMessage::new(1801, 16, text).state(3));
        }
        let id = state
            .databases
            .iter()
            .map(|database| database.id)
            .max()
            .unwrap_or(4)
            + 1;
        let made = Database::new(id, name, &mut state.ids, now, "/var/opt/mssql/data");
        state.databases.push(made);
        Ok(())
    }

    /// DROP DATABASE.
    pub fn drop_database(&self, name: &str, lenient: bool) -> Result<(), ServerMessage> {
        let mut state = self.instance.state();
        let Some(database) = state.database(name) else {
            let text = format!(
                "Cannot drop the database '{name}', because it does not exist or you do not have \
                 permission."
            );
            return if lenient {
                Ok(())
            } else {
                Err(ServerMessage::new(3701, 11, text))
            };
        };
        if database.mirroring.is_some() {
            let text = format!(
                "The database '{name}' is enabled for database mirroring. Database mirroring must \
                 be removed before you drop the database."
            );
            return Err(ServerMessage::new(3743, 16, text));
        }
        if database.joined.is_some() {
            return Err(availability::messages::joined(name));
        }
        let in_use = database.is_system() || database.is_busy();
        if in_use {
            let text = format!("Cannot drop database \"{name}\" because it is currently in use.");
            return Err(ServerMessage::new(3702, 16, text));
        }
        let id = database.id;
        state.databases.retain(|database| database.id != id);
        Ok(())
    }

    /// ALTER DATABASE ... SET.
    pub fn alter_database(&self, name: &str, change: Change) -> Result<(), ServerMessage> {
        let mut state = self.instance.state();
        let database = state.database_mut(name).ok_or_else(|| missing(name))?;
        let bound = database.mirroring.is_some() || database.joined.is_some();
        if bound && !matches!(change, Change::Access(_)) {
            let text = format!(
                "The operation cannot be performed on database \"{name}\" because it is involved \
                 in a database mirroring session or an availability group."
            );
            return Err(ServerMessage::new(1468, 16, text));
        }
        match change {
            Change::Recovery(model) => {
                database.recovery = model;
                if model == RecoveryModel::Simple {
                    database.last_log_backup = None;
                    database.chain_begun = false;
                }
            }
            Change::State(state) => database.state = state,
            Change::ReadOnly(yes) => {
                if database.state != DbState::Online {
                    return openable(database).map_or(Ok(()), Err);
                }
                database.read_only = yes;
            }
            Change::Access(access) => database.access = access,
        }
        Ok(())
    }
}
