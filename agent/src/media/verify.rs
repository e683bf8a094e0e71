//! Reads every byte of every mirror, not of one, and names what is not as it was written.
//!
//! One thread reads each volume; the next piece is read on the lane while the last one is hashed.

mod chain;
mod data;
mod follow;
mod lost;
mod notes;
mod proof;
mod quick;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use twinset_domain::recover::{Second, SetState};
use twinset_domain::standing::Standing;
use twinset_domain::{MediaSetId, Position, Shape, Slot};
use twinset_format::manifest::{self, Manifest};

use super::damage::{Damage, Kind, Section};
use super::inventory::SetOnMedia;
use super::matrix::{Cell, Matrix};
use super::volume::Volume;
use crate::device::DeviceFault;
use chain::Records;
pub use proof::Proof;

/// What a verify pass found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Everything that is not as it was written.
    pub damage: Vec<Damage>,
    /// Chunks that no mirror has sound.
    pub lost: Vec<Lost>,
    /// What is wrong with the history of the media set as a whole: records on no mirror, an end
    /// that is not the one expected, documents that are authentic nowhere.
    pub history: Vec<String>,
    /// What the catalog knows and the media lack, if so.
    pub behind: Option<String>,
    /// Worth knowing, no damage: foreign files, unfinished work, unconfirmed sets.
    pub notes: Vec<String>,
    /// Encoded sets that gave back what went in, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<u64>,
    /// Sets whose stored bytes are sound and do not decode.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undecodable: Vec<String>,
    /// Data bytes read.
    pub bytes: u64,
    /// Data bytes that were not read: the checksums that their storage keeps are those of what was
    /// written.
    #[serde(skip_serializing_if = "is_zero")]
    pub by_checksum: u64,
    /// Sets looked at.
    pub sets: u64,
    /// Volumes looked at.
    pub volumes: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's
const fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

/// What is looked at, and how closely.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// One set alone.
    pub only: Option<Position>,
    /// Data whose storage keeps checksums is not read.
    pub quick: bool,
}

/// A chunk that no mirror has sound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lost {
    /// The set.
    pub position: Position,
    /// Its family.
    pub family: u16,
    /// The chunk.
    pub chunk: u64,
}

/// How a pass is watched and stopped.
pub trait Watch: Sync {
    /// So many more data bytes were read.
    fn advance(&self, bytes: u64);
}

/// Bytes that a pass looks at on the volumes that are asked for.
#[must_use]
pub fn planned(sets: &[SetOnMedia], only: Option<Position>, on: impl Fn(Slot) -> bool) -> u64 {
    let wanted =
        |set: &&SetOnMedia| set.is_kept() && only.is_none_or(|position| set.position == position);
    sets.iter()
        .filter(wanted)
        .flat_map(|set| {
            let pieces = set
                .pieces
                .iter()
                .filter(|piece| piece.data && on(piece.slot));
            pieces.map(|piece| {
                let manifest = set.manifests.get(&piece.slot.family);
                manifest.map_or(0, |manifest| manifest.facts.stored_length)
            })
        })
        .sum()
}

/// Verifies all volumes, or one set on all of them.
#[must_use]
pub fn verify(
    matrix: &Matrix,
    sets: &[SetOnMedia],
    wanted: Wanted,
    proof: &Proof,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Report {
    let chosen: Vec<&SetOnMedia> = sets
        .iter()
        .filter(|set| wanted.only.is_none_or(|position| set.position == position))
        .collect();
    let standings = matrix.standings();
    let dropped = |mirror| standings.get(&mirror) == Some(&Standing::Dropped);
    let kept = matrix.shape.mirrors().filter(|m| !dropped(*m)).count();
    let parts: Vec<(Report, Option<Records>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = matrix
            .cells
            .iter()
            // A mirror that was given up is no part of the media set any more.
            .filter(|cell| !dropped(cell.place.slot.mirror))
            .map(|cell| {
                scope.spawn(|| {
                    Pass {
                        media_set: matrix.media_set,
                        shape: matrix.shape,
                        chosen: &chosen,
                        quick: wanted.quick,
                        watch,
                        stop,
                    }
                    .cell(cell)
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    let mut report = Report {
        sets: chosen.len() as u64,
        ..Report::default()
    };
    let mut chains = Vec::new();
    for (part, records) in parts {
        report.damage.extend(part.damage);
        report.notes.extend(part.notes);
        report.bytes += part.bytes;
        report.by_checksum += part.by_checksum;
        report.volumes += part.volumes;
        chains.extend(records);
    }
    let history = follow::follow(&chains, &mut report);
    proof::check(proof, &history, &chains, &chosen, &mut report);
    for set in &chosen {
        if set.state == SetState::Unconfirmed {
            report.notes.push(format!(
                "position {} is unconfirmed: SQL Server's verdict is not known; it is restorable",
                set.position
            ));
        }
        report
            .lost
            .extend(lost::lost_chunks(set, matrix.shape, kept, &report.damage));
    }
    report
}

struct Pass<'a> {
    media_set: Option<MediaSetId>,
    shape: Shape,
    chosen: &'a [&'a SetOnMedia],
    quick: bool,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
}

impl Pass<'_> {
    fn cell(&self, cell: &Cell) -> (Report, Option<Records>) {
        let mut report = Report::default();
        let volume = match &cell.volume {
            Ok(volume) => volume,
            Err(fault) => {
                let mut damage = whole(&cell.place.label, cell.place.slot, Section::Volume);
                damage.kind = Kind::Missing;
                damage.detail = fault.text.clone();
                report.damage.push(damage);
                return (report, None);
            }
        };
        report.volumes = 1;
        report.damage.extend(self.header(cell, volume));
        let scanned = self
            .sets(volume, &mut report)
            .and_then(|()| notes::leftovers(volume, &mut report))
            .and_then(|()| chain::records(volume, self.media_set, &mut report));
        match scanned {
            Ok(records) => (report, Some(records)),
            Err(fault) => {
                let mut damage = whole(&volume.label, volume.slot, Section::Volume);
                damage.kind = Kind::Unreadable;
                damage.detail = fault.to_string();
                report.damage.push(damage);
                (report, None)
            }
        }
    }

    /// The header must be sound, of this media set, and of this place in it.
    fn header(&self, cell: &Cell, volume: &Volume) -> Option<Damage> {
        let mut damage = whole(&volume.label, volume.slot, Section::Header);
        match &cell.header {
            Err(fault) => {
                damage.detail = fault.causes.first().unwrap_or(&fault.message).clone();
            }
            Ok(header) if self.media_set.is_some_and(|id| id != header.media_set) => {
                damage.kind = Kind::Misplaced;
                damage.detail = format!("it is of media set {}", header.media_set);
            }
            Ok(header) if header.slot() != volume.slot => {
                damage.kind = Kind::Misplaced;
                damage.detail = format!("it says {}", header.slot());
            }
            Ok(_) => return None,
        }
        Some(damage)
    }

    fn sets(&self, volume: &Arc<Volume>, report: &mut Report) -> Result<(), DeviceFault> {
        for set in self.chosen {
            if notes::not_kept(self, volume, set, report)? {
                continue;
            }
            let piece = set.pieces.iter().find(|piece| piece.slot == volume.slot);
            let Some(manifest) = set.manifests.get(&volume.slot.family) else {
                continue;
            };
            let second = piece.map_or(Second::Nothing, |piece| piece.second);
            self.manifest(volume, set, manifest, second, report)?;
            if piece.is_some_and(|piece| piece.data) {
                if !self.quick || !quick::told(self, volume, manifest, report)? {
                    data::data(self, volume, manifest, report)?;
                }
            } else {
                let position = set.position;
                let detail = String::new();
                report.damage.push(super::reader::missing(
                    volume.label.clone(),
                    volume.slot,
                    position,
                    detail,
                ));
            }
        }
        Ok(())
    }

    /// The manifest must be the one its twins have, bit by bit.
    fn manifest(
        &self,
        volume: &Arc<Volume>,
        set: &SetOnMedia,
        manifest: &Manifest,
        second: Second,
        report: &mut Report,
    ) -> Result<(), DeviceFault> {
        let index = set.position.manifest_section();
        let mut damage = whole(&volume.label, volume.slot, Section::Manifest);
        damage.name = index.to_string();
        damage.position = Some(set.position);
        match second {
            Second::Manifest => {
                let same = volume.read_section(index, manifest::MAX_BYTES)? == manifest.to_bytes();
                if same && set.is_named(manifest, self.shape) {
                    return Ok(());
                }
                damage.detail = if same {
                    "it is not the one that its verdict names".to_owned()
                } else {
                    "it differs from its twin's".to_owned()
                };
            }
            Second::Nothing => damage.kind = Kind::Missing,
            Second::Damaged | Second::Void => {}
        }
        report.damage.push(damage);
        Ok(())
    }
}

fn whole(label: &str, slot: Slot, section: Section) -> Damage {
    Damage {
        volume: label.to_owned(),
        slot,
        section,
        name: String::new(),
        position: None,
        chunk: None,
        from: None,
        to: None,
        kind: Kind::Altered,
        detail: String::new(),
    }
}
