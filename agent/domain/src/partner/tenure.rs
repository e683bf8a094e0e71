//! Did the role stay where it was while a backup ran? (design 7.2, row 12)

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Answer, Role, Session, State};

/// The moment of a session: which partnership, after how many exchanges of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// `mirroring_guid`.
    pub guid: Uuid,
    /// `mirroring_role_sequence`.
    pub role_sequence: i64,
}

/// What became of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tenure {
    /// Principal of the same session, and nobody else was meanwhile.
    Kept,
    /// The roles were switched, perhaps more than once; with the number of switches, if it is seen.
    Switched {
        /// `mirroring_role_sequence` now.
        sequence: Option<i64>,
        /// The role is here again.
        back: bool,
    },
    /// The session is over, or another one has begun.
    Ended,
    /// It could not be asked.
    Unknown,
}

/// Compares what a server says now with the session that the run began under.
#[must_use]
pub fn tenure(before: Term, now: &Answer) -> Tenure {
    let copy = match now {
        Answer::Copy(copy) => copy,
        Answer::Absent => return Tenure::Ended,
        Answer::Unreachable => return Tenure::Unknown,
    };
    match &copy.session {
        Some(session) if session.guid != before.guid => Tenure::Ended,
        Some(session) => held(before, session),
        None if copy.state == State::Online => Tenure::Ended,
        // Who is no sysadmin sees no row of a mirror; what was open is not.
        None => Tenure::Switched {
            sequence: None,
            back: false,
        },
    }
}

fn held(before: Term, session: &Session) -> Tenure {
    let principal = session.role == Role::Principal;
    if principal && session.role_sequence == before.role_sequence {
        return Tenure::Kept;
    }
    Tenure::Switched {
        sequence: Some(session.role_sequence),
        back: principal,
    }
}

/// What the other partner says: it has the role, if that can be seen.
#[must_use]
pub fn taken_over(before: Term, other: &Answer) -> Option<i64> {
    let Answer::Copy(copy) = other else {
        return None;
    };
    let session = copy.session.as_ref()?;
    let took = session.guid == before.guid
        && session.role == Role::Principal
        && session.role_sequence > before.role_sequence;
    took.then_some(session.role_sequence)
}
