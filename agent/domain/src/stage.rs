//! A backup that SQL Server wrote to files of a stage folder: when is there room, and what becomes
//! of the files once the statement has ended, or once its agent has died?
//!
//! SQL Server acknowledges such a backup when its files are written, long before a mirror holds it
//! (promise P1): so the files are the acknowledged copy, and only proof that SQL Server never
//! counted them lets them go.

use std::fmt;

use serde::Serialize;

use crate::verdict::{History, Verdict};

/// How the statement that wrote the files ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The whole response came and held no ERROR.
    Clean,
    /// Error 3009 alone: the backup is good, SQL Server's history could not be written.
    HistoryFailed,
    /// Another ERROR, and no 3009 among them.
    Failed,
    /// Another ERROR, and 3009 as well: history's silence proves nothing.
    FailedWithoutHistory,
    /// Its connection was lost or its agent died; the server shows no BACKUP of the database now.
    Gone,
    /// It may still run.
    MayRun,
}

/// What the files say of themselves, all families together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Each ends as a backup set ends.
    Complete,
    /// Some file is missing, or ends within a backup set.
    Incomplete,
    /// Compressed or encrypted by SQL Server: whether they are whole cannot be told from outside.
    Hidden,
}

/// What is known when files are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The statement's end.
    pub ended: Ended,
    /// What `msdb` says of a set in these files.
    pub history: History,
    /// What the files say.
    pub stream: Stream,
}

/// What becomes of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// They become a backup set, with this verdict (never [`Verdict::Failed`]).
    TakeIn(Verdict),
    /// SQL Server never counted them: they go.
    Discard,
    /// They stay, for this reason.
    Keep(Why),
}

/// Why files stay where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// BACKUP may still be writing them.
    StillWritten,
    /// SQL Server has the backup, and the files are not whole.
    NotWhole,
    /// Neither SQL Server nor the files themselves prove that they are whole.
    NoProof,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StillWritten => "SQL Server may still be writing them",
            Self::NotWhole => "SQL Server counts this backup, but its files are not whole",
            Self::NoProof => "neither msdb nor the files themselves prove that they are whole",
        })
    }
}

/// Decides. Files that SQL Server may count are never discarded.
#[must_use]
pub const fn judge(evidence: &Evidence) -> Fate {
    use {Ended as E, History as H, Stream as S};
    match (evidence.ended, evidence.history, evidence.stream) {
        // msdb's row is the last thing BACKUP writes.
        (E::Clean, H::Found, S::Complete | S::Hidden)
        | (E::Gone | E::MayRun, H::Found, S::Complete | S::Hidden) => {
            Fate::TakeIn(Verdict::Success)
        }
        (E::MayRun, _, _) if !matches!(evidence.history, H::Found) => Fate::Keep(Why::StillWritten),
        (E::HistoryFailed, _, S::Complete | S::Hidden) => {
            Fate::TakeIn(Verdict::SuccessHistoryMissing)
        }
        (_, H::Found, S::Incomplete) | (E::Clean | E::HistoryFailed, _, S::Incomplete) => {
            Fate::Keep(Why::NotWhole)
        }
        (E::Gone, H::Unknown, _) => Fate::Keep(Why::NoProof),
        (_, _, S::Complete) | (_, H::Found, S::Hidden) => Fate::TakeIn(Verdict::Unconfirmed),
        (_, _, S::Incomplete) | (E::Failed, H::Absent, S::Hidden) => Fate::Discard,
        (_, _, S::Hidden) => Fate::Keep(Why::NoProof),
    }
}

/// What a backup will need, as far as that can be known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimate {
    /// Bytes of the last backup of this kind.
    LastBackup(u64),
    /// Bytes allocated in the database's files: the backup may be far smaller.
    Allocated(u64),
    /// Nothing is known.
    Unknown,
}

/// Whether there is room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Room {
    /// There is.
    Enough,
    /// There may not be: said, and tried.
    Doubtful(String),
    /// There is not: refused before BACKUP begins.
    TooLittle(String),
}

/// A backup may have grown by a tenth since the last one.
const GROWTH: u64 = 10;

/// Compares what is free in the stage folder with what a backup will need, in bytes.
#[must_use]
pub fn room(estimate: Estimate, free: u64) -> Room {
    match estimate {
        Estimate::LastBackup(last) => {
            let wanted = last.saturating_add(last / GROWTH);
            if free >= wanted {
                Room::Enough
            } else {
                Room::TooLittle(format!(
                    "{free} bytes are free, the last backup of this kind took {last}"
                ))
            }
        }
        Estimate::Allocated(bytes) if free < bytes => Room::Doubtful(format!(
            "{free} bytes are free in the stage folder, the database's files hold up to {bytes}"
        )),
        Estimate::Allocated(_) | Estimate::Unknown => Room::Enough,
    }
}

#[cfg(test)]
mod tests;
