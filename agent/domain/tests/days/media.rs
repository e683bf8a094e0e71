//! A media set of one family: what lies on each mirror, and how it looks to a run.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use twinset_domain::append::{DEVICE_CLASS, Expected, Found, MinMirrors, Seen, State, Tail};
use twinset_domain::recover::{Piece, Second, SetState, classify};
use twinset_domain::standing::{self, Change, Standing};
use twinset_domain::{
    AgentId, BackupKind, FamilyNo, MediaSetId, MirrorNo, Moment, Position, RunId, Shape, Slot,
};

use super::set::Shared;

/// What a manifest says.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) run: RunId,
    pub(crate) set: Shared,
    /// When the run began, by the agent's clock.
    pub(crate) written: Moment,
    pub(crate) new_branch: bool,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Verdict,
    Void,
    Drop,
    Mirrors(Change, Vec<MirrorNo>),
}

/// A record, or a void.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) hash: String,
    pub(crate) what: What,
    pub(crate) position: u64,
    pub(crate) written: Moment,
    /// How many mirrors got it.
    pub(crate) mirrors: usize,
}

/// What lies on a volume of one position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piled {
    /// The data are there; whether they are sound.
    pub(crate) data: Option<bool>,
    pub(crate) manifest: Option<Rc<Manifest>>,
    pub(crate) void: bool,
}

/// One mirror: a volume.
#[derive(Clone, Debug, Default)]
pub(crate) struct Volume {
    pub(crate) there: bool,
    pub(crate) full: bool,
    pub(crate) sets: BTreeMap<u64, Piled>,
    pub(crate) records: BTreeMap<u64, Rc<Record>>,
    /// The same by position: verdict, drop, void.
    of: BTreeMap<u64, [Option<Rc<Record>>; 3]>,
    /// What the records say of mirrors.
    statements: Vec<standing::Statement>,
}

/// A media set.
#[derive(Clone, Debug)]
pub(crate) struct MediaSet {
    pub(crate) key: String,
    pub(crate) id: MediaSetId,
    pub(crate) agent: AgentId,
    pub(crate) min: MinMirrors,
    pub(crate) volumes: Vec<Volume>,
    hashes: u64,
}

fn slot(mirror: usize) -> Slot {
    Slot {
        mirror: number(mirror),
        family: FamilyNo(1),
    }
}

pub(crate) fn number(mirror: usize) -> MirrorNo {
    MirrorNo(u8::try_from(mirror + 1).unwrap())
}

/// A set with everything that is read of it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) position: u64,
    pub(crate) state: SetState,
    pub(crate) manifest: Option<Rc<Manifest>>,
    pub(crate) verdict: Option<Rc<Record>>,
    pub(crate) pieces: Vec<Piece>,
}

impl What {
    const fn place(&self) -> Option<usize> {
        match self {
            Self::Verdict => Some(0),
            Self::Drop => Some(1),
            Self::Void => Some(2),
            Self::Mirrors(..) => None,
        }
    }
}

impl Volume {
    /// The record of a position that says this.
    pub(crate) fn said(&self, what: &What, position: u64) -> Option<&Rc<Record>> {
        self.of.get(&position)?.get(what.place()?)?.as_ref()
    }

    pub(crate) fn forget(&mut self, hash: &str) {
        self.records.retain(|_, record| record.hash != hash);
        let kept = std::mem::take(&mut self.records);
        self.of.clear();
        self.statements.clear();
        kept.into_values().for_each(|record| self.put(record));
    }

    fn put(&mut self, record: Rc<Record>) {
        if let Some(place) = record.what.place() {
            self.of.entry(record.position).or_default()[place] = Some(Rc::clone(&record));
        }
        if let What::Mirrors(change, mirrors) = &record.what {
            self.statements.push(standing::Statement {
                sequence: record.sequence,
                change: *change,
                mirrors: mirrors.clone(),
                position: Position::new(record.position).unwrap(),
            });
        }
        self.records.insert(record.sequence, record);
    }

    fn piece(&self, mirror: usize, position: u64) -> Piece {
        let piled = self.sets.get(&position).cloned().unwrap_or_default();
        Piece {
            slot: slot(mirror),
            data: piled.data.is_some(),
            second: match (piled.void, &piled.manifest) {
                (true, _) => Second::Void,
                (false, Some(_)) => Second::Manifest,
                (false, None) => Second::Nothing,
            },
            verdict: self.said(&What::Verdict, position).is_some(),
            dropped: self.said(&What::Drop, position).is_some(),
        }
    }

    pub(crate) fn tail(&self) -> Option<Tail> {
        let last = self.records.values().next_back()?;
        Some(Tail {
            sequence: last.sequence,
            hash: last.hash.clone(),
        })
    }
}

impl MediaSet {
    pub(crate) fn new(key: &str, number: u128, mirrors: usize, min: MinMirrors) -> Self {
        let volume = Volume {
            there: true,
            ..Volume::default()
        };
        Self {
            key: key.to_owned(),
            id: MediaSetId(uuid::Uuid::from_u128(0x3E_0000 + number)),
            agent: AgentId(uuid::Uuid::from_u128(0xA6_0000 + number / 16)),
            min,
            volumes: vec![volume; mirrors],
            hashes: 0,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            families: 1,
            mirrors: u8::try_from(self.volumes.len()).unwrap(),
        }
    }

    pub(crate) fn standings(&self) -> BTreeMap<MirrorNo, Standing> {
        let there = self.volumes.iter().filter(|volume| volume.there);
        let said: Vec<_> = there.flat_map(|volume| volume.statements.clone()).collect();
        standing::standings(self.shape(), &said)
    }

    /// Whether a mirror is in step by every record.
    pub(crate) fn in_step(&self, mirror: usize) -> bool {
        self.standings().get(&number(mirror)) == Some(&Standing::InStep)
    }

    /// As a run sees the volumes before it writes.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = |(mirror, volume): (usize, &Volume)| Seen {
            slot: slot(mirror),
            device: format!("{}/{mirror}", self.key),
            state: if volume.there {
                State::Found(Box::new(self.found(mirror, volume)))
            } else {
                State::Missing("not mounted".to_owned())
            },
        };
        self.volumes.iter().enumerate().map(seen).collect()
    }

    fn found(&self, mirror: usize, volume: &Volume) -> Found {
        let of = |test: &dyn Fn(&Piece) -> bool| -> Vec<u64> {
            let positions = volume.sets.keys().copied();
            positions
                .filter(|position| test(&volume.piece(mirror, *position)))
                .collect()
        };
        let half = |piece: &Piece| {
            let manifest = piece.second == Second::Manifest;
            let under_void = piece.data && piece.second == Second::Void;
            !piece.verdict && (piece.data != manifest || under_void) && (piece.data || manifest)
        };
        let kept = |piece: &Piece| piece.second == Second::Manifest && !piece.verdict;
        Found {
            media_set: self.id,
            shape: self.shape(),
            slot: slot(mirror),
            agent: self.agent,
            properties: vec![(DEVICE_CLASS, "Disk".to_owned())],
            highest: volume.sets.keys().last().copied().unwrap_or(0),
            tail: volume.tail(),
            unresolved: of(&half),
            unconfirmed: of(&kept),
            statements: volume.statements.clone(),
            closed: None,
            signer: None,
        }
    }

    /// What a mirror holds of a position counts, unless it fell out of step before it.
    fn counts(standings: &BTreeMap<MirrorNo, Standing>, mirror: usize, position: u64) -> bool {
        match standings.get(&number(mirror)) {
            Some(Standing::OutOfStep { since, .. }) => position < since.get(),
            Some(Standing::Dropped) => false,
            _ => true,
        }
    }

    /// Every position, read over all volumes that answer.
    pub(crate) fn read(&self) -> Vec<Read> {
        self.read_of(None)
    }

    /// The same, or one position alone.
    pub(crate) fn read_of(&self, only: Option<u64>) -> Vec<Read> {
        let standings = self.standings();
        let there = |at: &(usize, &Volume)| at.1.there;
        let volumes: Vec<(usize, &Volume)> =
            self.volumes.iter().enumerate().filter(there).collect();
        let positions: BTreeSet<u64> = volumes
            .iter()
            .filter(|_| only.is_none())
            .flat_map(|(_, volume)| volume.sets.keys().chain(volume.of.keys()).copied())
            .collect();
        let one = |position: u64| {
            let counting = volumes
                .iter()
                .filter(|(mirror, _)| Self::counts(&standings, *mirror, position));
            let pieces: Vec<Piece> = counting
                .clone()
                .map(|(mirror, volume)| volume.piece(*mirror, position))
                .collect();
            let all = (0..self.volumes.len())
                .filter(|mirror| Self::counts(&standings, *mirror, position))
                .all(|mirror| self.volumes[mirror].there);
            let piled = |volume: &Volume| volume.sets.get(&position)?.manifest.clone();
            Read {
                position,
                state: classify(self.shape(), &pieces, all),
                manifest: counting.clone().find_map(|(_, volume)| piled(volume)),
                verdict: volumes
                    .iter()
                    .find_map(|(_, volume)| volume.said(&What::Verdict, position).cloned()),
                pieces,
            }
        };
        positions.into_iter().map(one).collect()
    }

    /// The next record of the chain.
    pub(crate) fn next_record(
        &mut self,
        after: Option<&Tail>,
        (what, position): (What, u64),
        mirrors: usize,
        written: Moment,
    ) -> Rc<Record> {
        self.hashes += 1;
        Rc::new(Record {
            sequence: after.map_or(0, |tail| tail.sequence) + 1,
            hash: format!("{:08x}", self.hashes),
            what,
            position,
            written,
            mirrors,
        })
    }

    /// Whether a mirror takes another write.
    pub(crate) fn takes(&self, mirror: usize) -> bool {
        self.volumes[mirror].there && !self.volumes[mirror].full
    }

    pub(crate) fn put_record(&mut self, mirror: usize, record: &Rc<Record>) {
        let volume = &mut self.volumes[mirror];
        if let Some(known) = volume.records.get(&record.sequence) {
            assert!(known.hash == record.hash, "records are create-only");
            return;
        }
        volume.put(Rc::clone(record));
        if record.what == What::Void {
            volume.sets.entry(record.position).or_default().void = true;
        }
    }

    /// Sound copies of a set's data.
    pub(crate) fn copies(
        &self,
        standings: &BTreeMap<MirrorNo, Standing>,
        position: u64,
    ) -> Vec<Slot> {
        let sound = |mirror: &usize| {
            let volume = &self.volumes[*mirror];
            let piled = volume.sets.get(&position);
            volume.there
                && Self::counts(standings, *mirror, position)
                && piled.is_some_and(|p| p.data == Some(true) && p.manifest.is_some())
        };
        (0..self.volumes.len()).filter(sound).map(slot).collect()
    }

    pub(crate) fn least(&self, kind: Option<BackupKind>) -> u8 {
        self.min.of(kind.unwrap_or(BackupKind::Full))
    }

    /// What a run expects, as the catalog knows it.
    pub(crate) fn expected(
        &self,
        known: Option<(u64, u64)>,
        settled: BTreeSet<u64>,
        kind: Option<BackupKind>,
    ) -> Expected {
        Expected {
            label: self.key.clone(),
            media_set: known.map(|_| self.id),
            shape: self.shape(),
            min_mirrors: self.min.of_any(kind),
            agent: self.agent,
            highest_known: known.map_or(0, |(highest, _)| highest),
            sequence_known: known.map_or(0, |(_, sequence)| sequence),
            settled,
            behind: twinset_domain::append::Behind::NOTHING,
        }
    }
}
