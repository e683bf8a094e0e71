//! What is known of sets before their manifests are read: the marks that names bear.

use std::collections::BTreeMap;

use twinset_domain::name::{self, RecordKind, RecordName};
use twinset_domain::recover::Second;
use twinset_domain::{Position, RunId};
use twinset_format::card::Card;
use twinset_plugin_api::RecordEntry;

/// What the names of a set's records tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Run and writing order of its verdict.
    pub verdict: Option<(RunId, u64)>,
    /// Writing order of its drop record.
    pub drop: Option<u64>,
}

/// Sets that were read before, with the marks that they had then.
pub type Known = BTreeMap<Position, Marks>;

/// The marks of what is remembered.
#[must_use]
pub fn of<'a>(cards: impl IntoIterator<Item = &'a Card>) -> Known {
    let marks = |card: &Card| Marks {
        verdict: card.run.zip(card.verdict),
        drop: card.drop,
    };
    let cards = cards.into_iter();
    cards.map(|card| (card.position, marks(card))).collect()
}

/// The marks of every set on a volume.
pub(super) fn marks(records: &[RecordEntry]) -> BTreeMap<Position, Marks> {
    let mut found: BTreeMap<Position, Marks> = BTreeMap::new();
    for name in records.iter().filter_map(|r| RecordName::parse(&r.name)) {
        let marks = found.entry(name.position).or_default();
        match name.kind {
            RecordKind::Verdict => marks.verdict = Some((name.run, name.sequence)),
            RecordKind::Drop => marks.drop = Some(name.sequence),
            _ => {}
        }
    }
    found
}

/// What stands in the manifest's place, by its name alone.
pub(super) fn by_name(section: &str) -> Second {
    if name::parse_void(section).is_some() {
        Second::Void
    } else {
        Second::Manifest
    }
}
