//! Backups of others that were found in the chain. History of this agent: a lost catalog loses it.

use rusqlite::params;
use serde::Serialize;
use twinset_domain::chain::Endangered;
use twinset_domain::{Fault, Moment};

use super::{Catalog, fault};

/// Most that are remembered of a media set.
const MOST: i64 = 1000;

/// A backup of somebody else, and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The database.
    pub database: String,
    /// When it was first seen.
    pub seen: Moment,
    /// What it is and what it puts at risk.
    #[serde(flatten)]
    pub what: Endangered,
}

impl Catalog {
    /// Remembers backups of others; one that is known stays as it was first seen. Gives how many
    /// are new.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn saw(
        &mut self,
        media_set: &str,
        database: &str,
        found: &[Endangered],
        now: Moment,
    ) -> Result<usize, Fault> {
        let path = self.path.clone();
        let mut write = || -> rusqlite::Result<usize> {
            let mut new = 0;
            let change = self.connection.transaction()?;
            for one in found {
                let facts = serde_json::to_string(one)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                new += change.execute(
                    "INSERT OR IGNORE INTO foreign_backup (media_set, database, found, seen, facts)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![media_set, database, one.by.set.to_string(), now.0, facts],
                )?;
            }
            change.execute(
                "DELETE FROM foreign_backup WHERE media_set = ?1 AND rowid NOT IN
                 (SELECT rowid FROM foreign_backup WHERE media_set = ?1
                  ORDER BY seen DESC, rowid DESC LIMIT ?2)",
                params![media_set, MOST],
            )?;
            change.commit()?;
            Ok(new)
        };
        write().map_err(|error| fault(&path, &error))
    }

    /// Backups of others that were seen since a time, oldest first.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn seen(&self, media_set: &str, since: Moment) -> Result<Vec<Seen>, Fault> {
        let read = || -> rusqlite::Result<Vec<(String, i64, String)>> {
            let mut statement = self.connection.prepare(
                "SELECT database, seen, facts FROM foreign_backup
                 WHERE media_set = ?1 AND seen >= ?2 ORDER BY seen, rowid",
            )?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            statement
                .query_map(params![media_set, since.0], row)?
                .collect()
        };
        let rows = read().map_err(|error| fault(&self.path, &error))?;
        let one = |(database, seen, facts): (String, i64, String)| {
            let what = serde_json::from_str(&facts)
                .map_err(|error| self.damaged("a backup of somebody else").cause(error))?;
            Ok(Seen {
                database,
                seen: Moment(seen),
                what,
            })
        };
        rows.into_iter().map(one).collect()
    }
}
