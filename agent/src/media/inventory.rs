//! Which backup sets lie on the volumes, read from manifests, voids and verdicts alone (P7).

mod choose;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use twinset_domain::name::{RecordKind, RecordName};
use twinset_domain::recover::{Piece, Second, SetState, classify};
use twinset_domain::standing::{Standing, Statement, standings};
use twinset_domain::{
    BackupKind, FamilyNo, MediaSetId, MirrorNo, Moment, Position, RunId, Slot, name,
};
use twinset_format::manifest::{self, Manifest};
use twinset_format::record::{self, Record};

use super::facts::said;
use super::known::{Known, by_name, marks};
use super::matrix::Matrix;
use super::volume::Volume;
use crate::device::DeviceFault;
use choose::{manifests_of, names};

/// One set over all volumes.
pub struct SetOnMedia {
    /// Its position.
    pub position: Position,
    /// Its state.
    pub state: SetState,
    /// What each volume holds of it.
    pub pieces: Vec<Piece>,
    /// A sound manifest of each family that has one.
    pub manifests: BTreeMap<FamilyNo, Manifest>,
    /// Its verdict, if there is one.
    pub verdict: Option<Record>,
    /// The record that it was dropped, if it was.
    pub drop: Option<Record>,
}

/// What users see of a set.
#[derive(Clone, Debug, Serialize)]
pub struct SetLine {
    /// Position.
    pub position: Position,
    /// State.
    pub state: SetState,
    /// Database.
    pub database: Option<String>,
    /// Kind.
    pub kind: Option<BackupKind>,
    /// When it was written.
    pub written: Option<Moment>,
    /// Bytes over all families.
    pub bytes: u64,
    /// GUID of SQL Server's set.
    pub set: Option<String>,
    /// SQL Server's sets inside.
    pub sets: usize,
    /// Volumes that hold data and manifest.
    pub volumes: usize,
    /// The run.
    pub run: Option<RunId>,
    /// The database was known to be damaged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over_damage: bool,
}

mod set;

/// One volume's part of all positions.
struct VolumeSets {
    slot: Slot,
    media_set: Option<MediaSetId>,
    pieces: BTreeMap<Position, Piece>,
    manifests: BTreeMap<Position, Manifest>,
    verdicts: BTreeMap<Position, Record>,
    statements: Vec<Statement>,
    drops: BTreeMap<Position, Record>,
}

/// A volume that answered and then failed while it was read.
#[derive(Clone, Debug, Serialize)]
pub struct Unread {
    /// Its place.
    pub slot: Slot,
    /// Why.
    pub why: String,
}

/// Reads every set of a media set.
#[must_use]
pub fn read(matrix: &Matrix) -> Vec<SetOnMedia> {
    read_all(matrix).0
}

/// Reads every set of a media set, and names the volumes that could not be read: they count as
/// not there.
#[must_use]
pub fn read_all(matrix: &Matrix) -> (Vec<SetOnMedia>, Vec<Unread>) {
    read_unknown(matrix, &Known::new())
}

/// The same, but of sets whose marks are known only names are looked at: their manifests and
/// records stay unread. What lies behind the names is verify's question.
#[must_use]
pub fn read_unknown(matrix: &Matrix, known: &Known) -> (Vec<SetOnMedia>, Vec<Unread>) {
    let read: Vec<Result<VolumeSets, Unread>> = std::thread::scope(|scope| {
        let threads: Vec<_> = matrix
            .volumes()
            .map(|volume| {
                let thread = scope.spawn(move || read_volume(volume, matrix.media_set, known));
                (volume.slot, thread)
            })
            .collect();
        let panicked = |slot| Unread {
            slot,
            why: "the thread that read it panicked".to_owned(),
        };
        threads
            .into_iter()
            .map(|(slot, thread)| thread.join().unwrap_or_else(|_| Err(panicked(slot))))
            .collect()
    });
    let (mut volumes, mut unread) = (Vec::new(), Vec::new());
    for volume in read {
        match volume {
            Ok(volume) => volumes.push(volume),
            Err(failed) => unread.push(failed),
        }
    }
    (join(matrix, &volumes), unread)
}

/// Reads what one volume holds. A device that fails counts as not read; a manifest or record that
/// belongs elsewhere counts as damaged.
fn read_volume(
    volume: &Arc<Volume>,
    media_set: Option<MediaSetId>,
    known: &Known,
) -> Result<VolumeSets, Unread> {
    let read = || -> Result<VolumeSets, DeviceFault> {
        let mut sets = VolumeSets {
            slot: volume.slot,
            media_set,
            pieces: BTreeMap::new(),
            manifests: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            statements: Vec::new(),
            drops: BTreeMap::new(),
        };
        let records = volume.records()?;
        let marks = marks(&records);
        let is_known = |position: &Position| {
            let marks = marks.get(position).copied().unwrap_or_default();
            known.get(position) == Some(&marks)
        };
        for section in volume.sections()? {
            let Some(position) = Position::of_section(section.index) else {
                continue;
            };
            let data = section.index == position.data_section();
            let second = if data {
                None
            } else if is_known(&position) {
                Some(by_name(&section.name))
            } else {
                Some(sets.second(volume, position, &section.name)?)
            };
            let piece = sets.piece(position);
            match second {
                None => piece.data = true,
                Some(second) => piece.second = second,
            }
        }
        sets.statements = said(volume, &records)?.statements;
        for entry in records {
            let Some(named) = RecordName::parse(&entry.name) else {
                continue;
            };
            if !matches!(named.kind, RecordKind::Verdict | RecordKind::Drop) {
                continue;
            }
            if is_known(&named.position) {
                let piece = sets.piece(named.position);
                piece.verdict |= named.kind == RecordKind::Verdict;
                piece.dropped |= named.kind == RecordKind::Drop;
            } else if entry.length <= record::MAX_BYTES
                && let Ok(record) = Record::parse(&volume.record(&entry.name)?)
                && record.name() == Some(named)
                && sets.is_ours(record.media_set)
            {
                sets.speak(named.kind, record);
            }
        }
        Ok(sets)
    };
    read().map_err(|fault| {
        tracing::warn!(%fault, "volume not read");
        let (slot, why) = (volume.slot, fault.to_string());
        Unread { slot, why }
    })
}

impl VolumeSets {
    fn piece(&mut self, position: Position) -> &mut Piece {
        let (slot, second) = (self.slot, Second::Nothing);
        self.pieces.entry(position).or_insert(Piece {
            slot,
            data: false,
            second,
            verdict: false,
            dropped: false,
        })
    }

    /// Takes in what a sound record says of its set.
    fn speak(&mut self, kind: RecordKind, record: Record) {
        let position = record.position;
        let piece = self.piece(position);
        if kind == RecordKind::Verdict {
            piece.verdict = true;
            self.verdicts.insert(position, record);
        } else {
            piece.dropped = true;
            self.drops.insert(position, record);
        }
    }

    fn is_ours(&self, media_set: MediaSetId) -> bool {
        self.media_set.is_none_or(|id| id == media_set)
    }

    /// What stands in the manifest's place. A void that was damaged is still one by its name: it
    /// must not make the set look as if it had been sealed.
    fn second(
        &mut self,
        volume: &Volume,
        position: Position,
        named: &str,
    ) -> Result<Second, DeviceFault> {
        use twinset_plugin_api::Outcome;
        let index = position.manifest_section();
        let bytes = match volume.read_section(index, manifest::MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(fault) if fault.outcome == Outcome::TOO_SMALL => return Ok(Second::Damaged),
            Err(fault) => return Err(fault),
        };
        if let Ok(found) = Manifest::parse(&bytes)
            && found.facts.position == position
            && found.facts.family == self.slot.family
            && self.is_ours(found.facts.media_set)
        {
            self.manifests.insert(position, found);
            return Ok(Second::Manifest);
        }
        let void = Record::parse(&bytes)
            .is_ok_and(|r| r.outcome == record::Outcome::Void && r.position == position);
        let void = void || name::parse_void(named).is_some();
        Ok(if void { Second::Void } else { Second::Damaged })
    }
}

/// From which position on a mirror counts for nothing: it may lack what the others hold, and what
/// it has of it was never finished there.
fn absent_from(standings: &BTreeMap<MirrorNo, Standing>, mirror: MirrorNo) -> u64 {
    match standings.get(&mirror) {
        Some(Standing::OutOfStep { since, .. }) => since.get(),
        Some(Standing::Dropped) => 0,
        Some(Standing::InStep) | None => u64::MAX,
    }
}

fn join(matrix: &Matrix, volumes: &[VolumeSets]) -> Vec<SetOnMedia> {
    let shape = matrix.shape;
    let said: Vec<Statement> = volumes
        .iter()
        .flat_map(|volume| volume.statements.iter().cloned())
        .collect();
    let standings = standings(shape, &said);
    let unread = matrix
        .cells
        .iter()
        .map(|cell| cell.place.slot)
        .filter(|slot| !volumes.iter().any(|volume| volume.slot == *slot))
        .map(|slot| absent_from(&standings, slot.mirror))
        .max()
        .unwrap_or(0)
        .max(matrix.unread_below);
    let mut positions: Vec<Position> = volumes
        .iter()
        .flat_map(|volume| volume.pieces.keys().copied())
        .collect();
    positions.sort_unstable();
    positions.dedup();
    let set = |position: Position| {
        let piece = |volume: &VolumeSets| {
            let nothing = Piece {
                slot: volume.slot,
                data: false,
                second: Second::Nothing,
                verdict: false,
                dropped: false,
            };
            volume.pieces.get(&position).cloned().unwrap_or(nothing)
        };
        let pieces: Vec<Piece> = volumes.iter().map(piece).collect();
        let verdict = volumes
            .iter()
            .find_map(|volume| volume.verdicts.get(&position))
            .cloned();
        let drop = volumes
            .iter()
            .find_map(|volume| volume.drops.get(&position))
            .cloned();
        let found = volumes
            .iter()
            .filter_map(|volume| volume.manifests.get(&position));
        let manifests = manifests_of(shape, verdict.as_ref(), found);
        let counts = |piece: &&Piece| position.get() < absent_from(&standings, piece.slot.mirror);
        let judged: Vec<Piece> = pieces.iter().filter(counts).cloned().collect();
        let state = classify(shape, &judged, position.get() >= unread);
        SetOnMedia {
            position,
            state,
            pieces,
            manifests,
            verdict,
            drop,
        }
    };
    positions.into_iter().map(set).collect()
}
