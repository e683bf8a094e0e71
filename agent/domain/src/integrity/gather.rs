//! What DBCC CHECKDB says, row by row, and what it comes to (facts: sqlserver.md 6.1).

use super::{Damage, Outcome, Unfinished};

/// Most errors and pages that are kept in words.
const MAX_KEPT: usize = 20;
/// Most characters of one of them.
const MAX_TEXT: usize = 400;
/// Lowest severity of an error.
const ERROR: i64 = 16;
/// The summary of a database.
const SUMMARY: i64 = 8989;
/// The least repair.
const REPAIR: i64 = 8958;
/// The check itself ended: facts could not be gathered (tempdb), an internal error.
const TERMINATED: [i64; 2] = [8921, 8967];
/// Errors that speak of damage where they come as errors of the statement: unreadable pages, byte
/// order and values, then everything that CHECKDB says of allocation, pages, trees and metadata.
const DAMAGE: [std::ops::RangeInclusive<i64>; 3] = [823..=824, 2508..=2579, 8903..=8999];

/// One row of `WITH TABLERESULTS`, or one error of the statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// SQL Server's number.
    pub number: i64,
    /// Its severity; nothing where that was not told.
    pub level: Option<i64>,
    /// Its text, in the server's language.
    pub text: String,
    /// File and page, where it is about one.
    pub page: Option<(i64, i64)>,
    /// The least repair by the row.
    pub repair: Option<String>,
}

/// What was said so far; bounded, however much is said.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    damage: Damage,
    terminated: Option<String>,
    unread: Option<String>,
}

impl Gathered {
    /// Takes one more.
    pub fn take(&mut self, database: &str, said: &Said) {
        if said.number == SUMMARY {
            return self.summed(database, &said.text);
        }
        let is_error = match said.level {
            Some(level) => level >= ERROR,
            None => DAMAGE.iter().any(|range| range.contains(&said.number)),
        };
        if !is_error || said.number == REPAIR {
            return;
        }
        let text = format!("error {}: {}", said.number, shortened(&said.text));
        if TERMINATED.contains(&said.number) {
            self.terminated.get_or_insert(text);
            return;
        }
        let damage = &mut self.damage;
        damage.errors = damage.errors.saturating_add(1);
        if damage.said.len() < MAX_KEPT {
            damage.said.push(text);
        }
        if let Some((file, page)) = said.page.filter(|(file, _)| *file > 0) {
            let page = format!("{file}:{page}");
            if damage.pages.len() < MAX_KEPT && !damage.pages.contains(&page) {
                damage.pages.push(page);
            }
        }
        if let Some(repair) = &said.repair {
            damage.repair.get_or_insert_with(|| shortened(repair));
        }
    }

    /// The first two numbers, in whatever language; the name may hold digits.
    fn summed(&mut self, database: &str, text: &str) {
        let text = text.replace(database, "");
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse::<u64>().ok());
        match (numbers.next(), numbers.next()) {
            (Some(allocation), Some(consistency)) => {
                (self.damage.allocation, self.damage.consistency) = (allocation, consistency);
            }
            _ => self.unread = Some(shortened(&text)),
        }
    }

    /// Whether an error speaks of damage.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        let damage = &self.damage;
        damage.errors > 0 || damage.allocation > 0 || damage.consistency > 0
    }

    /// What it comes to, when the statement has ended by itself.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        if self.is_damaged() {
            return Outcome::Damaged(self.damage);
        }
        match (self.terminated, self.unread) {
            (Some(why), _) => Outcome::Unfinished(Unfinished::Failed(why)),
            (None, Some(text)) => Outcome::Unfinished(Unfinished::Failed(format!(
                "its summary cannot be read: {text}"
            ))),
            (None, None) => Outcome::Clean,
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
