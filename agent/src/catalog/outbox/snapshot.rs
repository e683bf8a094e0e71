//! Everything that a fleet wants to know of this catalog, as the events that an epoch begins with.

use rusqlite::{Transaction, params};
use twinset_domain::fleet::{CheckTold, Event, HISTORY, MAX_HISTORY, Tag};
use twinset_domain::{Fault, Moment};
use twinset_format::card::Card;

use super::put;
use super::shapes::{RUN, alert_told, member_told, run_told, set_told};
use crate::catalog::{Catalog, alerts, integrity, signed};

impl Catalog {
    /// Begins an epoch with everything that this catalog holds.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn begin_epoch(&mut self, epoch: u64, now: Moment) -> Result<(), Fault> {
        self.in_one(|change| {
            change.execute("DELETE FROM outbox", [])?;
            change.execute(
                "UPDATE shared SET epoch = ?1, open = 1, newest = 0, acked = 0, tag = ?2",
                params![signed(epoch), Tag::NONE.0.to_string()],
            )?;
            let mut number = 0;
            each(change, now, &mut |event| {
                number += 1;
                put(change, number, event, now)
            })?;
            change
                .execute("UPDATE shared SET newest = ?1", [number])
                .map(drop)
        })
    }
}

/// Says each event.
fn each(
    change: &Transaction<'_>,
    now: Moment,
    say: &mut dyn FnMut(&Event) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let since = now.0.saturating_sub(HISTORY * 86_400);
    say(&Event::Begin)?;
    sets(change, say)?;
    members(change, say)?;
    let sql =
        format!("{RUN} WHERE state <> 'reserved' AND started >= ?1 ORDER BY started DESC LIMIT ?2");
    let mut statement = change.prepare(&sql)?;
    let mut rows = statement.query(params![since, MAX_HISTORY])?;
    while let Some(row) = rows.next()? {
        if let Some(run) = run_told(row)? {
            say(&Event::Run(run))?;
        }
    }
    alerts::each(change, (Moment(since), MAX_HISTORY), &mut |entry| {
        say(&Event::Alert(alert_told(&entry)))
    })?;
    integrity::each(change, &mut |id, check| {
        say(&Event::Check(CheckTold::new(id, &check)))
    })?;
    say(&Event::Whole)
}

fn sets(
    change: &Transaction<'_>,
    say: &mut dyn FnMut(&Event) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    // Those of a media set that was replaced under its key are not held any more.
    let mut statement = change.prepare(
        "SELECT s.key, s.media_set, s.facts FROM backup_set s
         LEFT JOIN media_set m ON m.key = s.key
         WHERE m.id IS NULL OR m.id = s.media_set ORDER BY s.key, s.position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, id, facts): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let card = serde_json::from_str::<Card>(&facts);
        // What is damaged here is said by whoever reads it for a deed.
        if let (Ok(card), Ok(id)) = (card, id.parse()) {
            say(&Event::Set(Box::new(set_told(&key, id, &card))))?;
        }
    }
    Ok(())
}

fn members(
    change: &Transaction<'_>,
    say: &mut dyn FnMut(&Event) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = change.prepare("SELECT scope, database, record FROM protection")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (group, database, record): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(member) = member_told(&group, &database, &record) {
            say(&Event::Member(member))?;
        }
    }
    Ok(())
}
