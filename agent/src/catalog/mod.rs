//! What the agent remembers: which media sets it knows, what it is about to write, what it wrote.
//!
//! The catalog is disposable (promise P7): everything in it that matters for restoring lies on the
//! media too. What it adds is the intent before the deed: a run is entered before its first byte.

mod alerts;
mod foreign;
mod integrity;
mod newest;
mod outbox;
mod past;
mod protection;
mod schema;
mod sets;

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use twinset_domain::fleet::Event;
use twinset_domain::{Fault, MediaSetId, Moment, Position, RunId, code};

pub use alerts::{Parcel, Which};
pub use foreign::Seen;
pub use integrity::{Standings, standing};
pub use newest::Newest;
pub use outbox::Sharing;
pub use past::Tally;
pub use sets::Remembered;

/// The open catalog.
pub struct Catalog {
    connection: Connection,
    path: String,
}

/// A media set as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownSet {
    /// Its id.
    pub id: MediaSetId,
    /// Highest position ever reserved.
    pub highest: u64,
    /// Writing order of the last verdict or void.
    pub sequence: u64,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Its position is reserved; anything may be on the media.
    Reserved,
    /// Published.
    Published,
    /// Sealed, but SQL Server's verdict is not known.
    Unconfirmed,
    /// Ended without success; nothing of it is left.
    Failed,
}

impl RunState {
    const fn text(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Published => "published",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "published" => Self::Published,
            "unconfirmed" => Self::Unconfirmed,
            "failed" => Self::Failed,
            _ => Self::Reserved,
        }
    }
}

/// What is about to be written.
#[derive(Clone, Debug)]
pub struct Intent<'a> {
    /// Key of the media set in the configuration.
    pub media_set: &'a str,
    /// The run.
    pub run: RunId,
    /// Where it writes.
    pub position: Position,
    /// Which database.
    pub database: &'a str,
    /// Source and kind, for people.
    pub what: &'a str,
    /// When it began.
    pub started: Moment,
}

/// A run as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The run.
    pub run: String,
    /// Key of the media set.
    pub media_set: String,
    /// Position it was given.
    pub position: u64,
    /// Database.
    pub database: String,
    /// Source and kind.
    pub what: String,
    /// How far it came.
    pub state: RunState,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Bytes over all families.
    pub bytes: u64,
    /// First words of the fault, if it failed.
    pub note: Option<String>,
}

impl Catalog {
    /// Opens or makes the catalog of a state folder.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn open(state_dir: &Path) -> Result<Self, Fault> {
        let path = state_dir.join("catalog.sqlite");
        let text = path.display().to_string();
        let connection = schema::open(&path).map_err(|error| fault(&text, &error))?;
        Ok(Self {
            connection,
            path: text,
        })
    }

    /// The media set behind a key of the configuration.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn media_set(&self, key: &str) -> Result<Option<KnownSet>, Fault> {
        self.connection
            .query_row(
                "SELECT id, highest, sequence FROM media_set WHERE key = ?1",
                [key],
                |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get::<_, i64>(2)?,
                    ))
                },
            )
            .optional()
            .map_err(|error| fault(&self.path, &error))?
            .map(|(id, highest, sequence)| {
                let id = id.parse().map_err(|_| self.damaged("a media set id"))?;
                Ok(KnownSet {
                    id,
                    highest: highest.unsigned_abs(),
                    sequence: sequence.unsigned_abs(),
                })
            })
            .transpose()
            .map(|known| known.or_else(|| named_by_id(key)))
    }

    /// Binds a key of the configuration to a media set; a new id starts its counters anew. What is
    /// bound so already is not written again: each transaction waits for the disk.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn attach(&mut self, key: &str, known: &KnownSet) -> Result<(), Fault> {
        let is_bound = |bound: KnownSet| {
            let counted = bound.highest >= known.highest && bound.sequence >= known.sequence;
            bound.id == known.id && counted
        };
        // A key that is named by its id has no row.
        let named = named_by_id(key).is_some();
        if !named && self.media_set(key)?.is_some_and(is_bound) {
            return Ok(());
        }
        let mut transaction = || -> rusqlite::Result<()> {
            let change = self.connection.transaction()?;
            sets::forsake(&change, key, known.id)?;
            // Runs of another media set under this key say nothing of the new one's positions.
            change.execute(
                "UPDATE run SET media_set = ?1 || '@' ||
                   (SELECT id FROM media_set WHERE key = ?1)
                 WHERE media_set = ?1
                   AND EXISTS (SELECT 1 FROM media_set WHERE key = ?1 AND id <> ?2)",
                params![key, known.id.to_string()],
            )?;
            change.execute(
                "INSERT INTO media_set (key, id, highest, sequence) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET
                   highest = CASE WHEN id = excluded.id THEN MAX(highest, excluded.highest)
                                  ELSE excluded.highest END,
                   sequence = CASE WHEN id = excluded.id THEN MAX(sequence, excluded.sequence)
                                   ELSE excluded.sequence END,
                   id = excluded.id",
                params![
                    key,
                    known.id.to_string(),
                    signed(known.highest),
                    signed(known.sequence)
                ],
            )?;
            change.commit()
        };
        transaction().map_err(|error| fault(&self.path, &error))
    }

    /// Writes down what is about to be written. Durable when it returns.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn begin(&mut self, intent: &Intent<'_>) -> Result<(), Fault> {
        let position = signed(intent.position.get());
        let mut transaction = || -> rusqlite::Result<()> {
            let change = self.connection.transaction()?;
            change.execute(
                "UPDATE media_set SET highest = MAX(highest, ?2) WHERE key = ?1",
                params![intent.media_set, position],
            )?;
            change.execute(
                "INSERT INTO run (run, media_set, position, database, what, state, started)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'reserved', ?6)",
                params![
                    intent.run.to_string(),
                    intent.media_set,
                    position,
                    intent.database,
                    intent.what,
                    intent.started.0
                ],
            )?;
            change.commit()
        };
        transaction().map_err(|error| fault(&self.path, &error))
    }

    /// Writes down how a run ended, and the order of its verdict.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn end(&mut self, run: RunId, end: &RunEnd<'_>) -> Result<(), Fault> {
        self.in_one(|change| end.write(change, run))
    }

    /// Runs that are not known to have ended, oldest first.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn unfinished(&self, media_set: &str) -> Result<Vec<Run>, Fault> {
        self.runs(
            "media_set = ?1 AND state = 'reserved' ORDER BY started, position",
            media_set,
        )
    }

    /// Positions whose sets were published, or sealed without a verdict.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn settled(&self, media_set: &str) -> Result<BTreeSet<u64>, Fault> {
        let runs = self.runs(
            "media_set = ?1 AND state IN ('published', 'unconfirmed') ORDER BY position",
            media_set,
        )?;
        let mut settled: BTreeSet<u64> = runs.into_iter().map(|run| run.position).collect();
        let read = || -> rusqlite::Result<Vec<i64>> {
            let mut statement = self.connection.prepare(
                "SELECT s.position FROM backup_set s JOIN media_set m
                 ON m.key = s.key AND m.id = s.media_set
                 WHERE s.key = ?1 AND s.state IN ('published', 'unconfirmed', 'dropped')",
            )?;
            statement
                .query_map([media_set], |row| row.get(0))?
                .collect()
        };
        let known = read().map_err(|error| fault(&self.path, &error))?;
        settled.extend(known.into_iter().map(i64::unsigned_abs));
        Ok(settled)
    }

    /// The last runs of a media set, newest first.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn history(&self, media_set: &str) -> Result<Vec<Run>, Fault> {
        self.runs(
            "media_set = ?1 ORDER BY started DESC, position DESC LIMIT 100",
            media_set,
        )
    }

    fn runs(&self, condition: &str, media_set: &str) -> Result<Vec<Run>, Fault> {
        let sql = format!(
            "SELECT run, media_set, position, database, what, state, started, ended, bytes, note
             FROM run WHERE {condition}"
        );
        let read = || -> rusqlite::Result<Vec<Run>> {
            let mut statement = self.connection.prepare(&sql)?;
            let rows = statement.query_map([media_set], |row| {
                Ok(Run {
                    run: row.get(0)?,
                    media_set: row.get(1)?,
                    position: row.get::<_, i64>(2)?.unsigned_abs(),
                    database: row.get(3)?,
                    what: row.get(4)?,
                    state: RunState::parse(&row.get::<_, String>(5)?),
                    started: Moment(row.get(6)?),
                    ended: row.get::<_, Option<i64>>(7)?.map(Moment),
                    bytes: row.get::<_, i64>(8)?.unsigned_abs(),
                    note: row.get(9)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }

    fn damaged(&self, what: &str) -> Fault {
        Fault::new(
            code::CATALOG,
            &self.path,
            format!("{what} in the catalog is damaged"),
        )
        .remedy("move the catalog away, then run: twinset catalog rebuild --from-media")
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd<'a> {
    /// Its state.
    pub state: RunState,
    /// When.
    pub at: Moment,
    /// Bytes over all families.
    pub bytes: u64,
    /// Writing order of the last verdict or void; 0 if none was written.
    pub sequence: u64,
    /// First words of the fault.
    pub note: Option<&'a str>,
}

impl RunEnd<'_> {
    fn write(&self, change: &Transaction<'_>, run: RunId) -> rusqlite::Result<()> {
        change.execute(
            "UPDATE run SET state = ?2, ended = ?3, bytes = ?4, note = ?5 WHERE run = ?1",
            params![
                run.to_string(),
                self.state.text(),
                self.at.0,
                signed(self.bytes),
                self.note
            ],
        )?;
        change.execute(
            "UPDATE media_set SET sequence = MAX(sequence, ?2)
             WHERE key = (SELECT media_set FROM run WHERE run = ?1)",
            params![run.to_string(), signed(self.sequence)],
        )?;
        outbox::tell(change, || {
            let told = outbox::run(change, run)?;
            Ok(told.map(Event::Run))
        })
    }
}

/// A media set that is not the current one of its key is reached as `key@id`; it needs no entry.
fn named_by_id(key: &str) -> Option<KnownSet> {
    let id = key.rsplit_once('@')?.1.parse().ok()?;
    Some(KnownSet {
        id,
        highest: 0,
        sequence: 0,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn fault(path: &str, error: &rusqlite::Error) -> Fault {
    Fault::new(code::CATALOG, path, "the catalog cannot be used").cause(error).remedy(
        "check space and rights of state_dir; the catalog may be moved away, the media hold all facts",
    )
}

#[cfg(test)]
mod tests;
