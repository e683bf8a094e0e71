//! What one volume holds, read whole but for its data: header, manifests, voids, records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twinset_domain::name::{HoldName, RecordName};
use twinset_domain::repair::Presence;
use twinset_domain::{FamilyNo, Fault, MediaSetId, Position, Slot, code, name};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::{self, Manifest};
use twinset_format::record::{self, Outcome, Record};
use twinset_plugin_api::Outcome as Class;

use crate::device::DeviceFault;
use crate::media::matrix::{Cell, Matrix};
use crate::media::volume::Volume;

/// What stands in the place of a manifest.
pub(super) enum Second {
    /// A sound manifest of this place.
    Manifest(Arc<Manifest>),
    /// A sound void of this position.
    Void(Arc<Record>),
    /// Something else.
    Damaged,
}

/// A file in the place of a record.
pub(super) struct Entry {
    /// Its name.
    pub(super) name: String,
    /// What it tells, if it is a record of the chain.
    pub(super) named: RecordName,
    /// The record in it, if it is a sound one of this media set; it may belong to another name.
    pub(super) record: Option<Arc<Record>>,
}

/// One volume as it was read.
pub(super) struct Reading {
    pub(super) slot: Slot,
    pub(super) presence: Presence,
    /// A sound header, wherever it belongs.
    pub(super) header: Option<MediaHeader>,
    /// Whether anything stands in its place.
    pub(super) has_header: bool,
    /// Lengths of the data sections.
    pub(super) data: BTreeMap<Position, u64>,
    /// What section 2k is, and its name.
    pub(super) seconds: BTreeMap<Position, (Second, String)>,
    pub(super) records: Vec<Entry>,
    /// Sound records of the chain that stand in a wrong place. They are evidence all the same.
    pub(super) astray: Vec<Arc<Record>>,
}

/// Reads every volume, side by side.
pub(super) fn read(matrix: &Matrix) -> Vec<Reading> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = matrix
            .cells
            .iter()
            .map(|cell| (cell, scope.spawn(|| read_cell(cell, matrix.media_set))))
            .collect();
        let read = |(cell, thread): (&Cell, std::thread::ScopedJoinHandle<'_, Reading>)| {
            let why = "reading it failed".to_owned();
            thread
                .join()
                .unwrap_or_else(|_| Reading::of(cell.place.slot, Presence::Missing(why)))
        };
        threads.into_iter().map(read).collect()
    })
}

fn read_cell(cell: &Cell, media_set: Option<MediaSetId>) -> Reading {
    let slot = cell.place.slot;
    let volume = match &cell.volume {
        Ok(volume) => volume,
        Err(fault) if fault.outcome == Class::NO_MEDIUM => {
            return Reading::of(slot, Presence::Blank);
        }
        Err(fault) => return Reading::of(slot, Presence::Missing(fault.text.clone())),
    };
    let mut reading = Reading::of(slot, Presence::Answers);
    if let Err(fault) = reading.fill(volume, media_set) {
        return Reading::of(slot, Presence::Refused(fault.to_string()));
    }
    reading.judge_header(&cell.header, media_set);
    reading
}

impl Reading {
    fn of(slot: Slot, presence: Presence) -> Self {
        Self {
            slot,
            presence,
            header: None,
            has_header: false,
            data: BTreeMap::new(),
            seconds: BTreeMap::new(),
            records: Vec::new(),
            astray: Vec::new(),
        }
    }

    fn fill(
        &mut self,
        volume: &Arc<Volume>,
        media_set: Option<MediaSetId>,
    ) -> Result<(), DeviceFault> {
        for section in volume.sections()? {
            let Some(position) = Position::of_section(section.index) else {
                self.has_header = true;
                continue;
            };
            if section.index == position.data_section() {
                self.data.insert(position, section.length);
            } else {
                let second = self.second(volume, position, media_set)?;
                self.seconds.insert(position, (second, section.name));
            }
        }
        for entry in volume.records()? {
            // Holds are no part of the chain, and what is unknown is left alone.
            if HoldName::parse(&entry.name).is_some() {
                continue;
            }
            let Some(named) = RecordName::parse(&entry.name) else {
                continue;
            };
            let bytes = if entry.length > record::MAX_BYTES {
                Vec::new()
            } else {
                volume.record(&entry.name)?
            };
            let record = ours(&bytes, media_set).map(Arc::new);
            if let Some(record) = record.as_ref().filter(|r| r.name() != Some(named)) {
                self.astray.push(Arc::clone(record));
            }
            self.records.push(Entry {
                name: entry.name,
                named,
                record,
            });
        }
        let empty = self.data.is_empty() && self.seconds.is_empty() && self.records.is_empty();
        if empty && !self.has_header {
            self.presence = Presence::Blank;
        }
        Ok(())
    }

    fn second(
        &mut self,
        volume: &Volume,
        position: Position,
        media_set: Option<MediaSetId>,
    ) -> Result<Second, DeviceFault> {
        let index = position.manifest_section();
        let bytes = match volume.read_section(index, manifest::MAX_BYTES) {
            Ok(bytes) => bytes,
            // What cannot be read is as bad as what was altered: a twin has it.
            Err(fault) if is_local(&fault) => return Ok(Second::Damaged),
            Err(fault) => return Err(fault),
        };
        if let Ok(found) = Manifest::parse(&bytes) {
            let facts = &found.facts;
            let here = facts.position == position && facts.family == self.slot.family;
            return Ok(
                if here && media_set.is_none_or(|id| id == facts.media_set) {
                    Second::Manifest(Arc::new(found))
                } else {
                    Second::Damaged
                },
            );
        }
        let Some(record) = ours(&bytes, media_set).map(Arc::new) else {
            return Ok(Second::Damaged);
        };
        if record.outcome == Outcome::Void && record.position == position {
            return Ok(Second::Void(record));
        }
        self.astray.push(record);
        Ok(Second::Damaged)
    }

    /// Families that the manifests on the volume speak of.
    fn families(&self) -> BTreeSet<FamilyNo> {
        let sound = self
            .seconds
            .values()
            .filter_map(|(second, _)| match second {
                Second::Manifest(manifest) => Some(manifest.facts.family),
                Second::Void(_) | Second::Damaged => None,
            });
        sound.collect()
    }

    /// A header that is sound and belongs elsewhere is damage where the rest of the volume belongs
    /// here; else the devices stand in another order, and nothing is written.
    fn judge_header(&mut self, header: &Result<MediaHeader, Fault>, media_set: Option<MediaSetId>) {
        if self.presence != Presence::Answers {
            return;
        }
        match header {
            Ok(header) if media_set.is_some_and(|id| id != header.media_set) => {
                if self.families().is_empty() {
                    let why = format!("it holds a volume of media set {}", header.media_set);
                    self.presence = Presence::Refused(why);
                }
            }
            Ok(header) => {
                let elsewhere = header.family != self.slot.family;
                // Manifests are read for this family alone: one is enough to tell.
                if elsewhere && !self.seconds.is_empty() && self.families().is_empty() {
                    let why = format!("the volume is {}; check the configuration", header.slot());
                    self.presence = Presence::Refused(why);
                }
                self.header = Some(header.clone());
            }
            Err(fault) if fault.code == code::FORMAT_VERSION => {
                self.presence = Presence::Refused(fault.to_string());
            }
            Err(_) => {}
        }
    }

    /// Whether a void that was damaged is still known by its name.
    pub(super) fn is_void_by_name(&self, position: Position) -> bool {
        let named = self.seconds.get(&position).map(|(_, name)| name.as_str());
        named.and_then(name::parse_void).is_some()
    }
}

fn ours(bytes: &[u8], media_set: Option<MediaSetId>) -> Option<Record> {
    let record = Record::parse(bytes).ok()?;
    media_set
        .is_none_or(|id| id == record.media_set)
        .then_some(record)
}

/// A fault of one section, not of the whole device.
fn is_local(fault: &DeviceFault) -> bool {
    matches!(fault.outcome, Class::TOO_SMALL | Class::PERMANENT)
}
