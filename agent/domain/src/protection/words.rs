//! States, refusals and reasons in words.

use std::fmt;

use super::{Bond, Change, Refusal, Shown, Sight, Unfit, Why};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewlyMirrored => "the database is mirrored now",
            Self::MirrorBroken => "the mirroring session is gone, or another one",
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pair(objection) => objection.fmt(f),
            Self::OtherSessions => {
                f.write_str("each partner is mirrored with another server than the configured one")
            }
            Self::Group(why) => why.fmt(f),
            Self::OtherBond { seen, wanted } => {
                write!(
                    f,
                    "the database is {seen}, and its group says kind = \"{wanted:#}\""
                )
            }
        }
    }
}

impl fmt::Display for Bond {
    /// What is said of a database; `{:#}`: the word of the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self, f.alternate()) {
            (Self::Mirroring, false) => "mirrored",
            (Self::Mirroring, true) => "mirroring",
            (Self::AvailabilityGroup, false) => "in an availability group",
            (Self::AvailabilityGroup, true) => "availability-group",
            (Self::Standalone, false) => "in no availability group",
            (Self::Standalone, true) => "standalone",
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "the first of this database on this agent",
            Self::Due => "due after a switch",
            Self::BackupWaits => "a backup waits for it",
            Self::FailedBack => "failed back while a backup was running or refused",
            Self::BackedElsewhere => "failed back, and the partner was backed up meanwhile",
            Self::Topology => "the mirroring session changed",
            Self::Preferred => "the availability group wants backups here",
            Self::OtherCopy => "another recovery fork, or another database of the same name",
            Self::Again => "the last one failed",
            Self::Daily => "by schedule",
            Self::ByHand => "asked for",
        })
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen => f.write_str("the partners were not asked yet"),
            Self::Principal { who, exposed, .. } => {
                let alone = if *exposed {
                    ", without its partner"
                } else {
                    ""
                };
                write!(f, "{} serves it{alone}", who.by)
            }
            Self::NoPrincipal => f.write_str("no partner serves it as principal"),
            Self::Split(_) => f.write_str("both partners claim to be principal"),
            Self::Unfit(why) => why.fmt(f),
            Self::NotOpen(state) => write!(f, "the database is {state}"),
            Self::Absent => f.write_str("the database is not there, or hidden from the login"),
            Self::Unreachable => f.write_str("the instance does not answer"),
            Self::Forbidden(right) => write!(f, "the instance refuses to tell: {right}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphaned => f.write_str("no group means the database any more"),
            Self::Paused(until) => write!(f, "paused until {until}"),
            Self::PairTaken(other) => {
                write!(f, "also protected by {other}")
            }
            Self::NotSeen => f.write_str("the partners were not asked yet"),
            Self::NotPrincipal(by) => write!(f, "not principal: {by} serves it"),
            Self::NotHere(kind, barred) => write!(f, "no {kind} backup here: {barred}"),
            Self::Sight(sight) => sight.fmt(f),
            Self::CheckRequired(due) => {
                write!(f, "consistency check required; it runs at {due}")
            }
            Self::Checking => f.write_str("the consistency check runs"),
            Self::Inconsistent(retry) => {
                write!(f, "the consistency check failed; it runs again at {retry}")
            }
            Self::TopologyChanged(what) => {
                write!(f, "{what}: `twinset group reprotect` goes on")
            }
            Self::Running => f.write_str("one of this kind is being taken"),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphaned => f.write_str("orphaned: no group means it any more"),
            Self::Paused { until } => write!(f, "paused until {until}"),
            Self::BothPartnersProtected { other } => {
                write!(f, "also protected by {other}")
            }
            Self::Unsupported { why } => write!(f, "unsupported: {why}"),
            Self::Split => f.write_str("both partners claim to be principal"),
            Self::NoPrincipal { since } => write!(f, "no principal since {since}"),
            Self::NotOpen { database } => write!(f, "the database is {database}"),
            Self::Absent => f.write_str("not there, or hidden from the login"),
            Self::Unreachable { since } => write!(f, "the instance is silent since {since}"),
            Self::Blocked { right } => write!(f, "blocked: {right}"),
            Self::AgentMissing { since } => {
                write!(f, "the principal's agent is silent since {since}")
            }
            Self::Initializing => f.write_str("initializing"),
            Self::Protected => f.write_str("protected"),
            Self::NotPrincipal {
                principal: Some(by),
            } => {
                write!(f, "not principal: {by} serves it")
            }
            Self::NotPrincipal { principal: None } => f.write_str("not principal"),
            Self::CheckPending { due } => write!(f, "consistency check pending, due {due}"),
            Self::Checking => f.write_str("consistency check runs"),
            Self::Inconsistent { why, retry } => {
                write!(f, "inconsistent: {why}; checked again at {retry}")
            }
            Self::TopologyChanged { what } => write!(f, "waits for the operator: {what}"),
        }
    }
}
