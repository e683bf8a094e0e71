//! Records of a volume: each whole, none missing, each naming the one before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twinset_domain::name::{HoldName, RecordKind, RecordName};
use twinset_domain::recover::{Second, SetState};
use twinset_domain::{MediaSetId, Position, name};
use twinset_format::record::{self, Record};

use super::{Report, whole};
use crate::device::DeviceFault;
use crate::media::damage::{Damage, Kind, Section};
use crate::media::inventory::SetOnMedia;
use crate::media::volume::Volume;

/// Every verdict and void must be whole and name the one before it in writing order.
pub(super) fn records(
    volume: &Arc<Volume>,
    media_set: Option<MediaSetId>,
    sets: &[&SetOnMedia],
    report: &mut Report,
) -> Result<(), DeviceFault> {
    let ours = |record: &Record| media_set.is_none_or(|id| id == record.media_set);
    let mut chain: BTreeMap<u64, Record> = BTreeMap::new();
    let mut present = BTreeSet::new();
    for entry in volume.records()? {
        let mut damage = whole(&volume.label, volume.slot, Section::Record);
        damage.name.clone_from(&entry.name);
        if HoldName::parse(&entry.name).is_some() {
            continue;
        }
        let Some(named) = RecordName::parse(&entry.name) else {
            report
                .notes
                .push(format!("{}: unknown record {}", volume.place(), entry.name));
            continue;
        };
        damage.position = Some(named.position);
        if named.kind == RecordKind::Verdict {
            present.insert(named.position);
        }
        let bytes = if entry.length > record::MAX_BYTES {
            Vec::new()
        } else {
            volume.record(&entry.name)?
        };
        match Record::parse(&bytes) {
            Ok(record) if record.name() == Some(named) && ours(&record) => {
                chain.insert(named.sequence, record);
            }
            Ok(_) => report.damage.push(Damage {
                kind: Kind::Misplaced,
                ..damage
            }),
            Err(error) => {
                report.damage.push(Damage {
                    detail: error.to_string(),
                    ..damage
                });
            }
        }
    }
    for set in sets.iter().filter(|set| set.verdict.is_some()) {
        if !present.contains(&set.position) {
            let mut damage = whole(&volume.label, volume.slot, Section::Record);
            damage.name = format!("verdict of position {}", set.position);
            damage.position = Some(set.position);
            damage.kind = Kind::Missing;
            report.damage.push(damage);
        }
    }
    voids(volume, ours, &mut chain, report)?;
    missing_voids(volume, sets, report);
    links(volume, &chain, report);
    Ok(())
}

fn voids(
    volume: &Arc<Volume>,
    ours: impl Fn(&Record) -> bool,
    chain: &mut BTreeMap<u64, Record>,
    report: &mut Report,
) -> Result<(), DeviceFault> {
    for section in volume.sections()? {
        let Some(sequence) = name::parse_void(&section.name) else {
            continue;
        };
        let bytes = volume.read_section(section.index, record::MAX_BYTES)?;
        match Record::parse(&bytes) {
            Ok(record)
                if record.sequence == sequence
                    && Some(record.position) == Position::of_section(section.index)
                    && ours(&record) =>
            {
                chain.insert(sequence, record);
            }
            found => {
                let mut damage = whole(&volume.label, volume.slot, Section::Manifest);
                damage.name = section.index.to_string();
                damage.position = Position::of_section(section.index);
                damage.detail = found
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                report.damage.push(damage);
            }
        }
    }
    Ok(())
}

/// The void of a position stands on every volume.
fn missing_voids(volume: &Volume, sets: &[&SetOnMedia], report: &mut Report) {
    for set in sets.iter().filter(|set| set.state == SetState::Void) {
        let piece = set.pieces.iter().find(|piece| piece.slot == volume.slot);
        if piece.is_some_and(|piece| piece.second == Second::Nothing) {
            let mut damage = whole(&volume.label, volume.slot, Section::Manifest);
            damage.name = set.position.manifest_section().to_string();
            damage.position = Some(set.position);
            damage.kind = Kind::Missing;
            damage.detail = "the void of the position".to_owned();
            report.damage.push(damage);
        }
    }
}

/// The hash chain: a removed, exchanged or cut-off record shows in the one behind it.
fn links(volume: &Arc<Volume>, chain: &BTreeMap<u64, Record>, report: &mut Report) {
    for (sequence, record) in chain {
        let Some(before) = sequence.checked_sub(1).and_then(|n| chain.get(&n)) else {
            continue;
        };
        if record.previous.as_deref() != Some(before.hash().as_str()) {
            let mut damage = whole(&volume.label, volume.slot, Section::Record);
            damage.name = format!("record {sequence} in writing order");
            damage.kind = Kind::Misplaced;
            damage.detail = format!("it does not follow record {}", before.sequence);
            report.damage.push(damage);
        }
    }
}
