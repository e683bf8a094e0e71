//! The book of alerts, and the outbox from which receivers are told.
//!
//! An alert and the message about it are one transaction, so that none is lost when a receiver is
//! down or the agent dies. History of this agent: a lost catalog loses it.

mod flood;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, Transaction, params, params_from_iter};
use twinset_domain::alert::{
    Alert, Backoff, Entry, Event, Next, Notice, Raised, Resolved, Severity,
};
use twinset_domain::fleet;
use twinset_domain::{Code, Fault, Moment};

use super::{Catalog, fault, outbox};

/// Most ended alerts that are kept.
const MAX_ENDED: i64 = 10_000;
/// Most messages that are kept.
const MAX_EVENTS: i64 = 10_000;
/// Seconds behind which a message is no news any more (four days: longer than all tries).
const STALE: i64 = 4 * 86_400;
/// Most messages of one round for one channel.
const MAX_PARCELS: i64 = 100;

const COLUMNS: &str = "id, code, object, severity, message, remedy, scope, database, first, last,
                       times, resolved, by_hand, note";

/// Which open alerts are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// This one.
    pub id: Option<i64>,
    /// Of this code.
    pub code: Option<String>,
    /// About this object.
    pub object: Option<String>,
}

/// A message that waits for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its number.
    pub event: i64,
    /// Tries so far.
    pub tries: u32,
    /// What is told.
    pub notice: Notice,
}

impl Catalog {
    /// Raises an alert. One that is open with the same code and object is updated in place; it is
    /// told again only when it has become worse.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn raise(&mut self, alert: &Alert, now: Moment) -> Result<Raised, Fault> {
        let mut raised = Raised::Again;
        self.in_one(|change| {
            let open = change
                .query_row(
                    "SELECT id, severity, message FROM alert
                     WHERE code = ?1 AND object = ?2 AND resolved IS NULL",
                    params![alert.code.text(), alert.object],
                    |row| {
                        let severity: String = row.get(1)?;
                        Ok((row.get(0)?, severity, row.get::<_, String>(2)?))
                    },
                )
                .optional()?;
            let (id, is_news, is_other) = match open {
                Some((id, severity, message)) => {
                    change.execute(
                        "UPDATE alert SET severity = ?2, message = ?3, remedy = ?4, scope = ?5,
                         database = ?6, last = ?7, times = times + 1 WHERE id = ?1",
                        params![
                            id,
                            alert.severity.word(),
                            alert.message,
                            alert.remedy,
                            alert.group,
                            alert.database,
                            now.0
                        ],
                    )?;
                    let before = Severity::from_word(&severity);
                    let is_other = alert.severity != before || alert.message != message;
                    (id, alert.severity > before, is_other)
                }
                None => {
                    raised = Raised::New;
                    (insert(change, alert, now)?, true, true)
                }
            };
            if is_news {
                tell(change, Event::Raised, id, now)?;
            }
            if is_other {
                share(change, id)?;
            }
            Ok(())
        })?;
        Ok(raised)
    }

    /// Ends an alert because its cause is gone; gives whether it was open.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn resolve(&mut self, code: Code, object: &str, now: Moment) -> Result<bool, Fault> {
        let which = Which {
            code: Some(code.text().to_owned()),
            object: Some(object.to_owned()),
            ..Which::default()
        };
        let ended = self.end_alerts(&which, false, None, now)?;
        Ok(!ended.is_empty())
    }

    /// Ends all open alerts about an object because their cause is gone; gives them.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn resolve_about(&mut self, object: &str, now: Moment) -> Result<Vec<Entry>, Fault> {
        let which = Which {
            object: Some(object.to_owned()),
            ..Which::default()
        };
        self.end_alerts(&which, false, None, now)
    }

    /// Ends open alerts by hand; gives them.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn resolve_by_hand(
        &mut self,
        which: &Which,
        note: Option<&str>,
        now: Moment,
    ) -> Result<Vec<Entry>, Fault> {
        self.end_alerts(which, true, note, now)
    }

    fn end_alerts(
        &mut self,
        which: &Which,
        by_hand: bool,
        note: Option<&str>,
        now: Moment,
    ) -> Result<Vec<Entry>, Fault> {
        let mut ended = Vec::new();
        self.in_one(|change| {
            let (condition, values) = which.condition();
            let sql = format!("SELECT {COLUMNS} FROM alert WHERE resolved IS NULL{condition}");
            let mut statement = change.prepare(&sql)?;
            ended = statement
                .query_map(params_from_iter(values), entry)?
                .collect::<rusqlite::Result<_>>()?;
            for one in &mut ended {
                change.execute(
                    "UPDATE alert SET resolved = ?2, by_hand = ?3, note = ?4 WHERE id = ?1",
                    params![one.id, now.0, by_hand, note],
                )?;
                tell(change, Event::Resolved, one.id, now)?;
                share(change, one.id)?;
                one.resolved = Some(Resolved {
                    at: now,
                    by_hand,
                    note: note.map(str::to_owned),
                });
            }
            change.execute(
                "DELETE FROM alert WHERE resolved IS NOT NULL AND id NOT IN
                 (SELECT id FROM alert WHERE resolved IS NOT NULL
                  ORDER BY resolved DESC, id DESC LIMIT ?1)",
                [MAX_ENDED],
            )?;
            Ok(())
        })?;
        Ok(ended)
    }

    /// The open alerts, the worst first, then the newest.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn open_alerts(&self) -> Result<Vec<Entry>, Fault> {
        let mut open = self.alerts("resolved IS NULL ORDER BY first DESC, id DESC", &[])?;
        open.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
        Ok(open)
    }

    /// Alerts that ended since a time, the newest first, at most a thousand.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn ended_alerts(&self, since: Moment) -> Result<Vec<Entry>, Fault> {
        let condition = "resolved >= ?1 ORDER BY resolved DESC, id DESC LIMIT 1000";
        self.alerts(condition, &[Value::Integer(since.0)])
    }

    fn alerts(&self, condition: &str, values: &[Value]) -> Result<Vec<Entry>, Fault> {
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let sql = format!("SELECT {COLUMNS} FROM alert WHERE {condition}");
            let mut statement = self.connection.prepare(&sql)?;
            statement
                .query_map(params_from_iter(values), entry)?
                .collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }

    /// Messages that a channel was not told and that may be tried now, oldest first.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn parcels(&self, channel: &str, agent: &str, now: Moment) -> Result<Vec<Parcel>, Fault> {
        let read = || -> rusqlite::Result<Vec<(i64, u32, String)>> {
            let mut statement = self.connection.prepare(
                "SELECT e.id, coalesce(d.tries, 0), e.body FROM alert_event e
                 LEFT JOIN alert_delivery d ON d.event = e.id AND d.channel = ?1
                 WHERE e.at >= ?2 AND (d.event IS NULL OR (d.state = 'waiting' AND
                       (d.next <= ?3 OR d.next > ?3 + ?4)))
                 ORDER BY e.id LIMIT ?5",
            )?;
            let longest = i64::from(Backoff::USUAL.longest);
            let old = now.0.saturating_sub(STALE);
            // A pause longer than any was written before the clock was set back.
            let known = params![channel, old, now.0, longest, MAX_PARCELS];
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            statement.query_map(known, row)?.collect()
        };
        let rows = read().map_err(|error| fault(&self.path, &error))?;
        let parcel = |(event, tries, body): (i64, u32, String)| {
            let mut notice: Notice = serde_json::from_str(&body)
                .map_err(|error| self.damaged("a message about an alert").cause(error))?;
            agent.clone_into(&mut notice.agent);
            Ok(Parcel {
                event,
                tries,
                notice,
            })
        };
        rows.into_iter().map(parcel).collect()
    }

    /// Writes down how a try ended: told, or why not; then it is tried again later, up to a bound.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn delivered(
        &mut self,
        channel: &str,
        parcel: &Parcel,
        failed: Option<&str>,
        now: Moment,
    ) -> Result<(), Fault> {
        let tries = parcel.tries.saturating_add(1);
        let (state, next) = match failed.map(|_| Backoff::USUAL.after(tries, now)) {
            None => ("told", now),
            Some(Next::At(at)) => ("waiting", at),
            Some(Next::GivenUp) => ("given up", now),
        };
        self.in_one(|change| {
            change
                .execute(
                    "INSERT OR REPLACE INTO alert_delivery
                     (event, channel, state, tries, next, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![parcel.event, channel, state, tries, next.0, failed],
                )
                .map(drop)
        })
    }
}

impl Which {
    fn condition(&self) -> (String, Vec<Value>) {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let all = [
            ("id", self.id.map(Value::Integer)),
            ("code", text(&self.code)),
            ("object", text(&self.object)),
        ];
        let mut condition = String::new();
        let mut values = Vec::new();
        for (column, value) in all {
            let Some(value) = value else { continue };
            values.push(value);
            condition.push_str(&format!(" AND {column} = ?{}", values.len()));
        }
        (condition, values)
    }
}

fn insert(change: &Transaction<'_>, alert: &Alert, now: Moment) -> rusqlite::Result<i64> {
    change.execute(
        "INSERT INTO alert
         (code, object, severity, message, remedy, scope, database, first, last, times)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)",
        params![
            alert.code.text(),
            alert.object,
            alert.severity.word(),
            alert.message,
            alert.remedy,
            alert.group,
            alert.database,
            now.0
        ],
    )?;
    Ok(change.last_insert_rowid())
}

/// Puts a message about an alert, as it stands now, into the outbox.
fn tell(change: &Transaction<'_>, event: Event, id: i64, now: Moment) -> rusqlite::Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE id = ?1");
    let notice = Notice {
        event,
        agent: String::new(),
        at: now,
        alert: change.query_row(&sql, [id], entry)?,
        left_out: 0,
    };
    let body = serde_json::to_string(&notice)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    change.execute(
        "INSERT INTO alert_event (at, body) VALUES (?1, ?2)",
        params![now.0, body],
    )?;
    change.execute(
        "DELETE FROM alert_event WHERE id <= (SELECT MAX(id) FROM alert_event) - ?1",
        [MAX_EVENTS],
    )?;
    Ok(())
}

/// Tells the shared catalog of an alert, as it stands now.
fn share(change: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    outbox::tell(change, || {
        let sql = format!("SELECT {COLUMNS} FROM alert WHERE id = ?1");
        let entry = change.query_row(&sql, [id], entry)?;
        Ok(Some(fleet::Event::Alert(outbox::alert_told(&entry))))
    })
}

/// Every open alert, and the newest that ended since a time.
pub(super) fn each(
    change: &Transaction<'_>,
    (since, most): (Moment, u32),
    say: &mut dyn FnMut(Entry) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let known = [
        (
            "resolved IS NULL AND ?1 IS NOT NULL AND ?2 IS NOT NULL ORDER BY id",
            0,
        ),
        (
            "resolved >= ?1 ORDER BY resolved DESC, id DESC LIMIT ?2",
            most,
        ),
    ];
    for (condition, most) in known {
        let mut statement =
            change.prepare(&format!("SELECT {COLUMNS} FROM alert WHERE {condition}"))?;
        for one in statement.query_map(params![since.0, most], entry)? {
            say(one?)?;
        }
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let resolved = row.get::<_, Option<i64>>(11)?;
    let (by_hand, note) = (row.get(12)?, row.get(13)?);
    Ok(Entry {
        id: row.get(0)?,
        code: row.get(1)?,
        object: row.get(2)?,
        severity: Severity::from_word(&row.get::<_, String>(3)?),
        message: row.get(4)?,
        remedy: row.get(5)?,
        group: row.get(6)?,
        database: row.get(7)?,
        first: Moment(row.get(8)?),
        last: Moment(row.get(9)?),
        times: row.get::<_, i64>(10)?.unsigned_abs(),
        resolved: resolved.map(|at| Resolved {
            at: Moment(at),
            by_hand,
            note,
        }),
    })
}

#[cfg(test)]
mod tests;
