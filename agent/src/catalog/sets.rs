//! What lies on the media, as it was last read there.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use twinset_domain::fleet::Event;
use twinset_domain::retention::Accepted;
use twinset_domain::{Fault, MediaSetId, Moment, RunId};
use twinset_format::card::Card;

use super::{Catalog, RunEnd, fault, outbox, signed};

/// A media set with all that is remembered of it. Everything here can be read from the media
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// Key in the configuration.
    pub key: String,
    /// Its id.
    pub media_set: MediaSetId,
    /// Writing order of the last record or void.
    pub sequence: u64,
    /// Its sets, by position.
    pub sets: Vec<Card>,
}

impl Catalog {
    /// Every media set that the catalog knows, with its sets.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn remembered(&self) -> Result<Vec<Remembered>, Fault> {
        let keys = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self
                .connection
                .prepare("SELECT key FROM media_set ORDER BY key")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let mut found = Vec::new();
        for key in keys().map_err(|error| fault(&self.path, &error))? {
            if let Some(known) = self.media_set(&key)? {
                found.push(Remembered {
                    sets: self.sets(&key)?,
                    media_set: known.id,
                    sequence: known.sequence,
                    key,
                });
            }
        }
        Ok(found)
    }

    /// The sets of a media set, by position, as they were last read.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn sets(&self, media_set: &str) -> Result<Vec<Card>, Fault> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(
                "SELECT s.facts FROM backup_set s JOIN media_set m
                 ON m.key = s.key AND m.id = s.media_set
                 WHERE s.key = ?1 ORDER BY s.position",
            )?;
            statement
                .query_map([media_set], |row| row.get(0))?
                .collect()
        };
        let texts = read().map_err(|error| fault(&self.path, &error))?;
        let card = |text: &String| {
            serde_json::from_str(text).map_err(|error| self.damaged("a backup set").cause(error))
        };
        texts.iter().map(card).collect()
    }

    /// The newest set that is known to be published, and the writing order of its verdict.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn last_published(&self, media_set: &str) -> Result<Option<(u64, u64)>, Fault> {
        let card = self.newest_published(media_set)?;
        Ok(card.and_then(|card| Some((card.position.get(), card.verdict?))))
    }

    /// The newest set that is known to be published.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn newest_published(&self, media_set: &str) -> Result<Option<Card>, Fault> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT s.facts FROM backup_set s JOIN media_set m
                 ON m.key = s.key AND m.id = s.media_set
                 WHERE s.key = ?1 AND s.state = 'published' ORDER BY s.position DESC LIMIT 1",
            )?;
            statement
                .query_row([media_set], |row| row.get::<_, String>(0))
                .optional()
        };
        let text = read().map_err(|error| fault(&self.path, &error))?;
        let card = |text: String| -> Result<Card, Fault> {
            serde_json::from_str(&text).map_err(|error| self.damaged("a backup set").cause(error))
        };
        text.map(card).transpose()
    }

    /// Remembers sets; what was known of the same positions is replaced.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn remember(
        &mut self,
        media_set: &str,
        id: MediaSetId,
        cards: &[Card],
    ) -> Result<(), Fault> {
        self.in_one(|change| {
            for card in cards {
                put(change, media_set, id, card)?;
            }
            Ok(())
        })
    }

    /// Writes down how a run ended, and the set that it leaves: both or nothing, with one wait for
    /// the disk.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn end_with(
        &mut self,
        (run, end): (RunId, &RunEnd<'_>),
        (media_set, id): (&str, MediaSetId),
        card: &Card,
    ) -> Result<(), Fault> {
        self.in_one(|change| {
            end.write(change, run)?;
            put(change, media_set, id, card)
        })
    }

    /// Remembers these sets and no others.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn remember_only(
        &mut self,
        media_set: &str,
        id: MediaSetId,
        cards: &[Card],
    ) -> Result<(), Fault> {
        self.in_one(|change| {
            let kept: BTreeSet<i64> = cards
                .iter()
                .map(|card| signed(card.position.get()))
                .collect();
            forget(change, media_set, |position, of| {
                of != id.to_string() || !kept.contains(&position)
            })?;
            for card in cards {
                put(change, media_set, id, card)?;
            }
            Ok(())
        })
    }

    pub(super) fn in_one(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Fault> {
        let path = self.path.clone();
        let transaction = || -> rusqlite::Result<()> {
            let change = self.connection.transaction()?;
            work(&change)?;
            change.commit()
        };
        transaction().map_err(|error| fault(&path, &error))
    }

    /// When it was last agreed that the clock was right, for a media set.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn accepted(&self, media_set: &str) -> Result<Option<Accepted>, Fault> {
        self.connection
            .query_row(
                "SELECT at, position FROM clock WHERE key = ?1",
                [media_set],
                |row| {
                    Ok(Accepted {
                        at: Moment(row.get(0)?),
                        position: row.get::<_, i64>(1)?.unsigned_abs(),
                    })
                },
            )
            .optional()
            .map_err(|error| fault(&self.path, &error))
    }

    /// Writes down that the clock was agreed to be right.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn accept(&mut self, media_set: &str, accepted: Accepted) -> Result<(), Fault> {
        self.connection
            .execute(
                "INSERT INTO clock (key, at, position) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET at = excluded.at, position = excluded.position",
                params![media_set, accepted.at.0, signed(accepted.position)],
            )
            .map(drop)
            .map_err(|error| fault(&self.path, &error))
    }
}

/// Tells that the sets of a media set that another one takes the place of are not held any more.
pub(super) fn forsake(change: &Transaction<'_>, key: &str, by: MediaSetId) -> rusqlite::Result<()> {
    let old: Option<String> = change
        .query_row("SELECT id FROM media_set WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()?;
    match old {
        Some(old) if old != by.to_string() => each_of(change, key, |position, of| {
            if of == old {
                gone(change, position, of)
            } else {
                Ok(())
            }
        }),
        Some(_) | None => Ok(()),
    }
}

/// Forgets positions under a key that `goes` says of.
fn forget(
    change: &Transaction<'_>,
    key: &str,
    goes: impl Fn(i64, &str) -> bool,
) -> rusqlite::Result<()> {
    each_of(change, key, |position, of| {
        if !goes(position, of) {
            return Ok(());
        }
        change
            .prepare_cached("DELETE FROM backup_set WHERE key = ?1 AND position = ?2")?
            .execute(params![key, position])?;
        gone(change, position, of)
    })
}

/// Every position under a key, with its media set.
fn each_of(
    change: &Transaction<'_>,
    key: &str,
    mut what: impl FnMut(i64, &str) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let known: Vec<(i64, String)> = change
        .prepare_cached("SELECT position, media_set FROM backup_set WHERE key = ?1")?
        .query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    known
        .iter()
        .try_for_each(|(position, of)| what(*position, of))
}

fn gone(change: &Transaction<'_>, position: i64, of: &str) -> rusqlite::Result<()> {
    outbox::tell(change, || {
        Ok(of.parse().ok().map(|media_set| Event::SetGone {
            media_set,
            position: position.unsigned_abs(),
        }))
    })
}

fn put(
    change: &Transaction<'_>,
    media_set: &str,
    id: MediaSetId,
    card: &Card,
) -> rusqlite::Result<()> {
    let word = |value: serde_json::Result<serde_json::Value>| {
        let value = value.unwrap_or_default();
        value.as_str().map(str::to_owned)
    };
    let facts = serde_json::to_string(card)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let position = signed(card.position.get());
    let before: Option<(String, String)> = change
        .prepare_cached("SELECT media_set, facts FROM backup_set WHERE key = ?1 AND position = ?2")?
        .query_row(params![media_set, position], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    // What is read again and again is told once.
    match &before {
        Some((of, known)) if *of == id.to_string() && *known == facts => return Ok(()),
        Some((of, _)) if *of != id.to_string() => gone(change, position, of)?,
        Some(_) | None => {}
    }
    outbox::tell(change, || {
        let told = outbox::set_told(media_set, id, card);
        Ok(Some(Event::Set(Box::new(told))))
    })?;
    let mut statement = change.prepare_cached(
        "INSERT OR REPLACE INTO backup_set
         (key, media_set, position, state, run, database, kind, bytes, written, facts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute(params![
        media_set,
        id.to_string(),
        position,
        word(serde_json::to_value(card.state)),
        card.run.map(|run| run.to_string()),
        card.database,
        card.kind.map(|kind| kind.to_string()),
        signed(card.bytes()),
        card.written.map(|written| written.0),
        facts
    ])?;
    Ok(())
}
