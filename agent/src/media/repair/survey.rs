//! All volumes, compared with what they should be.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::name::RecordKind;
use twinset_domain::recover::SetState;
use twinset_domain::repair::{Data, Held, Part, Presence, View, Volume, Wanted};
use twinset_domain::{Fault, Position, chunk, name};
use twinset_format::manifest::Manifest;
use twinset_format::record::Record;

use super::read::{self, Entry, Reading, Second};
use super::truth::Truth;
use crate::media::matrix::Matrix;

/// What all volumes hold, and what they should hold.
pub struct Survey {
    /// What the volumes together say.
    pub truth: Truth,
    /// Each volume compared with it. Of data sections only the length, until they are scanned.
    pub view: View,
}

impl Survey {
    /// Reads everything but the data.
    ///
    /// # Errors
    /// [`twinset_domain::code::MIRROR_DIVERGED`] when mirrors in step tell different histories.
    pub fn take(label: &str, matrix: &Matrix) -> Result<Self, Fault> {
        let readings = read::read(matrix);
        let truth = Truth::of(label, matrix.shape, &readings)?;
        let sets = wanted(matrix, &truth);
        let records = truth.chain.iter().filter_map(|(sequence, record)| {
            let name = record.name()?;
            Some((*sequence, name.to_string()))
        });
        let records: BTreeMap<u64, String> = records.collect();
        let volumes = readings
            .iter()
            .map(|reading| compare(reading, &truth, &sets, &records))
            .collect();
        let view = View {
            shape: matrix.shape,
            volumes,
            headers: truth.headers.keys().copied().collect(),
            sets,
            records,
            standings: truth.standings.clone(),
        };
        Ok(Self { truth, view })
    }
}

fn wanted(matrix: &Matrix, truth: &Truth) -> BTreeMap<Position, Wanted> {
    let mut sets = BTreeMap::new();
    for (position, state) in &truth.states {
        let known = matrix.shape.families().filter_map(|family| {
            let manifest = truth.manifests.get(&(*position, family))?;
            Some((family, chunk::count(manifest.facts.stored_length)))
        });
        let wanted = match state {
            SetState::Dropped => Wanted::Dropped(known.map(|(family, _)| family).collect()),
            SetState::Published | SetState::Unconfirmed => Wanted::Set(known.collect()),
            SetState::Void => Wanted::Void(truth.voids.contains_key(position)),
            // What a dead run left is recovery's; nothing of it is a mirror's due.
            SetState::Unsealed | SetState::Empty => continue,
        };
        sets.insert(*position, wanted);
    }
    sets
}

fn compare(
    reading: &Reading,
    truth: &Truth,
    sets: &BTreeMap<Position, Wanted>,
    records: &BTreeMap<u64, String>,
) -> Volume {
    let mut volume = Volume {
        slot: reading.slot,
        presence: reading.presence.clone(),
        header: header(reading, truth),
        sets: BTreeMap::new(),
        records: BTreeMap::new(),
        strays: Vec::new(),
        unknown: Vec::new(),
    };
    if reading.presence != Presence::Answers {
        return volume;
    }
    if let Some(why) = own_history(reading, truth) {
        volume.presence = Presence::Refused(why);
        return volume;
    }
    for (position, wanted) in sets {
        let held = Held {
            data: data(reading, truth, *position),
            second: second(reading, truth, *position, wanted),
        };
        if held != Held::NOTHING {
            volume.sets.insert(*position, held);
        }
    }
    let names: BTreeSet<&String> = records.values().collect();
    for entry in &reading.records {
        if names.contains(&entry.name) {
            let sound = is_at_home(entry)
                && truth.chain.get(&entry.named.sequence) == entry.record.as_ref();
            let part = if sound { Part::Sound } else { Part::Damaged };
            volume.records.insert(entry.named.sequence, part);
        } else if is_at_home(entry) || records.contains_key(&entry.named.sequence) {
            volume.strays.push(entry.name.clone());
        } else {
            volume.unknown.push(entry.name.clone());
        }
    }
    volume
}

/// A volume with a set of another run at a position that is taken, or with a verdict that nobody
/// else has, was written by somebody who did not know of the others. What it holds may have been
/// acknowledged: nothing of it is written over.
fn own_history(reading: &Reading, truth: &Truth) -> Option<String> {
    for (position, (second, _)) in &reading.seconds {
        let known = truth.manifests.get(&(*position, reading.slot.family));
        if let (Second::Manifest(ours), Some(known)) = (second, known)
            && ours.facts.run != known.facts.run
        {
            return Some(format!(
                "it holds a set of its own at position {position}; the mirrors tell different \
                 histories"
            ));
        }
    }
    let published = |record: &Record| {
        let mut chain = truth.chain.values();
        chain.any(|known| {
            known.outcome.kind() == Some(RecordKind::Verdict)
                && (known.position, known.run) == (record.position, record.run)
        })
    };
    let alone = |entry: &&Entry| {
        let record = entry.record.as_deref();
        is_at_home(entry)
            && record.is_some_and(|record| {
                truth.chain.get(&record.sequence).map(|known| &**known) != Some(record)
                    && !published(record)
            })
    };
    let entry = reading.records.iter().find(alone)?;
    Some(format!(
        "its record {} is of another history than that of the others",
        entry.name
    ))
}

fn is_at_home(entry: &Entry) -> bool {
    let record = entry.record.as_ref();
    record.and_then(|record| record.name()) == Some(entry.named)
}

fn header(reading: &Reading, truth: &Truth) -> Part {
    let twin = truth.headers.get(&reading.slot.family);
    match (&reading.header, reading.has_header) {
        (Some(header), _) if header.slot() == reading.slot => {
            let mut same = header.clone();
            let ours = twin.map(|twin| {
                same.mirror = twin.mirror;
                // Rows need not be level: further media have headers of their own time.
                if same.media_sequence != twin.media_sequence {
                    same.media_sequence = twin.media_sequence;
                    same.written = twin.written;
                    same.software.clone_from(&twin.software);
                }
                same.to_disk_bytes().ok() == twin.to_disk_bytes().ok()
            });
            if ours == Some(true) {
                Part::Sound
            } else {
                Part::Damaged
            }
        }
        (_, true) => Part::Damaged,
        (_, false) => Part::Missing,
    }
}

/// A data section by its length alone: chunks behind its end are not there.
fn data(reading: &Reading, truth: &Truth, position: Position) -> Data {
    let Some(length) = reading.data.get(&position) else {
        return Data::Missing;
    };
    let manifest = truth.manifests.get(&(position, reading.slot.family));
    let expected = manifest.map_or(*length, |manifest| manifest.facts.stored_length);
    Data::There {
        bad: cut_chunks(expected, *length),
        longer: *length > expected,
    }
}

fn cut_chunks(expected: u64, length: u64) -> BTreeSet<u64> {
    let first = if length < expected {
        length / chunk::CHUNK
    } else {
        chunk::count(expected)
    };
    (first..chunk::count(expected)).collect()
}

fn second(reading: &Reading, truth: &Truth, position: Position, wanted: &Wanted) -> Part {
    let Some((second, name)) = reading.seconds.get(&position) else {
        return Part::Missing;
    };
    let sound = match (wanted, second) {
        (Wanted::Void(_), Second::Void(record)) => {
            let known = truth.voids.get(&position);
            known == Some(record) && name::parse_void(name) == Some(record.sequence)
        }
        (Wanted::Set(_) | Wanted::Dropped(_), Second::Manifest(found)) => {
            let known: Option<&Manifest> = truth
                .manifests
                .get(&(position, reading.slot.family))
                .map(|manifest| &**manifest);
            known == Some(&**found) && name::parse_void(name).is_none()
        }
        _ => false,
    };
    if sound { Part::Sound } else { Part::Damaged }
}
