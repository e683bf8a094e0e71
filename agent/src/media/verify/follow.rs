//! The chain of records from the first to the last, over all volumes: a record that was removed,
//! exchanged, altered or cut off shows in those around it.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::append::Tail;
use twinset_format::record::Record;

use super::Report;
use super::chain::Records;
use crate::media::damage::Kind;

/// Gaps of the writing order that are named one by one before a summary stands for the rest.
const NAMED_GAPS: usize = 100;

/// The one history that the volumes tell together.
pub(super) struct History {
    /// The record at each place of the writing order, as far as any volume has it sound.
    pub(super) records: BTreeMap<u64, Record>,
    /// Its end.
    pub(super) tail: Option<Tail>,
}

/// Follows the chain; what is wrong with it goes into the report.
pub(super) fn follow(volumes: &[Records], report: &mut Report) -> History {
    let last = volumes.iter().map(Records::last).max().unwrap_or(0);
    let records = chosen(volumes);
    gaps(volumes, &records, last, report);
    for volume in volumes {
        missing(volume, &records, last, report);
        links(volume, &records, report);
        twins(volume, &records, report);
    }
    let tail = records.last_key_value().map(|(sequence, record)| Tail {
        sequence: *sequence,
        hash: record.hash(),
    });
    History { records, tail }
}

/// One record for each place, from the last to the first: where volumes differ, the one that the
/// record behind it names.
fn chosen(volumes: &[Records]) -> BTreeMap<u64, Record> {
    let places: BTreeSet<u64> = volumes
        .iter()
        .flat_map(|volume| volume.sound.keys().copied())
        .collect();
    let mut chosen: BTreeMap<u64, Record> = BTreeMap::new();
    for place in places.into_iter().rev() {
        let mut found = volumes
            .iter()
            .filter_map(|volume| volume.sound.get(&place))
            .peekable();
        let first = found.peek().copied();
        let next = place.checked_add(1).and_then(|next| chosen.get(&next));
        let named = next.and_then(|next| next.previous.clone());
        let record = found
            .find(|record| named.as_ref().is_some_and(|named| *named == record.hash()))
            .or(first);
        if let Some(record) = record {
            chosen.insert(place, record.clone());
        }
    }
    chosen
}

/// Places in the writing order that no volume has anything of.
fn gaps(volumes: &[Records], records: &BTreeMap<u64, Record>, last: u64, report: &mut Report) {
    let mut missing = 0_u64;
    let mut expected = 1;
    // Walks over what is there, so a wild number in a name costs nothing.
    let mut there: BTreeSet<u64> = records.keys().copied().collect();
    there.extend(
        volumes
            .iter()
            .flat_map(|volume| volume.damaged.iter().copied()),
    );
    for place in there {
        if place > expected {
            missing = missing.saturating_add(1);
            if missing <= NAMED_GAPS as u64 {
                let range = range(expected, place - 1);
                report
                    .history
                    .push(format!("{range} is on no mirror: what it told is gone"));
            }
        }
        expected = place.saturating_add(1);
    }
    if missing > NAMED_GAPS as u64 {
        let more = missing - NAMED_GAPS as u64;
        report
            .history
            .push(format!("{more} more gaps before record {last}"));
    }
}

fn range(from: u64, to: u64) -> String {
    if from == to {
        format!("record {from} in writing order")
    } else {
        format!("each of the records {from} to {to} in writing order")
    }
}

/// What this volume lacks and another one has.
fn missing(volume: &Records, records: &BTreeMap<u64, Record>, last: u64, report: &mut Report) {
    for (sequence, record) in records.range(..=last) {
        if volume.sound.contains_key(sequence) || volume.damaged.contains(sequence) {
            continue;
        }
        let mut damage = volume.damage(Some(record), *sequence);
        damage.kind = Kind::Missing;
        report.damage.push(damage);
    }
}

/// Each record names the one before it, and the first none.
fn links(volume: &Records, records: &BTreeMap<u64, Record>, report: &mut Report) {
    for (sequence, record) in &volume.sound {
        let before = sequence.checked_sub(1);
        let before = before.and_then(|n| volume.sound.get(&n).or_else(|| records.get(&n)));
        let detail = match (before, record.previous.as_deref()) {
            (None, Some(_)) if *sequence == 1 => "it names a record before the first".to_owned(),
            (None, _) => continue,
            (Some(before), previous) if previous == Some(before.hash().as_str()) => continue,
            (Some(before), _) => format!("it does not follow record {}", before.sequence),
        };
        let mut damage = volume.damage(None, *sequence);
        damage.position = Some(record.position);
        damage.kind = Kind::Misplaced;
        damage.detail = detail;
        report.damage.push(damage);
    }
}

/// The same place holds the same record on every volume.
fn twins(volume: &Records, records: &BTreeMap<u64, Record>, report: &mut Report) {
    for (sequence, record) in &volume.sound {
        if records.get(sequence).is_some_and(|chosen| chosen != record) {
            let mut damage = volume.damage(None, *sequence);
            damage.position = Some(record.position);
            damage.detail = "it differs from its twin's".to_owned();
            report.damage.push(damage);
        }
    }
}
