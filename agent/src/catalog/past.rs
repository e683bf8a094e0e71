//! The last runs of each database, for its schedule and for its age.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};
use twinset_domain::schedule::{Attempt, FUTURE, MAX_FAILURES, Past};
use twinset_domain::{BackupKind, Fault, Moment};

use super::{Catalog, RunState, fault, schema};

/// Sources whose runs serve a schedule: an import takes no backup.
pub(super) const SOURCES: [&str; 2] = ["vdi", "stage"];

/// What began of a database in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The database.
    pub database: String,
    /// Runs that succeeded.
    pub succeeded: u64,
    /// Runs that failed, or whose end is not known.
    pub failed: u64,
    /// Bytes of those that succeeded.
    pub bytes: u64,
}

impl Catalog {
    /// Opens the catalog of a state folder to read it, if there is one.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn look(state_dir: &Path) -> Result<Option<Self>, Fault> {
        let path = state_dir.join("catalog.sqlite");
        let text = path.display().to_string();
        if !path.exists() {
            return Ok(None);
        }
        let opened = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(schema::known);
        match opened.map_err(|error| fault(&text, &error))? {
            Some(connection) => Ok(Some(Self {
                connection,
                path: text,
            })),
            // One of an older release: what it remembers stands in other tables.
            None => Self::open(state_dir).map(Some),
        }
    }

    /// Databases that the catalog knows under a key, by name.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn databases(&self, media_set: &str) -> Result<Vec<String>, Fault> {
        // From name to name along the index: runs of years are not read one by one.
        let names = |table: &str, key: &str| -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(&format!(
                "WITH RECURSIVE known (name) AS (
                   SELECT MIN(database) FROM {table} WHERE {key} = ?1
                   UNION ALL
                   SELECT (SELECT MIN(database) FROM {table} WHERE {key} = ?1 AND database > name)
                   FROM known WHERE name IS NOT NULL)
                 SELECT name FROM known WHERE name IS NOT NULL"
            ))?;
            statement
                .query_map([media_set], |row| row.get(0))?
                .collect()
        };
        let mut all = names("run", "media_set")
            .and_then(|runs| Ok([runs, names("backup_set", "key")?].concat()))
            .map_err(|error| fault(&self.path, &error))?;
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Keys of all media sets that the catalog knows.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn keys(&self) -> Result<Vec<String>, Fault> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self
                .connection
                .prepare("SELECT key FROM media_set ORDER BY key")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }

    /// What ran of one kind of one database: runs of this agent under the first key, and sets that
    /// lie on the media of any, for what the partner's agent took is held too. Copies and imports
    /// serve no schedule. What began far in the future of `now` is not believed.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn past(
        &self,
        keys: &[String],
        database: &str,
        kind: BackupKind,
        now: Moment,
    ) -> Result<Past, Fault> {
        let read = || -> rusqlite::Result<Vec<Attempt>> {
            let mut attempts = match keys.first() {
                Some(ours) => self.runs_of(ours, database, kind, now)?,
                None => Vec::new(),
            };
            for key in keys {
                let held = self.held(key, database, kind, now)?;
                attempts.extend(held.map(|started| Attempt {
                    started,
                    ended: None,
                    succeeded: true,
                }));
            }
            Ok(attempts)
        };
        let attempts = read().map_err(|error| fault(&self.path, &error))?;
        Ok(Past::of(attempts, now))
    }

    /// When the last set of a kind that lies on the media, and is no copy, was begun.
    fn held(
        &self,
        media_set: &str,
        database: &str,
        kind: BackupKind,
        now: Moment,
    ) -> rusqlite::Result<Option<Moment>> {
        let mut statement = self.connection.prepare(
            "SELECT s.written FROM backup_set s
             WHERE s.key = ?1 AND s.database = ?2 AND s.kind = ?3 AND s.written <= ?4
               AND s.state IN ('published', 'unconfirmed', 'dropped')
               AND json_extract(s.facts, '$.copy_only') IS NOT TRUE
             ORDER BY s.written DESC LIMIT 1",
        )?;
        let horizon = now.0.saturating_add(FUTURE);
        let known = params![media_set, database, kind.to_string(), horizon];
        let mut found = statement.query_map(known, |row| row.get(0).map(Moment))?;
        found.next().transpose()
    }

    fn runs_of(
        &self,
        media_set: &str,
        database: &str,
        kind: BackupKind,
        now: Moment,
    ) -> rusqlite::Result<Vec<Attempt>> {
        let mut statement = self.connection.prepare(
            "SELECT r.started, r.ended, r.state FROM run r
             WHERE r.media_set = ?1 AND r.database = ?2 AND r.what = ?3 AND r.started <= ?4
               AND NOT EXISTS (SELECT 1 FROM backup_set s WHERE s.run = r.run
                               AND json_extract(s.facts, '$.copy_only') IS TRUE)
             ORDER BY r.started DESC LIMIT ?5",
        )?;
        let horizon = now.0.saturating_add(FUTURE);
        let most = i64::try_from(MAX_FAILURES).unwrap_or(i64::MAX);
        let mut attempts = Vec::new();
        for source in SOURCES {
            let what = format!("{source} {kind}");
            let known = params![media_set, database, what, horizon, most];
            let mut rows = statement.query(known)?;
            while let Some(row) = rows.next()? {
                let state = RunState::parse(&row.get::<_, String>(2)?);
                let succeeded = matches!(state, RunState::Published | RunState::Unconfirmed);
                attempts.push(Attempt {
                    started: Moment(row.get(0)?),
                    ended: row.get::<_, Option<i64>>(1)?.map(Moment),
                    succeeded,
                });
                if succeeded {
                    // Those before it tell nothing more.
                    break;
                }
            }
        }
        Ok(attempts)
    }
}

impl Catalog {
    /// What began since a time, by database.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn tallies(&self, media_set: &str, since: Moment) -> Result<Vec<Tally>, Fault> {
        let read = || -> rusqlite::Result<Vec<Tally>> {
            let mut statement = self.connection.prepare(
                "SELECT database, SUM(state IN ('published', 'unconfirmed')),
                        SUM(state IN ('failed', 'reserved')),
                        SUM(CASE WHEN state IN ('published', 'unconfirmed') THEN bytes ELSE 0 END)
                 FROM run WHERE media_set = ?1 AND started >= ?2 GROUP BY database",
            )?;
            let row = |row: &Row<'_>| {
                Ok(Tally {
                    database: row.get(0)?,
                    succeeded: row.get::<_, i64>(1)?.unsigned_abs(),
                    failed: row.get::<_, i64>(2)?.unsigned_abs(),
                    bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                })
            };
            statement
                .query_map(params![media_set, since.0], row)?
                .collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }
}
