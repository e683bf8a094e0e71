//! Reads one family, chunk by chunk, each from the first mirror that has it sound (P3, P4).
//!
//! No byte leaves this room before its chunk's hash was compared with the manifest. While a chunk
//! is used, the next one is already read on the preferred mirror's lane.

mod range;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use twinset_domain::{Fault, Position, Slot, chunk, code};
use twinset_format::manifest::Manifest;
use twinset_format::tree;
use twinset_plugin_api::Outcome;

use super::damage::{Damage, Kind, Section};
use super::patience;
use super::volume::Volume;
use crate::device::{DeviceFault, Handle, Pending};

pub(super) use range::{Broken, read_range};

/// One mirror's copy of the family.
struct Copy {
    volume: Arc<Volume>,
    opened: bool,
    /// Whole copy unusable: not asked again.
    dead: bool,
    /// What it gave of the chunk before it asked for another medium: a chunk may lie on two.
    begun: Vec<u8>,
}

/// A chunk that is on its way.
struct Ahead {
    chunk: u64,
    copy: usize,
    pending: Pending<Result<Vec<u8>, Broken>>,
}

/// What one copy gave of a chunk.
enum Got {
    Sound(Vec<u8>),
    /// Nothing: it is in the damage map.
    Bad,
    /// It waits for a person to bring the medium that the chunk lies on.
    Asks(DeviceFault),
}

/// The reader of one family of one set.
pub struct FamilyReader {
    manifest: Manifest,
    copies: Vec<Copy>,
    ahead: Option<Ahead>,
    damage: Vec<Damage>,
    next: u64,
    spare: Vec<Vec<u8>>,
    substituted: u64,
    read_from: Vec<u64>,
}

/// What reading one family came to.
#[derive(Debug)]
pub struct ReadReport {
    /// Everything that was not as it was written.
    pub damage: Vec<Damage>,
    /// Chunks that came from another mirror than the preferred one.
    pub substituted: u64,
    /// Chunks read from each volume, in preference order.
    pub read_from: Vec<(Slot, u64)>,
}

impl FamilyReader {
    /// A reader over the volumes that hold the family, in the order they are asked.
    #[must_use]
    pub fn new(manifest: Manifest, volumes: Vec<Arc<Volume>>) -> Self {
        let copies: Vec<Copy> = volumes
            .into_iter()
            .map(|volume| Copy {
                volume,
                opened: false,
                dead: false,
                begun: Vec::new(),
            })
            .collect();
        Self {
            manifest,
            read_from: vec![0; copies.len()],
            copies,
            ahead: None,
            damage: Vec::new(),
            next: 0,
            spare: Vec::new(),
            substituted: 0,
        }
    }

    /// Stored bytes of the family.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.manifest.facts.stored_length
    }

    /// What is read.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Notes a copy that is not there at all, so that the damage map is whole.
    pub fn note(&mut self, damage: Damage) {
        self.damage.push(damage);
    }

    /// The next chunk, sound; `None` behind the end. Hand the last one back by `reuse`. A medium
    /// that a person must bring is waited for where no twin has the chunk.
    ///
    /// # Errors
    /// [`code::LOST`] when no mirror has it sound.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let number = self.next;
        let Some(range) = chunk::range(number, self.length()) else {
            return Ok(None);
        };
        self.next += 1;
        self.copies.iter_mut().for_each(|copy| copy.begun.clear());
        let (begun, mut waited) = (Instant::now(), false);
        let mut tried: Vec<usize> = (0..self.copies.len()).collect();
        loop {
            let mut asking = Vec::new();
            let mut found = None;
            for index in tried {
                match self.fetch(index, number, &range) {
                    Got::Sound(bytes) => {
                        found = Some((index, bytes));
                        break;
                    }
                    Got::Bad => {}
                    Got::Asks(fault) => asking.push((index, fault)),
                }
            }
            let again = found.is_none() && self.wait(&asking, begun);
            if !again && (found.is_none() || !waited) {
                // Nobody came; or a twin has it, and nobody was asked.
                for (index, fault) in &asking {
                    let detail = fault.to_string();
                    self.condemn(*index, number, &range, Kind::Unreadable, detail);
                }
            }
            match found {
                Some((index, bytes)) => return Ok(Some(self.give(index, number, bytes))),
                None if again => {}
                None => return Err(self.lost(number, &range)),
            }
            waited = true;
            tried = asking.into_iter().map(|(index, _)| index).collect();
        }
    }

    /// Counts a chunk, and orders the next one.
    fn give(&mut self, index: usize, number: u64, bytes: Vec<u8>) -> Vec<u8> {
        self.copies.iter_mut().for_each(|copy| copy.begun.clear());
        self.look_ahead(number + 1);
        if index > 0 {
            self.substituted += 1;
        }
        if let Some(count) = self.read_from.get_mut(index) {
            *count += 1;
        }
        bytes
    }

    fn wait(&self, asking: &[(usize, DeviceFault)], begun: Instant) -> bool {
        let named = asking.iter().filter_map(|(index, fault)| {
            let copy = self.copies.get(*index)?;
            Some((&*copy.volume, fault))
        });
        patience::wait(&named.collect::<Vec<_>>(), begun)
    }

    /// Takes a chunk's memory back.
    pub fn reuse(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < 2 {
            self.spare.push(bytes);
        }
    }

    /// Everything that was not as it was written, so far.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Whether any copy is still asked: false once every one turned out not to be there.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.copies.iter().any(|copy| !copy.dead)
    }

    /// What reading came to.
    #[must_use]
    pub fn finish(mut self) -> ReadReport {
        self.report()
    }

    /// What reading came to so far; the damage map is handed over.
    pub(super) fn report(&mut self) -> ReadReport {
        let read_from = self
            .copies
            .iter()
            .zip(&self.read_from)
            .map(|(copy, chunks)| (copy.volume.slot, *chunks))
            .collect();
        ReadReport {
            damage: std::mem::take(&mut self.damage),
            substituted: self.substituted,
            read_from,
        }
    }

    /// A chunk from one copy, or its damage in the map.
    fn fetch(&mut self, index: usize, number: u64, range: &Range<u64>) -> Got {
        if self.copies.get(index).is_none_or(|copy| copy.dead) {
            return Got::Bad;
        }
        let ready = self
            .ahead
            .take()
            .filter(|a| a.chunk == number && a.copy == index);
        let pending = match ready {
            Some(ahead) => Some(ahead.pending),
            None => self.order(index, range),
        };
        let Some(pending) = pending else {
            return Got::Bad;
        };
        let outcome = pending.wait().map_err(Broken::from);
        let outcome = outcome.and_then(|outcome| outcome);
        let expected = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let (kind, detail) = match outcome {
            Ok(bytes) if bytes.len() == expected && self.sound(number, &bytes) => {
                return Got::Sound(bytes);
            }
            Ok(bytes) if bytes.len() < expected => (
                Kind::Truncated,
                format!("{} bytes of it are there", bytes.len()),
            ),
            Ok(_) => (Kind::Altered, String::new()),
            Err(broken) => match broken.fault.outcome {
                Outcome::NOT_FOUND => (Kind::Missing, String::new()),
                Outcome::NEEDS_OPERATOR => {
                    if let Some(copy) = self.copies.get_mut(index) {
                        (copy.opened, copy.begun) = (false, broken.bytes);
                    }
                    return Got::Asks(broken.fault);
                }
                _ => (Kind::Unreadable, broken.fault.to_string()),
            },
        };
        self.condemn(index, number, range, kind, detail);
        Got::Bad
    }

    fn sound(&self, number: u64, bytes: &[u8]) -> bool {
        let hash = usize::try_from(number)
            .ok()
            .and_then(|n| self.manifest.chunks.get(n));
        !bytes.is_empty() && hash == Some(&tree::chunk_hash(number, bytes))
    }

    /// Writes a bad place into the damage map; a copy that is not there is not asked again.
    fn condemn(
        &mut self,
        index: usize,
        number: u64,
        range: &Range<u64>,
        kind: Kind,
        detail: String,
    ) {
        let position = self.manifest.facts.position;
        let whole = kind == Kind::Missing;
        let Some(copy) = self.copies.get_mut(index) else {
            return;
        };
        copy.dead = whole;
        self.damage.push(Damage {
            volume: copy.volume.label.clone(),
            slot: copy.volume.slot,
            section: Section::Data,
            name: position.data_section().to_string(),
            position: Some(position),
            chunk: (!whole).then_some(number),
            from: (!whole).then_some(range.start),
            to: (!whole).then_some(range.end),
            kind,
            detail,
        });
    }

    fn look_ahead(&mut self, number: u64) {
        let first = self.copies.iter().position(|copy| !copy.dead);
        if let (Some(copy), Some(range)) = (first, chunk::range(number, self.length())) {
            self.ahead = self.order(copy, &range).map(|pending| Ahead {
                chunk: number,
                copy,
                pending,
            });
        }
    }

    /// Orders a range of the data section from a copy's lane.
    fn order(
        &mut self,
        index: usize,
        range: &Range<u64>,
    ) -> Option<Pending<Result<Vec<u8>, Broken>>> {
        let section = self.manifest.facts.position.data_section();
        let spare = self.spare.pop().unwrap_or_default();
        let copy = self.copies.get_mut(index)?;
        let begun = std::mem::take(&mut copy.begun);
        let filled = begun.len();
        let buffer = if filled == 0 { spare } else { begun };
        let open = !copy.opened;
        copy.opened = true;
        let range = range.clone();
        let job = move |handle: &mut Handle| {
            if open {
                handle.open_section(section)?;
            }
            read_range(handle, range, buffer, filled)
        };
        Some(copy.volume.lane().submit(job))
    }

    fn lost(&self, number: u64, range: &Range<u64>) -> Fault {
        let facts = &self.manifest.facts;
        let object = format!(
            "position {}, {}, chunk {number}",
            facts.position, facts.family
        );
        let message = format!(
            "bytes {} to {} are lost on every mirror",
            range.start, range.end
        );
        let whole = |d: &&Damage| d.chunk.is_none_or(|chunk| chunk == number);
        self.damage
            .iter()
            .filter(whole)
            .fold(Fault::new(code::LOST, object, message), |fault, damage| {
                fault.cause(damage)
            })
            .remedy("bring a missing volume back, or restore an earlier set")
    }
}

/// Damage of a section that is not there at all.
#[must_use]
pub fn missing(volume: String, slot: Slot, position: Position, detail: String) -> Damage {
    Damage {
        volume,
        slot,
        section: Section::Data,
        name: position.data_section().to_string(),
        position: Some(position),
        chunk: None,
        from: None,
        to: None,
        kind: Kind::Missing,
        detail,
    }
}
