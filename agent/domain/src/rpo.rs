//! How old the last backup may be, and whether it is too old.
//!
//! Counted from when the backup began: what was written since is not in it. A full holds what a
//! differential would. Where there is no full, that alone is said: nothing can build on it. Of a
//! database that the partner serves the partner's agent tells: ours may hold nothing of it.

use serde::Serialize;

use crate::alert::{Alert, Severity};
use crate::{BackupKind, Moment, code};

/// The rules of a group, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Of the last full.
    pub full: Option<u64>,
    /// Of the last differential, or of a full behind it.
    pub differential: Option<u64>,
    /// Of the last log.
    pub log: Option<u64>,
}

/// A database with its last backups that succeeded, by when they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its name.
    pub database: String,
    /// Whether it is in the simple recovery model, if that is known.
    pub is_simple: Option<bool>,
    /// The partner serves it: its agent takes the backups, and knows how old they are.
    pub elsewhere: bool,
    /// Kinds that another replica takes: the same holds for those.
    pub others: Vec<BackupKind>,
    /// The last full.
    pub full: Option<Moment>,
    /// The last differential.
    pub differential: Option<Moment>,
    /// The last log.
    pub log: Option<Moment>,
}

/// How a kind stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Young enough.
    Good,
    /// Too old, or there is none.
    Breached,
    /// The rule does not hold for this database: no log in the simple recovery model, only fulls of
    /// master.
    Exempt,
    /// There is no full yet, which is said by itself.
    NoBase,
    /// There is no log yet, and the recovery model is not known.
    Unknown,
    /// The partner's agent answers for it; that one's silence is an alert of its own.
    Elsewhere,
}

/// A kind of a database, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// The database.
    pub database: String,
    /// The kind.
    pub kind: BackupKind,
    /// Seconds that are allowed.
    pub limit: u64,
    /// When the last one began.
    pub last: Option<Moment>,
    /// How it stands.
    pub standing: Standing,
}

/// Judges every kind that has a rule, fulls first.
#[must_use]
pub fn judge(limits: &Limits, held: &Held, now: Moment) -> Vec<Reading> {
    let differential = held.differential.max(held.full);
    [
        (BackupKind::Full, limits.full, held.full),
        (BackupKind::Differential, limits.differential, differential),
        (BackupKind::Log, limits.log, held.log),
    ]
    .into_iter()
    .filter_map(|(kind, limit, last)| {
        let limit = limit?;
        Some(Reading {
            database: held.database.clone(),
            kind,
            limit,
            last,
            standing: standing(limits, held, (kind, limit, last), now),
        })
    })
    .collect()
}

fn standing(
    limits: &Limits,
    held: &Held,
    (kind, limit, last): (BackupKind, u64, Option<Moment>),
    now: Moment,
) -> Standing {
    let is_master = held.database.eq_ignore_ascii_case("master");
    match kind {
        _ if held.elsewhere || held.others.contains(&kind) => return Standing::Elsewhere,
        BackupKind::Full => {}
        _ if is_master => return Standing::Exempt,
        BackupKind::Log if held.is_simple == Some(true) => return Standing::Exempt,
        _ if held.full.is_none()
            && limits.full.is_some()
            && !held.others.contains(&BackupKind::Full) =>
        {
            return Standing::NoBase;
        }
        BackupKind::Log if last.is_none() && held.is_simple.is_none() => return Standing::Unknown,
        _ => {}
    }
    // One that lies ahead of the clock is young.
    let age = last.map(|last| u64::try_from(now.0.saturating_sub(last.0)).unwrap_or(0));
    if age.is_some_and(|age| age <= limit) {
        Standing::Good
    } else {
        Standing::Breached
    }
}

/// The object of the alert about a rule.
#[must_use]
pub fn object(group: &str, database: &str, kind: BackupKind) -> String {
    format!("{group}/{database} {kind}")
}

impl Reading {
    /// What to raise, if the rule is broken. The text stays the same while it is.
    #[must_use]
    pub fn alert(&self, group: &str) -> Option<Alert> {
        if self.standing != Standing::Breached {
            return None;
        }
        let (kind, limit) = (self.kind, span(self.limit));
        let message = match self.last {
            None => format!("there is no {kind} backup; at most {limit} may lie between two"),
            Some(last) => {
                format!("the last {kind} backup began {last}; at most {limit} are allowed")
            }
        };
        let remedy = format!(
            "see why none succeeds: twinset plan {group}; take one: twinset backup {group}"
        );
        Some(
            Alert::new(code::RPO, object(group, &self.database, self.kind), message)
                .severity(Severity::Error)
                .remedy(remedy)
                .group(group)
                .database(&self.database),
        )
    }
}

/// A span in its largest whole unit: `30 min`, `8 d`.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let whole = units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(
        || format!("{seconds} s"),
        |(unit, name)| format!("{} {name}", seconds / unit),
    )
}

#[cfg(test)]
mod tests;
