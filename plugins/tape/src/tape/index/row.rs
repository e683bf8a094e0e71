//! What lies on the tapes of a row before the last one, as the last one carries it on: so one
//! cartridge tells what the whole row holds.
//!
//! One line of JSON, and behind it the contents of small files, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Begun, Card, Index, Lies, Section, Small};

/// The line in front.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    cards: BTreeMap<u32, Card>,
    sections: BTreeMap<u64, Section>,
    records: BTreeMap<String, Small>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
}

impl List {
    /// All small files, in order.
    fn smalls(&mut self) -> impl Iterator<Item = &mut Small> {
        let sections = self.sections.values_mut();
        let of_sections = sections.filter_map(|section| match &mut section.lies {
            Lies::Small(small) => Some(small),
            Lies::Data(_) => None,
        });
        of_sections.chain(self.records.values_mut())
    }
}

impl Index {
    /// What the next tape says of this one and those before it. `carried`: bytes of small files
    /// that it repeats at most; of others it says where they lie.
    pub(crate) fn to_row(&self, this: (u32, Card), carried: usize) -> Vec<u8> {
        let mut list = List {
            cards: self.cards.clone(),
            sections: self.sections.clone(),
            records: self.records.clone(),
            begun: self.begun.clone(),
        };
        list.cards.insert(this.0, this.1);
        // The header of the tape that is written stands for the row.
        list.sections.remove(&0);
        let mut contents = Vec::new();
        for small in list.smalls() {
            small.at = None;
            let kept = small.kept.as_deref().filter(|kept| {
                let after = contents.len() + kept.len();
                after <= carried
            });
            if let Some(kept) = kept {
                small.at = Some(contents.len() as u64);
                contents.extend_from_slice(kept);
            }
        }
        let mut row = serde_json::to_vec(&list).unwrap_or_default();
        row.push(b'\n');
        row.extend(contents);
        row
    }

    /// The index of a tape behind others, before anything is on it; `None` for what is no list.
    pub(crate) fn from_row(row: &[u8]) -> Option<Self> {
        let end = row.iter().position(|byte| *byte == b'\n')?;
        let (line, contents) = row.split_at_checked(end)?;
        let contents = contents.get(1..)?;
        let mut list: List = serde_json::from_slice(line).ok()?;
        let mut kept = 0;
        for small in list.smalls() {
            let Some(at) = small.at.take() else { continue };
            let from = usize::try_from(at).ok()?;
            let length = usize::try_from(small.length).ok()?;
            let content = contents.get(from..from.checked_add(length)?)?;
            kept += length;
            small.kept = Some(Arc::new(content.to_vec()));
        }
        Some(Self {
            sections: list.sections,
            records: list.records,
            begun: list.begun,
            cards: list.cards,
            loose: BTreeSet::new(),
            files: 0,
            torn: false,
            gap: None,
            goes_on: None,
            kept,
        })
    }
}
