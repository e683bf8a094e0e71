//! A sealed set without a verdict: is it SQL Server's backup or not? (Design 4.3: confirmed by msdb,
//! by the source's own state, by a later log; voided only with proof; otherwise kept.)

use serde::Serialize;
use uuid::Uuid;

use crate::{BackupKind, Lsn, Position};

/// The sealed set, as its own stream tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// Its GUID.
    pub set: Option<Uuid>,
    /// Oldest record in it.
    pub first_lsn: Option<Lsn>,
    /// Record after it.
    pub last_lsn: Option<Lsn>,
    /// Its fork.
    pub recovery_fork: Option<Uuid>,
    /// Which database, across partners.
    pub family_guid: Option<Uuid>,
    /// Every family's stream ended as a backup ends.
    pub complete: bool,
    /// It may have been taken WITH COPY_ONLY: then it leaves no trace in the source.
    pub maybe_copy_only: bool,
}

/// What the server that took it says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// msdb holds the set.
    pub in_history: bool,
    /// A BACKUP of the database is still under way there.
    pub busy: bool,
    /// Which database, across partners.
    pub family_guid: Option<Uuid>,
    /// Its fork.
    pub recovery_fork: Option<Uuid>,
    /// Where the next log backup starts.
    pub last_log_backup_lsn: Option<Lsn>,
    /// Differential base of each data file.
    pub bases: Vec<Option<Uuid>>,
}

/// A published log backup of the same database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Where it is.
    pub position: Position,
    /// Where it starts.
    pub first_lsn: Lsn,
    /// Its fork.
    pub recovery_fork: Option<Uuid>,
}

/// What can be said of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// msdb has it.
    History,
    /// The data files name it as their differential base.
    DifferentialBase,
    /// The next log backup of the source starts where this one ends.
    LogChain,
    /// A later published log starts where this one ends.
    LaterLog(Position),
    /// The source's next log backup still starts before this one: it never counted.
    NeverCounted,
    /// Nothing is proved: it is kept.
    Open,
}

impl Finding {
    /// Whether the set is SQL Server's backup.
    #[must_use]
    pub const fn confirms(self) -> bool {
        !matches!(self, Self::NeverCounted | Self::Open)
    }

    /// Why, for the record.
    #[must_use]
    pub fn why(self) -> String {
        match self {
            Self::History => "msdb holds the set".to_owned(),
            Self::DifferentialBase => {
                "the data files name it as their differential base".to_owned()
            }
            Self::LogChain => "the next log backup starts where this one ends".to_owned(),
            Self::LaterLog(at) => format!("the log at position {at} starts where this one ends"),
            Self::NeverCounted => "the next log backup still starts before it".to_owned(),
            Self::Open => "nothing is proved".to_owned(),
        }
    }
}

/// Both speak, and say the same.
fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.is_some() && a == b
}

/// Judges a sealed set. `source` is `None` when the server cannot be asked; then only later logs
/// can speak.
#[must_use]
pub fn judge(sealed: &Sealed, source: Option<&Source>, later: &[Log]) -> Finding {
    let Some(source) = source else {
        return by_later_log(sealed, later).unwrap_or(Finding::Open);
    };
    if source.in_history {
        return Finding::History;
    }
    let comparable = sealed.complete
        && same(sealed.family_guid, source.family_guid)
        && same(sealed.recovery_fork, source.recovery_fork);
    if !comparable {
        return by_later_log(sealed, later).unwrap_or(Finding::Open);
    }
    let is_base =
        !source.bases.is_empty() && source.bases.iter().all(|base| same(*base, sealed.set));
    if sealed.kind == Some(BackupKind::Full) && is_base {
        return Finding::DifferentialBase;
    }
    if sealed.kind != Some(BackupKind::Log) {
        return Finding::Open;
    }
    if same(sealed.last_lsn, source.last_log_backup_lsn) && sealed.first_lsn != sealed.last_lsn {
        return Finding::LogChain;
    }
    by_later_log(sealed, later).unwrap_or_else(|| never_counted(sealed, source))
}

fn by_later_log(sealed: &Sealed, later: &[Log]) -> Option<Finding> {
    if sealed.kind != Some(BackupKind::Log) || !sealed.complete {
        return None;
    }
    let follows = |log: &&Log| {
        Some(log.first_lsn) == sealed.last_lsn && same(log.recovery_fork, sealed.recovery_fork)
    };
    let log = later.iter().find(follows)?;
    Some(Finding::LaterLog(log.position))
}

/// A log that was never counted leaves the start of the next one at or before its own.
fn never_counted(sealed: &Sealed, source: &Source) -> Finding {
    let stands_before = match (source.last_log_backup_lsn, sealed.first_lsn) {
        (Some(next), Some(first)) => next <= first,
        _ => false,
    };
    if stands_before && !source.busy && !sealed.maybe_copy_only {
        Finding::NeverCounted
    } else {
        Finding::Open
    }
}
