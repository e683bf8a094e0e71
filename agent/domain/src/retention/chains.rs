//! What can be restored from what: which full a differential stands on, which logs follow.
//!
//! Sets are joined by GUID, and by log sequence number within one family, along forks as restore
//! goes along them. Where a set does not tell, order decides, and rather too much is kept than too
//! little.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use uuid::Uuid;

use super::{Part, Subject};
use crate::fork::Path;
use crate::{BackupKind, Lsn};

mod forks;

/// Number of a set in the question.
pub(super) type Index = usize;

/// The fork that a restore ends on; none where sets do not tell forks.
pub(super) type End = Option<Uuid>;

/// What ties parts of one database together: its family, else its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Guid(Uuid),
    Name(String),
}

/// A part and the set that it lies in.
#[derive(Clone, Copy)]
struct Entry<'a> {
    set: Index,
    part: &'a Part,
}

type ByLsn<'a> = BTreeMap<(Family, Lsn), Vec<Entry<'a>>>;

/// All sets, found by what joins them.
pub(super) struct Chains<'a> {
    sets: &'a [Subject],
    fulls: HashMap<Uuid, Vec<Index>>,
    /// Fulls and differentials, by the record after them.
    bases: ByLsn<'a>,
    /// Logs, by the record after them.
    logs_by_end: ByLsn<'a>,
    /// Logs, by their first record.
    logs_by_start: ByLsn<'a>,
    /// The way to the end of each fork.
    paths: BTreeMap<(Family, Uuid), Path>,
    /// Marks of a rolled back machine before each set: what two of them part never joins.
    branches: Vec<usize>,
}

fn family(set: &Subject, part: &Part) -> Family {
    part.family.map_or_else(
        || Family::Name(set.database.clone().unwrap_or_default().to_lowercase()),
        Family::Guid,
    )
}

/// How many marks stand before each set, by the times at which they were written.
fn branches(sets: &[Subject]) -> Vec<usize> {
    let name = |set: &Subject| set.database.as_ref().map(|name| name.to_lowercase());
    let marks: Vec<&Subject> = sets.iter().filter(|set| set.new_branch).collect();
    let before = |set: &Subject| {
        let marks = marks.iter();
        marks
            .filter(|mark| mark.began <= set.began && name(mark) == name(set))
            .count()
    };
    sets.iter().map(before).collect()
}

/// Whether a base is known for sure, and not guessed from the order of sets.
const fn tells_base(part: &Part) -> bool {
    !matches!(part.kind, Some(BackupKind::Differential))
        || part.base.is_some()
        || part.base_checkpoint.is_some()
}

impl<'a> Chains<'a> {
    pub(super) fn new(sets: &'a [Subject]) -> Self {
        let mut chains = Self {
            sets,
            fulls: HashMap::new(),
            bases: BTreeMap::new(),
            logs_by_end: BTreeMap::new(),
            logs_by_start: BTreeMap::new(),
            paths: forks::paths(sets),
            branches: branches(sets),
        };
        for (set, subject) in sets.iter().enumerate() {
            for part in &subject.parts {
                chains.enter(subject, Entry { set, part });
            }
        }
        chains
    }

    fn enter(&mut self, subject: &Subject, entry: Entry<'a>) {
        let part = entry.part;
        let key = |lsn| (family(subject, part), lsn);
        let by_end = match part.kind {
            Some(BackupKind::Full) => {
                if let Some(guid) = part.set {
                    self.fulls.entry(guid).or_default().push(entry.set);
                }
                &mut self.bases
            }
            Some(BackupKind::Differential) => &mut self.bases,
            Some(BackupKind::Log) => {
                if let Some(first) = part.first {
                    let starts = self.logs_by_start.entry(key(first));
                    starts.or_default().push(entry);
                }
                &mut self.logs_by_end
            }
            None => return,
        };
        if let Some(last) = part.last {
            by_end.entry(key(last)).or_default().push(entry);
        }
    }

    /// Whether a restore to the end of a fork that goes by the later part may go by the earlier one.
    /// The later part's own fork is not enough: how it came to be may be told behind it alone.
    fn joins(&self, earlier: Entry<'_>, later: Entry<'_>, end: End) -> bool {
        let Some(set) = self.sets.get(later.set) else {
            return false;
        };
        let end = end.filter(|_| later.part.fork.is_some());
        let path = end.map(|fork| (family(set, later.part), fork));
        let path = path.and_then(|key| self.paths.get(&key));
        self.branches.get(earlier.set) == self.branches.get(later.set)
            && path.is_none_or(|path| path.holds(earlier.part.forked()))
    }

    /// Sets that a restore to the end of a fork cannot go by a set without, one step back.
    pub(super) fn needs(
        &self,
        index: Index,
        end: End,
        counts: &dyn Fn(Index) -> bool,
    ) -> Vec<Index> {
        let Some(set) = self.sets.get(index) else {
            return Vec::new();
        };
        let mut needed = Vec::new();
        for part in &set.parts {
            match part.kind {
                Some(BackupKind::Differential) => needed.extend(self.base(index, part, end)),
                Some(BackupKind::Log) => {
                    needed.extend(self.before(index, part, end, counts));
                }
                _ => {}
            }
        }
        needed.retain(|other| *other != index);
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// The fulls that a differential stands on; several only where a file was imported twice.
    fn base(&self, index: Index, part: &Part, end: End) -> Vec<Index> {
        if let Some(base) = part.base {
            return self.fulls.get(&base).cloned().unwrap_or_default();
        }
        let Some(set) = self.sets.get(index) else {
            return Vec::new();
        };
        let Some(checkpoint) = part.base_checkpoint else {
            return self.earlier_full(index).into_iter().collect();
        };
        let ours = family(set, part);
        let later = Entry { set: index, part };
        let is_base = |number: Index, other: &Subject, full: &Part| {
            let earlier = Entry {
                set: number,
                part: full,
            };
            full.kind == Some(BackupKind::Full)
                && !full.copy_only
                && full.checkpoint == Some(checkpoint)
                && family(other, full) == ours
                && self.joins(earlier, later, end)
        };
        let found = self.sets.iter().enumerate().filter(|(number, other)| {
            let mut parts = other.parts.iter();
            parts.any(|full| is_base(*number, other, full))
        });
        found.map(|(other, _)| other).collect()
    }

    /// What comes right before a log: the sets it can be restored behind, or else the log before
    /// it. While only guesses and sets that do not count are found, the log before it is needed as well.
    fn before(
        &self,
        index: Index,
        part: &Part,
        end: End,
        counts: &dyn Fn(Index) -> bool,
    ) -> Vec<Index> {
        let (Some(set), Some(first), Some(last)) = (self.sets.get(index), part.first, part.last)
        else {
            return self.all_since_earlier_full(index);
        };
        let ours = family(set, part);
        let later = Entry { set: index, part };
        let range = (ours.clone(), first)..=(ours.clone(), last.max(first));
        let bases = self.bases.range(range).flat_map(|(_, entries)| entries);
        let usable = |entry: &&Entry<'_>| self.joins(**entry, later, end) && self.stands(entry);
        let (mut found, mut sure) = (Vec::new(), false);
        for entry in bases.filter(usable) {
            found.push(entry.set);
            sure |= counts(entry.set) && tells_base(entry.part) && self.leads(entry, counts);
        }
        if !sure {
            let range = (ours.clone(), first)..(ours, last.max(first));
            found.extend(self.logs_before(later, (first, range), end, counts));
        }
        found
    }

    /// A full, or a differential whose full is there.
    fn stands(&self, entry: &Entry<'_>) -> bool {
        entry.part.kind == Some(BackupKind::Full)
            || !self.base(entry.set, entry.part, entry.part.fork).is_empty()
    }

    /// A full, or a differential whose full counts.
    fn leads(&self, entry: &Entry<'_>, counts: &dyn Fn(Index) -> bool) -> bool {
        let mut base = self
            .base(entry.set, entry.part, entry.part.fork)
            .into_iter();
        entry.part.kind == Some(BackupKind::Full) || base.any(counts)
    }

    /// The log that a log follows, and a longer one that does not count.
    fn logs_before(
        &self,
        later: Entry<'_>,
        (first, range): (Lsn, Range<(Family, Lsn)>),
        end: End,
        counts: &dyn Fn(Index) -> bool,
    ) -> Vec<Index> {
        let logs = self.logs_by_end.range(range);
        let mut found = Vec::new();
        for entry in logs.rev().flat_map(|(_, entries)| entries) {
            let starts_before = entry.part.first.is_some_and(|start| start < first);
            if !starts_before || !self.joins(*entry, later, end) {
                continue;
            }
            found.push(entry.set);
            if counts(entry.set) {
                break;
            }
        }
        found
    }

    /// Logs that follow a full or differential, as far as they join, along every fork that goes
    /// on from it.
    pub(super) fn logs_behind(&self, index: Index) -> Vec<Index> {
        let Some(set) = self.sets.get(index) else {
            return Vec::new();
        };
        let base = |part: &&Part| matches!(part.kind, Some(kind) if kind != BackupKind::Log);
        let Some(part) = set.parts.iter().rfind(base) else {
            return Vec::new();
        };
        let Some(at) = part.last else {
            return self.later_logs(index);
        };
        let (ours, anywhere) = (family(set, part), Path::default());
        let of_family = self.paths.iter().filter(|((family, _), _)| *family == ours);
        let mut ways: Vec<&Path> = of_family.map(|(_, path)| path).collect();
        ways.retain(|path| path.holds(part.forked()));
        if part.fork.is_none() {
            ways.push(&anywhere);
        }
        let branch = self.branches.get(index);
        let mut behind = Vec::new();
        for path in ways {
            let mut reached = at;
            let starts = self.logs_by_start.range((ours.clone(), Lsn(0))..);
            let starts = starts.take_while(|((family, _), _)| *family == ours);
            for ((_, first), entries) in starts {
                if *first > reached {
                    break;
                }
                let on_it = entries.iter().filter(|log| {
                    self.branches.get(log.set) == branch
                        && log.part.last > Some(at)
                        && path.holds(log.part.forked())
                });
                for log in on_it {
                    behind.push(log.set);
                    reached = reached.max(log.part.last.unwrap_or(reached));
                }
            }
        }
        behind.sort_unstable();
        behind.dedup();
        behind
    }

    /// The newest differential that stands on a full, among those wanted; `sure` leaves out those
    /// whose base is a guess.
    pub(super) fn newest_differential(
        &self,
        full: Index,
        sure: bool,
        wanted: &dyn Fn(Index) -> bool,
    ) -> Option<Index> {
        let stands_on = |index: Index, set: &Subject| {
            let differential = |part: &&Part| part.kind == Some(BackupKind::Differential);
            let mut parts = set.parts.iter().filter(differential);
            parts.any(|part| {
                (tells_base(part) || !sure) && self.base(index, part, part.fork).contains(&full)
            })
        };
        let all = self.sets.iter().enumerate();
        all.filter(|(index, set)| wanted(*index) && stands_on(*index, set))
            .max_by_key(|(_, set)| {
                let last = set.parts.iter().filter_map(|part| part.last).max();
                (last, set.ended, set.place.position)
            })
            .map(|(index, _)| index)
    }

    /// The fulls that a set's differentials stand on, where that is no guess.
    pub(super) fn sure_base(&self, index: Index) -> Vec<Index> {
        let parts = self.sets.get(index).map_or(&[][..], |set| &set.parts);
        let differential =
            |part: &&Part| part.kind == Some(BackupKind::Differential) && tells_base(part);
        let differentials = parts.iter().filter(differential);
        differentials
            .flat_map(|part| self.base(index, part, part.fork))
            .collect()
    }

    fn same_row(&self, index: Index) -> impl Iterator<Item = (Index, &Subject)> {
        let set = self.sets.get(index);
        let same = move |other: &Subject| {
            set.is_some_and(|set| {
                let name = |set: &Subject| set.database.as_ref().map(|name| name.to_lowercase());
                set.place.media_set == other.place.media_set && name(set) == name(other)
            })
        };
        let all = self.sets.iter().enumerate();
        all.filter(move |(_, other)| same(other))
    }

    /// For sets that tell no numbers: the nearest full of the database before it.
    fn earlier_full(&self, index: Index) -> Option<Index> {
        let before = self.sets.get(index)?.place.position;
        self.same_row(index)
            .filter(|(_, set)| set.kind == Some(BackupKind::Full) && set.place.position < before)
            .max_by_key(|(_, set)| set.place.position)
            .map(|(full, _)| full)
    }

    /// For logs that tell no numbers: everything of the database since that full.
    fn all_since_earlier_full(&self, index: Index) -> Vec<Index> {
        let full = self.earlier_full(index);
        let position = |index: Index| self.sets.get(index).map(|set| set.place.position);
        let (from, to) = (full.and_then(position), position(index));
        self.same_row(index)
            .filter(|(_, set)| Some(set.place.position) >= from && Some(set.place.position) < to)
            .map(|(other, _)| other)
            .collect()
    }

    /// For a base that tells no numbers: every later log of the database.
    fn later_logs(&self, index: Index) -> Vec<Index> {
        let from = self.sets.get(index).map(|set| set.place.position);
        self.same_row(index)
            .filter(|(_, set)| set.kind == Some(BackupKind::Log) && Some(set.place.position) > from)
            .map(|(log, _)| log)
            .collect()
    }
}
