//! What can be restored from what: which full a differential stands on, which logs follow.
//!
//! Sets are joined by GUID, and by log sequence number within one family and fork. Where a set
//! does not tell, order decides, and rather too much is kept than too little.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{Part, Subject};
use crate::{BackupKind, Lsn};

/// Number of a set in the question.
pub(super) type Index = usize;

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
}

fn family(set: &Subject, part: &Part) -> Family {
    part.family.map_or_else(
        || Family::Name(set.database.clone().unwrap_or_default().to_lowercase()),
        Family::Guid,
    )
}

/// One fork, or one that is not told.
fn joins(a: &Part, b: &Part) -> bool {
    match (a.fork, b.fork) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
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

    /// Sets that a set cannot be restored without, one step back.
    pub(super) fn needs(&self, index: Index, counts: &dyn Fn(Index) -> bool) -> Vec<Index> {
        let Some(set) = self.sets.get(index) else {
            return Vec::new();
        };
        let mut needed = Vec::new();
        for part in &set.parts {
            match part.kind {
                Some(BackupKind::Differential) => needed.extend(self.base(index, part)),
                Some(BackupKind::Log) => needed.extend(self.before(index, part, counts)),
                _ => {}
            }
        }
        needed.retain(|other| *other != index);
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// The fulls that a differential stands on; several only where a file was imported twice.
    fn base(&self, index: Index, part: &Part) -> Vec<Index> {
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
        let is_base = |other: &Subject, full: &Part| {
            full.kind == Some(BackupKind::Full)
                && !full.copy_only
                && full.checkpoint == Some(checkpoint)
                && family(other, full) == ours
                && joins(full, part)
        };
        let holds = |other: &Subject| other.parts.iter().any(|full| is_base(other, full));
        let found = self.sets.iter().enumerate();
        found
            .filter(|(_, other)| holds(other))
            .map(|(other, _)| other)
            .collect()
    }

    /// What comes right before a log: the sets it can be restored behind, or else the log before
    /// it. While only guesses and sets that do not count are found, the log before it is needed as well.
    fn before(&self, index: Index, part: &Part, counts: &dyn Fn(Index) -> bool) -> Vec<Index> {
        let (Some(set), Some(first), Some(last)) = (self.sets.get(index), part.first, part.last)
        else {
            return self.all_since_earlier_full(index);
        };
        let ours = family(set, part);
        let range = (ours.clone(), first)..=(ours.clone(), last.max(first));
        let bases = self.bases.range(range).flat_map(|(_, entries)| entries);
        let usable = |entry: &&Entry<'_>| joins(entry.part, part) && self.stands(entry);
        let (mut found, mut sure) = (Vec::new(), false);
        for entry in bases.filter(usable) {
            found.push(entry.set);
            sure |= counts(entry.set) && tells_base(entry.part);
        }
        if !sure {
            found.extend(self.log_before(&ours, part, first, last));
        }
        found
    }

    /// A full, or a differential whose full is there.
    fn stands(&self, entry: &Entry<'_>) -> bool {
        entry.part.kind == Some(BackupKind::Full) || !self.base(entry.set, entry.part).is_empty()
    }

    fn log_before(&self, ours: &Family, part: &Part, first: Lsn, last: Lsn) -> Option<Index> {
        let range = (ours.clone(), first)..(ours.clone(), last.max(first));
        let starts_before = |entry: &&Entry<'_>| {
            entry.part.first.is_some_and(|start| start < first) && joins(entry.part, part)
        };
        let logs = self
            .logs_by_end
            .range(range)
            .flat_map(|(_, entries)| entries);
        logs.rev().find(starts_before).map(|entry| entry.set)
    }

    /// Logs that follow a full or differential, in order, as far as they join.
    pub(super) fn logs_behind(&self, index: Index) -> Vec<Index> {
        let Some(set) = self.sets.get(index) else {
            return Vec::new();
        };
        let base = |part: &&Part| matches!(part.kind, Some(kind) if kind != BackupKind::Log);
        let Some(part) = set.parts.iter().rfind(base) else {
            return Vec::new();
        };
        let Some(mut at) = part.last else {
            return self.later_logs(index);
        };
        let ours = family(set, part);
        let mut behind = Vec::new();
        while let Some(next) = self.log_over(&ours, part, at) {
            behind.push(next.set);
            at = next.part.last.unwrap_or(at);
        }
        behind
    }

    /// The log that holds the record at `at` and reaches furthest behind it.
    fn log_over(&self, ours: &Family, part: &Part, at: Lsn) -> Option<Entry<'a>> {
        let starts = self
            .logs_by_start
            .range((ours.clone(), Lsn(0))..=(ours.clone(), at));
        let reaches = |entry: &&Entry<'_>| {
            entry.part.last.is_some_and(|last| last > at) && joins(entry.part, part)
        };
        // In a chain without overlaps the nearest start is the one.
        starts
            .rev()
            .find_map(|(_, entries)| {
                let reaching = entries.iter().filter(reaches);
                reaching.max_by_key(|entry| entry.part.last)
            })
            .copied()
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
            parts.any(|part| (tells_base(part) || !sure) && self.base(index, part).contains(&full))
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
            .flat_map(|part| self.base(index, part))
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
