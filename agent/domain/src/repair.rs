//! What brings each mirror of a media set back to what its twins hold (design 4.4).
//!
//! In goes what every volume holds, compared with what it should hold; out comes a list of steps
//! that can be printed. A step touches only what is damaged or missing, and each can be done again:
//! killed between any two, the same plan made anew ends at the same media.

mod judge;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::standing::Standing;
use crate::{FamilyNo, MirrorNo, Position, Shape, Slot};

pub use step::{Deed, Step, Turn};

/// A small part of a volume (header, manifest, void, record), compared with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it was written.
    Sound,
    /// Something else stands in its place.
    Damaged,
    /// Nothing stands there.
    Missing,
}

/// A data section, compared with its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// There is none.
    Missing,
    /// There is one.
    There {
        /// Chunks that are not as they were written, or end too early.
        bad: BTreeSet<u64>,
        /// There are bytes behind its end.
        longer: bool,
    },
}

/// What a volume holds of one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Section 2k-1.
    pub data: Data,
    /// Section 2k: manifest or void, whichever it should be.
    pub second: Part,
}

impl Held {
    /// Nothing at all.
    pub const NOTHING: Self = Self {
        data: Data::Missing,
        second: Part::Missing,
    };
}

/// How a volume answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It can be read.
    Answers,
    /// The device is there, and nothing of any media set is on it.
    Blank,
    /// It does not answer, and why.
    Missing(String),
    /// It answers, but is not one to write to, and why.
    Refused(String),
}

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its place in the configuration.
    pub slot: Slot,
    /// How it answers.
    pub presence: Presence,
    /// Its media header.
    pub header: Part,
    /// What it holds of each position; nothing of those that are not named.
    pub sets: BTreeMap<Position, Held>,
    /// Its records by writing order; those that are not named are missing.
    pub records: BTreeMap<u64, Part>,
    /// Records that contradict the chain of the mirrors in step, by name.
    pub strays: Vec<String>,
    /// Damaged records of which no sound copy is known, by name.
    pub unknown: Vec<String>,
}

/// What a position should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A set that is kept: chunks of each family whose manifest is known.
    Set(BTreeMap<FamilyNo, u64>),
    /// A set that was removed lawfully: families whose manifest is known. Data must not be there.
    Dropped(BTreeSet<FamilyNo>),
    /// A void; whether a sound copy of it is known. Data must not be there.
    Void(bool),
}

/// A media set, seen over all its volumes.
#[derive(Clone, Debug)]
pub struct View {
    /// Its shape.
    pub shape: Shape,
    /// Every volume.
    pub volumes: Vec<Volume>,
    /// Families whose header can be built from a sound one.
    pub headers: BTreeSet<FamilyNo>,
    /// What each position should be.
    pub sets: BTreeMap<Position, Wanted>,
    /// Names of the records in writing order. Voids are not among them.
    pub records: BTreeMap<u64, String>,
    /// Where each mirror stands.
    pub standings: BTreeMap<MirrorNo, Standing>,
}

/// What may be touched. A mirror that was given up for good never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every mirror that is there.
    All,
    /// This mirror alone, also onto an empty device.
    Only(MirrorNo),
    /// What needs nobody's word: mirrors that fell out of step before this position and answer
    /// again, every volume with a sound header.
    Returned(Position),
}

impl Scope {
    /// Whether a mirror may be touched.
    #[must_use]
    pub fn holds(self, mirror: MirrorNo, view: &View) -> bool {
        let standing = view.standings.get(&mirror);
        let mut volumes = view.volumes.iter().filter(|v| v.slot.mirror == mirror);
        match (self, standing) {
            (_, Some(Standing::Dropped)) => false,
            (Self::All, _) => true,
            (Self::Only(only), _) => only == mirror,
            (Self::Returned(before), Some(Standing::OutOfStep { since, .. })) => {
                *since < before
                    && volumes.all(|volume| {
                        volume.presence == Presence::Answers && volume.header == Part::Sound
                    })
            }
            (Self::Returned(_), _) => false,
        }
    }

    /// Whether an empty device may become a volume of this mirror.
    #[must_use]
    pub fn replaces(self, mirror: MirrorNo) -> bool {
        self == Self::Only(mirror)
    }
}

/// A chunk that no mirror has sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lost {
    /// The set.
    pub position: Position,
    /// Its family.
    pub family: FamilyNo,
    /// The chunk; 0 also where the family's manifest is lost, and with it every chunk.
    pub chunk: u64,
}

/// Something that stays as it is, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unhealed {
    /// The volume.
    pub slot: Slot,
    /// What and why.
    pub what: String,
}

/// What is to be done, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The steps, in an order that survives a kill between any two.
    pub steps: Vec<Step>,
    /// What stays damaged, though it can be read elsewhere.
    pub unhealed: Vec<Unhealed>,
    /// Chunks that are lost on every mirror. They are left as they are.
    pub lost: Vec<Lost>,
}

impl Plan {
    /// The plan while somebody may still be reading sets that were removed lawfully: their data
    /// stay for now, and keep no mirror from being in step.
    #[must_use]
    pub fn without_leavings(mut self) -> Self {
        self.steps.retain(|step| step.deed.turn() != Turn::Leavings);
        self
    }
}

/// Plans the repair.
#[must_use]
pub fn plan(view: &View, scope: Scope) -> Plan {
    let mut plan = Plan {
        lost: judge::lost(view),
        ..Plan::default()
    };
    for volume in &view.volumes {
        if scope.holds(volume.slot.mirror, view) {
            judge::volume(view, scope, volume, &mut plan);
        }
    }
    // A stable sort: within a turn the order of the volumes stays, and within a volume the order
    // in which its steps were found.
    plan.steps.sort_by_key(|step| step.deed.turn());
    plan.unhealed.sort();
    plan
}

/// Mirrors that are out of step and hold everything again: nothing is left to be done or undone
/// on any of their volumes.
#[must_use]
pub fn returning(view: &View, scope: Scope, plan: &Plan) -> Vec<MirrorNo> {
    let whole = |mirror: MirrorNo| {
        let open = plan.steps.iter().any(|step| step.slot.mirror == mirror)
            || plan.unhealed.iter().any(|left| left.slot.mirror == mirror);
        let there = view
            .volumes
            .iter()
            .filter(|volume| volume.slot.mirror == mirror)
            .all(|volume| volume.presence == Presence::Answers);
        there && !open
    };
    let standings = view.standings.iter();
    standings
        .filter(|(_, standing)| matches!(standing, Standing::OutOfStep { .. }))
        .map(|(mirror, _)| *mirror)
        .filter(|mirror| scope.holds(*mirror, view) && whole(*mirror))
        .collect()
}
