//! The state of a protected database: what was seen of its partners, what followed from it, and
//! one total [`step`] (design 7.2; the rules behind the rows: facts/sqlserver.md 2.1 and 2.2).
//!
//! A record lives on one agent, which serves one of the partners. The other partner's agent has a
//! record of its own; they need not talk, because only the principal can be backed up at all.

mod asked;
mod event;
mod hand;
mod look;
mod seen;
mod shown;
mod step;
mod words;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::partner::{Backed, Barred, Objection, Posts, Term, Unfollowed};
use crate::{BackupKind, Moment};

pub use event::{Action, Alarm, End, Event, Refusal, Verdict};
pub use hand::{ByHand, by_hand};
pub use look::{Voice, Wish, look};
pub use shown::Shown;
pub use step::step;

/// What a group says about changes of its partners; a profile sets the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Seconds from the detection of a switch to the consistency check.
    pub check_delay: i64,
    /// A backup that is due before that check runs it first; else it is refused.
    pub check_first: bool,
    /// A session that appears or goes: go on after a check; else wait for the operator.
    pub follow_topology: bool,
    /// With two that claim to be principal, each agent goes on with its own.
    pub go_on_in_split: bool,
    /// Seconds without a principal before the alarm.
    pub no_principal_alert: i64,
}

impl Rules {
    /// Profile `follow`: whatever is safe is done without being asked.
    pub const FOLLOW: Self = Self {
        check_delay: 1800,
        check_first: true,
        follow_topology: true,
        go_on_in_split: true,
        no_principal_alert: 300,
    };
    /// Profile `dpm`: what Data Protection Manager does.
    pub const DPM: Self = Self {
        check_delay: 1800,
        check_first: false,
        follow_topology: false,
        go_on_in_split: false,
        no_principal_alert: 300,
    };
}

/// Who serves the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The instance, as the configuration names it.
    pub by: String,
    /// The moment of the session; nothing where there is none.
    pub term: Option<Term>,
    /// `family_guid`, as far as it can be read.
    pub family: Option<Uuid>,
    /// `recovery_fork_guid`, as far as it can be read.
    pub fork: Option<Uuid>,
    /// Our instance, where it is a secondary that takes backups beside the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
}

impl Served {
    /// Whether the agent of this instance takes backups: it serves the database, or helps.
    #[must_use]
    pub fn works_at(&self, instance: &str) -> bool {
        self.by == instance || self.helper.as_deref() == Some(instance)
    }
}

/// Why a pair cannot be protected at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unfit {
    /// The pair is none that can be protected.
    Pair(Objection),
    /// Each is mirrored with another server than the configured one.
    OtherSessions,
    /// Its availability group is of a kind that is not followed.
    Group(Unfollowed),
    /// It is bound in another way than the group's file says: how it is, and how it should be.
    OtherBond {
        /// What binds it, as it was seen.
        seen: Bond,
        /// What the file says.
        wanted: Bond,
    },
}

/// What binds the copies of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bond {
    /// A mirroring session.
    Mirroring,
    /// An availability group.
    AvailabilityGroup,
    /// Nothing.
    Standalone,
}

/// What one look at the partners showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Nobody looked since the agent started.
    Unseen,
    /// One serves it.
    Principal {
        /// Who.
        who: Served,
        /// Its session is suspended or disconnected: its log cannot be truncated meanwhile.
        exposed: bool,
        /// How far it is backed up, by whomever.
        #[serde(default)]
        backed: Backed,
        /// Which kinds are taken here, where not all are.
        #[serde(default, skip_serializing_if = "is_all")]
        posts: Box<Posts>,
    },
    /// None of those who answer serves it.
    NoPrincipal,
    /// Both claim to serve it; with what ours says of itself, if it is one of them.
    Split(Option<Served>),
    /// It cannot be protected so.
    Unfit(Unfit),
    /// It is there and not open, in this state.
    NotOpen(String),
    /// It is not there, or hidden.
    Absent,
    /// Our own instance does not answer.
    Unreachable,
    /// Our own instance does not let us ask; with the right that is missing, or its refusal.
    Forbidden(String),
}

#[allow(
    clippy::borrowed_box,
    reason = "serde hands over what stands in the field"
)]
fn is_all(posts: &Box<Posts>) -> bool {
    posts.is_all()
}

/// What changed about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The database was not mirrored before.
    NewlyMirrored,
    /// The session is gone, or another one.
    MirrorBroken,
}

/// Why a consistency check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The first of this database on this agent.
    First,
    /// Its time has come after a switch.
    Due,
    /// A backup is due or asked for before that time.
    BackupWaits,
    /// Failed back, and a backup was running or refused meanwhile.
    FailedBack,
    /// Failed back, and somebody may have backed it up on the partner meanwhile.
    BackedElsewhere,
    /// The session changed.
    Topology,
    /// The availability group wants backups here from now on.
    Preferred,
    /// The database is on another recovery fork, or another database of the same name.
    OtherCopy,
    /// The last one failed.
    Again,
    /// By schedule.
    Daily,
    /// An operator asks.
    ByHand,
}

/// Where protection of the database stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nobody was seen serving it yet.
    Initializing,
    /// Checked: backups run.
    Protected,
    /// The partner serves it, and its agent works.
    Standby,
    /// Ours has become principal, or was until now: a check must come first.
    CheckPending {
        /// When the switch was seen.
        since: Moment,
        /// When the check runs.
        due: Moment,
        /// Who served it before.
        from: String,
        /// The alert "consistency check required" was raised.
        alerted: bool,
    },
    /// The check runs, or waits for its turn.
    Checking {
        /// Since when.
        since: Moment,
        /// Why.
        why: Why,
        /// Who served it when it began.
        of: Served,
        /// What is taken once it has passed.
        then: Option<BackupKind>,
        /// Checks that failed before it.
        tries: u32,
    },
    /// The check failed.
    Inconsistent {
        /// When.
        since: Moment,
        /// When it is tried again.
        retry: Moment,
        /// Checks that failed one after the other.
        tries: u32,
        /// Why.
        why: String,
    },
    /// The session changed, and the operator decides.
    TopologyChanged {
        /// When that was seen.
        since: Moment,
        /// What changed.
        what: Change,
    },
}

/// Everything that an agent remembers of a protected database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where protection stands.
    pub phase: Phase,
    /// What was seen last.
    pub sight: Sight,
    /// Since when it looks like that.
    pub sight_since: Moment,
    /// The alarm about what was seen was raised.
    pub sight_alerted: bool,
    /// One that was raised before the agent started again, and is answered by the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_open: Option<Alarm>,
    /// Who served it when its last check passed; what a switch is measured against.
    pub anchor: Option<Served>,
    /// A backup was stopped or refused since the last that was published.
    pub disturbed: bool,
    /// How far it was backed up when it was last seen where the check left it; what was taken on
    /// the partner behind a switch that nobody saw shows against this (P6).
    #[serde(default)]
    pub backed: Option<Backed>,
    /// Kinds that are being taken now, or wait for their turn.
    pub running: Vec<BackupKind>,
    /// Paused by the operator, until.
    pub paused: Option<Moment>,
    /// Its group is gone, or no longer means it.
    pub orphaned: bool,
    /// The other group, or replica, that protects a partner of the same session.
    pub pair_of: Option<String>,
    /// The principal's agent has not been heard of since.
    pub silent: Option<Moment>,
    /// When our partner took over from the one whose agent took the backups: what was due before
    /// was due there.
    #[serde(default)]
    pub taken_over: Option<Moment>,
    /// When the database was last seen to be backed up further than before, by whomever: of logs
    /// that another replica takes nothing else tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_moved: Option<Moment>,
}

impl Record {
    /// Why a kind is not taken here, where another replica takes it.
    #[must_use]
    pub fn elsewhere(&self, kind: BackupKind) -> Option<&Barred> {
        match &self.sight {
            Sight::Principal { posts, .. } => posts.of(kind),
            _ => None,
        }
    }

    /// Whether another replica took a full between two looks, of which the record before this one
    /// knew nothing: what is held here of the same replica may be dispensable now.
    #[must_use]
    pub fn full_elsewhere(&self, before: &Self) -> bool {
        let base = |record: &Self| match record.sight {
            Sight::Principal { backed, .. } => backed.base,
            _ => None,
        };
        let (was, is) = (base(before), base(self));
        self.elsewhere(BackupKind::Full).is_some()
            && self.phase == Phase::Protected
            && was.is_some()
            && is.is_some()
            && was != is
    }

    /// The kinds that another replica takes, with the reason, where ours works at all.
    #[must_use]
    pub fn excluded(&self) -> Vec<(BackupKind, String)> {
        let all = [BackupKind::Full, BackupKind::Differential, BackupKind::Log];
        let why = |kind| Some((kind, self.elsewhere(kind)?.to_string()));
        all.into_iter().filter_map(why).collect()
    }

    /// Of a database that was just added.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self {
            phase: Phase::Initializing,
            sight: Sight::Unseen,
            sight_since: now,
            sight_alerted: false,
            left_open: None,
            anchor: None,
            disturbed: false,
            backed: None,
            running: Vec::new(),
            paused: None,
            orphaned: false,
            pair_of: None,
            silent: None,
            taken_over: None,
            log_moved: None,
        }
    }
}
