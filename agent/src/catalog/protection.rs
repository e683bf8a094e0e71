//! The state of each protected database, and its history. Local: after a loss every database is
//! checked before it is protected again.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use twinset_domain::fleet::{self, Event, MemberTold};
use twinset_domain::protection::Record;
use twinset_domain::{Fault, Moment, code};

use super::{Catalog, fault, outbox};

/// Most entries of history that are kept.
const MOST: i64 = 100_000;

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Moment,
    /// The group.
    pub group: String,
    /// The database.
    pub database: String,
    /// What it became, in words.
    pub text: String,
}

impl Catalog {
    /// Every record: group, database, state.
    ///
    /// # Errors
    /// [`code::CATALOG`]; also when a record was written by a newer release.
    pub fn protected(&self) -> Result<Vec<(String, String, Record)>, Fault> {
        let read = || -> rusqlite::Result<Vec<(String, String, String)>> {
            let mut statement = self.connection.prepare(
                "SELECT scope, database, record FROM protection ORDER BY scope, database",
            )?;
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        let rows = read().map_err(|error| fault(&self.path, &error))?;
        rows.into_iter()
            .map(|(group, database, text)| Ok((group, database, self.parsed(&text)?)))
            .collect()
    }

    /// The state of one database, if the service protects it.
    ///
    /// # Errors
    /// As [`Catalog::protected`].
    pub fn protection(&self, group: &str, database: &str) -> Result<Option<Record>, Fault> {
        let text: Option<String> = self
            .connection
            .query_row(
                "SELECT record FROM protection
                 WHERE scope = ?1 AND database = ?2 COLLATE NOCASE",
                [group, database],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| fault(&self.path, &error))?;
        text.map(|text| self.parsed(&text)).transpose()
    }

    fn parsed(&self, text: &str) -> Result<Record, Fault> {
        serde_json::from_str(text).map_err(|error| {
            Fault::new(code::CATALOG, self.path.clone(), "a state is not readable")
                .cause(error)
                .remedy("use the release that wrote it, or a newer one")
        })
    }

    /// Remembers the state of a database.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn protect(
        &mut self,
        group: &str,
        database: &str,
        record: &Record,
        now: Moment,
    ) -> Result<(), Fault> {
        self.in_one(|change| {
            let text = serde_json::to_string(record)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            outbox::tell(change, || {
                let before = change
                    .prepare_cached(
                        "SELECT record FROM protection WHERE scope = ?1 AND database = ?2",
                    )?
                    .query_row([group, database], |row| row.get::<_, String>(0))
                    .optional()?;
                let before = before.and_then(|text| outbox::member_told(group, database, &text));
                let told = MemberTold::new(group, database, record);
                // Much of a record changes with every look, and nobody else needs to know.
                Ok(Some(told)
                    .filter(|told| before.as_ref() != Some(told))
                    .map(Event::Member))
            })?;
            change
                .prepare_cached(
                    "INSERT INTO protection (scope, database, record, at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (scope, database) DO UPDATE SET record = ?3, at = ?4",
                )?
                .execute(params![group, database, text, now.0])
                .map(drop)
        })
    }

    /// Forgets the state of a database that is protected no more.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn unprotect(&mut self, group: &str, database: &str) -> Result<(), Fault> {
        self.in_one(|change| {
            change.execute(
                "DELETE FROM protection WHERE scope = ?1 AND database = ?2",
                params![group, database],
            )?;
            outbox::tell(change, || {
                Ok(Some(Event::MemberGone {
                    group: fleet::name(group),
                    database: fleet::name(database),
                }))
            })
        })
    }

    /// Writes a line of history.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn note(
        &mut self,
        group: &str,
        database: &str,
        text: &str,
        now: Moment,
    ) -> Result<(), Fault> {
        let write = || -> rusqlite::Result<()> {
            self.connection.execute(
                "INSERT INTO timeline (at, scope, database, text) VALUES (?1, ?2, ?3, ?4)",
                params![now.0, group, database, text],
            )?;
            let newest = self.connection.last_insert_rowid();
            self.connection.execute(
                "DELETE FROM timeline WHERE id <= ?1",
                [newest.saturating_sub(MOST)],
            )?;
            Ok(())
        };
        write().map_err(|error| fault(&self.path, &error))
    }

    /// The newest changes of state, newest first.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn timeline(&self, group: Option<&str>, most: u32) -> Result<Vec<Change>, Fault> {
        let read = || -> rusqlite::Result<Vec<Change>> {
            let mut statement = self.connection.prepare(
                "SELECT at, scope, database, text FROM timeline
                 WHERE ?1 IS NULL OR scope = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            statement
                .query_map(params![group, most], |row| {
                    Ok(Change {
                        at: Moment(row.get(0)?),
                        group: row.get(1)?,
                        database: row.get(2)?,
                        text: row.get(3)?,
                    })
                })?
                .collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }

    /// A number that changes whenever another connection has written.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn mark(&self) -> Result<i64, Fault> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| fault(&self.path, &error))
    }
}
