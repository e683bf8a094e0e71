//! One round of harm: what is done to which places, so that one sound copy of everything is left.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use twinset::media::damage::{Damage, Kind, Section};
use twinset_domain::name::RecordName;
use twinset_domain::repair::Lost;
use twinset_domain::{FamilyNo, Position};

use super::bench::Bench;
use crate::damage::scarred::{CHUNK, Place, What};
use crate::support::Dice;

/// A place that was hit.
#[derive(Clone, Debug)]
pub(super) struct Harm {
    place: Place,
    how: How,
    /// The chunk that must be named, where one alone was hit.
    chunk: Option<u64>,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum How {
    Flip,
    Zero,
    Cut,
    Delete,
    Swap,
}

/// What must stay sound somewhere: a chunk, a manifest, a header, a record.
type Unit = String;

/// A round over the places of a media set.
pub(super) struct Round<'a> {
    bench: &'a Bench,
    pub(super) harms: Vec<Harm>,
    pub(super) lost: BTreeSet<Lost>,
    hurt: BTreeMap<Unit, usize>,
    touched: BTreeSet<usize>,
}

impl<'a> Round<'a> {
    pub(super) fn new(bench: &'a Bench) -> Self {
        Self {
            bench,
            harms: Vec::new(),
            lost: BTreeSet::new(),
            hurt: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Hurts about every second file, as long as one sound copy of each part of it is left.
    pub(super) fn hurt(&mut self, dice: &mut Dice) {
        let count = self.bench.places.len();
        for _ in 0..count / 2 {
            let index = usize::try_from(dice.below(count as u64)).unwrap();
            if !self.touched.contains(&index) {
                self.hit(index, dice);
            }
        }
    }

    /// One chunk goes on every mirror.
    pub(super) fn lose_a_chunk(&mut self, dice: &mut Dice) {
        let data = |place: &Place| matches!(place.what(), What::Data(_));
        let all: Vec<&(Place, Vec<u8>)> =
            self.bench.places.iter().filter(|(p, _)| data(p)).collect();
        let (chosen, bytes) = dice.pick(&all);
        let What::Data(position) = chosen.what() else {
            return;
        };
        let chunk = dice.below((bytes.len() as u64).div_ceil(CHUNK));
        for (index, (place, bytes)) in self.bench.places.iter().enumerate() {
            if (place.family, place.what()) != (chosen.family, What::Data(position)) {
                continue;
            }
            let length = (bytes.len() as u64 - chunk * CHUNK).min(CHUNK);
            let mut bytes = bytes.clone();
            let at = usize::try_from(chunk * CHUNK + dice.below(length)).unwrap();
            bytes[at] ^= 1 << dice.below(8);
            fs::write(&place.path, bytes).unwrap();
            self.touched.insert(index);
            self.harms.push(Harm {
                place: place.clone(),
                how: How::Flip,
                chunk: Some(chunk),
            });
        }
        self.lost.insert(Lost {
            position: Position::new(position).unwrap(),
            family: FamilyNo(chosen.family),
            chunk,
        });
    }

    fn hit(&mut self, index: usize, dice: &mut Dice) {
        let (place, bytes) = &self.bench.places[index];
        let how = *dice.pick(&[
            How::Flip,
            How::Flip,
            How::Zero,
            How::Cut,
            How::Delete,
            How::Swap,
        ]);
        let length = bytes.len() as u64;
        let mut now = bytes.clone();
        let from = dice.below(length);
        let range = match how {
            How::Flip => {
                now[usize::try_from(from).unwrap()] ^= 1 << dice.below(8);
                from..from + 1
            }
            How::Zero => {
                let to = length.min(from + 1 + dice.below(60_000));
                now[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].fill(0);
                from..to
            }
            How::Cut => {
                now.truncate(usize::try_from(from).unwrap());
                from..length
            }
            How::Delete => 0..length,
            How::Swap => return self.swap(index, dice),
        };
        let deleted = matches!(how, How::Delete);
        if now == *bytes && !deleted {
            return;
        }
        if !self.allow(&units(place, &range)) {
            return;
        }
        if deleted {
            fs::remove_file(&place.path).unwrap();
        } else {
            fs::write(&place.path, now).unwrap();
        }
        let flipped = matches!(how, How::Flip) && matches!(place.what(), What::Data(_));
        self.touched.insert(index);
        self.harms.push(Harm {
            place: place.clone(),
            how,
            chunk: flipped.then_some(from / CHUNK),
        });
    }

    /// Two files of one kind change places.
    fn swap(&mut self, index: usize, dice: &mut Dice) {
        let bench = self.bench;
        let (place, bytes) = &bench.places[index];
        let others: Vec<usize> = (0..bench.places.len())
            .filter(|other| {
                let (twin, theirs) = &bench.places[*other];
                kind(place) == kind(twin) && !self.touched.contains(other) && theirs != bytes
            })
            .collect();
        if others.is_empty() {
            return;
        }
        let other = *dice.pick(&others);
        let (twin, theirs) = &bench.places[other];
        let mut all = units(place, &(0..bytes.len() as u64));
        all.extend(units(twin, &(0..theirs.len() as u64)));
        if !self.allow(&all) {
            return;
        }
        fs::write(&place.path, theirs).unwrap();
        fs::write(&twin.path, bytes).unwrap();
        for (index, place) in [(index, place), (other, twin)] {
            self.touched.insert(index);
            self.harms.push(Harm {
                place: place.clone(),
                how: How::Swap,
                chunk: None,
            });
        }
    }

    /// Whether one sound copy of each is left when these are hurt too; notes them if so.
    fn allow(&mut self, units: &[Unit]) -> bool {
        let mut hurt = self.hurt.clone();
        for unit in units {
            *hurt.entry(unit.clone()).or_default() += 1;
        }
        let shape = &self.bench.world.media;
        let volumes = usize::from(shape.mirrors) * usize::from(shape.families);
        let left = |unit: &Unit| {
            let copies = if unit.starts_with("everywhere") {
                volumes
            } else {
                usize::from(shape.mirrors)
            };
            hurt[unit] < copies
        };
        let allowed = units.iter().all(left);
        if allowed {
            self.hurt = hurt;
        }
        allowed
    }
}

/// Files that may change places: a manifest and a void stand in the same place of their sets.
fn kind(place: &Place) -> u8 {
    match place.what() {
        What::Header => 0,
        What::Data(_) => 1,
        What::Manifest(_) | What::Void => 2,
        What::Record => 3,
    }
}

fn units(place: &Place, range: &std::ops::Range<u64>) -> Vec<Unit> {
    let family = place.family;
    match place.what() {
        What::Header => vec![format!("header {family}")],
        What::Data(position) => (range.start / CHUNK..range.end.div_ceil(CHUNK))
            .map(|chunk| format!("data {family} {position} {chunk}"))
            .collect(),
        What::Manifest(position) => vec![format!("manifest {family} {position}")],
        What::Void | What::Record => vec![format!("everywhere {}", place.name)],
    }
}

impl Harm {
    /// Whether an entry of the damage map names this place.
    pub(super) fn is_named(&self, damage: &Damage) -> bool {
        let place = &self.place;
        let here = damage.slot.mirror.0 == place.mirror && damage.slot.family.0 == place.family;
        let number = || place.name[..4].parse::<u64>().unwrap().to_string();
        let this = match place.what() {
            What::Header => damage.section == Section::Header,
            What::Data(_) => damage.section == Section::Data && damage.name == number(),
            What::Manifest(_) | What::Void => {
                damage.section == Section::Manifest && damage.name == number()
            }
            What::Record => {
                let name = place.name.strip_suffix(".record").unwrap();
                let named = RecordName::parse(name).unwrap();
                let missing = damage.kind == Kind::Missing
                    && damage.position == Some(named.position)
                    && damage.name.starts_with(named.kind.word());
                damage.section == Section::Record && (damage.name == name || missing)
            }
        };
        let deleted = !matches!(self.how, How::Delete) || damage.kind != Kind::Altered;
        let header = place.what() == What::Header;
        here && this
            && (deleted || header)
            && self.chunk.is_none_or(|chunk| damage.chunk == Some(chunk))
    }
}
