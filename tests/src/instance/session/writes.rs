//! Simulated writes: INSERT into a database's ledger, alone or in a transaction, with or without
//! a mark.

use super::{Session, missing};
use crate::instance::availability::messages::read_only;
use crate::instance::history::Mark;
use crate::instance::ledger::{BLOCKS_PER_WRITE, MAX_NOTE, MAX_WRITES, Write};
use crate::instance::model::{Database, RecoveryModel};
use crate::instance::moment::Moment;
use crate::instance::query::{self, Variables};
use crate::instance::statement::Reader;
use crate::instance::transfer::messages::log_full;
use crate::instance::{Instance, openable};
use crate::tds::tokens::ServerMessage;

/// A write that waits for its transaction.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    database: String,
    note: String,
    bulk: bool,
}

impl Session {
    /// `INSERT [INTO] [db.]dbo.ledger [WITH (TABLOCK)] (note) VALUES (x), ...`; returns the rows.
    pub fn insert(
        &mut self,
        reader: &mut Reader<'_>,
        variables: &Variables,
    ) -> Result<u64, ServerMessage> {
        reader.word("INTO");
        let mut parts = vec![reader.name()?];
        while reader.sign('.') {
            parts.push(reader.name()?);
        }
        let database = match parts.as_slice() {
            [table] if is_ledger(table) => self.database.clone(),
            [_, table] if is_ledger(table) => self.database.clone(),
            [database, _, table] if is_ledger(table) => database.clone(),
            _ => {
                let text = format!("Invalid object name '{}'.", parts.join("."));
                return Err(ServerMessage::new(208, 16, text));
            }
        };
        let bulk = reader.word("WITH");
        if bulk {
            reader.expect_sign('(')?;
            reader.expect_word("TABLOCK")?;
            reader.expect_sign(')')?;
        }
        let notes = self.values(reader, variables)?;
        self.may_write(&database)?;
        let rows = notes.len() as u64;
        let all = notes.into_iter().map(|note| Pending {
            database: database.clone(),
            note,
            bulk,
        });
        self.pending.extend(all);
        if !self.in_transaction() {
            self.commit_writes()?;
        }
        Ok(rows)
    }

    fn values(
        &self,
        reader: &mut Reader<'_>,
        variables: &Variables,
    ) -> Result<Vec<String>, ServerMessage> {
        if reader.sign('(') {
            let column = reader.name()?;
            if !column.eq_ignore_ascii_case("note") {
                return Err(ServerMessage::new(
                    207,
                    16,
                    format!("Invalid column name '{column}'."),
                ));
            }
            reader.expect_sign(')')?;
        }
        reader.expect_word("VALUES")?;
        let mut notes = Vec::new();
        loop {
            reader.expect_sign('(')?;
            let note = self.evaluate(reader.expression()?, variables)?.1.text();
            reader.expect_sign(')')?;
            if note.len() > MAX_NOTE {
                return Err(query::unsupported(format_args!(
                    "notes of more than {MAX_NOTE} bytes"
                )));
            }
            notes.push(note);
            if !reader.sign(',') {
                break;
            }
        }
        if reader.at_end() {
            Ok(notes)
        } else {
            Err(reader.wrong())
        }
    }

    fn may_write(&self, name: &str) -> Result<(), ServerMessage> {
        self.instance.settle();
        let state = self.instance.state();
        let database = state.database(name).ok_or_else(|| missing(name))?;
        if let Some(refused) = openable(database) {
            return Err(refused);
        }
        if database.is_secondary() {
            return Err(read_only(name));
        }
        if database.read_only {
            let text = format!(
                "Failed to update database \"{}\" because the database is read-only.",
                database.name
            );
            return Err(ServerMessage::new(3906, 16, text));
        }
        if !self.login.sysadmin {
            let text = format!(
                "The INSERT permission was denied on the object 'ledger', database '{}', schema \
                 'dbo'.",
                database.name
            );
            return Err(ServerMessage::new(229, 14, text));
        }
        Ok(())
    }

    /// BEGIN TRAN name WITH MARK.
    pub fn mark_transaction(&mut self, name: String, description: String) {
        self.mark = Some((name, description));
    }

    /// The transaction's writes take their places in the log; the last one carries the mark.
    pub(super) fn commit_writes(&mut self) -> Result<(), ServerMessage> {
        let pending = std::mem::take(&mut self.pending);
        let mark = self.mark.take();
        self.instance.settle();
        let now = self.instance.clock.now();
        let mut guard = self.instance.state();
        let state = &mut *guard;
        for (at, write) in pending.iter().enumerate() {
            let Some(database) = state.database_mut(&write.database) else {
                return Err(missing(&write.database));
            };
            // It may have lost its role since the transaction began.
            if let Some(refused) = openable(database) {
                return Err(refused);
            }
            if database.is_secondary() {
                return Err(read_only(&write.database));
            }
            let later = &pending[at + 1..];
            let is_last = !later.iter().any(|next| next.database == write.database);
            let mark = mark.as_ref().filter(|_| is_last);
            let lsn = append(database, write, mark.map(|(name, _)| name.clone()), now)?;
            let name = database.name.clone();
            if let Some((mark, description)) = mark {
                state.msdb.add_mark(&Mark {
                    database: &name,
                    name: mark,
                    description,
                    user: &self.login.name,
                    lsn,
                    at: now,
                });
            }
        }
        Ok(())
    }

    /// ROLLBACK: nothing was written.
    pub(super) fn forget_writes(&mut self) {
        self.pending.clear();
        self.mark = None;
    }
}

impl Instance {
    /// A write by nobody in particular, for orders and tests.
    ///
    /// # Errors
    /// The database does not exist, is not open, is full.
    pub fn write(&self, database: &str, note: &str) -> Result<(), ServerMessage> {
        self.settle();
        let now = self.clock.now();
        let mut guard = self.state();
        let found = guard.database_mut(database);
        let found = found.ok_or_else(|| missing(database))?;
        if let Some(refused) = openable(found) {
            return Err(refused);
        }
        if found.is_secondary() {
            return Err(read_only(database));
        }
        let write = Pending {
            database: database.to_owned(),
            note: note.chars().take(MAX_NOTE / 4).collect(),
            bulk: false,
        };
        append(found, &write, None, now).map(|_| ())
    }
}

fn is_ledger(table: &str) -> bool {
    table.eq_ignore_ascii_case("ledger")
}

fn append(
    database: &mut Database,
    write: &Pending,
    mark: Option<String>,
    now: Moment,
) -> Result<crate::instance::model::Lsn, ServerMessage> {
    if database.writes.len() == MAX_WRITES {
        return Err(query::unsupported(format_args!(
            "more than {MAX_WRITES} writes to a database"
        )));
    }
    let kept = database.truncated_to.unwrap_or_default();
    let unreleased = database.writes.iter().filter(|write| write.lsn >= kept);
    let held = database.recovery != RecoveryModel::Simple && database.last_log_backup.is_some();
    if held
        && database
            .log_limit
            .is_some_and(|limit| unreleased.count() >= limit)
    {
        let why = if database.held_by_mirror() {
            "DATABASE_MIRRORING"
        } else {
            "LOG_BACKUP"
        };
        return Err(log_full(&database.name, why));
    }
    let lsn = database.log_end;
    let bulk = write.bulk && database.recovery == RecoveryModel::BulkLogged;
    database.bulk_changes |= bulk;
    database.writes.push(Write {
        id: database.writes.last().map_or(1, |last| last.id + 1),
        lsn,
        at: now,
        note: write.note.clone(),
        mark,
        bulk,
    });
    database.log_end = lsn.plus_blocks(BLOCKS_PER_WRITE);
    if !held {
        // Nobody needs this log: a checkpoint releases it.
        database.truncated_to = Some(database.log_end);
    }
    Ok(lsn)
}
