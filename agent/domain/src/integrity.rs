//! Integrity checks: DBCC CHECKDB on the database itself (design 7.3).
//!
//! [`Gathered`] takes what the server says row by row and gives an [`Outcome`]; [`Standing`] is what
//! all checks of a database on an instance come to; [`due`] says whether one is to run now, and
//! [`refused`] whether findings stop a backup. A check says nothing of the partner's disks, so every
//! instance has its own standing.

mod due;
mod gather;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BackupKind, Code, Fault, Moment, code};

pub use due::{Cause, Due, Facts, Rule, due};
pub use gather::{Gathered, Said};

/// Longest pause behind a check that came to no result, in seconds (a day).
const DAY: i64 = 86_400;
/// The first of these pauses.
const HOUR: i64 = 3600;

/// How deep a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// `PHYSICAL_ONLY`: pages, records, allocation, checksums.
    Physical,
    /// Everything, logical structure too.
    Full,
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Physical => "physical",
            Self::Full => "full",
        })
    }
}

/// What is wrong with a database, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Errors that the server told, however many are kept below.
    pub errors: u64,
    /// Allocation errors by its summary (8989).
    pub allocation: u64,
    /// Consistency errors by its summary.
    pub consistency: u64,
    /// The first damaged pages, as `file:page`.
    pub pages: Vec<String>,
    /// The least repair that the server names.
    pub repair: Option<String>,
    /// The first errors in the server's words.
    pub said: Vec<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summed = self.allocation.saturating_add(self.consistency);
        match summed {
            0 => write!(f, "{} errors", self.errors)?,
            _ => write!(
                f,
                "{} allocation errors and {} consistency errors",
                self.allocation, self.consistency
            )?,
        }
        if !self.pages.is_empty() {
            write!(f, ", on pages {}", self.pages.join(", "))?;
        }
        Ok(())
    }
}

/// Why a check came to no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unfinished {
    /// Its time was over: so many seconds.
    Budget(u64),
    /// Somebody stopped it.
    Stopped,
    /// It could not be run, or broke off: the fault in a line.
    Failed(String),
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(seconds) => write!(f, "its budget of {seconds} s was over"),
            Self::Stopped => f.write_str("it was stopped"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The server found nothing.
    Clean,
    /// The database is damaged.
    Damaged(Damage),
    /// Nothing is known: neither that it is sound nor that it is not.
    Unfinished(Unfinished),
}

impl Outcome {
    /// One word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Damaged(_) => "damaged",
            Self::Unfinished(_) => "not finished",
        }
    }
}

/// One check of a database on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The database.
    pub database: String,
    /// The instance, as the configuration names it.
    pub instance: String,
    /// How deep.
    pub depth: Depth,
    /// When it began: the moment of the database that it speaks of.
    pub began: Moment,
    /// When it ended.
    pub ended: Moment,
    /// What it came to.
    pub outcome: Outcome,
}

/// Damage that no later check of at least its depth has found gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Begin of the first check that found it.
    pub since: Moment,
    /// Begin of the last.
    pub last: Moment,
    /// The deepest that did: a physical check does not see what only a full one sees.
    pub depth: Depth,
}

/// What all checks of a database on one instance come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Begin of the last check that found nothing, however deep.
    pub clean: Option<Moment>,
    /// Begin of the last check with a result.
    pub physical: Option<Moment>,
    /// Begin of the last full check with a result.
    pub full: Option<Moment>,
    /// Open findings.
    pub found: Option<Found>,
    /// Checks since then that came to no result.
    pub tries: u32,
    /// Before then none is tried again by itself.
    pub pause: Option<Moment>,
}

impl Standing {
    /// What is known after one more check.
    pub fn add(&mut self, check: &Check) {
        let (began, depth) = (check.began, check.depth);
        match &check.outcome {
            Outcome::Unfinished(why) => {
                self.tries = self.tries.saturating_add(1);
                self.pause = Some(Moment(check.ended.0.saturating_add(pause(why, self.tries))));
                return;
            }
            Outcome::Clean => {
                self.clean = self.clean.max(Some(began));
                if self.found.is_some_and(|found| found.depth <= depth) {
                    self.found = None;
                }
            }
            Outcome::Damaged(_) => {
                let found = self.found.get_or_insert(Found {
                    since: began,
                    last: began,
                    depth,
                });
                (found.last, found.depth) = (began, found.depth.max(depth));
            }
        }
        (self.tries, self.pause) = (0, None);
        self.physical = self.physical.max(Some(began));
        if depth == Depth::Full {
            self.full = self.full.max(Some(began));
        }
    }

    /// Begin of the last check of at least a depth that had a result.
    #[must_use]
    pub const fn checked(&self, depth: Depth) -> Option<Moment> {
        match depth {
            Depth::Physical => self.physical,
            Depth::Full => self.full,
        }
    }
}

/// Seconds before a check that came to no result is tried again: a budget that was too short once
/// is so again an hour later.
fn pause(why: &Unfinished, tries: u32) -> i64 {
    match why {
        Unfinished::Budget(_) => DAY,
        Unfinished::Stopped | Unfinished::Failed(_) => {
            let doubled = HOUR << tries.saturating_sub(1).min(5);
            doubled.min(DAY)
        }
    }
}

/// What alerts and refusals about a database on an instance are about.
#[must_use]
pub fn object(group: &str, database: &str, instance: &str) -> String {
    format!("group {group}, integrity of {database} on {instance}")
}

/// What is said of a check that was not clean; nothing of a clean one.
#[must_use]
pub fn fault(group: &str, check: &Check) -> Option<Fault> {
    let object = object(group, &check.database, &check.instance);
    let (database, depth) = (&check.database, check.depth);
    match &check.outcome {
        Outcome::Clean => None,
        Outcome::Damaged(damage) => {
            let message = format!("DBCC CHECKDB found the database damaged: {damage}");
            let fault = Fault::new(code::INTEGRITY, object, message);
            let fault = damage.said.iter().fold(fault, Fault::cause);
            let repair = damage.repair.as_ref().map_or_else(String::new, |repair| {
                format!("; the server's least repair is {repair}, which may lose data")
            });
            Some(fault.remedy(format!(
                "look at the disks first; restore the pages or the database from a set before the \
                 damage (twinset restore points {database}){repair}. No set of it expires \
                 meanwhile. Then: twinset integrity {group} --database {database} --{depth}"
            )))
        }
        Outcome::Unfinished(why) => {
            let message = format!("the integrity check did not finish: {why}");
            Some(
                Fault::new(unfinished_code(why), object, message)
                    .cause("it says neither that the database is sound nor that it is not")
                    .remedy(remedy(why)),
            )
        }
    }
}

const fn unfinished_code(why: &Unfinished) -> Code {
    match why {
        Unfinished::Stopped => code::CANCELLED,
        Unfinished::Budget(_) | Unfinished::Failed(_) => code::INTEGRITY_UNFINISHED,
    }
}

const fn remedy(why: &Unfinished) -> &'static str {
    match why {
        Unfinished::Budget(_) => {
            "raise [check] budget, or choose integrity = \"physical\", which takes much less time"
        }
        Unfinished::Stopped => "start it again when it suits",
        Unfinished::Failed(_) => {
            "mend the cause; twinset doctor names a right that is missing. It is tried again by \
             itself"
        }
    }
}

/// Why findings stop a backup, where the group says `gate = true`. Logs go on: they are what mends
/// damaged pages up to the last moment; so do copies that somebody asks for.
#[must_use]
pub fn refused(
    standing: &Standing,
    (kind, copy_only): (BackupKind, bool),
    (group, database, instance): (&str, &str, &str),
) -> Option<Fault> {
    let found = standing
        .found
        .filter(|_| kind != BackupKind::Log && !copy_only)?;
    let object = object(group, database, instance);
    let message = format!(
        "the database is damaged (integrity check of {}), and the group wants no {kind} backup of \
         it then ([check] gate)",
        found.last
    );
    Some(Fault::new(code::INTEGRITY_GATE, object, message).remedy(format!(
        "mend the database, then: twinset integrity {group} --database {database} --{}; logs are \
         taken meanwhile, and copies by --copy-only",
        found.depth
    )))
}

/// Why nothing of a database may expire; nothing where it may. What was taken before the last clean
/// check may be all that is sound, and what came behind leads on from it.
#[must_use]
pub fn freezes(standing: &Standing, database: &str, instance: &str) -> Option<String> {
    let found = standing.found?;
    let clean = standing.clean.map_or_else(
        || "no check was ever clean".to_owned(),
        |clean| format!("last clean {clean}"),
    );
    Some(format!(
        "{database} is damaged on {instance} (found {}; {clean})",
        found.since
    ))
}

#[cfg(test)]
mod tests;
