//! Branches of a database's history: which fork goes on from which, and which sets lie on the way.
//!
//! Every recovery that is not at the end of the log begins a new fork: forced service, a restore, a
//! machine that was rolled back. Sets of two forks fit together only before the point where they
//! part (facts/sqlserver.md 5.2, 5.3). Restore asks along which way it goes, retention which sets
//! are still on one: both by this one idea.

use serde::Serialize;
use uuid::Uuid;

use crate::Lsn;

/// Where one set of SQL Server stands among the forks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forked {
    /// Its GUID.
    pub set: Option<Uuid>,
    /// GUID of the full that it stands on, where it is a differential.
    pub base: Option<Uuid>,
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
}

impl Forked {
    /// The fork that its first record is on.
    #[must_use]
    pub fn at_start(&self) -> Option<Uuid> {
        match (self.first_fork, self.fork_point, self.first) {
            (Some(before), Some(point), Some(first)) if point > first => Some(before),
            _ => self.fork,
        }
    }
}

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
    pub fn to(fork: Option<Uuid>, sets: &[Forked]) -> Self {
        Self::told(fork, sets).0
    }

    /// The same, with the numbers of the sets that tell it: without them it is another path.
    #[must_use]
    pub fn told(fork: Option<Uuid>, sets: &[Forked]) -> (Self, Vec<usize>) {
        let (mut path, mut tellers) = (Self::default(), Vec::new());
        let (mut next, mut until) = (fork, None);
        while let Some(fork) = next {
            if path.legs.iter().any(|leg| leg.fork == fork) {
                // Forks that come from each other: nothing behind this can be believed.
                break;
            }
            path.legs.push(Leg { fork, until });
            next = None;
            if let Some((point, from, told_by)) = path.origin(sets) {
                next = Some(from);
                // A later leg cannot reach further than the path went on it.
                until = Some(until.map_or(point, |until: Lsn| until.min(point)));
                tellers.extend(told_by);
            }
        }
        (path, tellers)
    }

    /// Where it left the next older fork, by the latest point that is told, and who tells: a set
    /// that crosses names the fork that it began on, and may cross several; a differential names
    /// the full that it stands on, so that the path goes on at least up to there. Either of them
    /// may be gone.
    fn origin(&self, sets: &[Forked]) -> Option<(Lsn, Uuid, Vec<usize>)> {
        let is_leg = |fork: Uuid| self.legs.iter().any(|leg| leg.fork == fork);
        let on_leg = |set: &Forked| set.fork.is_some_and(is_leg);
        let numbered = || sets.iter().enumerate();
        let crossed = numbered().filter(|(_, set)| on_leg(set));
        let crossed = crossed
            .filter_map(|(number, set)| Some((set.fork_point?, set.first_fork?, vec![number])));
        let stands_on = |full: &Forked| {
            let differential = |set: &Forked| on_leg(set) && set.base == full.set;
            sets.iter().position(differential)
        };
        let stood_on = numbered()
            .filter(|(_, full)| full.set.is_some() && !on_leg(full))
            .filter_map(|(number, full)| {
                let told_by = vec![stands_on(full)?, number];
                Some((full.last?, full.fork?, told_by))
            });
        let told = crossed.filter(|(_, fork, _)| !is_leg(*fork));
        told.chain(stood_on).max()
    }

    /// Whether a set lies on it, up to its end.
    #[must_use]
    pub fn holds(&self, set: Forked) -> bool {
        if self.legs.is_empty() {
            return true;
        }
        let leg = |fork: Uuid| self.legs.iter().find(|leg| leg.fork == fork);
        let Some(fork) = set.fork else {
            return true;
        };
        let ends = leg(fork).is_some_and(|leg| match (leg.until, set.last) {
            (Some(until), Some(last)) => last <= until,
            (until, _) => until.is_none(),
        });
        ends && set.at_start().is_none_or(|start| leg(start).is_some())
    }

    /// The fork it ends on.
    #[must_use]
    pub fn end(&self) -> Option<Uuid> {
        self.legs.first().map(|leg| leg.fork)
    }
}
