//! A set that could be restored, with what ties it to others.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use crate::fork::Forked;
use crate::recover::SetState;
use crate::{BackupKind, Lsn, Moment, Position, RunId, Slot};

/// Where a set lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Key of its media set in the configuration.
    pub media_set: String,
    /// Its position there.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} position {}", self.media_set, self.position)
    }
}

/// What ties one set of SQL Server to others of its database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its GUID.
    pub set: Option<Uuid>,
    /// Ties all copies of the database together.
    pub family: Option<Uuid>,
    /// Recovery fork at its end.
    pub fork: Option<Uuid>,
    /// The fork that this one came from, if it came from one.
    pub first_fork: Option<Uuid>,
    /// Where it left that one; may lie before the set.
    pub fork_point: Option<Lsn>,
    /// Oldest record in it.
    pub first: Option<Lsn>,
    /// The record after it.
    pub last: Option<Lsn>,
    /// Where redo starts.
    pub checkpoint: Option<Lsn>,
    /// Checkpoint of the newest full that there was.
    pub database_backup: Option<Lsn>,
    /// GUID of the full that a differential stands on.
    pub base: Option<Uuid>,
    /// Checkpoint or first record of that full.
    pub base_lsn: Option<Lsn>,
    /// Taken beside the chain: no differential stands on it.
    pub copy_only: bool,
    /// Holds changes that were logged in bulk: no stop inside it.
    pub bulk: bool,
}

impl Link {
    /// Where it stands among the forks.
    #[must_use]
    pub const fn forked(&self) -> Forked {
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

/// A set that could be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Where it lies.
    #[serde(flatten)]
    pub place: Place,
    /// The run that wrote it.
    pub run: RunId,
    /// Published or unconfirmed.
    pub state: SetState,
    /// Database it came from.
    pub database: String,
    /// Its kind, if it can be told.
    pub kind: Option<BackupKind>,
    /// When it was written.
    pub at: Moment,
    /// When SQL Server had finished it, if that can be told.
    pub finished: Option<Moment>,
    /// Zone of the server that took it, in seconds east of UTC.
    pub offset: i32,
    /// The offset was not told by the set.
    pub offset_is_guessed: bool,
    /// Bytes of all families.
    pub bytes: u64,
    /// SQL Server's own sets inside: one, but for imported files.
    pub sets: usize,
    /// What ties it to others; nothing where it hides its facts or holds several sets.
    pub link: Option<Link>,
    /// The first full behind a mark: the machine had been rolled back, and log sequence numbers
    /// were given twice.
    pub new_branch: bool,
    /// How many such marks stand before it: sets of two branches never make one chain.
    pub branch: u32,
    /// Compressed or encrypted by SQL Server itself.
    pub container: bool,
    /// Taken while the findings of an integrity check stood: it bears the damage.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over_damage: bool,
    /// The certificate or asymmetric key that SQL Server was told to encrypt it with.
    pub encryptor: Option<String>,
    /// Per family, the volumes that hold it, in the order they are asked.
    pub sources: Vec<Vec<Slot>>,
    /// Mirrors that the media set has.
    pub mirrors: u8,
}

/// Numbers the branches that marks part, once all sets of all media sets are known.
pub fn number_branches(sets: &mut [Candidate]) {
    let marks: Vec<(Moment, String)> = sets
        .iter()
        .filter(|set| set.new_branch)
        .map(|set| (set.at, set.database.to_lowercase()))
        .collect();
    for set in sets {
        let before = |(at, database): &&(Moment, String)| {
            *at <= set.at && *database == set.database.to_lowercase()
        };
        set.branch = u32::try_from(marks.iter().filter(before).count()).unwrap_or(u32::MAX);
    }
}

impl Candidate {
    /// Every family is on some mirror.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.sources.iter().any(Vec::is_empty)
    }

    /// Mirrors that hold the family that the fewest hold.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.sources.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// When it was finished, or else written.
    #[must_use]
    pub fn ended(&self) -> Moment {
        self.finished.unwrap_or(self.at)
    }

    /// The record after it.
    #[must_use]
    pub fn last(&self) -> Option<Lsn> {
        self.link.as_ref()?.last
    }

    /// Oldest record in it.
    #[must_use]
    pub fn first(&self) -> Option<Lsn> {
        self.link.as_ref()?.first
    }

    /// `payroll position 3 (log)`.
    #[must_use]
    pub fn named(&self) -> String {
        let kind = self
            .kind
            .map_or_else(|| "unknown kind".to_owned(), |k| k.to_string());
        format!("{} ({kind})", self.place)
    }

    /// Newer sets are greater.
    pub(super) fn age(&self) -> (Moment, Option<Lsn>, &Place) {
        (self.ended(), self.last(), &self.place)
    }
}
