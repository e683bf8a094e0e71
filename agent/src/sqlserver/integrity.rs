//! DBCC CHECKDB: its statement, run to its end, and what it said (facts: sqlserver.md 6.1).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use twinset_domain::integrity::{Depth, Gathered, Outcome, Said, Unfinished};
use twinset_domain::{Fault, code};

use super::facts::Percent;
use super::plain::{PlainEnd, PlainJob};
use super::statement::quote_name;
use super::{Connector, InstanceSettings, Purpose, Row, StatementEnd};

/// A check of one database.
pub struct Check<'a> {
    /// The instance.
    pub settings: &'a InstanceSettings,
    /// The database.
    pub database: &'a str,
    /// How deep.
    pub depth: Depth,
    /// How long it may take.
    pub budget: Duration,
    /// Set when the operator wants it to stop.
    pub stop: &'a AtomicBool,
    /// Told how far SQL Server says it is.
    pub percent: &'a dyn Fn(&Percent),
}

/// The statement. Findings come as rows, since of several errors a driver tells the first.
#[must_use]
pub fn sql(database: &str, depth: Depth) -> String {
    let more = match depth {
        Depth::Physical => ", PHYSICAL_ONLY",
        Depth::Full => "",
    };
    format!(
        "DBCC CHECKDB ({}) WITH NO_INFOMSGS, TABLERESULTS{more}",
        quote_name(database)
    )
}

impl Check<'_> {
    /// Runs it. What it needs is the right of `db_owner`.
    ///
    /// # Errors
    /// Why it could not be asked at all: the connection's faults, 911, and 954 where the database
    /// is the mirror here. All else is an outcome.
    pub fn run(&self) -> Result<Outcome, Fault> {
        let connector = Connector::new(self.settings.clone(), "integrity");
        let mut control = connector.open(Purpose::Control)?;
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let (book, database) = (Arc::clone(&gathered), self.database.to_owned());
        let job = PlainJob {
            settings: self.settings,
            run: "integrity",
            stop: self.stop,
            limit: Some(self.budget),
            percent: self.percent,
        };
        let each = move |row: &Row| {
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            book.take(&database, &said(row));
        };
        let sql = sql(self.database, self.depth);
        let end = job.run_each(sql, each, &mut control)?;
        let mut book = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gathered = std::mem::take(&mut *book);
        drop(book);
        let end = match end {
            PlainEnd::Ended(end) => end,
            PlainEnd::Stopped | PlainEnd::Lingers => return Ok(self.cut_off(gathered)),
        };
        self.told(&end, &mut gathered)?;
        Ok(match end.fault(self.database) {
            Some(fault) if !gathered.is_damaged() => failed(&fault),
            _ => gathered.outcome(),
        })
    }

    /// What was found before its end was found; that nothing was says nothing.
    fn cut_off(&self, gathered: Gathered) -> Outcome {
        if gathered.is_damaged() {
            return gathered.outcome();
        }
        Outcome::Unfinished(if self.stop.load(Ordering::Relaxed) {
            Unfinished::Stopped
        } else {
            Unfinished::Budget(self.budget.as_secs())
        })
    }

    /// Errors of the statement beside its rows.
    fn told(&self, end: &StatementEnd, gathered: &mut Gathered) -> Result<(), Fault> {
        let StatementEnd::Error { all, .. } = end else {
            return Ok(());
        };
        if let Some(fault) = end.fault(&format!("database {}", self.database))
            && [code::NOT_PRINCIPAL, code::ROLE_UNSEEN].contains(&fault.code)
        {
            return Err(fault);
        }
        for one in all {
            let said = Said {
                number: i64::from(one.number),
                text: one.message.clone(),
                ..Said::default()
            };
            gathered.take(self.database, &said);
        }
        Ok(())
    }
}

fn failed(fault: &Fault) -> Outcome {
    let causes: String = fault
        .causes
        .iter()
        .map(|cause| format!("; {cause}"))
        .collect();
    let why = format!("{} {}{causes}", fault.code, fault.message);
    Outcome::Unfinished(Unfinished::Failed(why))
}

/// One row. Columns that a version lacks are not told.
fn said(row: &Row) -> Said {
    let int = |column| row.int(column).ok().flatten();
    let text = |column| row.text(column).ok().flatten();
    Said {
        number: int("Error").unwrap_or(0),
        // A row without one is taken for an error: nothing that is said goes unheard.
        level: Some(int("Level").unwrap_or(16)),
        text: text("MessageText").unwrap_or_default(),
        page: int("File").zip(int("Page")),
        repair: text("RepairLevel"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let physical = sql("a]b", Depth::Physical);
        let expected = "DBCC CHECKDB ([a]]b]) WITH NO_INFOMSGS, TABLERESULTS, PHYSICAL_ONLY";
        assert_eq!(physical, expected);
        let full = sql("x", Depth::Full);
        assert_eq!(full, "DBCC CHECKDB ([x]) WITH NO_INFOMSGS, TABLERESULTS");
    }
}
