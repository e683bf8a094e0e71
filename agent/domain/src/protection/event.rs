//! What happens to a protected database, and what follows.

use serde::{Deserialize, Serialize};

use super::{Change, Sight, Why};
use crate::partner::Barred;
use crate::{BackupKind, Moment};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The partners were looked at.
    Seen(Sight),
    /// A backup is due by schedule.
    Due(BackupKind),
    /// A backup is asked for by hand.
    Asked(BackupKind),
    /// A backup ended.
    Ended(BackupKind, End),
    /// A check is asked for by hand.
    CheckAsked,
    /// A check is due by schedule.
    CheckDue,
    /// The check ended.
    Checked(Verdict),
    /// Time passed.
    Tick,
    /// Paused until then.
    Pause(Moment),
    /// Goes on.
    Resume,
    /// The operator has seen the change of the session and wants to go on.
    Reprotect,
    /// The agent has started again.
    Restarted,
    /// Its group went, or no longer means it.
    Orphaned,
    /// A group means it again.
    Matched,
    /// The operator lets an orphan go: what was taken stays, nothing is said of it any more.
    Unprotect,
    /// Another group, or replica, protects a partner of the same session.
    PairTaken(String),
    /// No longer so.
    PairFree,
    /// The principal's agent is not heard of.
    PartnerSilent,
    /// It is heard of again.
    PartnerHeard,
}

/// How a backup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Published.
    Published,
    /// Stopped by a change of roles, or by us because of one.
    Interrupted,
    /// Failed for another reason.
    Failed,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The chain goes on.
    Continue,
    /// It goes on with a backup of this kind, which is taken now: a log that joins the chain of the
    /// partner's agent, a differential that bridges a gap, a full as new base.
    Take(BackupKind),
    /// Replica and source do not match; why.
    Inconsistent(String),
}

/// What is wrong, for the list of alerts. One of each kind per database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// The mirror has become principal.
    Switched,
    /// Backups are refused until a check has passed.
    CheckRequired,
    /// The check failed.
    Inconsistent,
    /// The database is mirrored now.
    NewlyMirrored,
    /// The session is gone, or another one.
    MirrorBroken,
    /// Two groups, or replicas, protect one session.
    BothProtected,
    /// The pair cannot be protected so.
    Unfit,
    /// Nobody serves it.
    NoPrincipal,
    /// Both claim to serve it.
    Split,
    /// It is not open, or gone.
    NotThere,
    /// A right is missing.
    Right,
    /// Our instance does not answer.
    Unreachable,
    /// The principal's agent is not heard of.
    AgentMissing,
    /// Its group is gone.
    Orphaned,
}

impl Alarm {
    /// Every alarm.
    pub const ALL: [Self; 14] = [
        Self::Switched,
        Self::CheckRequired,
        Self::Inconsistent,
        Self::NewlyMirrored,
        Self::MirrorBroken,
        Self::BothProtected,
        Self::Unfit,
        Self::NoPrincipal,
        Self::Split,
        Self::NotThere,
        Self::Right,
        Self::Unreachable,
        Self::AgentMissing,
        Self::Orphaned,
    ];
}

/// Why nothing is done now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Its group is gone.
    Orphaned,
    /// Paused until then.
    Paused(Moment),
    /// Another group, or replica, protects a partner of the same session.
    PairTaken(String),
    /// Nobody has looked at the partners yet.
    NotSeen,
    /// The partner serves it; its agent works.
    NotPrincipal(String),
    /// Another replica of its availability group takes this kind.
    NotHere(BackupKind, Barred),
    /// What was seen does not allow it.
    Sight(Sight),
    /// A consistency check is required; it runs by itself then.
    CheckRequired(Moment),
    /// The check runs.
    Checking,
    /// The last check failed; it is tried again then.
    Inconsistent(Moment),
    /// The session changed: `group reprotect`.
    TopologyChanged(Change),
    /// One of this kind is being taken.
    Running,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Take a backup.
    Backup(BackupKind),
    /// Run the consistency check.
    Check(Why),
    /// Stop what runs for this database.
    Stop,
    /// Tell who asked why not.
    Refuse(Refusal),
    /// Raise an alert, or bring it up to date.
    Raise(Alarm),
    /// It is over.
    Resolve(Alarm),
    /// Failed over and back, and nothing else happened: for the history.
    NoteBounce {
        /// Exchanges of roles that were seen at once.
        switches: i64,
    },
}
