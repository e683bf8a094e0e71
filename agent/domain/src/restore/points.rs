//! Everything that can be restored, as intervals, and what each of them rests on.

use serde::Serialize;
use uuid::Uuid;

use super::chain::{Chain, Pool};
use super::goal::Goal;
use super::plan::{Gap, OtherFork};
use super::story::Story;
use super::{Candidate, Path, Place, Wanted};
use crate::recover::SetState;
use crate::{Fault, Lsn, Moment};

/// A point of a database's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When, by the clock of the server that took the set.
    pub at: Moment,
    /// Which record comes next.
    pub lsn: Option<Lsn>,
}

impl Point {
    /// The end of a set.
    pub(super) fn end_of(set: &Candidate) -> Self {
        Self {
            at: set.ended(),
            lsn: set.last(),
        }
    }
}

/// Points that can be reached, without a hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The first of them.
    pub from: Point,
    /// The last of them.
    pub to: Point,
    /// Nothing between the two can be reached: there are no logs.
    pub single: bool,
    /// Fulls and differentials that a restore can begin with.
    pub data: usize,
    /// Logs that are rolled forward.
    pub logs: usize,
    /// What could take points away.
    pub endangered: Vec<Danger>,
}

/// A set that points rest on and that may be gone soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Danger {
    /// The set.
    pub place: Place,
    /// Points behind this rest on it.
    pub from: Moment,
    /// Why.
    pub why: String,
}

/// What `restore points` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Points {
    /// The database.
    pub database: String,
    /// Ties all copies of it together.
    pub family: Option<Uuid>,
    /// The path of recovery forks, the newest first.
    pub path: Path,
    /// Oldest first.
    pub intervals: Vec<Interval>,
    /// Where the log chain is broken.
    pub gaps: Vec<Gap>,
    /// Sets of other forks.
    pub forks: Vec<OtherFork>,
    /// What else should be known.
    pub warnings: Vec<String>,
}

/// Lists what can be restored along one path.
///
/// # Errors
/// [`crate::code::NO_RESTORE_POINT`] when there is nothing of the database.
pub fn points(wanted: &Wanted, sets: &[Candidate]) -> Result<Points, Fault> {
    let story = Story::new(wanted, sets)?;
    Ok(Points {
        database: wanted.database.clone(),
        family: story.family,
        path: story.path.clone(),
        intervals: intervals(&story.pool(true)),
        gaps: story.gaps(),
        forks: story.forks(),
        warnings: story.left_out(),
    })
}

/// Oldest first; those that touch are one.
pub(super) fn intervals(pool: &Pool<'_>) -> Vec<Interval> {
    let mut chains: Vec<Chain<'_>> = pool.chains(&Goal::Latest).collect();
    chains.sort_by_key(|chain| (chain.full.branch, chain.data().last(), chain.data().ended()));
    let mut merged: Vec<(Point, Point, Vec<Chain<'_>>)> = Vec::new();
    for chain in chains {
        let (from, to) = (Point::end_of(chain.data()), Point::end_of(chain.last()));
        match merged.last_mut() {
            Some((_, end, inside)) if joins(&chain, inside, from, *end) => {
                if to.lsn > end.lsn {
                    *end = to;
                }
                inside.push(chain);
            }
            _ => merged.push((from, to, vec![chain])),
        }
    }
    merged
        .into_iter()
        .map(|(from, to, inside)| interval(from, to, &inside))
        .collect()
}

/// Whether a chain begins inside what others reach.
fn joins(chain: &Chain<'_>, inside: &[Chain<'_>], from: Point, end: Point) -> bool {
    let together = inside
        .iter()
        .all(|other| other.full.branch == chain.full.branch);
    together && from.lsn.is_some() && from.lsn <= end.lsn
}

fn interval(from: Point, to: Point, chains: &[Chain<'_>]) -> Interval {
    let mut sets: Vec<&Candidate> = chains.iter().flat_map(Chain::sets).collect();
    sets.sort_by_key(|set| (set.last(), &set.place));
    sets.dedup_by_key(|set| &set.place);
    let logs = chains.iter().flat_map(|chain| &chain.logs);
    let mut logs: Vec<&Place> = logs.map(|log| &log.place).collect();
    logs.sort_unstable();
    logs.dedup();
    Interval {
        from,
        to,
        single: logs.is_empty(),
        data: sets.len() - logs.len(),
        logs: logs.len(),
        endangered: sets.iter().flat_map(|set| dangers(set)).collect(),
    }
}

/// Why a set may be gone soon.
fn dangers(set: &Candidate) -> Vec<Danger> {
    let mut dangers = Vec::new();
    let mut danger = |why: String| {
        let (place, from) = (set.place.clone(), set.at.min(set.ended()));
        dangers.push(Danger { place, from, why });
    };
    if set.copies() < usize::from(set.mirrors) {
        danger(format!(
            "lies on {} of {} mirrors",
            set.copies(),
            set.mirrors
        ));
    }
    if set.state == SetState::Unconfirmed {
        danger("nothing proves that SQL Server called it good".to_owned());
    }
    if set.over_damage {
        danger("was taken while the database was damaged, and bears the damage".to_owned());
    }
    dangers
}

/// The reachable points nearest to a time: the last before it, the first behind it.
pub(super) fn nearest(
    intervals: &[Interval],
    before: impl Fn(&Point) -> bool,
) -> (Option<Point>, Option<Point>) {
    let ends = intervals
        .iter()
        .flat_map(|interval| [interval.from, interval.to]);
    let last = ends
        .clone()
        .filter(|end| before(end))
        .max_by_key(|end| (end.at, end.lsn));
    let first = ends
        .filter(|end| !before(end))
        .min_by_key(|end| (end.at, end.lsn));
    (last, first)
}
