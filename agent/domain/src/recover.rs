//! What a dead run left behind, and what to do about it (design 4.3: never delete what may be
//! acknowledged).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Position, Shape, Slot};

/// What one volume holds of one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The volume's place.
    pub slot: Slot,
    /// The data section is in its place.
    pub data: bool,
    /// What stands in the manifest's place.
    pub second: Second,
    /// A verdict record speaks of this position.
    pub verdict: bool,
    /// A drop record speaks of this position.
    pub dropped: bool,
}

/// What section 2k is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// Nothing.
    Nothing,
    /// A sound manifest.
    Manifest,
    /// A section that is neither a sound manifest nor a void.
    Damaged,
    /// A void.
    Void,
}

/// What a position is, seen over all volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetState {
    /// A verdict record stands somewhere.
    Published,
    /// Every family has a manifest somewhere, but no verdict: it may be acknowledged.
    Unconfirmed,
    /// Some family has no manifest on any volume: SQL Server was never answered for it.
    Unsealed,
    /// Voided.
    Void,
    /// A drop record stands somewhere: removed lawfully; manifests and records stay.
    Dropped,
    /// Nothing is in place.
    Empty,
}

/// One step of setting a position right. Printed as it is by `media recover --dry-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Copy data and manifest to a mirror from a twin that has them.
    Heal(Slot),
    /// Ask the source (msdb) and write the verdict if it confirms; else keep.
    Confirm,
    /// Write the verdict record where it is missing.
    CopyVerdict(Slot),
    /// Write the drop record where it is missing.
    CopyDrop(Slot),
    /// Copy the manifest of a dropped set to a mirror from a twin that has it.
    CopyManifest(Slot),
    /// Take the manifest of a set that can never be complete out of its place.
    RemoveManifest(Slot),
    /// Write the void.
    PutVoid(Slot),
    /// Remove the data.
    RemoveData(Slot),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heal(slot) => write!(f, "copy what {slot} lacks from a twin"),
            Self::Confirm => {
                f.write_str("ask SQL Server for its verdict; publish, or keep as it is")
            }
            Self::CopyVerdict(slot) => write!(f, "copy the verdict to {slot}"),
            Self::CopyDrop(slot) => write!(f, "copy the drop record to {slot}"),
            Self::CopyManifest(slot) => write!(f, "copy the manifest to {slot} from a twin"),
            Self::RemoveManifest(slot) => write!(f, "remove the manifest on {slot}"),
            Self::PutVoid(slot) => write!(f, "write the void on {slot}"),
            Self::RemoveData(slot) => write!(f, "remove the data on {slot}"),
        }
    }
}

/// Names the state of a position from what all volumes hold of it.
///
/// `all_read` says whether every volume of the media set answered: only then may anything be
/// called unsealed.
#[must_use]
pub fn classify(shape: Shape, pieces: &[Piece], all_read: bool) -> SetState {
    let any = |test: &dyn Fn(&Piece) -> bool| pieces.iter().any(test);
    if any(&|p| p.dropped) {
        return SetState::Dropped;
    }
    if any(&|p| p.verdict) {
        return SetState::Published;
    }
    let sealed = shape.families().all(|family| {
        pieces.iter().any(|p| {
            p.slot.family == family && matches!(p.second, Second::Manifest | Second::Damaged)
        })
    });
    if sealed {
        return SetState::Unconfirmed;
    }
    if any(&|p| p.second == Second::Void) {
        return SetState::Void;
    }
    match (any(&|p| p.data || p.second != Second::Nothing), all_read) {
        (false, _) => SetState::Empty,
        (true, true) => SetState::Unsealed,
        (true, false) => SetState::Unconfirmed,
    }
}

/// The steps that set a position right, in the order that survives a kill between any two.
#[must_use]
pub fn plan(state: SetState, pieces: &[Piece]) -> Vec<Step> {
    let mut steps = Vec::new();
    match state {
        SetState::Published | SetState::Unconfirmed => {
            let holes = pieces
                .iter()
                .filter(|p| !p.data || p.second != Second::Manifest);
            steps.extend(holes.map(|p| Step::Heal(p.slot)));
            if state == SetState::Unconfirmed {
                steps.push(Step::Confirm);
            } else {
                let silent = pieces.iter().filter(|p| !p.verdict);
                steps.extend(silent.map(|p| Step::CopyVerdict(p.slot)));
            }
        }
        SetState::Unsealed | SetState::Void => {
            // Families without a manifest first: from the first void on the set is dead for good.
            let bare = |p: &&Piece| p.second == Second::Nothing;
            let stale = |p: &&Piece| matches!(p.second, Second::Manifest | Second::Damaged);
            steps.extend(pieces.iter().filter(bare).map(|p| Step::PutVoid(p.slot)));
            for piece in pieces.iter().filter(stale) {
                steps.push(Step::RemoveManifest(piece.slot));
                steps.push(Step::PutVoid(piece.slot));
            }
            steps.extend(
                pieces
                    .iter()
                    .filter(|p| p.data)
                    .map(|p| Step::RemoveData(p.slot)),
            );
        }
        SetState::Dropped => steps.extend(finish_drop(pieces)),
        SetState::Empty => {}
    }
    steps
}

/// A drop is finished on every volume: its record first, the data last.
fn finish_drop(pieces: &[Piece]) -> Vec<Step> {
    let on = |test: &dyn Fn(&&Piece) -> bool, step: fn(Slot) -> Step| -> Vec<Step> {
        let pieces = pieces.iter().filter(|piece| test(piece));
        pieces.map(|piece| step(piece.slot)).collect()
    };
    let verdict_somewhere = pieces.iter().any(|piece| piece.verdict);
    let has_twin = |piece: &&Piece| {
        pieces
            .iter()
            .any(|twin| twin.slot.family == piece.slot.family && twin.second == Second::Manifest)
    };
    let mut steps = on(&|piece| !piece.dropped, Step::CopyDrop);
    steps.extend(on(&|p| verdict_somewhere && !p.verdict, Step::CopyVerdict));
    steps.extend(on(
        &|piece| matches!(piece.second, Second::Nothing | Second::Damaged) && has_twin(piece),
        Step::CopyManifest,
    ));
    steps.extend(on(&|piece| piece.data, Step::RemoveData));
    steps
}

/// The position that a report speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionPlan {
    /// Which one.
    pub position: Position,
    /// What it is.
    pub state: SetState,
    /// What is done.
    pub steps: Vec<Step>,
}
