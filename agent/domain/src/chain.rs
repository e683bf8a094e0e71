//! The chain guard: what a backup that is asked for should be, so that it can be restored
//! (design 7.3, facts/sqlserver.md 5).
//!
//! A log is worth something only if it begins where something held here ends; a differential only
//! if the full that it stands on is held here. Others may have taken backups in between, the
//! database may be on another recovery fork, or the whole machine may have been rolled back. All of
//! that is seen in a few facts of the source, compared with what the media hold.

mod foreign;
mod judge;

use serde::Serialize;
use uuid::Uuid;

use crate::{BackupKind, Lsn, Moment, Position};

pub use foreign::{Endangered, Foreign, endangered, suspects_others};
pub use judge::judge;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// The kind.
    pub kind: BackupKind,
    /// Outside the chain.
    pub copy_only: bool,
    /// The tail of the log.
    pub tail: bool,
}

/// What bridges a chain that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bridge {
    /// A differential; where that cannot be, a full.
    Differential,
    /// A full.
    Full,
    /// Nothing: the backup is refused.
    Refuse,
}

/// How the database stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// It is master: full backups alone.
    pub is_master: bool,
    /// The simple recovery model: no log backups.
    pub is_simple: bool,
    /// Its data are damaged: SQL Server, which has not started it, tells nothing of its log.
    pub is_damaged: bool,
    /// Which database, across partners.
    pub family: Option<Uuid>,
    /// Its recovery fork.
    pub fork: Option<Uuid>,
    /// Where the next log backup starts; nothing before the first full, and after the log was
    /// given up (pseudo-simple).
    pub next_log: Option<Lsn>,
    /// Differential base of each data file.
    pub bases: Vec<Option<Uuid>>,
}

/// A backup set that the media hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Key of its media set.
    pub media_set: String,
    /// Its position there.
    pub position: Position,
    /// Its kind.
    pub kind: BackupKind,
    /// Its GUID.
    pub set: Option<Uuid>,
    /// Outside the chain.
    pub copy_only: bool,
    /// Oldest record in it.
    pub first: Option<Lsn>,
    /// Record after it.
    pub last: Option<Lsn>,
    /// The full that a differential stands on.
    pub base: Option<Uuid>,
    /// Which database, across partners.
    pub family: Option<Uuid>,
    /// The fork that it ends on.
    pub fork: Option<Uuid>,
    /// When it was begun.
    pub written: Moment,
    /// Nothing before it may be joined with what comes behind it.
    pub new_branch: bool,
    /// Published; else only what the source says of it can prove that SQL Server counts it.
    pub confirmed: bool,
    /// It lies on as many mirrors as it must.
    pub sound: bool,
}

/// Everything that a decision rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// What was asked for.
    pub wanted: Wanted,
    /// What bridges a broken chain.
    pub bridge: Bridge,
    /// How the database stands.
    pub source: Source,
    /// The sets of the database that are held, of all its media sets.
    pub held: Vec<Held>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "do")]
pub enum Action {
    /// A backup of this kind, which need not be the one that was asked for.
    Take {
        /// The kind.
        kind: BackupKind,
        /// A full behind a mark: nothing before it may be joined with what comes behind it.
        new_branch: bool,
    },
    /// Nothing: there is nothing of the kind to take.
    Skip,
    /// Nothing, and the operator must know.
    Refuse,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum Reason {
    /// It is what was asked for, and it fits.
    Fits,
    /// The simple recovery model has no log backups.
    Simple,
    /// Of master only fulls can be taken, and its log never.
    Master,
    /// There was no full yet, or the log was given up: a log would have no base.
    NoBase,
    /// Nothing that is held reaches up to where the next log starts.
    Gap {
        /// Where what is held ends; nothing when nothing restorable is held.
        ends: Option<Lsn>,
        /// Where the next log starts.
        next: Lsn,
    },
    /// The database's own next log starts before what is held ends: the machine was rolled back.
    RolledBack {
        /// Where what is held ends.
        ends: Lsn,
        /// Where the next log starts.
        next: Lsn,
    },
    /// The database is on another fork than the newest set.
    OtherFork {
        /// The fork of the newest set.
        held: Uuid,
        /// The database's.
        now: Uuid,
    },
    /// Data files have no differential base, or not one and the same.
    ManyBases,
    /// The differential base is not held here, or no longer sound.
    BaseNotHeld {
        /// Its GUID.
        base: Uuid,
    },
}

/// The decision, printable before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What was asked for.
    pub wanted: Wanted,
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// Why, in words.
    #[must_use]
    pub fn why(&self) -> String {
        match self.reason {
            Reason::Fits => "it follows on what is held".to_owned(),
            Reason::Simple => "the simple recovery model has no log backups".to_owned(),
            Reason::Master => "of master only full backups can be taken".to_owned(),
            Reason::NoBase => "there is no full backup that a log could follow on".to_owned(),
            Reason::Gap { ends: None, .. } => {
                "nothing is held that the next log could follow on".to_owned()
            }
            Reason::Gap {
                ends: Some(ends),
                next,
            } => format!(
                "the chain is broken: what is held ends at {ends}, the next log starts at {next}"
            ),
            Reason::RolledBack { ends, next } => format!(
                "the machine was rolled back: what is held ends at {ends}, and the next log \
                 starts at {next} again"
            ),
            Reason::OtherFork { held, now } => {
                format!("the database is on another recovery fork: {now}, held is {held}")
            }
            Reason::ManyBases => {
                "its data files do not name one and the same differential base".to_owned()
            }
            Reason::BaseNotHeld { base } => {
                format!("its differential base {base} is not held here")
            }
        }
    }

    /// The kind that is taken, if one is.
    #[must_use]
    pub const fn takes(&self) -> Option<BackupKind> {
        match self.action {
            Action::Take { kind, .. } => Some(kind),
            Action::Skip | Action::Refuse => None,
        }
    }

    /// Whether another kind is taken than was asked for.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.takes().is_some_and(|kind| kind != self.wanted.kind)
    }
}
