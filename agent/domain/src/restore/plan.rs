//! From sets and a goal to one chain, or to why there is none.

use serde::Serialize;
use uuid::Uuid;

use super::chain::Chain;
use super::goal::{Goal, Stop};
use super::points::Point;
use super::story::Story;
use super::{Candidate, Path, Place, Wanted, refuse};
use crate::recover::SetState;
use crate::{BackupKind, Fault, Lsn, Moment, offset_text};

/// How many other ways to the same point are told.
const ALTERNATIVES: usize = 3;

/// One set of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The set.
    #[serde(flatten)]
    pub set: Candidate,
    /// It is told where to stop.
    pub stops: bool,
}

/// Log records that no usable set holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The first of them.
    pub from: Lsn,
    /// The first that a set holds again; `None` when none does.
    pub to: Option<Lsn>,
    /// The time up to which everything before it can be restored.
    pub before: Moment,
    /// Sets that would close it and cannot be used, and why.
    pub lost: Vec<String>,
}

/// Sets on another branch of the database's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherFork {
    /// The fork that they end on.
    pub fork: Uuid,
    /// How many.
    pub sets: usize,
    /// End of the newest.
    pub until: Moment,
}

/// What would be restored, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The database as it was called at backup.
    pub database: String,
    /// Ties all copies of it together.
    pub family: Option<Uuid>,
    /// What was wanted.
    pub goal: Goal,
    /// Full, differential, logs.
    pub steps: Vec<Step>,
    /// What RESTORE LOG is told of the point; nothing when all of the last set is wanted.
    pub stop: Option<Stop>,
    /// Where the database will stand; a mark tells no time before it is found.
    pub reached: Option<Point>,
    /// The same by the clock of the server that took the last set.
    pub server_time: Option<String>,
    /// Seconds from there to now: what was written since is lost.
    pub lost_seconds: Option<i64>,
    /// Bytes of all sets.
    pub bytes: u64,
    /// The path of recovery forks, the newest first.
    pub path: Path,
    /// Other ways to the same point, the best first.
    pub alternatives: Vec<Vec<Place>>,
    /// Where the log chain is broken.
    pub gaps: Vec<Gap>,
    /// Sets of other forks.
    pub forks: Vec<OtherFork>,
    /// What should be known before it is begun.
    pub warnings: Vec<String>,
}

/// Makes the plan.
///
/// # Errors
/// [`crate::code::NO_RESTORE_POINT`] when there is nothing of the database,
/// [`crate::code::POINT_UNREACHABLE`] when the point cannot be reached, with the nearest that can,
/// [`crate::code::CHAIN_GAP`] when logs are missing on the way, [`crate::code::LOST`] when a family
/// is on no mirror.
pub fn plan(wanted: &Wanted, sets: &[Candidate]) -> Result<Plan, Fault> {
    if let Goal::Set(place) = &wanted.goal {
        refuse::wrong_set(wanted, place, sets)?;
    }
    let story = Story::new(wanted, sets)?;
    // What SQL Server may never have called good is a last resort.
    for unconfirmed in [false, true] {
        let pool = story.pool(unconfirmed);
        let mut found: Vec<Chain<'_>> = pool
            .chains(&wanted.goal)
            .filter(|chain| chain.enough || story.is_all(chain))
            .collect();
        if matches!(&wanted.goal, Goal::Mark(mark) if mark.after.is_none()) {
            // The first mark of its name may lie anywhere: begin with what is oldest.
            found.sort_by_key(|chain| chain.data().last());
        }
        if let Some(best) = found.first() {
            refuse::inside_bulk(wanted, best)?;
            return Ok(story.told(best, &found));
        }
    }
    Err(refuse::unreachable(&story))
}

impl<'a> Story<'a> {
    /// Whether a chain holds everything there is.
    fn is_all(&self, chain: &Chain<'_>) -> bool {
        let Some(newest) = self.newest().filter(|_| self.wanted.goal == Goal::Latest) else {
            return false;
        };
        match newest.last() {
            Some(last) => chain.full.branch == newest.branch && chain.end() >= Some(last),
            None => chain.full.place == newest.place,
        }
    }

    fn told(&self, best: &Chain<'a>, found: &[Chain<'a>]) -> Plan {
        let goal = &self.wanted.goal;
        let last = best.last();
        let stop = stop(goal, best);
        let reached = match goal {
            Goal::Time(time) => Some(Point {
                at: *time,
                lsn: None,
            }),
            Goal::Lsn(lsn) if stop.is_some() => Some(Point {
                at: last.ended(),
                lsn: Some(*lsn),
            }),
            Goal::Mark(_) => None,
            _ => Some(Point::end_of(last)),
        };
        let shown = |point: &Point| {
            format!(
                "{} {}",
                point.at.local(last.offset),
                offset_text(last.offset)
            )
        };
        let places = |chain: &Chain<'a>| chain.sets().map(|set| set.place.clone()).collect();
        let log = |set: &Candidate| set.kind == Some(BackupKind::Log);
        let steps: Vec<Step> = best
            .sets()
            .map(|set| Step {
                set: set.clone(),
                stops: stop.is_some() && log(set),
            })
            .collect();
        Plan {
            database: self.wanted.database.clone(),
            family: self.family,
            goal: goal.clone(),
            bytes: steps.iter().map(|step| step.set.bytes).sum(),
            server_time: reached.as_ref().map(shown),
            lost_seconds: reached.map(|point| (self.wanted.now.0 - point.at.0).max(0)),
            warnings: self.warnings(best, stop.as_ref()),
            steps,
            stop,
            reached,
            path: self.path.clone(),
            alternatives: found
                .iter()
                .skip(1)
                .take(ALTERNATIVES)
                .map(places)
                .collect(),
            gaps: self.gaps(),
            forks: self.forks(),
        }
    }

    fn warnings(&self, chain: &Chain<'_>, stop: Option<&Stop>) -> Vec<String> {
        let mut said = self.left_out();
        for set in chain.sets() {
            let name = set.named();
            if set.state == SetState::Unconfirmed {
                said.push(format!(
                    "{name} is needed, and nothing proves that SQL Server called it good"
                ));
            }
            if set.over_damage {
                said.push(format!(
                    "{name} was taken while the database was damaged: check what is restored \
                     (DBCC CHECKDB), or restore to before the damage"
                ));
            }
            match &set.encryptor {
                Some(key) => said.push(format!(
                    "{name} was encrypted by SQL Server: the instance needs {key} in master"
                )),
                None if set.container => said.push(format!(
                    "{name} was compressed or encrypted by SQL Server: if encrypted, the instance \
                     needs the certificate"
                )),
                None => {}
            }
        }
        if matches!(stop, Some(Stop::At(_))) {
            let last = chain.last();
            if last.offset_is_guessed {
                said.push(format!(
                    "no set tells the zone of the server's clock; {} is taken (--server-zone)",
                    offset_text(last.offset)
                ));
            }
            if chain.sets().any(|set| set.offset != last.offset) {
                said.push(
                    "the server's clock was set by a whole zone between the sets: an hour may \
                     have passed twice, look at the data that was restored"
                        .to_owned(),
                );
            }
        }
        if matches!(&self.wanted.goal, Goal::Mark(mark) if mark.after.is_none()) {
            said.push(
                "no time is given: the search for the mark begins with the oldest full (--after)"
                    .to_owned(),
            );
        }
        said
    }
}

/// What RESTORE LOG is told.
fn stop(goal: &Goal, chain: &Chain<'_>) -> Option<Stop> {
    let last = chain.logs.last()?;
    match goal {
        Goal::Time(time) => Some(Stop::At(time.local(last.offset))),
        Goal::Lsn(lsn) => (last.last() > Some(*lsn)).then_some(Stop::Lsn(*lsn)),
        Goal::Mark(mark) => Some(Stop::Mark {
            name: mark.name.clone(),
            before: mark.before,
            after: mark.after.map(|after| after.local(last.offset)),
        }),
        Goal::Latest | Goal::Set(_) => None,
    }
}
