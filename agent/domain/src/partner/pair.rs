//! The two answers, compared. Every pair of answers has one reading.

use std::fmt;

use serde::Serialize;

use super::{Answer, Copy, Role, Session, SessionState, State};

/// Which of the two partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that was asked first.
    First,
    /// The other one.
    Second,
}

/// How a database stands between its two partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "pairing")]
pub enum Pairing {
    /// Both know the session and their parts in it.
    Healthy {
        /// Who is principal.
        principal: Side,
    },
    /// One is principal; the other's copy looks like a mirror whose row our login may not see.
    MirrorHidden {
        /// Who is principal.
        principal: Side,
    },
    /// One is principal, the other does not answer or has no copy that we can see.
    Alone {
        /// Who is principal.
        principal: Side,
        /// It says itself that it serves without its partner.
        exposed: bool,
    },
    /// One is principal; the other, which would show it, knows no session any more.
    HalfRemoved {
        /// Who is principal.
        principal: Side,
    },
    /// The roles are changing now.
    Switching,
    /// Only the mirror answers, or nobody claims to serve.
    NoPrincipal,
    /// Both claim to be principal of one session.
    Split,
    /// Each is in a session with somebody else.
    OtherSessions,
    /// No session: one copy is open, the other waits for a restore.
    Unmirrored {
        /// Whose copy is open.
        open: Side,
    },
    /// No session, and both copies are open.
    Separate {
        /// Both come from one database.
        related: bool,
    },
    /// No session, and one of them alone has the database.
    Single {
        /// Who has it.
        holder: Side,
        /// The other one does not answer: it may have a copy.
        unsure: bool,
    },
    /// No copy is open, and no session is seen.
    Closed,
    /// Nobody who answers has the database.
    Nowhere,
    /// Nobody answers.
    Unreachable,
}

impl Pairing {
    /// Who can be backed up as principal, or as the only open copy.
    #[must_use]
    pub const fn source(self) -> Option<Side> {
        match self {
            Self::Healthy { principal }
            | Self::MirrorHidden { principal }
            | Self::Alone { principal, .. }
            | Self::HalfRemoved { principal } => Some(principal),
            Self::Unmirrored { open } => Some(open),
            Self::Single { holder, .. } => Some(holder),
            Self::Switching
            | Self::NoPrincipal
            | Self::Split
            | Self::OtherSessions
            | Self::Separate { .. }
            | Self::Closed
            | Self::Nowhere
            | Self::Unreachable => None,
        }
    }

    /// Whether the partners are in a session with each other, as far as can be told.
    #[must_use]
    pub const fn is_mirrored(self) -> bool {
        matches!(
            self,
            Self::Healthy { .. }
                | Self::MirrorHidden { .. }
                | Self::Alone { .. }
                | Self::Switching
                | Self::NoPrincipal
                | Self::Split
        )
    }
}

/// Reads two answers about one database. Total: every pair has a reading.
#[must_use]
pub fn pairing(first: &Answer, second: &Answer) -> Pairing {
    match (first, second) {
        (Answer::Copy(a), Answer::Copy(b)) => copies(a, b),
        (Answer::Copy(copy), other) => one(copy, Side::First, *other == Answer::Unreachable),
        (other, Answer::Copy(copy)) => one(copy, Side::Second, *other == Answer::Unreachable),
        (Answer::Unreachable, Answer::Unreachable) => Pairing::Unreachable,
        (Answer::Absent | Answer::Unreachable, Answer::Absent | Answer::Unreachable) => {
            Pairing::Nowhere
        }
    }
}

fn copies(a: &Copy, b: &Copy) -> Pairing {
    match (&a.session, &b.session) {
        (Some(x), Some(y)) => sessions(x, y),
        (Some(session), None) => seen_by_one(session, b, Side::First),
        (None, Some(session)) => seen_by_one(session, a, Side::Second),
        (None, None) => match (a.state, b.state) {
            (State::Online, State::Online) => Pairing::Separate {
                related: a.family.is_some() && a.family == b.family,
            },
            (State::Online, _) => Pairing::Unmirrored { open: Side::First },
            (_, State::Online) => Pairing::Unmirrored { open: Side::Second },
            _ => Pairing::Closed,
        },
    }
}

fn sessions(x: &Session, y: &Session) -> Pairing {
    if x.guid != y.guid {
        return Pairing::OtherSessions;
    }
    let leaving = |session: &Session| session.state == SessionState::PendingFailover;
    match (x.role, y.role) {
        (Role::Principal, Role::Principal) => Pairing::Split,
        (Role::Mirror, Role::Mirror) => Pairing::Switching,
        (Role::Principal, Role::Mirror) if leaving(x) => Pairing::Switching,
        (Role::Mirror, Role::Principal) if leaving(y) => Pairing::Switching,
        (Role::Principal, Role::Mirror) => Pairing::Healthy {
            principal: Side::First,
        },
        (Role::Mirror, Role::Principal) => Pairing::Healthy {
            principal: Side::Second,
        },
    }
}

/// One side shows a session, the other's copy shows none.
fn seen_by_one(session: &Session, other: &Copy, side: Side) -> Pairing {
    match session.role {
        Role::Mirror => Pairing::NoPrincipal,
        Role::Principal if session.state == SessionState::PendingFailover => Pairing::Switching,
        Role::Principal if other.state == State::Online || other.sees_mirrors => {
            Pairing::HalfRemoved { principal: side }
        }
        Role::Principal => Pairing::MirrorHidden { principal: side },
    }
}

/// One side has a copy, the other shows none.
fn one(copy: &Copy, side: Side, unreachable: bool) -> Pairing {
    match &copy.session {
        None if copy.state == State::Online => Pairing::Single {
            holder: side,
            unsure: unreachable,
        },
        None => Pairing::Closed,
        Some(session) => match session.role {
            Role::Mirror => Pairing::NoPrincipal,
            Role::Principal if session.state == SessionState::PendingFailover => Pairing::Switching,
            Role::Principal => Pairing::Alone {
                principal: side,
                exposed: session.state.is_exposed(),
            },
        },
    }
}

impl fmt::Display for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy { .. } => "a mirrored pair",
            Self::MirrorHidden { .. } => {
                "a mirrored pair, as it seems: the mirror's row is hidden from a login that is no \
                 sysadmin there"
            }
            Self::Alone { exposed: true, .. } => "principal, without its partner",
            Self::Alone { exposed: false, .. } => "principal; its partner was not seen",
            Self::HalfRemoved { .. } => "principal of a session that its partner does not know",
            Self::Switching => "the roles are changing",
            Self::NoPrincipal => "nobody serves it as principal",
            Self::Split => "both claim to be principal: not backed up until one yields",
            Self::OtherSessions => "each is mirrored with another server than the one configured",
            Self::Unmirrored { .. } => "not mirrored; the other copy waits for a restore",
            Self::Separate { related: true } => "not mirrored: two open copies of one origin",
            Self::Separate { related: false } => "not mirrored: two databases of one name",
            Self::Single { unsure: true, .. } => "not mirrored, as far as one server tells",
            Self::Single { unsure: false, .. } => "not mirrored",
            Self::Closed => "no copy of it is open",
            Self::Nowhere => "no server that answers has it",
            Self::Unreachable => "no server answers",
        })
    }
}
