//! From damage to loss: a chunk is lost when no mirror of its family has it sound.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::recover::SetState;
use twinset_domain::{Shape, Slot, chunk};

use super::Lost;
use crate::media::damage::{Damage, Kind, Section};
use crate::media::inventory::SetOnMedia;

/// Chunks of a set that are damaged on every one of the `mirrors` that count.
pub(super) fn lost_chunks(
    set: &SetOnMedia,
    shape: Shape,
    mirrors: usize,
    damage: &[Damage],
) -> Vec<Lost> {
    if !matches!(set.state, SetState::Published | SetState::Unconfirmed) {
        return Vec::new();
    }
    let mut lost = Vec::new();
    for family in shape.families() {
        let Some(manifest) = set.manifests.get(&family) else {
            lost.push(Lost {
                position: set.position,
                family: family.0,
                chunk: 0,
            });
            continue;
        };
        let mut bad: BTreeMap<u64, BTreeSet<Slot>> = BTreeMap::new();
        let ours = |d: &&Damage| {
            d.slot.family == family
                && (d.section == Section::Volume
                    || (d.section == Section::Data && d.position == Some(set.position)))
                && d.kind != Kind::TooLong
        };
        for damage in damage.iter().filter(ours) {
            let all = 0..chunk::count(manifest.facts.stored_length);
            let range = damage.chunk.map_or(all, |chunk| chunk..chunk + 1);
            for chunk in range {
                bad.entry(chunk).or_default().insert(damage.slot);
            }
        }
        let everywhere = bad.iter().filter(|(_, slots)| slots.len() >= mirrors);
        lost.extend(everywhere.map(|(chunk, _)| Lost {
            position: set.position,
            family: family.0,
            chunk: *chunk,
        }));
    }
    lost
}
