//! Who is principal: what the partners of a database-mirroring session or the replicas of an
//! availability group answered, compared (design 7.1 and 7.4; facts of the columns: documentation
//! of `sys.database_mirroring` and `sys.availability_groups`).
//!
//! The same NULL means "not mirrored", "not allowed to see it" and "not open". So one answer alone
//! says little; the two together say who may be backed up.

mod address;
mod duty;
mod pair;
mod replica;
mod tenure;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Lsn;

pub use address::{Address, Host, Objection, Place, objections};
pub use duty::{Allowed, Beside, Duty, Refusal, duty};
pub use pair::{Pairing, Side, pairing};
pub use replica::{
    Access, Barred, Cluster, Membership, Posts, Preference, Replica, ReplicaRole, Shape, Site,
    Unfollowed, barred, posts,
};
pub use tenure::{Tenure, Term, taken_over, tenure};

/// A database's state (`sys.databases.state_desc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Open: the only state in which a backup can be taken.
    Online,
    /// Mirror copies are in this state, and databases that are being restored.
    Restoring,
    /// Passes by itself.
    Recovering,
    /// A file is missing.
    RecoveryPending,
    /// Damaged.
    Suspect,
    /// Opened by an administrator for rescue.
    Emergency,
    /// Closed by an administrator.
    Offline,
    /// A state of another product, or of a later version.
    Other,
}

impl State {
    /// Reads the catalogue's word.
    #[must_use]
    pub fn from_desc(text: &str) -> Self {
        let known = [
            Self::Online,
            Self::Restoring,
            Self::Recovering,
            Self::RecoveryPending,
            Self::Suspect,
            Self::Emergency,
            Self::Offline,
        ];
        let found = known.into_iter().find(|state| state.desc() == text);
        found.unwrap_or(Self::Other)
    }

    /// The catalogue's word.
    #[must_use]
    pub const fn desc(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Restoring => "RESTORING",
            Self::Recovering => "RECOVERING",
            Self::RecoveryPending => "RECOVERY_PENDING",
            Self::Suspect => "SUSPECT",
            Self::Emergency => "EMERGENCY",
            Self::Offline => "OFFLINE",
            Self::Other => "OTHER",
        }
    }
}

/// The part that a server plays in a session (`mirroring_role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// 1: serves the database.
    Principal,
    /// 2: holds the copy.
    Mirror,
}

impl Role {
    /// Reads the catalogue's number.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Principal),
            2 => Some(Self::Mirror),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Principal => "principal",
            Self::Mirror => "mirror",
        })
    }
}

/// How a session stands (`mirroring_state_desc`; the numbers 5 and 6 are documented in two ways, so
/// the words decide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionState {
    /// No log is sent; the principal's log cannot be truncated meanwhile.
    Suspended,
    /// The partners do not see each other.
    Disconnected,
    /// The mirror is behind and catches up.
    Synchronizing,
    /// The principal is about to become mirror: a backup would die.
    PendingFailover,
    /// The mirror has everything.
    Synchronized,
    /// The partners see each other and the mirror is behind.
    Unsynchronized,
    /// A word that is not documented.
    Other,
}

impl SessionState {
    /// Reads the catalogue's word.
    #[must_use]
    pub fn from_desc(text: &str) -> Self {
        let known = [
            Self::Suspended,
            Self::Disconnected,
            Self::Synchronizing,
            Self::PendingFailover,
            Self::Synchronized,
            Self::Unsynchronized,
        ];
        let found = known.into_iter().find(|state| state.desc() == text);
        found.unwrap_or(Self::Other)
    }

    /// The catalogue's word.
    #[must_use]
    pub const fn desc(self) -> &'static str {
        match self {
            Self::Suspended => "SUSPENDED",
            Self::Disconnected => "DISCONNECTED",
            Self::Synchronizing => "SYNCHRONIZING",
            Self::PendingFailover => "PENDING_FAILOVER",
            Self::Synchronized => "SYNCHRONIZED",
            Self::Unsynchronized => "UNSYNCHRONIZED",
            Self::Other => "OTHER",
        }
    }

    /// The principal serves alone: what happens to it happens to the data.
    #[must_use]
    pub const fn is_exposed(self) -> bool {
        matches!(self, Self::Suspended | Self::Disconnected)
    }
}

/// One side of a session as its row in `sys.database_mirroring` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Identity of the partnership, equal on both sides.
    pub guid: Uuid,
    /// Our part in it.
    pub role: Role,
    /// How it stands.
    pub state: SessionState,
    /// How often the partners have exchanged roles.
    pub role_sequence: i64,
}

/// How far a database is backed up, as SQL Server itself remembers it: both move with every backup
/// of their kind, whoever takes it, and travel with the role (facts/sqlserver.md 5.4). Nothing
/// where it cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backed {
    /// `last_log_backup_lsn`: where the next log backup begins.
    pub log: Option<Lsn>,
    /// The newest `differential_base_lsn` of its data files: the last full that is no copy.
    pub base: Option<Lsn>,
}

impl Backed {
    /// Whether nothing can be told of it.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        self.log.is_none() && self.base.is_none()
    }
}

/// What one partner holds of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// Its state.
    pub state: State,
    /// Backup family, kept through restore and mirroring; `None` where it cannot be read.
    pub family: Option<Uuid>,
    /// Its recovery fork, as far as the login may see it.
    pub fork: Option<Uuid>,
    /// The session, as far as the login may see it.
    pub session: Option<Session>,
    /// How far it is backed up, as far as the login may see it.
    pub backed: Backed,
    /// The login sees a mirror's row (it is a sysadmin): without a session there is none.
    pub sees_mirrors: bool,
    /// Its availability group, as far as the login may see it.
    pub membership: Membership,
}

impl Copy {
    /// Its replica, where it is in an availability group that can be seen.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        self.membership.replica()
    }
}

/// What one partner answered about a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// It has a copy.
    Copy(Copy),
    /// It answers, and has no such database or hides it.
    Absent,
    /// It does not answer.
    Unreachable,
}

impl Answer {
    /// The copy that it has.
    #[must_use]
    pub const fn copy(&self) -> Option<&Copy> {
        match self {
            Self::Copy(copy) => Some(copy),
            Self::Absent | Self::Unreachable => None,
        }
    }
}
