//! The days ahead: when each kind would run, as if every run succeeds.

use serde::Serialize;

use super::{KINDS, Rules, behind, until};
use crate::{BackupKind, Moment};

/// Most slots that are told of one kind; how many more there are is counted.
pub const MAX_SLOTS: usize = 10_000;
/// Most slots that are counted: a line of every minute for two years.
const MAX_COUNTED: usize = 1_100_000;

/// The slots of one kind in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// What would be taken.
    pub kind: BackupKind,
    /// When databases without an offset begin, in order, at most [`MAX_SLOTS`].
    pub slots: Vec<Moment>,
    /// How many there are in the span.
    pub count: usize,
    /// Slots whose place another backup takes, and how many there are of each sort.
    pub replaced: Vec<Replaced>,
}

/// Slots that do not run by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Replaced {
    /// A full is due at the same moment.
    Full {
        /// How many.
        count: usize,
    },
    /// They lie in a window in which nothing begins: one run behind it stands for all of them.
    Blackout {
        /// How many.
        count: usize,
    },
}

/// When each kind would run from a moment (inclusive) to another (exclusive), the most urgent kind
/// first.
#[must_use]
pub fn forecast(rules: &Rules, from: Moment, to: Moment) -> Vec<Forecast> {
    let full = moments(rules, BackupKind::Full, from, to);
    let tell = |kind| {
        rules.line(kind)?;
        let mut all = match kind {
            BackupKind::Full => full.clone(),
            _ => moments(rules, kind, from, to),
        };
        let mut replaced = Vec::new();
        if kind == BackupKind::Differential {
            let before = all.len();
            all.retain(|slot| full.binary_search(slot).is_err());
            let count = before - all.len();
            replaced.extend((count > 0).then_some(Replaced::Full { count }));
        }
        let before = all.len();
        for slot in &mut all {
            if let Some(free) = until(&rules.blackout, &rules.zone, kind, *slot) {
                *slot = free;
            }
        }
        all.dedup();
        let count = before - all.len();
        replaced.extend((count > 0).then_some(Replaced::Blackout { count }));
        // What waits until behind the span is told by the next one.
        all.retain(|slot| *slot < to);
        let count = all.len();
        all.truncate(MAX_SLOTS);
        Some(Forecast {
            kind,
            slots: all,
            count,
            replaced,
        })
    };
    KINDS.into_iter().filter_map(tell).collect()
}

fn moments(rules: &Rules, kind: BackupKind, from: Moment, to: Moment) -> Vec<Moment> {
    let Some(line) = rules.line(kind) else {
        return Vec::new();
    };
    let before = Moment(from.0.saturating_sub(1));
    behind(line, &rules.zone, before)
        .take_while(|slot| *slot < to)
        .take(MAX_COUNTED)
        .collect()
}

#[cfg(test)]
mod tests;
