//! May this run write to these volumes? The media part of the quick consistency check (P5, P6).

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{AgentId, Fault, MediaSetId, Position, Shape, Slot, code};

/// What the configuration and the catalog expect.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Key of the media set in the configuration, for messages.
    pub label: String,
    /// Its id, once known.
    pub media_set: Option<MediaSetId>,
    /// Its shape.
    pub shape: Shape,
    /// Who we are.
    pub agent: AgentId,
    /// Highest position that the catalog remembers.
    pub highest_known: u64,
    /// Highest writing order that the catalog remembers.
    pub sequence_known: u64,
    /// Positions that the catalog knows to be settled: what is wrong with them is damage to an old
    /// set, and no reason to take no new ones.
    pub settled: BTreeSet<u64>,
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
    /// The last verdict or void in writing order.
    pub tail: Option<Tail>,
    /// Positions with half a set, data under a void, or work that was never finished.
    pub unresolved: Vec<u64>,
    /// Sealed positions without a verdict: kept, restorable, and no reason to stop.
    pub unconfirmed: Vec<u64>,
}

/// End of the chain of verdicts and voids on a volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tail {
    /// Writing order, from 1.
    pub sequence: u64,
    /// BLAKE3 of the record, as hex.
    pub hash: String,
}

/// Leave to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppendPlan {
    /// The media set.
    pub media_set: MediaSetId,
    /// Where the new set goes.
    pub position: Position,
    /// Writing order of its verdict.
    pub sequence: u64,
    /// The tail that the verdict follows.
    pub previous: Option<Tail>,
}

/// Decides whether a run may append.
///
/// # Errors
/// Every reason why it may not, worst first.
pub fn plan(expected: &Expected, volumes: &[Seen]) -> Result<AppendPlan, Vec<Fault>> {
    let mut faults = presence(expected, volumes);
    let found: Vec<(&Seen, &Found)> = volumes
        .iter()
        .filter_map(|seen| match &seen.state {
            State::Found(found) => Some((seen, &**found)),
            _ => None,
        })
        .collect();
    faults.extend(identity(expected, &found));
    if faults.is_empty() {
        faults.extend(properties(&found));
        faults.extend(tails(expected, &found));
    }
    let Some((_, first)) = found.first() else {
        return Err(faults);
    };
    let highest = found.iter().map(|(_, f)| f.highest).max().unwrap_or(0);
    let highest = highest.max(expected.highest_known);
    let last = first
        .tail
        .as_ref()
        .map_or(0, |t| t.sequence)
        .max(expected.sequence_known);
    match (
        faults.is_empty(),
        highest.checked_add(1).and_then(Position::new),
    ) {
        (true, Some(position)) => Ok(AppendPlan {
            media_set: first.media_set,
            position,
            sequence: last + 1,
            previous: first.tail.clone(),
        }),
        (true, None) => Err(vec![Fault::new(
            code::POSITION_TAKEN,
            &expected.label,
            "the media set has no positions left",
        )]),
        _ => Err(faults),
    }
}

/// All mirrors must be there; a blank or missing one is never taken for a new one.
fn presence(expected: &Expected, volumes: &[Seen]) -> Vec<Fault> {
    if volumes
        .iter()
        .all(|seen| matches!(seen.state, State::Blank))
    {
        let message = "no volume of this media set was ever formatted";
        let remedy = format!("run: twinset media format {}", expected.label);
        return vec![
            Fault::new(
                code::NEEDS_FORMAT,
                format!("media set {}", expected.label),
                message,
            )
            .remedy(remedy),
        ];
    }
    let mut faults = Vec::new();
    for seen in volumes {
        let place = format!("{} ({})", seen.device, seen.slot);
        match &seen.state {
            State::Missing(why) => faults.push(
                Fault::new(code::MIRROR_MISSING, place, "the volume is missing")
                    .cause(why)
                    .remedy("bring the volume back (is the share mounted?); all mirrors are needed to append"),
            ),
            State::Other(why) => faults.push(
                Fault::new(code::WRONG_MEDIA_SET, place, "the volume is not part of this media set")
                    .cause(why)
                    .remedy("put the right volume back; nothing was written to this one"),
            ),
            State::Blank => faults.push(
                Fault::new(code::MIRROR_MISSING, place, "a volume that was used looks blank")
                    .cause("an unmounted share or an emptied folder looks like this; it is never formatted by a backup")
                    .remedy("mount the share, or restore the volume from its twin"),
            ),
            State::Damaged(why) => faults.push(
                Fault::new(code::HEADER_MALFORMED, place, "the media header is damaged")
                    .cause(why)
                    .remedy("the other mirrors stay readable; nothing is appended to a damaged mirror"),
            ),
            State::Found(_) => {}
        }
    }
    faults
}

/// Right media set, right shape, right place, right writer.
fn identity(expected: &Expected, found: &[(&Seen, &Found)]) -> Vec<Fault> {
    let wanted = expected
        .media_set
        .or_else(|| found.first().map(|(_, f)| f.media_set));
    let mut faults = Vec::new();
    for (seen, volume) in found {
        let place = format!("{} ({})", seen.device, seen.slot);
        if Some(volume.media_set) != wanted {
            let message = format!("the volume is not part of media set {}", expected.label);
            faults.push(
                Fault::new(code::WRONG_MEDIA_SET, place, message)
                    .cause(format!("it belongs to media set {}", volume.media_set))
                    .remedy("put the right volume back; nothing was written to this one"),
            );
        } else if volume.shape != expected.shape {
            let code = if volume.shape.mirrors == expected.shape.mirrors {
                code::FAMILY_COUNT
            } else {
                code::MIRROR_SHAPE
            };
            let message = format!(
                "formatted as {}, configured as {}",
                volume.shape, expected.shape
            );
            faults.push(Fault::new(code, place, message).remedy(
                "families and mirrors are fixed at format: correct the configuration, or format a new media set",
            ));
        } else if volume.slot != seen.slot {
            let message = format!("the volume is {}", volume.slot);
            faults
                .push(Fault::new(code::FAMILY_OTHER, place, message).remedy(
                    "the devices of the configuration are in another order than at format",
                ));
        } else if volume.agent != expected.agent {
            faults.push(
                Fault::new(
                    code::OTHER_WRITER,
                    place,
                    "another agent writes this media set",
                )
                .cause(format!("its header names agent {}", volume.agent))
                .remedy("a media set has one writer for life: use {agent} in the device paths"),
            );
        }
    }
    faults
}

fn properties(found: &[(&Seen, &Found)]) -> Vec<Fault> {
    let Some(((first, reference), others)) = found.split_first() else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for (seen, volume) in others {
        for ((name, value), (_, wanted)) in volume.properties.iter().zip(&reference.properties) {
            if value != wanted {
                let message = format!("{name} is {value}, but {wanted} on {}", first.device);
                faults.push(
                    Fault::new(code::DEVICE_MISMATCH, &seen.device, message)
                        .remedy("all devices of a media set need the same properties"),
                );
            }
        }
    }
    faults
}

/// Every volume must end with the same verdict or void.
fn tails(expected: &Expected, found: &[(&Seen, &Found)]) -> Vec<Fault> {
    let mut unresolved: BTreeSet<u64> = found
        .iter()
        .flat_map(|(_, f)| f.unresolved.iter().copied())
        .collect();
    // A sealed set without a verdict stops nobody, but it must be on every mirror.
    let kept = |f: &Found| f.unconfirmed.iter().copied().collect::<BTreeSet<u64>>();
    let everywhere = found
        .iter()
        .map(|(_, f)| kept(f))
        .reduce(|a, b| &a & &b)
        .unwrap_or_default();
    unresolved.extend(found.iter().flat_map(|(_, f)| &kept(f) - &everywhere));
    let unresolved: BTreeSet<u64> = &unresolved - &expected.settled;
    if !unresolved.is_empty() {
        let list: Vec<String> = unresolved.iter().map(u64::to_string).collect();
        let message = format!("a dead run left position {} unresolved", list.join(", "));
        return vec![
            Fault::new(
                code::UNRESOLVED,
                format!("media set {}", expected.label),
                message,
            )
            .remedy(format!("run: twinset media recover {}", expected.label)),
        ];
    }
    let best = found.iter().filter_map(|(_, f)| f.tail.as_ref()).max();
    let mut faults = Vec::new();
    for (seen, volume) in found {
        let ours = volume.tail.as_ref();
        if ours == best {
            continue;
        }
        let place = format!("{} ({})", seen.device, seen.slot);
        let order = |t: Option<&Tail>| t.map_or(0, |t| t.sequence);
        let fault = if order(ours) == order(best) {
            Fault::new(
                code::MIRROR_DIVERGED,
                place,
                "the mirrors tell different histories",
            )
            .remedy("run: twinset media verify; nothing is appended to diverged mirrors")
        } else {
            let (ours, best) = (order(ours), order(best));
            let message = format!("the mirror is behind: record {ours} of {best}");
            Fault::new(code::MIRROR_MISSING, place, message)
                .remedy(format!("run: twinset media recover {}", expected.label))
        };
        faults.push(fault);
    }
    let top = best.map_or(0, |t| t.sequence);
    if faults.is_empty() && expected.sequence_known > top {
        let message = format!(
            "all volumes end at record {top}, the catalog knows record {}",
            expected.sequence_known
        );
        faults.push(
            Fault::new(
                code::MIRROR_DIVERGED,
                format!("media set {}", expected.label),
                message,
            )
            .cause("the volumes were set back to an older state, or records were removed")
            .remedy("bring the newest volumes back; backups would otherwise lose their order"),
        );
    }
    faults
}
