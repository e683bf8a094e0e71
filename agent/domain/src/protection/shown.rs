//! The state as people see it: one name, by what matters most.

use serde::Serialize;

use super::{Change, Phase, Record, Sight, Unfit};
use crate::Moment;

/// The states of design 7.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Shown {
    /// Its group is gone.
    Orphaned,
    /// Paused by the operator.
    Paused {
        /// Until then.
        until: Moment,
    },
    /// Two groups, or replicas, protect one session.
    BothPartnersProtected {
        /// The other one.
        other: String,
    },
    /// It cannot be protected so.
    Unsupported {
        /// Why.
        why: Unfit,
    },
    /// Both claim to be principal.
    Split,
    /// None is principal.
    NoPrincipal {
        /// Since then.
        since: Moment,
    },
    /// It is there and not open.
    NotOpen {
        /// In this state.
        database: String,
    },
    /// It is not there, or hidden.
    Absent,
    /// Our instance does not answer.
    Unreachable {
        /// Since then.
        since: Moment,
    },
    /// A right is missing.
    Blocked {
        /// Which, or what the server said.
        right: String,
    },
    /// The principal's agent is not heard of.
    AgentMissing {
        /// Since then.
        since: Moment,
    },
    /// Nobody was seen serving it yet.
    Initializing,
    /// Backups run.
    Protected,
    /// The partner serves it, and its agent works.
    NotPrincipal {
        /// Who serves it.
        principal: Option<String>,
    },
    /// A consistency check must come first.
    CheckPending {
        /// It runs then.
        due: Moment,
    },
    /// The check runs.
    Checking,
    /// The check failed.
    Inconsistent {
        /// Why.
        why: String,
        /// It runs again then.
        retry: Moment,
    },
    /// The session changed, and the operator decides.
    TopologyChanged {
        /// What changed.
        what: Change,
    },
}

impl Shown {
    /// Every state by its word, as JSON and metrics have it.
    pub const WORDS: &'static [&'static str] = &[
        "initializing",
        "protected",
        "not-principal",
        "check-pending",
        "checking",
        "inconsistent",
        "topology-changed",
        "paused",
        "both-partners-protected",
        "unsupported",
        "split",
        "no-principal",
        "not-open",
        "absent",
        "unreachable",
        "blocked",
        "agent-missing",
        "orphaned",
    ];

    /// The state in one word, the `state` of its JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Orphaned => "orphaned",
            Self::Paused { .. } => "paused",
            Self::BothPartnersProtected { .. } => "both-partners-protected",
            Self::Unsupported { .. } => "unsupported",
            Self::Split => "split",
            Self::NoPrincipal { .. } => "no-principal",
            Self::NotOpen { .. } => "not-open",
            Self::Absent => "absent",
            Self::Unreachable { .. } => "unreachable",
            Self::Blocked { .. } => "blocked",
            Self::AgentMissing { .. } => "agent-missing",
            Self::Initializing => "initializing",
            Self::Protected => "protected",
            Self::NotPrincipal { .. } => "not-principal",
            Self::CheckPending { .. } => "check-pending",
            Self::Checking => "checking",
            Self::Inconsistent { .. } => "inconsistent",
            Self::TopologyChanged { .. } => "topology-changed",
        }
    }
}

impl Record {
    /// The state as people see it.
    #[must_use]
    pub fn shown(&self) -> Shown {
        if self.orphaned {
            return Shown::Orphaned;
        }
        if let Some(until) = self.paused {
            return Shown::Paused { until };
        }
        if let Some(other) = &self.pair_of {
            let other = other.clone();
            return Shown::BothPartnersProtected { other };
        }
        let since = self.sight_since;
        match &self.sight {
            Sight::Unfit(why) => return Shown::Unsupported { why: why.clone() },
            Sight::Split(_) => return Shown::Split,
            Sight::NoPrincipal => return Shown::NoPrincipal { since },
            Sight::NotOpen(state) => {
                let database = state.clone();
                return Shown::NotOpen { database };
            }
            Sight::Absent => return Shown::Absent,
            Sight::Unreachable => return Shown::Unreachable { since },
            Sight::Forbidden(right) => {
                let right = right.clone();
                return Shown::Blocked { right };
            }
            Sight::Unseen | Sight::Principal { .. } => {}
        }
        if let Some(since) = self.silent {
            return Shown::AgentMissing { since };
        }
        self.phase_shown()
    }

    fn phase_shown(&self) -> Shown {
        match &self.phase {
            Phase::Initializing => Shown::Initializing,
            Phase::Protected => Shown::Protected,
            Phase::Standby => Shown::NotPrincipal {
                principal: self.anchor.as_ref().map(|who| who.by.clone()),
            },
            Phase::CheckPending { due, .. } => Shown::CheckPending { due: *due },
            Phase::Checking { .. } => Shown::Checking,
            Phase::Inconsistent { why, retry, .. } => Shown::Inconsistent {
                why: why.clone(),
                retry: *retry,
            },
            Phase::TopologyChanged { what, .. } => Shown::TopologyChanged { what: *what },
        }
    }

    /// The principal serves without its partner: its log cannot be truncated meanwhile.
    #[must_use]
    pub const fn is_exposed(&self) -> bool {
        matches!(self.sight, Sight::Principal { exposed: true, .. })
    }
}
