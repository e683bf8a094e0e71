//! What waits for the shared catalog. A change and the event that tells it are one transaction.
//!
//! Nothing is written down before the two have met, nor after too much has piled up: then the next
//! meeting begins an epoch with everything that this catalog holds (see
//! [`twinset_domain::fleet`]). So an agent without a shared catalog never writes here.

mod shapes;
mod snapshot;

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use twinset_domain::fleet::{
    Batch, Event, MAX_BATCH, MAX_WAITING, Mark, Ours, RunTold, Tag, Told, Tries,
};
use twinset_domain::{Fault, Moment, RunId};

use super::{Catalog, fault, signed};
use crate::clock;

pub(super) use shapes::{alert_told, member_told, set_told};

/// How things stand with the shared catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sharing {
    /// The epoch that is told; nothing before the first meeting.
    pub epoch: Option<u64>,
    /// Events that wait; nothing where everything does: the next meeting begins an epoch.
    pub waiting: Option<u64>,
    /// When the oldest of them happened.
    pub since: Option<Moment>,
    /// How the last tries went.
    #[serde(flatten)]
    pub tries: Tries,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// How tries went, as it is kept.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    tries: Tries,
    fault: Option<Fault>,
}

impl Catalog {
    /// What the outbox holds, as far as a meeting is concerned.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn ours(&self) -> Result<Ours, Fault> {
        let sql = "SELECT epoch, open, acked FROM shared";
        let found = self.connection.query_row(sql, [], |row| {
            Ok(Ours {
                epoch: row.get::<_, i64>(0)?.unsigned_abs(),
                open: row.get(1)?,
                acked: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        });
        found.map_err(|error| fault(&self.path, &error))
    }

    /// The highest number that was given in the current epoch.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn newest_event(&self) -> Result<u64, Fault> {
        let sql = "SELECT newest FROM shared";
        let found = self
            .connection
            .query_row(sql, [], |row| row.get::<_, i64>(0));
        found
            .map(i64::unsigned_abs)
            .map_err(|error| fault(&self.path, &error))
    }

    /// The tag under a number of the current epoch, if it is still known.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn tag_of(&self, number: u64) -> Result<Option<Tag>, Fault> {
        let sql = "SELECT tag FROM outbox WHERE number = ?1
                   UNION ALL SELECT tag FROM shared WHERE acked = ?1 LIMIT 1";
        let found = self.connection.query_row(sql, [signed(number)], tag);
        found.optional().map_err(|error| fault(&self.path, &error))
    }

    /// The next batch behind a number; empty where nothing waits.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn batch(&self, after: u64) -> Result<Batch, Fault> {
        let read = || -> rusqlite::Result<Vec<(i64, Tag, i64, String)>> {
            let mut statement = self.connection.prepare(
                "SELECT tag, number, at, body FROM outbox WHERE number > ?1
                 ORDER BY number LIMIT ?2",
            )?;
            let row = |row: &Row<'_>| Ok((row.get(1)?, tag(row)?, row.get(2)?, row.get(3)?));
            statement
                .query_map(params![signed(after), MAX_BATCH], row)?
                .collect()
        };
        let rows = read().map_err(|error| fault(&self.path, &error))?;
        let told = |(number, tag, at, body): (i64, Tag, i64, String)| {
            let event = serde_json::from_str(&body)
                .map_err(|error| self.damaged("an event of the outbox").cause(error))?;
            Ok(Told {
                number: number.unsigned_abs(),
                tag,
                at: Moment(at),
                event,
            })
        };
        let events = rows.into_iter().map(told).collect::<Result<_, Fault>>()?;
        Ok(Batch {
            epoch: self.ours()?.epoch,
            before: self.tag_of(after)?.unwrap_or(Tag::NONE),
            events,
        })
    }

    /// The shared catalog has taken everything up to a mark: that waits no more.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn acknowledge(&mut self, mark: &Mark) -> Result<(), Fault> {
        self.in_one(|change| {
            let taken = change.execute(
                "UPDATE shared SET acked = ?2, tag = ?3 WHERE epoch = ?1 AND open AND acked < ?2",
                params![
                    signed(mark.epoch),
                    signed(mark.last),
                    mark.tag.0.to_string()
                ],
            )?;
            if taken > 0 {
                change.execute("DELETE FROM outbox WHERE number <= ?1", [signed(mark.last)])?;
            }
            Ok(())
        })
    }

    /// How things stand with the shared catalog.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn sharing(&self) -> Result<Sharing, Fault> {
        let sql = "SELECT epoch, open, newest - acked, tries,
                   (SELECT at FROM outbox ORDER BY number LIMIT 1) FROM shared";
        let read = self.connection.query_row(sql, [], |row| {
            let (epoch, is_open) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?);
            let kept: Option<String> = row.get(3)?;
            // What another release wrote tells of the past alone.
            let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
            let kept: Kept = kept.unwrap_or_default();
            let waiting = row.get::<_, i64>(2)?.unsigned_abs();
            Ok(Sharing {
                epoch: (epoch > 0).then_some(epoch),
                waiting: Some(waiting).filter(|_| is_open),
                since: row.get::<_, Option<i64>>(4)?.map(Moment),
                tries: kept.tries,
                fault: kept.fault,
            })
        });
        read.map_err(|error| fault(&self.path, &error))
    }

    /// Writes down how a try to reach the shared catalog went.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn tried(&mut self, tries: Tries, failed: Option<&Fault>) -> Result<(), Fault> {
        let kept = Kept {
            tries,
            fault: failed.cloned(),
        };
        let text = serde_json::to_string(&kept).unwrap_or_default();
        self.in_one(|change| {
            change
                .execute("UPDATE shared SET tries = ?1", [text])
                .map(drop)
        })
    }
}

fn tag(row: &Row<'_>) -> rusqlite::Result<Tag> {
    let text: String = row.get(0)?;
    text.parse().map(Tag).map_err(|error: uuid::Error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

fn put(change: &Transaction<'_>, number: i64, event: &Event, at: Moment) -> rusqlite::Result<()> {
    let body = serde_json::to_string(event)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    change
        .prepare_cached("INSERT INTO outbox (number, at, tag, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![number, at.0, Tag::random().0.to_string(), body])
        .map(drop)
}

/// A run, as it stands now.
pub(super) fn run(change: &Transaction<'_>, run: RunId) -> rusqlite::Result<Option<RunTold>> {
    let sql = format!("{} WHERE run = ?1", shapes::RUN);
    let mut statement = change.prepare_cached(&sql)?;
    let found = statement.query_row([run.to_string()], shapes::run_told);
    Ok(found.optional()?.flatten())
}

/// Whether changes are written down.
fn is_open(change: &Transaction<'_>) -> rusqlite::Result<bool> {
    change
        .prepare_cached("SELECT open FROM shared")?
        .query_row([], |row| row.get(0))
}

/// Writes an event down, in the transaction of the change that it tells. When too much waits,
/// everything is given up for a new epoch.
pub(super) fn tell(
    change: &Transaction<'_>,
    event: impl FnOnce() -> rusqlite::Result<Option<Event>>,
) -> rusqlite::Result<()> {
    if !is_open(change)? {
        return Ok(());
    }
    let Some(event) = event()? else { return Ok(()) };
    let (newest, acked): (i64, i64) = change
        .prepare_cached("UPDATE shared SET newest = newest + 1 RETURNING newest, acked")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if newest.saturating_sub(acked).unsigned_abs() > MAX_WAITING {
        change.execute("DELETE FROM outbox", [])?;
        return change.execute("UPDATE shared SET open = 0", []).map(drop);
    }
    put(change, newest, &event, clock::now())
}

#[cfg(test)]
mod tests;
