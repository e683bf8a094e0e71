//! What recovery, repair and retention do to the volumes of a media set.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use twinset_domain::append::Tail;
use twinset_domain::recover::{self, SetState, Step};
use twinset_domain::repair::{self, Data, Deed, Held, Part, Presence, Scope, View, Wanted};
use twinset_domain::standing::{Change, Standing};
use twinset_domain::{FamilyNo, MirrorNo, Moment, Position};

use super::media::{MediaSet, Piled, Read, Record, What, number};

/// What is proved of a sealed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Confirmed,
    NeverCounted,
}

fn mirror_of(slot: twinset_domain::Slot) -> usize {
    usize::from(slot.mirror.0) - 1
}

fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

impl MediaSet {
    /// The end of the chain, by the volumes in step.
    pub(crate) fn tail(&self) -> Option<Tail> {
        let there = self.volumes.iter().filter(|volume| volume.there);
        there.filter_map(super::media::Volume::tail).max()
    }

    fn writable(&self) -> Vec<usize> {
        let standings = self.standings();
        let here = |mirror: &usize| {
            let standing = standings.get(&number(*mirror));
            self.volumes[*mirror].there && standing == Some(&Standing::InStep)
        };
        (0..self.volumes.len()).filter(here).collect()
    }

    /// Puts the next record on these mirrors.
    pub(crate) fn say(&mut self, mirrors: &[usize], what: What, at: u64, now: Moment) {
        let tail = self.tail();
        let record = self.next_record(tail.as_ref(), (what, at), mirrors.len(), now);
        for mirror in mirrors {
            self.put_record(*mirror, &record);
        }
    }

    /// Sets right what dead runs left.
    pub(crate) fn recover(
        &mut self,
        settled: &BTreeSet<u64>,
        now: Moment,
        ask: &mut dyn FnMut(&Read, &[Read]) -> Option<Word>,
    ) {
        let (sets, here) = (self.read(), self.writable());
        for set in &sets {
            let in_step = |piece: &&recover::Piece| here.contains(&mirror_of(piece.slot));
            let pieces: Vec<_> = set.pieces.iter().filter(in_step).cloned().collect();
            if set.state == SetState::Unsealed && settled.contains(&set.position) {
                continue;
            }
            for step in recover::plan(set.state, &pieces) {
                self.step(step, set, &sets, now, ask);
            }
        }
    }

    /// Takes back what a run wrote that SQL Server was never answered for.
    pub(crate) fn take_back(&mut self, at: u64, now: Moment) {
        let sets = self.read_of(Some(at));
        let Some(set) = sets.first() else {
            return;
        };
        for step in recover::plan(SetState::Unsealed, &set.pieces) {
            self.step(step, set, &sets, now, &mut |_, _| None);
        }
    }

    fn step(
        &mut self,
        step: Step,
        set: &Read,
        sets: &[Read],
        now: Moment,
        ask: &mut dyn FnMut(&Read, &[Read]) -> Option<Word>,
    ) {
        match step {
            Step::Heal(slot) => self.heal(mirror_of(slot), set),
            Step::Confirm => match ask(set, sets) {
                Some(Word::Confirmed) => {
                    let mirrors = self.writable();
                    self.say(&mirrors, What::Verdict, set.position, now);
                }
                Some(Word::NeverCounted) => self.take_back(set.position, now),
                None => {}
            },
            Step::CopyVerdict(slot) => self.copy(mirror_of(slot), &What::Verdict, set.position),
            Step::CopyDrop(slot) => self.copy(mirror_of(slot), &What::Drop, set.position),
            Step::CopyManifest(slot) => {
                let piled = self.piled(mirror_of(slot), set.position);
                piled.manifest = piled.manifest.clone().or_else(|| set.manifest.clone());
            }
            Step::RemoveManifest(slot) => {
                self.piled(mirror_of(slot), set.position).manifest = None;
            }
            Step::PutVoid(slot) => {
                if self.known(&What::Void, set.position).is_some() {
                    self.copy(mirror_of(slot), &What::Void, set.position);
                } else {
                    self.say(&[mirror_of(slot)], What::Void, set.position, now);
                }
            }
            Step::RemoveData(slot) => self.piled(mirror_of(slot), set.position).data = None,
        }
    }

    fn piled(&mut self, mirror: usize, at: u64) -> &mut Piled {
        self.volumes[mirror].sets.entry(at).or_default()
    }

    fn known(&self, what: &What, at: u64) -> Option<Rc<Record>> {
        let mut there = self.volumes.iter().filter(|volume| volume.there);
        there.find_map(|volume| volume.said(what, at).cloned())
    }

    fn copy(&mut self, mirror: usize, what: &What, at: u64) {
        if let Some(record) = self.known(what, at) {
            self.put_record(mirror, &record);
        }
    }

    /// Copies data and manifest from a sound twin, if there is one.
    fn heal(&mut self, mirror: usize, set: &Read) {
        let twin = |volume: &&super::media::Volume| {
            let piled = volume.sets.get(&set.position);
            volume.there && piled.is_some_and(|piled| piled.data == Some(true))
        };
        let sound = self.volumes.iter().any(|volume| twin(&volume));
        let manifest = set.manifest.clone();
        if manifest.is_none() || self.volumes[mirror].full {
            return;
        }
        let piled = self.piled(mirror, set.position);
        if sound {
            piled.data = Some(true);
        }
        if piled.data.is_some() {
            piled.manifest = manifest;
        }
    }

    /// The volumes as repair compares them; `deep` reads every byte.
    fn view(&self, sets: &[Read], deep: bool) -> View {
        let chain = self.chain();
        let kept: BTreeMap<Position, Wanted> = sets
            .iter()
            .filter_map(|set| {
                let one = |known| BTreeMap::from([(FamilyNo(1), known)]);
                let wanted = match set.state {
                    SetState::Published | SetState::Unconfirmed => {
                        Wanted::Set(set.manifest.as_ref().map(|_| one(1)).unwrap_or_default())
                    }
                    SetState::Dropped => {
                        Wanted::Dropped(set.manifest.iter().map(|_| FamilyNo(1)).collect())
                    }
                    SetState::Void => Wanted::Void(true),
                    SetState::Unsealed | SetState::Empty => return None,
                };
                Some((position(set.position), wanted))
            })
            .collect();
        let volume = |(mirror, volume): (usize, &super::media::Volume)| {
            let held = |at: &Position| {
                let piled = volume.sets.get(&at.get()).cloned().unwrap_or_default();
                let bad = |sound: bool| (deep && !sound).then_some(0).into_iter().collect();
                let second = match kept.get(at) {
                    Some(Wanted::Void(_)) => piled.void,
                    _ => piled.manifest.is_some(),
                };
                Held {
                    data: piled.data.map_or(Data::Missing, |sound| Data::There {
                        bad: bad(sound),
                        longer: false,
                    }),
                    second: if second { Part::Sound } else { Part::Missing },
                }
            };
            repair::Volume {
                slot: twinset_domain::Slot {
                    mirror: number(mirror),
                    family: FamilyNo(1),
                },
                presence: if volume.there {
                    Presence::Answers
                } else {
                    Presence::Missing("not mounted".to_owned())
                },
                header: Part::Sound,
                sets: kept.keys().map(|at| (*at, held(at))).collect(),
                records: volume.records.keys().map(|at| (*at, Part::Sound)).collect(),
                strays: self.strays(volume, &chain),
                unknown: Vec::new(),
            }
        };
        View {
            shape: self.shape(),
            volumes: self.volumes.iter().enumerate().map(volume).collect(),
            headers: BTreeSet::from([FamilyNo(1)]),
            sets: kept.clone(),
            records: chain
                .iter()
                .filter(|(_, record)| record.what != What::Void)
                .map(|(at, record)| (*at, record.hash.clone()))
                .collect(),
            standings: self.standings(),
        }
    }

    /// The records of the mirrors in step, by writing order.
    fn chain(&self) -> BTreeMap<u64, Rc<Record>> {
        let volumes = self.writable().into_iter().map(|at| &self.volumes[at]);
        volumes.flat_map(|volume| volume.records.clone()).collect()
    }

    fn strays(
        &self,
        volume: &super::media::Volume,
        chain: &BTreeMap<u64, Rc<Record>>,
    ) -> Vec<String> {
        let astray = |(at, record): (&u64, &Rc<Record>)| {
            let known = chain.get(at);
            (known.map(|known| &known.hash) != Some(&record.hash)).then(|| record.hash.clone())
        };
        volume.records.iter().filter_map(astray).collect()
    }

    /// Brings mirrors back that answer; gives whether everything is whole.
    pub(crate) fn repair(&mut self, scope: Scope, deep: bool, now: Moment) -> bool {
        let mut plan = repair::Plan::default();
        for _ in 0..3 {
            let sets = self.read();
            let view = self.view(&sets, deep);
            plan = repair::plan(&view, scope);
            plan.steps.retain(|step| self.takes(mirror_of(step.slot)));
            if plan.steps.is_empty() {
                break;
            }
            for step in plan.steps.clone() {
                self.mend(mirror_of(step.slot), &step.deed, &sets);
            }
        }
        let sets = self.read();
        let view = self.view(&sets, deep);
        let back = repair::returning(&view, scope, &repair::plan(&view, scope));
        self.declare(&back, &view.standings, now);
        let out = |standing: &Standing| matches!(standing, Standing::OutOfStep { .. });
        plan.unhealed.is_empty() && plan.lost.is_empty() && !self.standings().values().any(out)
    }

    fn declare(
        &mut self,
        back: &[MirrorNo],
        standings: &BTreeMap<MirrorNo, Standing>,
        now: Moment,
    ) {
        let since = back
            .iter()
            .filter_map(|mirror| match standings.get(mirror) {
                Some(Standing::OutOfStep { since, .. }) => Some(since.get()),
                _ => None,
            });
        let Some(since) = since.min() else { return };
        let mut mirrors = self.writable();
        mirrors.extend(back.iter().map(|mirror| usize::from(mirror.0) - 1));
        self.say(
            &mirrors,
            What::Mirrors(Change::InStep, back.to_vec()),
            since,
            now,
        );
    }

    fn mend(&mut self, mirror: usize, deed: &Deed, sets: &[Read]) {
        let chain = self.chain();
        let of = |at: &Position| sets.iter().find(|set| set.position == at.get());
        match deed {
            Deed::PutHeader { .. } => {}
            Deed::PutData { position } | Deed::RewriteData { position, .. } => {
                if let Some(set) = of(position) {
                    self.heal(mirror, set);
                }
            }
            Deed::PutManifest { position, .. } => {
                let manifest = of(position).and_then(|set| set.manifest.clone());
                self.piled(mirror, position.get()).manifest = manifest;
            }
            Deed::PutVoid { position, .. } => self.copy(mirror, &What::Void, position.get()),
            Deed::RemoveData { position, .. } => self.piled(mirror, position.get()).data = None,
            Deed::PutRecord { sequence, .. } => {
                if let Some(record) = chain.get(sequence) {
                    self.put_record(mirror, &Rc::clone(record));
                }
            }
            Deed::RemoveRecord { name } => {
                self.volumes[mirror].forget(name);
            }
        }
    }
}
