//! What was told of one alert lately, and what is left out because it comes and goes.

use rusqlite::params;
use twinset_domain::alert::SPAN;
use twinset_domain::{Fault, Moment};

use super::Parcel;
use crate::catalog::{Catalog, fault};

/// Messages about the alert of one code and object, by what became of them on one channel.
const ABOUT: &str = "FROM alert_delivery d JOIN alert_event e ON e.id = d.event
                     WHERE d.channel = ?1 AND d.state = ?2 AND d.next > ?3
                       AND json_extract(e.body, '$.alert.code') = ?4
                       AND json_extract(e.body, '$.alert.object') = ?5";

impl Catalog {
    /// When a channel was told of an alert within the last hour.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn told(&self, channel: &str, parcel: &Parcel, now: Moment) -> Result<Vec<Moment>, Fault> {
        self.about(channel, parcel, "told", now)
    }

    /// Messages about an alert that a channel was not told within the last hour.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn left_out(&self, channel: &str, parcel: &Parcel, now: Moment) -> Result<u64, Fault> {
        let left = self.about(channel, parcel, "left out", now)?;
        Ok(left.len() as u64)
    }

    fn about(
        &self,
        channel: &str,
        parcel: &Parcel,
        state: &str,
        now: Moment,
    ) -> Result<Vec<Moment>, Fault> {
        let read = || -> rusqlite::Result<Vec<Moment>> {
            let mut statement = self.connection.prepare(&format!("SELECT d.next {ABOUT}"))?;
            let since = now.0.saturating_sub(SPAN);
            let alert = &parcel.notice.alert;
            let known = params![channel, state, since, alert.code, alert.object];
            let row = |row: &rusqlite::Row<'_>| row.get(0).map(Moment);
            statement.query_map(known, row)?.collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }

    /// Leaves a message out for one channel.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn leave_out(&mut self, channel: &str, event: i64, now: Moment) -> Result<(), Fault> {
        self.in_one(|change| {
            change
                .execute(
                    "INSERT OR REPLACE INTO alert_delivery
                     (event, channel, state, tries, next, error)
                     VALUES (?1, ?2, 'left out', 0, ?3, NULL)",
                    params![event, channel, now.0],
                )
                .map(drop)
        })
    }
}
