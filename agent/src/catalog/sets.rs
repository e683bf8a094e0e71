//! What lies on the media, as it was last read there.

use rusqlite::{OptionalExtension, params};
use twinset_domain::retention::Accepted;
use twinset_domain::{Fault, Moment};

use super::{Catalog, fault, signed};

impl Catalog {
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
