//! Records of one volume: each must be whole, and lie under its own name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twinset_domain::name::{HoldName, RecordName};
use twinset_domain::{MediaSetId, Position, Slot, name};
use twinset_format::record::{self, Record};

use super::{Report, whole};
use crate::device::DeviceFault;
use crate::media::damage::{Damage, Kind, Section};
use crate::media::volume::Volume;

/// What one volume holds of the chain.
pub(super) struct Records {
    /// The volume, as messages name it.
    pub(super) label: String,
    /// Its place.
    pub(super) slot: Slot,
    /// Sound records and voids, by writing order.
    pub(super) sound: BTreeMap<u64, Record>,
    /// Writing orders of those that are there and damaged; their damage is told already.
    pub(super) damaged: BTreeSet<u64>,
}

impl Records {
    /// The last place in the writing order that anything on the volume claims.
    pub(super) fn last(&self) -> u64 {
        let sound = self.sound.last_key_value().map_or(0, |(last, _)| *last);
        sound.max(self.damaged.last().copied().unwrap_or(0))
    }

    /// Damage of a record on this volume.
    pub(super) fn damage(&self, record: Option<&Record>, sequence: u64) -> Damage {
        let mut damage = whole(&self.label, self.slot, Section::Record);
        damage.position = record.map(|record| record.position);
        match record {
            Some(record) if record.name().is_none() => {
                damage.section = Section::Manifest;
                damage.name = record.position.manifest_section().to_string();
                damage.detail = "the void of the position".to_owned();
            }
            Some(record) => {
                damage.name = match record.outcome.kind() {
                    Some(kind) => format!("{} of position {}", kind.word(), record.position),
                    None => String::new(),
                }
            }
            None => damage.name = format!("record {sequence} in writing order"),
        }
        damage
    }
}

/// Reads every record and void of a volume.
pub(super) fn records(
    volume: &Arc<Volume>,
    media_set: Option<MediaSetId>,
    report: &mut Report,
) -> Result<Records, DeviceFault> {
    let ours = |record: &Record| media_set.is_none_or(|id| id == record.media_set);
    let mut records = Records {
        label: volume.label.clone(),
        slot: volume.slot,
        sound: BTreeMap::new(),
        damaged: BTreeSet::new(),
    };
    for entry in volume.records()? {
        let mut damage = whole(&volume.label, volume.slot, Section::Record);
        damage.name.clone_from(&entry.name);
        // A reader's hold is no part of the chain.
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
        let bytes = if entry.length > record::MAX_BYTES {
            Vec::new()
        } else {
            volume.record(&entry.name)?
        };
        match Record::parse(&bytes) {
            Ok(record) if record.name() == Some(named) && ours(&record) => {
                if let Some(other) = records.sound.insert(named.sequence, record) {
                    damage.kind = Kind::Misplaced;
                    damage.detail = match other.name() {
                        Some(other) => format!("{other} has the same place in the writing order"),
                        None => "a void has the same place in the writing order".to_owned(),
                    };
                    report.damage.push(damage);
                }
                continue;
            }
            Ok(_) => damage.kind = Kind::Misplaced,
            Err(error) => damage.detail = error.to_string(),
        }
        records.damaged.insert(named.sequence);
        report.damage.push(damage);
    }
    voids(volume, ours, &mut records, report)?;
    let sound = &records.sound;
    records
        .damaged
        .retain(|sequence| !sound.contains_key(sequence));
    Ok(records)
}

fn voids(
    volume: &Arc<Volume>,
    ours: impl Fn(&Record) -> bool,
    records: &mut Records,
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
                records.sound.insert(sequence, record);
            }
            found => {
                let mut damage = whole(&volume.label, volume.slot, Section::Manifest);
                damage.name = section.index.to_string();
                damage.position = Position::of_section(section.index);
                damage.detail = found
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                report.damage.push(damage);
                records.damaged.insert(sequence);
            }
        }
    }
    Ok(())
}
