//! Which backup sets may go, and why each of the others stays (design 4.5, promise P8).
//!
//! A pure planner: sets, policies, holds and times go in, a plan with every reason in words comes
//! out. Doubt keeps: what cannot be told, is not confirmed, or is read by somebody is never
//! dropped, and a clock that jumped drops nothing at all.

mod calendar;
mod chains;
mod clock;
mod judge;
mod reason;

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::fork::Forked;
use crate::name::HoldName;
use crate::recover::SetState;
use crate::{BackupKind, Lsn, Moment, Position};

pub use calendar::Period;
pub use clock::{Accepted, Doubt, JUMP, SLACK};
pub use judge::plan;
pub use reason::Reason;

/// Where a set lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Key of the media set.
    pub media_set: String,
    /// Its position there.
    pub position: Position,
}

/// One of SQL Server's own sets inside a backup set: what a chain is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its kind; files and partial backups have none.
    pub kind: Option<BackupKind>,
    /// Its GUID.
    pub set: Option<Uuid>,
    /// GUID of the full that a differential stands on.
    pub base: Option<Uuid>,
    /// Taken beside the chain: no differential stands on it.
    pub copy_only: bool,
    /// Ties all copies of the database together.
    pub family: Option<Uuid>,
    /// Recovery fork at its end.
    pub fork: Option<Uuid>,
    /// The fork that this one came from, if it came from one.
    pub first_fork: Option<Uuid>,
    /// Where it left that one; may lie before the part.
    pub fork_point: Option<Lsn>,
    /// Oldest record in it.
    pub first: Option<Lsn>,
    /// The record after it.
    pub last: Option<Lsn>,
    /// Where redo starts.
    pub checkpoint: Option<Lsn>,
    /// Checkpoint of the full that a differential stands on.
    pub base_checkpoint: Option<Lsn>,
}

impl Part {
    /// Where it stands among the forks.
    const fn forked(&self) -> Forked {
        Forked {
            set: self.set,
            base: self.base,
            fork: self.fork,
            first_fork: self.first_fork,
            fork_point: self.fork_point,
            first: self.first,
            last: self.last,
        }
    }
}

/// A backup set as retention sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Where it lies.
    pub place: Place,
    /// Its state; only published and unconfirmed sets are looked at.
    pub state: SetState,
    /// The database whose replica it belongs to; `None` when no manifest of it can be read.
    pub database: Option<String>,
    /// What is in it, if that can be told.
    pub kind: Option<BackupKind>,
    /// SQL Server's sets inside, in order.
    pub parts: Vec<Part>,
    /// The first full behind a mark: the machine had been rolled back, and log sequence numbers
    /// were given twice.
    pub new_branch: bool,
    /// When it was begun.
    pub began: Moment,
    /// When it was published; for an unconfirmed set, when it was begun.
    pub ended: Moment,
    /// Bytes over all families.
    pub bytes: u64,
    /// Mirrors that hold all of it.
    pub mirrors: u8,
    /// Mirrors that must hold it before it counts.
    pub least: u8,
    /// Which of the policies speak for its database, by their number in [`Question::policies`].
    pub policies: Vec<usize>,
}

/// What a protection group says of keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The group.
    pub group: String,
    /// What it wants.
    pub rule: Rule,
}

/// What a group wants kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everything, and why.
    Everything(String),
    /// What these say.
    Limits(Limits),
}

/// How long and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Span, in seconds, to any moment of which a restore must be possible.
    pub window: Option<i64>,
    /// Last full backups of so many days.
    pub daily: u32,
    /// Of so many ISO weeks.
    pub weekly: u32,
    /// Of so many months.
    pub monthly: u32,
    /// Of so many years.
    pub yearly: u32,
    /// Largest part of the group's sets that one run may drop, in percent.
    pub max_drop_percent: u8,
}

/// Everything that a plan rests on.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Key of the media set that sets may be dropped from.
    pub media_set: &'a str,
    /// Its sets, and those of media sets whose chains run through it.
    pub sets: &'a [Subject],
    /// What the groups say.
    pub policies: &'a [Policy],
    /// Readers of the media set.
    pub holds: &'a [HoldName],
    /// Sets of it that its storage refuses to remove, and until when.
    pub locks: &'a BTreeMap<Position, Moment>,
    /// Now.
    pub now: Moment,
    /// When it was last agreed that the clock was right, if ever.
    pub accepted: Option<Accepted>,
}

impl Question<'_> {
    /// Until when a set's storage refuses to remove it, if it does now.
    fn locked(&self, place: &Place) -> Option<Moment> {
        let lock = self.locks.get(&place.position).copied();
        lock.filter(|until| place.media_set == self.media_set && *until > self.now)
    }
}

/// A set with its sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Where it lies.
    pub position: Position,
    /// Published or unconfirmed.
    pub state: SetState,
    /// The database.
    pub database: Option<String>,
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// When it was begun.
    pub written: Moment,
    /// Bytes over all families.
    pub bytes: u64,
    /// The groups that judged it.
    pub groups: Vec<String>,
    /// It may go.
    pub drop: bool,
    /// Why it stays; for one that goes, why nothing keeps it.
    pub reasons: Vec<Reason>,
}

/// How much a group wants dropped, beside how much one run may drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The group.
    pub group: String,
    /// Its sets on the media set.
    pub sets: usize,
    /// Those that would be dropped.
    pub drops: usize,
    /// Those that one run may drop without being told so.
    pub allowed: usize,
}

/// What a run of retention would do. Printed by `media plan-retention`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// When it was made.
    pub now: Moment,
    /// Every published and unconfirmed set, by position.
    pub sets: Vec<Judged>,
    /// Per group, how much would go.
    pub shares: Vec<Share>,
    /// Why the clock is not believed, if so: then nothing may be dropped.
    pub doubt: Option<Doubt>,
}

impl Plan {
    /// Positions that may go, what stands on others first.
    #[must_use]
    pub fn drops(&self) -> Vec<Position> {
        let dropped = self.sets.iter().rev().filter(|set| set.drop);
        dropped.map(|set| set.position).collect()
    }

    /// Groups of which more would be dropped than one run may.
    pub fn excess(&self) -> impl Iterator<Item = &Share> {
        self.shares
            .iter()
            .filter(|share| share.drops > share.allowed)
    }

    /// The sentence on one set.
    #[must_use]
    pub fn of(&self, position: Position) -> Option<&Judged> {
        self.sets.iter().find(|set| set.position == position)
    }
}
