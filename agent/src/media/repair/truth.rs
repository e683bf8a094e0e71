//! What a media set should be, by the word of all its volumes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twinset_domain::append::Tail;
use twinset_domain::recover::{Piece, Second as Seen, SetState, classify};
use twinset_domain::repair::Presence;
use twinset_domain::standing::{Change, Standing, Statement, standings};
use twinset_domain::{FamilyNo, Fault, MediaSetId, MirrorNo, Position, Shape, Slot, code};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::Manifest;
use twinset_format::record::{Outcome, Record};

use super::read::{Reading, Second};

/// What all volumes together say.
pub struct Truth {
    /// A sound header of each family that has one.
    pub(super) headers: BTreeMap<FamilyNo, MediaHeader>,
    /// The records of the chain in writing order, voids among them.
    pub(super) chain: BTreeMap<u64, Arc<Record>>,
    /// The void of each position that has one.
    pub(super) voids: BTreeMap<Position, Arc<Record>>,
    /// The manifest of each family of each position.
    pub(super) manifests: BTreeMap<(Position, FamilyNo), Arc<Manifest>>,
    /// What each position is.
    pub(super) states: BTreeMap<Position, SetState>,
    /// Where each mirror stands.
    pub standings: BTreeMap<MirrorNo, Standing>,
}

/// One candidate for a place in the chain.
struct Candidate {
    record: Arc<Record>,
    hash: String,
    /// Whether a mirror in step has it.
    in_step: bool,
}

impl Truth {
    /// Judges what was read.
    ///
    /// # Errors
    /// [`code::MIRROR_DIVERGED`] when mirrors in step tell different histories.
    pub(super) fn of(label: &str, shape: Shape, readings: &[Reading]) -> Result<Self, Fault> {
        let standings = standings(shape, &statements(readings));
        let chain = chain(label, readings, &standings)?;
        let mut truth = Self {
            headers: headers(readings),
            voids: BTreeMap::new(),
            manifests: BTreeMap::new(),
            states: BTreeMap::new(),
            chain,
            standings,
        };
        let (mut verdicts, mut dropped) = (BTreeMap::new(), BTreeSet::new());
        for record in truth.chain.values() {
            match record.outcome {
                Outcome::Void => {
                    truth.voids.insert(record.position, Arc::clone(record));
                }
                Outcome::Dropped => {
                    dropped.insert(record.position);
                }
                Outcome::Success | Outcome::SuccessHistoryMissing => {
                    verdicts.insert(record.position, Arc::clone(record));
                }
                _ => {}
            }
        }
        truth.read_sets(shape, readings, &verdicts, &dropped);
        Ok(truth)
    }

    fn read_sets(
        &mut self,
        shape: Shape,
        readings: &[Reading],
        verdicts: &BTreeMap<Position, Arc<Record>>,
        dropped: &BTreeSet<Position>,
    ) {
        let mut positions: BTreeSet<Position> = verdicts.keys().copied().collect();
        positions.extend(dropped);
        for reading in readings {
            positions.extend(reading.data.keys());
            positions.extend(reading.seconds.keys());
        }
        let all_read = |position: Position| {
            readings.iter().all(|reading| {
                reading.presence == Presence::Answers || !self.counts(reading.slot, position)
            })
        };
        let (mut states, mut manifests) = (BTreeMap::new(), BTreeMap::new());
        for position in positions {
            let pieces: Vec<Piece> = readings
                .iter()
                .filter(|reading| self.counts(reading.slot, position))
                .map(|reading| Piece {
                    verdict: verdicts.contains_key(&position),
                    dropped: dropped.contains(&position),
                    ..piece(reading, position)
                })
                .collect();
            states.insert(position, classify(shape, &pieces, all_read(position)));
            for family in shape.families() {
                let verdict = verdicts.get(&position).map(|verdict| &**verdict);
                if let Some(manifest) = chosen(readings, position, family, verdict) {
                    manifests.insert((position, family), manifest);
                }
            }
        }
        (self.states, self.manifests) = (states, manifests);
    }

    /// Whether what a volume holds of a position says anything: a mirror that fell out of step
    /// before it may hold what the others never finished.
    fn counts(&self, slot: Slot, position: Position) -> bool {
        match self.standings.get(&slot.mirror) {
            Some(Standing::OutOfStep { since, .. }) => position < *since,
            Some(Standing::Dropped) => false,
            Some(Standing::InStep) | None => true,
        }
    }

    /// End of the chain.
    #[must_use]
    pub fn tail(&self) -> Option<Tail> {
        let (sequence, record) = self.chain.last_key_value()?;
        Some(Tail {
            sequence: *sequence,
            hash: record.hash(),
        })
    }

    /// The media set, if any sound header names it.
    #[must_use]
    pub fn media_set(&self) -> Option<MediaSetId> {
        self.headers.values().next().map(|header| header.media_set)
    }

    /// Bytes of a data section; 0 where its manifest is not known.
    #[must_use]
    pub fn length(&self, position: Position, family: FamilyNo) -> u64 {
        let manifest = self.manifests.get(&(position, family));
        manifest.map_or(0, |manifest| manifest.facts.stored_length)
    }

    /// Highest position of which anything is known.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.states.keys().last().map_or(0, |last| last.get())
    }

    /// Positions of dead runs, which are `media recover`'s.
    pub fn unsealed(&self) -> impl Iterator<Item = Position> {
        let states = self.states.iter();
        states
            .filter(|(_, state)| **state == SetState::Unsealed)
            .map(|(position, _)| *position)
    }
}

fn records(readings: &[Reading]) -> impl Iterator<Item = (Slot, &Arc<Record>)> {
    readings.iter().flat_map(|reading| {
        let voids = reading
            .seconds
            .values()
            .filter_map(|(second, _)| match second {
                Second::Void(record) => Some(record),
                Second::Manifest(_) | Second::Damaged => None,
            });
        let files = reading.records.iter().filter_map(|e| e.record.as_ref());
        let all = voids.chain(files).chain(&reading.astray);
        all.map(|record| (reading.slot, record))
    })
}

fn statements(readings: &[Reading]) -> Vec<Statement> {
    let change = |outcome| match outcome {
        Outcome::OutOfStep => Some(Change::OutOfStep),
        Outcome::InStep => Some(Change::InStep),
        Outcome::MirrorDropped => Some(Change::Dropped),
        _ => None,
    };
    records(readings)
        .filter_map(|(_, record)| {
            Some(Statement {
                sequence: record.sequence,
                change: change(record.outcome)?,
                mirrors: record.mirrors.clone(),
                position: record.position,
            })
        })
        .collect()
}

/// One record for each place in the writing order. Where two volumes disagree, the record that the
/// next one names counts, then that of the mirrors in step.
fn chain(
    label: &str,
    readings: &[Reading],
    standings: &BTreeMap<MirrorNo, Standing>,
) -> Result<BTreeMap<u64, Arc<Record>>, Fault> {
    let mut places: BTreeMap<u64, Vec<Candidate>> = BTreeMap::new();
    for (slot, record) in records(readings) {
        let in_step = standings.get(&slot.mirror) == Some(&Standing::InStep);
        let all = places.entry(record.sequence).or_default();
        if let Some(known) = all.iter_mut().find(|known| known.record == *record) {
            known.in_step |= in_step;
            continue;
        }
        all.push(Candidate {
            record: Arc::clone(record),
            hash: record.hash(),
            in_step,
        });
    }
    let mut chain: BTreeMap<u64, Arc<Record>> = BTreeMap::new();
    for (sequence, mut all) in places.into_iter().rev() {
        let next = sequence.checked_add(1).and_then(|next| chain.get(&next));
        let named = next.and_then(|next| next.previous.clone());
        if let Some(named) = named
            && all.iter().any(|candidate| candidate.hash == named)
        {
            all.retain(|candidate| candidate.hash == named);
        }
        if all.iter().any(|candidate| candidate.in_step) {
            all.retain(|candidate| candidate.in_step);
        }
        let [only] = all.as_slice() else {
            return Err(diverged(label, sequence));
        };
        chain.insert(sequence, Arc::clone(&only.record));
    }
    cut_strays(label, readings, standings, &mut chain)?;
    Ok(chain)
}

/// A record that does not follow the one before it is no part of the chain when only a mirror out
/// of step has it.
fn cut_strays(
    label: &str,
    readings: &[Reading],
    standings: &BTreeMap<MirrorNo, Standing>,
    chain: &mut BTreeMap<u64, Arc<Record>>,
) -> Result<(), Fault> {
    let sequences: Vec<u64> = chain.keys().copied().collect();
    let mut cut = None;
    for sequence in sequences {
        let Some(record) = chain.get(&sequence) else {
            continue;
        };
        let follows = match sequence.checked_sub(1) {
            Some(before) if cut == Some(before) => false,
            Some(before) => chain
                .get(&before)
                .is_none_or(|before| record.previous.as_deref() == Some(before.hash().as_str())),
            None => true,
        };
        if follows {
            continue;
        }
        let in_step = |slot: Slot| standings.get(&slot.mirror) == Some(&Standing::InStep);
        if records(readings).any(|(slot, held)| in_step(slot) && held == record) {
            return Err(diverged(label, sequence));
        }
        chain.remove(&sequence);
        cut = Some(sequence);
    }
    Ok(())
}

fn diverged(label: &str, sequence: u64) -> Fault {
    let message = format!("the mirrors tell different histories: record {sequence} of the chain");
    Fault::new(code::MIRROR_DIVERGED, format!("media set {label}"), message).remedy(
        "nothing is repaired from mirrors that contradict each other; look: twinset media verify",
    )
}

/// A template for each family. The mirror in it is replaced.
fn headers(readings: &[Reading]) -> BTreeMap<FamilyNo, MediaHeader> {
    let mut headers: BTreeMap<FamilyNo, MediaHeader> = BTreeMap::new();
    for reading in readings {
        if let Some(header) = &reading.header {
            // A header at its own place says more than one that strayed.
            let home = header.slot() == reading.slot;
            if home || !headers.contains_key(&header.family) {
                headers.insert(header.family, header.clone());
            }
        }
    }
    headers
}

fn piece(reading: &Reading, position: Position) -> Piece {
    let second = match reading.seconds.get(&position) {
        None => Seen::Nothing,
        Some((Second::Manifest(_), _)) => Seen::Manifest,
        Some((Second::Void(_), _)) => Seen::Void,
        Some((Second::Damaged, _)) if reading.is_void_by_name(position) => Seen::Void,
        Some((Second::Damaged, _)) => Seen::Damaged,
    };
    Piece {
        slot: reading.slot,
        data: reading.data.contains_key(&position),
        second,
        verdict: false,
        dropped: false,
    }
}

/// The manifest of a family: the one that the verdict names. Without a verdict the one that most
/// volumes hold.
fn chosen(
    readings: &[Reading],
    position: Position,
    family: FamilyNo,
    verdict: Option<&Record>,
) -> Option<Arc<Manifest>> {
    let mut found: Vec<(usize, Arc<Manifest>)> = Vec::new();
    for reading in readings.iter().filter(|r| r.slot.family == family) {
        if let Some((Second::Manifest(manifest), _)) = reading.seconds.get(&position) {
            match found.iter_mut().find(|(_, known)| known == manifest) {
                Some((count, _)) => *count += 1,
                None => found.push((1, Arc::clone(manifest))),
            }
        }
    }
    let named = verdict.and_then(|verdict| {
        let index = usize::from(family.0).checked_sub(1)?;
        verdict.manifests.get(index)
    });
    match named {
        Some(hash) => found
            .into_iter()
            .map(|(_, manifest)| manifest)
            .find(|manifest| manifest.hash() == *hash),
        None => found
            .into_iter()
            .max_by_key(|(count, _)| *count)
            .map(|(_, manifest)| manifest),
    }
}
