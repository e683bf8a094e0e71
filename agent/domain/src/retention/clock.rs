//! Is the clock to be believed? A host whose clock jumped by years must not throw sets away.

use std::fmt;

use serde::Serialize;

use super::Subject;
use crate::{Moment, Position};

/// A step of time between two sets, or from the last set to now, that no clock makes by itself,
/// in seconds: a year.
pub const JUMP: i64 = 365 * 86_400;
/// How far a clock may be set back without being doubted, in seconds: an hour.
pub const SLACK: i64 = 3600;

/// What was agreed at the last run of retention, by its success or by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// The time then.
    pub at: Moment,
    /// The highest position then: sets up to it tell nothing new of the clock.
    pub position: u64,
}

/// Why the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Doubt {
    /// Now lies before something that was seen already.
    Backwards {
        /// Now.
        now: Moment,
        /// What was seen.
        seen: Moment,
    },
    /// More than [`JUMP`] lies between two things that follow each other.
    Forwards {
        /// The earlier.
        from: Moment,
        /// The later.
        to: Moment,
        /// The set that was written later; `None` when it is now.
        position: Option<Position>,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backwards { now, seen } => {
                write!(f, "it is {now}, but {seen} was seen already")
            }
            Self::Forwards {
                from,
                to,
                position: Some(position),
            } => write!(
                f,
                "position {position} was written {to}, and nothing for more than a year before it \
                 (since {from})"
            ),
            Self::Forwards { from, to, .. } => {
                write!(
                    f,
                    "it is {to}, and nothing was seen for more than a year ({from})"
                )
            }
        }
    }
}

/// Walks through the times that were seen, in writing order, up to now.
pub(super) fn doubt(sets: &[&Subject], accepted: Option<Accepted>, now: Moment) -> Option<Doubt> {
    let mut seen = accepted.map(|accepted| accepted.at);
    let known = accepted.map_or(0, |accepted| accepted.position);
    for set in sets.iter().filter(|set| set.place.position.get() > known) {
        let written = set.began;
        if let Some(from) = seen.filter(|from| written.0.saturating_sub(from.0) > JUMP) {
            return Some(Doubt::Forwards {
                from,
                to: written,
                position: Some(set.place.position),
            });
        }
        seen = seen.max(Some(written));
    }
    let seen = seen?;
    if now.0.saturating_add(SLACK) < seen.0 {
        return Some(Doubt::Backwards { now, seen });
    }
    (now.0.saturating_sub(seen.0) > JUMP).then_some(Doubt::Forwards {
        from: seen,
        to: now,
        position: None,
    })
}
