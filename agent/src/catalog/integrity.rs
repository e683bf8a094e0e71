//! Integrity checks and what they come to. Local: a check speaks of the disks of one instance.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Row, Transaction, params};
use twinset_domain::fleet::{CheckTold, Event};
use twinset_domain::integrity::{Check, Depth, Standing};
use twinset_domain::{Fault, Moment};

use super::{Catalog, fault, outbox};

/// Checks of one database on one instance that are kept, beside the last of each kind of end.
const MOST: i64 = 50;

/// What all checks come to, by database (in lower case) and instance.
pub type Standings = BTreeMap<(String, String), Standing>;

/// The standing of a database on an instance.
#[must_use]
pub fn standing(all: &Standings, database: &str, instance: &str) -> Standing {
    let key = (database.to_lowercase(), instance.to_owned());
    all.get(&key).cloned().unwrap_or_default()
}

impl Catalog {
    /// Remembers a check.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn checked(&mut self, check: &Check) -> Result<(), Fault> {
        self.in_one(|change| {
            let outcome = serde_json::to_string(&check.outcome)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            change.execute(
                "INSERT INTO integrity (database, instance, depth, word, began, ended, outcome)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    check.database,
                    check.instance,
                    check.depth.to_string(),
                    check.outcome.word(),
                    check.began.0,
                    check.ended.0,
                    outcome
                ],
            )?;
            let id = change.last_insert_rowid();
            outbox::tell(change, || Ok(Some(Event::Check(CheckTold::new(id, check)))))?;
            change
                .execute(
                    "DELETE FROM integrity WHERE database = ?1 AND instance = ?2
                     AND id NOT IN (SELECT id FROM integrity WHERE database = ?1 AND instance = ?2
                                    ORDER BY id DESC LIMIT ?3)
                     AND id NOT IN (SELECT MAX(id) FROM integrity
                                    WHERE database = ?1 AND instance = ?2 GROUP BY depth, word)",
                    params![check.database, check.instance, MOST],
                )
                .map(drop)
        })
    }

    /// The last checks of a database, or of all, the newest first.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn checks(&self, database: Option<&str>, most: u32) -> Result<Vec<Check>, Fault> {
        self.integrity(
            "?1 IS NULL OR database = ?1 ORDER BY id DESC LIMIT ?2",
            (database, most),
        )
    }

    /// What all checks come to.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn standings(&self) -> Result<Standings, Fault> {
        let mut all = Standings::new();
        for check in self.integrity("?1 IS NULL AND ?2 IS NOT NULL ORDER BY id", (None, 0))? {
            let key = (check.database.to_lowercase(), check.instance.clone());
            all.entry(key).or_default().add(&check);
        }
        Ok(all)
    }

    /// A number that changes with every check that is remembered.
    ///
    /// # Errors
    /// [`twinset_domain::code::CATALOG`].
    pub fn integrity_mark(&self) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(MAX(id), 0) FROM integrity";
        let mark = self.connection.query_row(sql, [], |row| row.get(0));
        mark.map_err(|error| fault(&self.path, &error))
    }

    fn integrity(
        &self,
        condition: &str,
        (database, most): (Option<&str>, u32),
    ) -> Result<Vec<Check>, Fault> {
        let read = || -> rusqlite::Result<Vec<Check>> {
            let sql = format!(
                "SELECT database, instance, depth, began, ended, outcome FROM integrity
                 WHERE {condition}"
            );
            let mut statement = self.connection.prepare(&sql)?;
            statement.query_map(params![database, most], row)?.collect()
        };
        read().map_err(|error| fault(&self.path, &error))
    }
}

/// Every check that is kept, with its number.
pub(super) fn each(
    change: &Transaction<'_>,
    say: &mut dyn FnMut(i64, Check) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = change.prepare(
        "SELECT database, instance, depth, began, ended, outcome, id FROM integrity ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(one) = rows.next()? {
        say(one.get(6)?, row(one)?)?;
    }
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<Check> {
    let depth = match row.get::<_, String>(2)?.as_str() {
        "full" => Depth::Full,
        _ => Depth::Physical,
    };
    let outcome: String = row.get(5)?;
    Ok(Check {
        database: row.get(0)?,
        instance: row.get(1)?,
        depth,
        began: Moment(row.get(3)?),
        ended: Moment(row.get(4)?),
        outcome: serde_json::from_str(&outcome).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(5, Type::Text, error.into())
        })?,
    })
}
