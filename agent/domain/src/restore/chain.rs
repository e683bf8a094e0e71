//! Which sets follow on which: a full, a differential that stands on it, logs that join.

use std::cmp::Reverse;

use super::goal::Goal;
use super::{Candidate, Path};
use crate::{BackupKind, Lsn};

/// Sets of one database on one path, in order.
pub(super) struct Pool<'a> {
    /// Newest first.
    pub(super) fulls: Vec<&'a Candidate>,
    /// Newest first.
    pub(super) differentials: Vec<&'a Candidate>,
    /// By first record.
    logs: Vec<&'a Candidate>,
    /// The furthest end of any log up to this one.
    reach: Vec<Lsn>,
}

/// Sets in the order in which they are restored.
#[derive(Clone, Debug)]
pub(super) struct Chain<'a> {
    /// What it begins with.
    pub(super) full: &'a Candidate,
    /// What stands on that.
    pub(super) differential: Option<&'a Candidate>,
    /// What is rolled forward.
    pub(super) logs: Vec<&'a Candidate>,
    /// The goal lies within it.
    pub(super) enough: bool,
}

impl<'a> Chain<'a> {
    /// The newest of its data sets: before its end nothing can be reached.
    pub(super) fn data(&self) -> &'a Candidate {
        self.differential.unwrap_or(self.full)
    }

    /// Its last set.
    pub(super) fn last(&self) -> &'a Candidate {
        self.logs.last().copied().unwrap_or_else(|| self.data())
    }

    /// The record after it.
    pub(super) fn end(&self) -> Option<Lsn> {
        self.last().last()
    }

    /// All its sets.
    pub(super) fn sets(&self) -> impl Iterator<Item = &'a Candidate> + '_ {
        let data = std::iter::once(self.full).chain(self.differential);
        data.chain(self.logs.iter().copied())
    }
}

/// Whether a differential stands on a full.
pub(super) fn stands_on(differential: &Candidate, full: &Candidate) -> bool {
    let (Some(ours), Some(theirs)) = (&differential.link, &full.link) else {
        return false;
    };
    let apart = differential.branch != full.branch;
    if apart || theirs.copy_only || ours.last <= theirs.last {
        return false;
    }
    match (ours.base, theirs.set) {
        (Some(base), Some(set)) => base == set,
        _ => {
            let checkpoint = theirs.checkpoint.is_some() && ours.base_lsn == theirs.checkpoint;
            let first = theirs.first.is_some() && ours.base_lsn == theirs.first;
            let told = ours.database_backup.is_none() || ours.database_backup == theirs.checkpoint;
            (checkpoint || first) && told
        }
    }
}

impl<'a> Pool<'a> {
    /// What of these sets lies on a path and can be used.
    pub(super) fn new(sets: impl Iterator<Item = &'a Candidate>, path: &Path) -> Self {
        let on_path = |set: &&Candidate| {
            set.link
                .as_ref()
                .is_none_or(|link| path.holds(link.forked()))
        };
        let sets: Vec<&Candidate> = sets.filter(on_path).collect();
        let of = |kind: BackupKind| {
            let kind = move |set: &&Candidate| set.kind == Some(kind);
            let mut found: Vec<&Candidate> = sets.iter().copied().filter(kind).collect();
            found.sort_by_key(|set| Reverse((set.branch, set.last(), set.ended(), &set.place)));
            found
        };
        let mut logs = of(BackupKind::Log);
        logs.retain(|log| log.first().is_some() && log.last().is_some());
        logs.sort_by_key(|log| (log.first(), log.last()));
        let mut furthest = Lsn(0);
        let reach = logs.iter().map(|log| {
            furthest = furthest.max(log.last().unwrap_or(Lsn(0)));
            furthest
        });
        let reach = reach.collect();
        Self {
            fulls: of(BackupKind::Full),
            differentials: of(BackupKind::Differential),
            logs,
            reach,
        }
    }

    /// All sets with a chain of their own, in the order in which chains are tried: the newest full
    /// first, on it the newest differential first.
    pub(super) fn chains(&self, goal: &Goal) -> impl Iterator<Item = Chain<'a>> + '_ {
        let begun = self.fulls.iter().flat_map(move |full| {
            let on_it = self
                .differentials
                .iter()
                .filter(|diff| stands_on(diff, full));
            let some = on_it.map(|diff| (*full, Some(*diff)));
            some.chain(std::iter::once((*full, None)))
        });
        let goal = goal.clone();
        begun.filter_map(move |(full, differential)| self.walk(full, differential, &goal))
    }

    /// The chain over these data sets, as far as it goes or as the goal needs it; `None` when the
    /// data are already behind the goal.
    fn walk(
        &self,
        full: &'a Candidate,
        differential: Option<&'a Candidate>,
        goal: &Goal,
    ) -> Option<Chain<'a>> {
        let mut chain = Chain {
            full,
            differential,
            logs: Vec::new(),
            enough: false,
        };
        let data = chain.data();
        chain.enough = match goal {
            Goal::Latest => false,
            Goal::Time(time) if data.ended() > *time => return None,
            Goal::Time(time) => data.ended() == *time,
            Goal::Lsn(lsn) if data.last()? > *lsn => return None,
            Goal::Lsn(lsn) => data.last()? == *lsn,
            Goal::Mark(mark) => {
                if mark.after.is_some_and(|after| data.ended() > after) {
                    return None;
                }
                false
            }
            Goal::Set(place) => data.place == *place,
        };
        let Some(mut at) = data.last() else {
            return Some(chain);
        };
        // The number behind a set is the next record's, which is wanted with it where a log has it.
        let at_end = |at: Lsn| matches!(goal, Goal::Lsn(lsn) if *lsn == at);
        while !chain.enough || at_end(at) {
            let Some(log) = self.next((at, data.branch), goal) else {
                break;
            };
            if chain.enough && log.link.as_ref().is_some_and(|link| link.bulk) {
                break;
            }
            chain.logs.push(log);
            at = log.last()?;
            chain.enough = match goal {
                Goal::Latest | Goal::Mark(_) => false,
                Goal::Time(time) => log.ended() >= *time,
                Goal::Lsn(lsn) => at >= *lsn,
                Goal::Set(place) => log.place == *place,
            };
        }
        if let Goal::Mark(mark) = goal {
            let after = mark.after;
            let last = chain.logs.last();
            chain.enough = last.is_some_and(|log| after.is_none_or(|after| log.ended() >= after));
        }
        Some(chain)
    }

    /// The log that goes on from a record towards the goal.
    fn next(&self, (at, branch): (Lsn, u32), goal: &Goal) -> Option<&'a Candidate> {
        if let Goal::Set(place) = goal {
            let wanted = self.over(at, |log| log.place == *place && log.branch == branch);
            if wanted.is_some() {
                return wanted;
            }
        }
        self.over(at, |log| log.branch == branch)
    }

    /// The log that holds a record and reaches furthest behind it; one of the regular chain before
    /// one that was taken beside it.
    fn over(&self, at: Lsn, wanted: impl Fn(&Candidate) -> bool) -> Option<&'a Candidate> {
        let begun = self.logs.partition_point(|log| log.first() <= Some(at));
        let mut best: Option<&'a Candidate> = None;
        for (log, reach) in self.logs.iter().zip(&self.reach).take(begun).rev() {
            if *reach <= at {
                break;
            }
            let rank = |log: &Candidate| {
                let regular = !log.link.as_ref().is_some_and(|link| link.copy_only);
                (regular, log.last())
            };
            if log.last() > Some(at)
                && wanted(log)
                && best.is_none_or(|best| rank(log) > rank(best))
            {
                best = Some(log);
            }
        }
        best
    }

    /// The first log behind a record that does not join it.
    pub(super) fn resumes(&self, at: Lsn, branch: u32) -> Option<&'a Candidate> {
        let behind = |log: &&&Candidate| log.first() > Some(at) && log.branch == branch;
        self.logs.iter().find(behind).copied()
    }
}
