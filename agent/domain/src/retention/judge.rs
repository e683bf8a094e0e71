//! The story of a plan: what keeps a set by itself, what keeps it for others' sake, what is left.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::chains::{Chains, End, Index};
use super::clock;
use super::{Judged, Limits, Period, Plan, Policy, Question, Reason, Rule, Share, Subject};
use crate::recover::SetState;
use crate::{BackupKind, Moment};

mod signs;

/// The sets of one database, judged together.
type Row = Vec<Index>;

struct Judge<'a> {
    question: &'a Question<'a>,
    sets: &'a [Subject],
    chains: Chains<'a>,
    reasons: Vec<BTreeSet<Reason>>,
}

/// Makes the plan. Nothing in it is done yet.
#[must_use]
pub fn plan(question: &Question<'_>) -> Plan {
    let there = |set: &&Subject| matches!(set.state, SetState::Published | SetState::Unconfirmed);
    let mut sets: Vec<Subject> = question.sets.iter().filter(there).cloned().collect();
    sets.sort_by(|a, b| a.place.cmp(&b.place));
    let mut judge = Judge {
        question,
        sets: &sets,
        chains: Chains::new(&sets),
        reasons: vec![BTreeSet::new(); sets.len()],
    };
    judge.by_themselves();
    for (number, policy) in question.policies.iter().enumerate() {
        if let Rule::Limits(limits) = &policy.rule {
            for row in judge.rows(number) {
                judge.window(&row, limits);
                judge.counts(&row, limits);
                judge.last_chain(&row);
            }
        }
    }
    judge.for_others();
    while judge.signposts() {
        judge.for_others();
    }
    judge.marks();
    judge.held();
    judge.conclude()
}

impl Judge<'_> {
    fn keep(&mut self, index: Index, reason: Reason) {
        if let Some(reasons) = self.reasons.get_mut(index) {
            reasons.insert(reason);
        }
    }

    fn kept(&self, index: Index) -> bool {
        let reasons = self.reasons.get(index);
        reasons.is_some_and(|reasons| reasons.iter().any(Reason::keeps))
    }

    fn set(&self, index: Index) -> Option<&Subject> {
        self.sets.get(index)
    }

    /// What no policy needs to be asked about.
    fn by_themselves(&mut self) {
        for (index, set) in self.sets.iter().enumerate() {
            if set.state == SetState::Unconfirmed {
                self.keep(index, Reason::Unconfirmed);
            }
            if let Some(until) = self.question.locked(&set.place) {
                self.keep(index, Reason::Locked(until));
            }
            if set.database.is_none() || set.kind.is_none() {
                self.keep(index, Reason::Unknown);
            } else if set.policies.is_empty() {
                self.keep(index, Reason::NoGroup);
            }
            for policy in set
                .policies
                .iter()
                .filter_map(|n| self.question.policies.get(*n))
            {
                match &policy.rule {
                    Rule::Everything(why) => {
                        let reason = Reason::Everything(policy.group.clone(), why.clone());
                        self.keep(index, reason);
                    }
                    Rule::Limits(_) if set.mirrors < set.least => {
                        self.keep(index, Reason::NotCounted(set.mirrors, set.least));
                    }
                    Rule::Limits(_) => {}
                }
            }
        }
    }

    /// The sets that a policy speaks for, by database: its name and, where told, its family.
    fn rows(&self, policy: usize) -> Vec<Row> {
        let mut rows: BTreeMap<(String, Option<Uuid>), Row> = BTreeMap::new();
        for (index, set) in self.sets.iter().enumerate() {
            if let Some(database) = set
                .database
                .as_ref()
                .filter(|_| set.policies.contains(&policy))
            {
                let family = set.parts.iter().find_map(|part| part.family);
                let row = rows.entry((database.to_lowercase(), family));
                row.or_default().push(index);
            }
        }
        rows.into_values().collect()
    }

    /// Restoring to any moment of the window must stay possible, to its first one too.
    fn window(&mut self, row: &Row, limits: &Limits) {
        let Some(window) = limits.window.filter(|window| *window > 0) else {
            return;
        };
        let start = Moment(self.question.now.0.saturating_sub(window));
        for index in row {
            if self.set(*index).is_some_and(|set| set.ended >= start) {
                self.keep(*index, Reason::InWindow(start));
            }
        }
        let before = |set: &Subject| set.ended <= start;
        for index in self.newest_chain(row, &before) {
            self.keep(index, Reason::WindowStart(start));
        }
    }

    /// The last full of each of so many days, weeks, months and years that have one.
    fn counts(&mut self, row: &Row, limits: &Limits) {
        let mut fulls: Vec<(Moment, Index)> = row
            .iter()
            .filter(|index| self.is_full(**index) && counted(self.sets, **index))
            .filter_map(|index| Some((self.set(*index)?.began, *index)))
            .collect();
        fulls.sort_by(|a, b| b.cmp(a));
        let periods = [
            (Period::Daily, limits.daily),
            (Period::Weekly, limits.weekly),
            (Period::Monthly, limits.monthly),
            (Period::Yearly, limits.yearly),
        ];
        for (period, count) in periods {
            let mut names = BTreeSet::new();
            for (began, index) in &fulls {
                let name = period.name(*began);
                if names.contains(&name) {
                    continue;
                }
                if names.len() >= usize::try_from(count).unwrap_or(usize::MAX) {
                    break;
                }
                names.insert(name.clone());
                self.keep(*index, Reason::Count(period, name));
            }
        }
    }

    /// What leads to the last moment that can be restored: whatever the policy says.
    fn last_chain(&mut self, row: &Row) {
        for index in self.newest_chain(row, &|_| true) {
            let name = self.set(index).and_then(|set| set.database.clone());
            self.keep(index, Reason::LastChain(name.unwrap_or_default()));
        }
    }

    /// The newest full with what stands on it; and where the newest full is a copy beside the
    /// chain, the newer differential with what it stands on. What does not count is kept beside.
    fn newest_chain(&self, row: &Row, wanted: &dyn Fn(&Subject) -> bool) -> Vec<Index> {
        let mut chain = Vec::new();
        for full in self.newest_fulls(row, wanted) {
            chain.extend(self.chain(full, wanted));
        }
        for all in [false, true] {
            let counts = |index: &Index| all || counted(self.sets, *index);
            let mut done = BTreeSet::new();
            for index in row.iter().rev().copied().filter(counts) {
                let Some(set) = self.set(index).filter(|set| wanted(set)) else {
                    continue;
                };
                let mut base = self.chains.sure_base(index);
                base.retain(counts);
                let ends = set.kind == Some(BackupKind::Full) || !base.is_empty();
                if ends && done.insert(set.place.media_set.as_str()) && !base.is_empty() {
                    chain.push(index);
                    chain.extend(base);
                    let logs = self.chains.logs_behind(index).into_iter();
                    chain.extend(logs.filter(|log| self.set(*log).is_some_and(wanted)));
                }
            }
        }
        // The newest log may stand on another branch than the newest full.
        for all in [false, true] {
            let logs = row.iter().copied().filter(|index| {
                let set = self.set(*index).filter(|set| wanted(set));
                set.is_some_and(|set| set.kind == Some(BackupKind::Log))
                    && (all || counted(self.sets, *index))
            });
            chain.extend(logs.max_by_key(|index| self.set(*index).map(|set| set.ended)));
        }
        chain
    }

    fn is_full(&self, index: Index) -> bool {
        self.set(index)
            .is_some_and(|set| set.kind == Some(BackupKind::Full))
    }

    /// Of each media set the newest full that counts, and a newer one that does not: it may be all
    /// that is left of a day, and is repaired yet.
    fn newest_fulls(&self, row: &Row, wanted: &dyn Fn(&Subject) -> bool) -> Vec<Index> {
        let mut newest: BTreeMap<(&str, bool), Index> = BTreeMap::new();
        // The row stands in the order of positions.
        for index in row.iter().filter(|index| self.is_full(**index)) {
            if let Some(set) = self.set(*index).filter(|set| wanted(set)) {
                let counts = counted(self.sets, *index);
                newest.insert((set.place.media_set.as_str(), counts), *index);
            }
        }
        let behind = |(media_set, counts): &(&str, bool), index: &Index| {
            let better = newest.get(&(*media_set, true));
            *counts || better.is_none_or(|better| better < index)
        };
        newest
            .iter()
            .filter(|(key, index)| behind(key, index))
            .map(|(_, index)| *index)
            .collect()
    }

    /// A full, its newest differential and the logs behind, of those that are wanted.
    fn chain(&self, full: Index, wanted: &dyn Fn(&Subject) -> bool) -> Vec<Index> {
        let here = |index: Index| self.set(index).is_some_and(wanted);
        let counts = |index: Index| here(index) && counted(self.sets, index);
        let newest = self.chains.newest_differential(full, true, &counts);
        let mut chain = vec![full];
        // One that does not count, or whose base is a guess, is kept beside one that does.
        chain.extend(newest);
        chain.extend(self.chains.newest_differential(full, false, &here));
        let logs = self.chains.logs_behind(newest.unwrap_or(full));
        chain.extend(logs.into_iter().filter(|log| here(*log)));
        chain
    }

    /// What a kept differential or log stands on stays with it.
    fn for_others(&mut self) {
        // A set is asked once for each fork that a restore by way of it ends on.
        let mut asked: BTreeSet<(Index, End)> = BTreeSet::new();
        let ends = |chains: &Chains<'_>, index| {
            chains.ends(index).into_iter().map(move |end| (index, end))
        };
        let kept = (0..self.sets.len()).filter(|index| self.kept(*index));
        let mut waiting: Vec<(Index, End)> =
            kept.flat_map(|index| ends(&self.chains, index)).collect();
        while let Some((index, end)) = waiting.pop() {
            let Some(set) = self.set(index).filter(|_| asked.insert((index, end))) else {
                continue;
            };
            // What came to lie in the window by itself leads to no moment before it.
            let start = self.window_start(index);
            let counts = |other: Index| {
                let old = |set: &Subject| start.is_none_or(|start| set.ended <= start);
                counted(self.sets, other) && self.set(other).is_some_and(old)
            };
            let reason = Reason::NeededBy(self.named(set), set.kind);
            for other in self.chains.needs(index, end, &counts) {
                waiting.push((other, end));
                if !self.kept(other) {
                    waiting.extend(ends(&self.chains, other));
                }
                self.keep(other, reason.clone());
            }
        }
    }

    /// The first moment of the widest window that a set is kept for.
    fn window_start(&self, index: Index) -> Option<Moment> {
        let starts = self.reasons.get(index)?.iter();
        let starts = starts.filter_map(|reason| match reason {
            Reason::InWindow(start) => Some(*start),
            _ => None,
        });
        starts.min()
    }

    /// While somebody reads the media set, nothing of it goes.
    fn held(&mut self) {
        let now = self.question.now;
        for hold in self.question.holds.iter().filter(|hold| hold.until > now) {
            for index in 0..self.sets.len() {
                let only_held = self.reasons.get(index).is_some_and(|reasons| {
                    let mut keeping = reasons.iter().filter(|reason| reason.keeps());
                    keeping.all(|reason| matches!(reason, Reason::Held(..)))
                });
                if only_held {
                    self.keep(index, Reason::Held(hold.agent, hold.until));
                }
            }
        }
    }

    fn conclude(self) -> Plan {
        let ours: Vec<Index> = (0..self.sets.len())
            .filter(|index| {
                let set = self.set(*index);
                set.is_some_and(|set| set.place.media_set == self.question.media_set)
            })
            .collect();
        let subjects: Vec<&Subject> = ours.iter().filter_map(|index| self.set(*index)).collect();
        Plan {
            now: self.question.now,
            sets: ours
                .iter()
                .filter_map(|index| self.sentence(*index))
                .collect(),
            shares: self.shares(&ours),
            doubt: clock::doubt(&subjects, self.question.accepted, self.question.now),
        }
    }

    fn sentence(&self, index: Index) -> Option<Judged> {
        let set = self.set(index)?;
        let mut reasons: Vec<Reason> = self.reasons.get(index)?.iter().cloned().collect();
        let drop = !self.kept(index);
        if drop {
            reasons.insert(0, Reason::Expired);
        }
        let group = |number: &usize| Some(self.question.policies.get(*number)?.group.clone());
        Some(Judged {
            position: set.place.position,
            state: set.state,
            database: set.database.clone(),
            kind: set.kind,
            written: set.began,
            bytes: set.bytes,
            groups: set.policies.iter().filter_map(group).collect(),
            drop,
            reasons,
        })
    }

    fn shares(&self, ours: &[Index]) -> Vec<Share> {
        let share = |(number, policy): (usize, &Policy)| {
            let Rule::Limits(limits) = &policy.rule else {
                return None;
            };
            let judged = |index: &&Index| {
                let set = self.set(**index);
                set.is_some_and(|set| set.policies.contains(&number))
            };
            let sets: Vec<&Index> = ours.iter().filter(judged).collect();
            let drops = sets.iter().filter(|index| !self.kept(***index)).count();
            let part = sets.len().saturating_mul(limits.max_drop_percent.into()) / 100;
            // Of three sets one is more than a quarter: without this none of them would ever go.
            let least = usize::from(limits.max_drop_percent > 0);
            Some(Share {
                group: policy.group.clone(),
                sets: sets.len(),
                drops,
                allowed: part.max(least),
            })
        };
        let policies = self.question.policies.iter().enumerate();
        policies.filter_map(share).collect()
    }
}

/// Only what is published and lies on enough mirrors stands in for anything.
fn counted(sets: &[Subject], index: Index) -> bool {
    sets.get(index)
        .is_some_and(|set| set.state == SetState::Published && set.mirrors >= set.least)
}
