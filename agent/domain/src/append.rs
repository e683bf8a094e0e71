//! May this run write to these volumes, and to which mirrors? The media part of the quick
//! consistency check (P5, P6; design 4.3).

mod history;
mod mirrors;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::standing::{self, Closed, Standing};
use crate::{AgentId, BackupKind, Fault, MediaSetId, MirrorNo, Position, Shape, Slot, code};
use mirrors::{Absent, Candidates, too_few};
pub use refusals::unlike;

/// Name of the property that tells disks from tapes.
pub const DEVICE_CLASS: &str = "device class";

/// What the configuration and the catalog expect.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Key of the media set in the configuration, for messages.
    pub label: String,
    /// Its id, once known; `None` also when the catalog was lost.
    pub media_set: Option<MediaSetId>,
    /// Its shape.
    pub shape: Shape,
    /// How many whole mirrors must take part, 1 to `shape.mirrors`.
    pub min_mirrors: u8,
    /// Who we are.
    pub agent: AgentId,
    /// Highest position that the catalog remembers.
    pub highest_known: u64,
    /// Highest writing order that the catalog remembers.
    pub sequence_known: u64,
    /// Positions that the catalog knows to be settled: what is wrong with them is damage to an old
    /// set, and no reason to take no new ones.
    pub settled: BTreeSet<u64>,
    /// What a look at the volumes may leave out.
    pub behind: Behind,
}

/// How far the volumes are known: a run that published had found nothing unresolved before it, so
/// all up to its set is settled, and whatever has happened since stands behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// The newest published position that the catalog knows; 0 for none.
    pub position: u64,
    /// Writing order of its verdict.
    pub verdict: u64,
    /// Highest writing order that the catalog knows. A volume that ends before it is looked at
    /// whole.
    pub sequence: u64,
}

impl Behind {
    /// Nothing is known: the look is whole.
    pub const NOTHING: Self = Self {
        position: 0,
        verdict: 0,
        sequence: 0,
    };
}

/// Mirrors that must hold a backup for it to succeed, each 1 to the number of mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinMirrors {
    /// Full backups.
    pub full: u8,
    /// Differential backups.
    pub differential: u8,
    /// Log backups.
    pub log: u8,
}

impl MinMirrors {
    /// For one kind of backup.
    #[must_use]
    pub const fn of(self, kind: BackupKind) -> u8 {
        match kind {
            BackupKind::Full => self.full,
            BackupKind::Differential => self.differential,
            BackupKind::Log => self.log,
        }
    }

    /// For a kind that is not known: as many as the strictest needs.
    #[must_use]
    pub fn of_any(&self, kind: Option<BackupKind>) -> u8 {
        let strictest = self.full.max(self.differential).max(self.log);
        kind.map_or(strictest, |kind| self.of(kind))
    }
}

/// One volume as it was found at its place.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The place it has in the configuration.
    pub slot: Slot,
    /// The device, for messages.
    pub device: String,
    /// What is there.
    pub state: State,
}

/// What is there.
#[derive(Clone, Debug)]
pub enum State {
    /// No volume answers, and why.
    Missing(String),
    /// Nothing of any media set is there, and none is expected.
    Blank,
    /// Another media set's volume stands in its place, and which.
    Other(String),
    /// The header cannot be trusted, and why.
    Damaged(String),
    /// A volume of ours.
    Found(Box<Found>),
}

/// A volume with a sound header.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose it is.
    pub media_set: MediaSetId,
    /// Shape its header tells.
    pub shape: Shape,
    /// Place its header tells.
    pub slot: Slot,
    /// The agent that may write it.
    pub agent: AgentId,
    /// Properties that must match between mirrors, as name and value (number 3212).
    pub properties: Vec<(&'static str, String)>,
    /// Highest position with any section in place.
    pub highest: u64,
    /// The last record or void in writing order.
    pub tail: Option<Tail>,
    /// Positions with half a set, data under a void, or work that was never finished.
    pub unresolved: Vec<u64>,
    /// Sealed positions without a verdict: kept, restorable, and no reason to stop.
    pub unconfirmed: Vec<u64>,
    /// What records on it say of mirrors.
    pub statements: Vec<standing::Statement>,
    /// What closed the media set, if anything did.
    pub closed: Option<Closed>,
    /// Public key that signed the tail, if one did.
    pub signer: Option<String>,
}

/// End of the chain of records and voids on a volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tail {
    /// Writing order, from 1.
    pub sequence: u64,
    /// BLAKE3 of the record, as hex.
    pub hash: String,
}

/// Leave to write.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppendPlan {
    /// The media set.
    pub media_set: MediaSetId,
    /// Where the new set goes.
    pub position: Position,
    /// Writing order of the next record.
    pub sequence: u64,
    /// The tail that the next record follows.
    pub previous: Option<Tail>,
    /// Mirrors that take part.
    pub mirrors: Vec<MirrorNo>,
    /// Mirrors that were in step and cannot take part: recorded as out of step before anything is
    /// written.
    pub fallen: Vec<Fallen>,
    /// Mirrors that were out of step before.
    pub out_of_step: Vec<MirrorNo>,
}

/// A mirror that falls out of step with this run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fallen {
    /// Which one.
    pub mirror: MirrorNo,
    /// Why it cannot take part.
    pub why: Fault,
}

impl AppendPlan {
    /// Whether the set will lie on fewer mirrors than the media set has.
    #[must_use]
    pub const fn is_degraded(&self) -> bool {
        !self.fallen.is_empty() || !self.out_of_step.is_empty()
    }

    /// Positions lie on the media of which a catalog that knows the media set knows nothing: it was
    /// set back, and with it perhaps the machine that it lies on. Whatever was decided by what it
    /// holds must be decided again: sets are missing in it that numbers were given to since.
    #[must_use]
    pub const fn is_news(&self, expected: &Expected) -> bool {
        expected.media_set.is_some() && self.position.get() - 1 > expected.highest_known
    }
}

/// Decides whether a run may append, and to which mirrors.
///
/// # Errors
/// Every reason why it may not, worst first.
pub fn plan(expected: &Expected, volumes: &[Seen]) -> Result<AppendPlan, Vec<Fault>> {
    let blank = |seen: &Seen| matches!(seen.state, State::Blank);
    if volumes.iter().all(blank) {
        return Err(vec![refusals::needs_format(expected)]);
    }
    let standings = mirror_standings(expected.shape, volumes);
    let candidates = Candidates::judge(expected, volumes, &standings);
    let mut faults = candidates.fatal;
    if faults.is_empty() {
        faults.extend(refusals::closed(expected, volumes));
        faults.extend(refusals::properties(&candidates.found));
    }
    if faults.is_empty() {
        // Nothing is set right, or even judged, while too few mirrors are there.
        faults = too_few(expected, &standings, &candidates.absent).1;
    }
    if faults.is_empty() {
        faults.extend(history::unresolved(expected, &candidates.found));
    }
    if faults.is_empty() {
        faults.extend(history::diverged(volumes, &candidates.found, &standings));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let best = history::best(&candidates.found);
    let mut absent = candidates.absent;
    absent.extend(history::behind(expected, &candidates.found, best.as_ref()));
    let faults = history::set_back(expected, best.as_ref(), &absent);
    if !faults.is_empty() {
        return Err(faults);
    }
    let (mirrors, faults) = too_few(expected, &standings, &absent);
    if !faults.is_empty() {
        return Err(faults);
    }
    leave(expected, volumes, best, mirrors, &standings, absent)
}

/// Where every mirror stands, by the records of all volumes.
#[must_use]
pub fn mirror_standings(shape: Shape, volumes: &[Seen]) -> BTreeMap<MirrorNo, Standing> {
    let said: Vec<standing::Statement> = volumes
        .iter()
        .filter_map(|seen| match &seen.state {
            State::Found(found) => Some(found.statements.iter().cloned()),
            _ => None,
        })
        .flatten()
        .collect();
    standing::standings(shape, &said)
}

/// The last record or void of all volumes.
#[must_use]
pub fn newest_tail(volumes: &[Seen]) -> Option<Tail> {
    let tail = |seen: &Seen| match &seen.state {
        State::Found(found) => found.tail.clone(),
        _ => None,
    };
    volumes.iter().filter_map(tail).max()
}

/// The leave itself: the next position is one that nobody was ever given.
fn leave(
    expected: &Expected,
    volumes: &[Seen],
    best: Option<Tail>,
    mirrors: Vec<MirrorNo>,
    standings: &BTreeMap<MirrorNo, Standing>,
    absent: Vec<Absent>,
) -> Result<AppendPlan, Vec<Fault>> {
    let found = volumes.iter().filter_map(|seen| match &seen.state {
        State::Found(found) => Some(found),
        _ => None,
    });
    let media_set = found.clone().map(|found| found.media_set).next();
    let highest = found.map(|found| found.highest).max().unwrap_or(0);
    let highest = highest.max(expected.highest_known);
    let position = highest.checked_add(1).and_then(Position::new);
    let (Some(position), Some(media_set)) = (position, expected.media_set.or(media_set)) else {
        let message = "the media set has no positions left";
        return Err(vec![Fault::new(
            code::POSITION_TAKEN,
            &expected.label,
            message,
        )]);
    };
    let mut fallen: Vec<Fallen> = Vec::new();
    for Absent { mirror, fault } in absent {
        if !fallen.iter().any(|known| known.mirror == mirror) {
            fallen.push(Fallen { mirror, why: fault });
        }
    }
    let out = |standing: &Standing| matches!(standing, Standing::OutOfStep { .. });
    Ok(AppendPlan {
        media_set,
        position,
        sequence: best.as_ref().map_or(0, |tail| tail.sequence) + 1,
        previous: best,
        mirrors,
        fallen,
        out_of_step: standings
            .iter()
            .filter(|(_, standing)| out(standing))
            .map(|(mirror, _)| *mirror)
            .collect(),
    })
}
