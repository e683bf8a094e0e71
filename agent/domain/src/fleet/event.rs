//! What a shared catalog is told. Each event carries the whole row, never a difference.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alert::Severity;
use crate::integrity::{Check, Depth, Outcome};
use crate::protection::{Record, Sight};
use crate::recover::SetState;
use crate::{BackupKind, MediaSetId, Moment, RunId};

/// Longest name of anything, in characters: SQL Server's names have 128.
pub const MAX_NAME: usize = 256;
/// Longest message, in characters.
pub const MAX_TEXT: usize = 4000;
/// Most sets of SQL Server in one set of ours.
pub const MAX_INSIDE: usize = 64;

/// One change that a fleet wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// An epoch begins: everything that the agent holds follows.
    Begin,
    /// Everything was told: what was told in older epochs and not again is gone.
    Whole,
    /// A backup set as it lies on the media.
    Set(Box<SetTold>),
    /// The agent knows nothing of a position any more.
    SetGone {
        /// The media set.
        media_set: MediaSetId,
        /// The position.
        position: u64,
    },
    /// A run that ended.
    Run(RunTold),
    /// An alert, open or ended.
    Alert(AlertTold),
    /// An integrity check.
    Check(CheckTold),
    /// A protected database.
    Member(MemberTold),
    /// A database is protected no more.
    MemberGone {
        /// The group.
        group: String,
        /// The database.
        database: String,
    },
}

/// A backup set on the media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTold {
    /// The media set.
    pub media_set: MediaSetId,
    /// Its key in the agent's configuration.
    pub key: String,
    /// The position.
    pub position: u64,
    /// Its state.
    pub state: SetState,
    /// The run that wrote it.
    pub run: Option<RunId>,
    /// The database, as it was named then.
    pub database: Option<String>,
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// When it was begun.
    pub written: Option<Moment>,
    /// When it was published.
    pub published: Option<Moment>,
    /// Bytes on each mirror.
    pub bytes: u64,
    /// Mirrors that held it when it was published.
    pub mirrors: u16,
    /// Taken beside the chain.
    pub copy_only: bool,
    /// The database was known to be damaged.
    pub over_damage: bool,
    /// SQL Server's sets inside, at most [`MAX_INSIDE`].
    pub inside: Vec<Inside>,
}

/// A set of SQL Server, which is the same wherever a copy of it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// Its GUID: its key.
    pub set: Option<Uuid>,
    /// `family_guid`: ties all copies of the database together, whatever their server is called.
    pub family: Option<Uuid>,
    /// The branch of its history.
    pub fork: Option<Uuid>,
    /// Name of the database.
    pub database: Option<String>,
    /// Name of the server that took it.
    pub server: Option<String>,
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// Oldest log record, in digits.
    pub first_lsn: Option<String>,
    /// Behind the newest log record, in digits.
    pub last_lsn: Option<String>,
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTold {
    /// The run.
    pub run: RunId,
    /// Key of the media set.
    pub key: String,
    /// The database.
    pub database: String,
    /// Source and kind: `vdi full`.
    pub what: String,
    /// `published`, `unconfirmed` or `failed`.
    pub state: String,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Bytes over all families.
    pub bytes: u64,
    /// First words of the fault.
    pub note: Option<String>,
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTold {
    /// Its number in the agent's catalog.
    pub id: i64,
    /// Its code.
    pub code: String,
    /// What it is about.
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do now.
    pub remedy: String,
    /// The group.
    pub group: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// When it was first seen.
    pub first: Moment,
    /// When it ended.
    pub resolved: Option<Moment>,
    /// Ended by hand.
    pub by_hand: bool,
}

/// An integrity check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckTold {
    /// Its number in the agent's catalog.
    pub id: i64,
    /// The database.
    pub database: String,
    /// The instance, as the configuration names it.
    pub instance: String,
    /// How deep.
    pub depth: Depth,
    /// `clean`, `damaged` or `not finished`.
    pub outcome: String,
    /// What was found, in words.
    pub found: Option<String>,
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Moment,
}

/// A protected database as an agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberTold {
    /// The group.
    pub group: String,
    /// The database.
    pub database: String,
    /// `family_guid`, as far as it was ever seen.
    pub family: Option<Uuid>,
    /// One word: `protected`, `not-principal`, `check-pending` and so on.
    pub state: String,
    /// The same in words.
    pub text: String,
    /// The principal serves without its partner.
    pub exposed: bool,
    /// The instance that serves it, as the configuration names it.
    pub served_by: Option<String>,
}

impl CheckTold {
    /// From a check that is remembered under a number.
    #[must_use]
    pub fn new(id: i64, check: &Check) -> Self {
        let found = match &check.outcome {
            Outcome::Clean => None,
            Outcome::Damaged(damage) => Some(text(&damage.to_string())),
            Outcome::Unfinished(why) => Some(text(&why.to_string())),
        };
        Self {
            id,
            database: name(&check.database),
            instance: name(&check.instance),
            depth: check.depth,
            outcome: check.outcome.word().to_owned(),
            found,
            began: check.began,
            ended: check.ended,
        }
    }
}

impl MemberTold {
    /// From the state of a database.
    #[must_use]
    pub fn new(group: &str, database: &str, record: &Record) -> Self {
        let seen = match &record.sight {
            Sight::Principal { who, .. } => Some(who),
            Sight::Split(ours) => ours.as_ref(),
            Sight::Unseen
            | Sight::NoPrincipal
            | Sight::Unfit(_)
            | Sight::NotOpen(_)
            | Sight::Absent
            | Sight::Unreachable
            | Sight::Forbidden(_) => None,
        };
        let anchor = record.anchor.as_ref();
        let shown = record.shown();
        Self {
            group: name(group),
            database: name(database),
            // While nobody serves it, it is still the database that it was.
            family: seen
                .and_then(|seen| seen.family)
                .or_else(|| anchor.and_then(|anchor| anchor.family)),
            state: shown.word().to_owned(),
            text: text(&shown.to_string()),
            exposed: record.is_exposed(),
            served_by: seen.map(|seen| name(&seen.by)),
        }
    }
}

/// A name as it may be told: no longer than [`MAX_NAME`], without what PostgreSQL cannot hold.
#[must_use]
pub fn name(raw: &str) -> String {
    clipped(raw, MAX_NAME)
}

/// A message as it may be told: no longer than [`MAX_TEXT`], without what PostgreSQL cannot hold.
#[must_use]
pub fn text(raw: &str) -> String {
    clipped(raw, MAX_TEXT)
}

/// PostgreSQL's text holds every character but NUL.
fn clipped(raw: &str, longest: usize) -> String {
    raw.chars()
        .map(|letter| if letter == '\0' { '\u{fffd}' } else { letter })
        .take(longest)
        .collect()
}
