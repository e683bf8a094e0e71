//! The newest backup of a kind that succeeded, with its size and how long it took.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params};
use twinset_domain::schedule::FUTURE;
use twinset_domain::{BackupKind, Fault, Moment};

use super::past::SOURCES;
use super::{Catalog, fault};

/// A backup that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newest {
    /// When it began.
    pub began: Moment,
    /// When it was published, if that is known.
    pub ended: Option<Moment>,
    /// Bytes on each mirror.
    pub bytes: u64,
}

impl Catalog {
    /// The newest published backup of a kind: of this agent's runs under the first key, and of the
    /// sets that lie on the media of any, for what the partner's agent took is held too. Copies and
    /// imports do not count, nor what began far in the future of `now`.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn newest(
        &self,
        keys: &[String],
        database: &str,
        kind: BackupKind,
        now: Moment,
    ) -> Result<Option<Newest>, Fault> {
        let horizon = now.0.saturating_add(FUTURE);
        let read = || -> rusqlite::Result<Option<Newest>> {
            let mut runs = self.connection.prepare(
                "SELECT r.started, r.ended, r.bytes FROM run r
                 WHERE r.media_set = ?1 AND r.database = ?2 AND r.what = ?3 AND r.started <= ?4
                   AND r.state = 'published'
                   AND NOT EXISTS (SELECT 1 FROM backup_set s WHERE s.run = r.run
                                   AND json_extract(s.facts, '$.copy_only') IS TRUE)
                 ORDER BY r.started DESC LIMIT 1",
            )?;
            let (mut newest, mut held) = (None, None);
            for (ours, source) in keys
                .iter()
                .take(1)
                .flat_map(|ours| SOURCES.map(|s| (ours, s)))
            {
                let known = params![ours, database, format!("{source} {kind}"), horizon];
                newest = newest.max(runs.query_row(known, row).optional()?);
            }
            let mut sets = self.connection.prepare(
                "SELECT s.written, json_extract(s.facts, '$.published'), s.bytes FROM backup_set s
                 WHERE s.key = ?1 AND s.database = ?2 AND s.kind = ?3 AND s.written <= ?4
                   AND s.state IN ('published', 'dropped')
                   AND json_extract(s.facts, '$.copy_only') IS NOT TRUE
                 ORDER BY s.written DESC LIMIT 1",
            )?;
            for key in keys {
                let known = params![key, database, kind.to_string(), horizon];
                held = held.max(sets.query_row(known, row).optional()?);
            }
            Ok(match (newest, held) {
                // The same backup twice: the run knows when it ended.
                (Some(run), Some(held)) if held.began <= run.began => Some(run),
                (run, held) => held.or(run),
            })
        };
        read().map_err(|error| fault(&self.path, &error))
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<Newest> {
    Ok(Newest {
        began: Moment(row.get(0)?),
        ended: match row.get(1)? {
            Value::Integer(at) => Some(Moment(at)),
            // As the media have it.
            Value::Text(at) => at.parse().ok(),
            _ => None,
        },
        bytes: row.get::<_, i64>(2)?.unsigned_abs(),
    })
}
