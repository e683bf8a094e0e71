//! Which branch of its history a database is restored along.
//!
//! Every recovery that is not at the end of the log begins a new fork: forced service, a restore, a
//! machine that was rolled back. Sets of two forks fit together only before the point where they
//! part (facts/sqlserver.md 5.2, 5.3).

use serde::Serialize;
use uuid::Uuid;

use super::{Candidate, Link};
use crate::Lsn;

/// One fork of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// The fork.
    pub fork: Uuid,
    /// Where the path leaves it; `None` for the last one.
    pub until: Option<Lsn>,
}

/// Forks from the newest back to the oldest that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Path {
    /// The fork it ends on first.
    pub legs: Vec<Leg>,
}

impl Path {
    /// The path that ends on a fork, as far as the sets tell where it came from. Without a fork
    /// everything is on it: then nothing tells forks apart.
    #[must_use]
    pub fn to(fork: Option<Uuid>, sets: &[&Candidate]) -> Self {
        let mut path = Self::default();
        let (mut next, mut until) = (fork, None);
        while let Some(fork) = next {
            if path.legs.iter().any(|leg| leg.fork == fork) {
                // Forks that come from each other: nothing behind this can be believed.
                break;
            }
            path.legs.push(Leg { fork, until });
            let links = sets.iter().filter_map(|set| set.link.as_ref());
            let from = links
                .filter(|link| link.fork == Some(fork))
                .find_map(|link| Some((link.first_fork?, link.fork_point?)));
            next = from.map(|(fork, _)| fork);
            // A later leg cannot reach further than the path went on it.
            until = from.map(|(_, point)| until.map_or(point, |until: Lsn| until.min(point)));
        }
        path
    }

    /// Whether a set lies on it, up to its end.
    #[must_use]
    pub fn holds(&self, link: &Link) -> bool {
        if self.legs.is_empty() {
            return true;
        }
        let leg = |fork: Uuid| self.legs.iter().find(|leg| leg.fork == fork);
        let Some(fork) = link.fork else {
            return true;
        };
        let ends = leg(fork).is_some_and(|leg| match (leg.until, link.last) {
            (Some(until), Some(last)) => last <= until,
            (until, _) => until.is_none(),
        });
        ends && link
            .fork_at_start()
            .is_none_or(|start| leg(start).is_some())
    }

    /// The fork it ends on.
    #[must_use]
    pub fn end(&self) -> Option<Uuid> {
        self.legs.first().map(|leg| leg.fork)
    }
}
