//! Taking over from other tools without a new full: which of their jobs take backups, which chain
//! they left, and what of it is taken in, so that the next log follows on what is held.
//!
//! Two pure questions. [`find`] reads the jobs of SQL Server Agent and says what each does to a
//! chain that is held here. [`take_over`] walks the server's history from the base of the data
//! files to where the next log starts, and says which files are needed; or why a new base is.

mod chain;
mod jobs;
mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use uuid::Uuid;

use crate::{BackupKind, Lsn};

pub use chain::take_over;
pub use jobs::find;

/// A job of SQL Server Agent as msdb has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// Whether it may run at all.
    pub enabled: bool,
    /// Whether an enabled schedule starts it; others start it by hand or by other jobs.
    pub scheduled: bool,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What runs it: `TSQL`, `CmdExec`, `SSIS`, `PowerShell`.
    pub subsystem: String,
    /// What is run.
    pub command: String,
}

/// Whose job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// The maintenance solution of Ola Hallengren (`DatabaseBackup`).
    Hallengren,
    /// A maintenance plan of SQL Server.
    MaintenancePlan,
    /// BACKUP statements of its own.
    Statements,
    /// Something that speaks of backups and does not show what it does.
    Unknown,
}

/// A job that takes backups, or seems to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The job.
    pub job: String,
    /// Its step.
    pub step: String,
    /// Whose it is.
    pub tool: Tool,
    /// It runs by itself: enabled, with an enabled schedule.
    pub active: bool,
    /// Kinds that it takes; none where its command does not say.
    pub kinds: BTreeSet<BackupKind>,
    /// Outside the chain: it breaks nothing.
    pub copy_only: bool,
    /// The T-SQL that stops it.
    pub disable: String,
}

impl Found {
    /// Whether it may take logs, or fulls, that are then missing here.
    #[must_use]
    pub fn breaks(&self) -> bool {
        !self.copy_only && self.kinds.iter().ne([&BackupKind::Differential])
    }
}

/// A backup of whoever, as msdb tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    /// Its GUID.
    pub set: Uuid,
    /// Its kind.
    pub kind: BackupKind,
    /// Outside the chain.
    pub copy_only: bool,
    /// Oldest record in it.
    pub first: Option<Lsn>,
    /// Record after it.
    pub last: Option<Lsn>,
    /// The full that a differential stands on.
    pub base: Option<Uuid>,
    /// Its files, one per family.
    pub files: Vec<String>,
    /// Why they cannot be read from here; nothing where they can.
    pub unreachable: Option<String>,
}

/// What is asked of one database.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The database.
    pub database: &'a str,
    /// How it stands.
    pub source: &'a crate::chain::Source,
    /// What msdb has of it, in any order.
    pub theirs: &'a [Theirs],
    /// GUIDs of the sets that are held here already.
    pub held: &'a BTreeSet<Uuid>,
    /// Families of the media sets: of fulls and differentials, and of logs.
    pub families: (u16, u16),
}

/// Files that become a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// What they hold.
    pub kind: BackupKind,
    /// One per family.
    pub files: Vec<String>,
}

/// How a database goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "next")]
pub enum Outcome {
    /// With logs, or where it has none with differentials: the chain that is held then reaches far
    /// enough.
    GoesOn,
    /// With a full.
    NewBase {
        /// Why.
        why: String,
    },
}

/// What is to be done about a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakeOver {
    /// The database.
    pub database: String,
    /// What is taken in, in this order; nothing where a new base is needed anyway.
    pub imports: Vec<Import>,
    /// How it goes on.
    pub outcome: Outcome,
}
