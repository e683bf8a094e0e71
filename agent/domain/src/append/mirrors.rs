//! Which mirrors can take part: what is there, whose it is, and how many are needed.

use std::collections::BTreeMap;

use super::{Expected, Found, Seen, State};
use crate::standing::Standing;
use crate::{Fault, MirrorNo, code};

/// A mirror in step that cannot take part, and why.
pub(super) struct Absent {
    pub(super) mirror: MirrorNo,
    pub(super) fault: Fault,
}

/// The volumes, judged one by one.
pub(super) struct Candidates<'a> {
    /// Volumes of mirrors in step that are what they should be.
    pub(super) found: Vec<(&'a Seen, &'a Found)>,
    /// Mirrors in step of which a volume is missing, damaged or another's.
    pub(super) absent: Vec<Absent>,
    /// What no number of mirrors makes good.
    pub(super) fatal: Vec<Fault>,
}

impl<'a> Candidates<'a> {
    pub(super) fn judge(
        expected: &Expected,
        volumes: &'a [Seen],
        standings: &BTreeMap<MirrorNo, Standing>,
    ) -> Self {
        let wanted = expected.media_set.or_else(|| first_media_set(volumes));
        let mut judged = Self {
            found: Vec::new(),
            absent: Vec::new(),
            fatal: Vec::new(),
        };
        for seen in volumes {
            let mirror = seen.slot.mirror;
            if standings.get(&mirror) != Some(&Standing::InStep) {
                continue;
            }
            let place = format!("{} ({})", seen.device, seen.slot);
            match &seen.state {
                State::Found(found) if Some(found.media_set) == wanted => {
                    match identity(expected, seen, found, &place) {
                        Some(fault) => judged.fatal.push(fault),
                        None => judged.found.push((seen, found)),
                    }
                }
                State::Found(found) => {
                    let why = format!("it belongs to media set {}", found.media_set);
                    let fault = other(&place, &why);
                    judged.absent.push(Absent { mirror, fault });
                }
                state => judged.absent.push(Absent {
                    mirror,
                    fault: not_there(state, &place),
                }),
            }
        }
        judged
    }
}

fn first_media_set(volumes: &[Seen]) -> Option<crate::MediaSetId> {
    volumes.iter().find_map(|seen| match &seen.state {
        State::Found(found) => Some(found.media_set),
        _ => None,
    })
}

fn other(place: &str, why: &str) -> Fault {
    Fault::new(
        code::WRONG_MEDIA_SET,
        place,
        "the volume is not part of this media set",
    )
    .cause(why)
    .remedy("put the right volume back; nothing was written to this one")
}

/// A volume that is not there; a blank one is never taken for a new one.
fn not_there(state: &State, place: &str) -> Fault {
    match state {
        State::Other(why) => other(place, why),
        State::Blank => Fault::new(
            code::MIRROR_MISSING,
            place,
            "a volume that was used looks blank",
        )
        .cause("an unmounted share or an emptied folder looks like this; it is never formatted by a backup")
        .remedy("mount the share; an empty new device is filled by: media repair --mirror N"),
        State::Damaged(why) => Fault::new(
            code::HEADER_MALFORMED,
            place,
            "the media header is damaged",
        )
        .cause(why)
        .remedy("nothing is appended to a damaged mirror; media repair heals it from its twin"),
        State::Missing(why) => {
            Fault::new(code::MIRROR_MISSING, place, "the volume is missing")
                .cause(why)
                .remedy("bring the volume back (is the share mounted?)")
        }
        State::Found(_) => Fault::new(code::INTERNAL, place, "a volume that is there is missing"),
    }
}

/// Right shape, right place, right writer: what is wrong here is a mistake of the configuration or
/// another agent's media, and no lost mirror.
fn identity(expected: &Expected, seen: &Seen, volume: &Found, place: &str) -> Option<Fault> {
    if volume.shape != expected.shape {
        let code = if volume.shape.mirrors == expected.shape.mirrors {
            code::FAMILY_COUNT
        } else {
            code::MIRROR_SHAPE
        };
        let message = format!(
            "formatted as {}, configured as {}",
            volume.shape, expected.shape
        );
        return Some(Fault::new(code, place, message).remedy(
            "families and mirrors are fixed at format: correct the configuration, or format a new media set",
        ));
    }
    if volume.slot != seen.slot {
        let message = format!("the volume is {}", volume.slot);
        return Some(
            Fault::new(code::FAMILY_OTHER, place, message)
                .remedy("the devices of the configuration are in another order than at format"),
        );
    }
    if volume.agent != expected.agent {
        return Some(
            Fault::new(
                code::OTHER_WRITER,
                place,
                "another agent writes this media set",
            )
            .cause(format!("its header names agent {}", volume.agent))
            .remedy("a media set has one writer for life: use {agent} in the device paths"),
        );
    }
    None
}

/// The mirrors that can take part, and why not if they are too few; with a lost catalog, one that
/// is absent is one too many.
pub(super) fn too_few(
    expected: &Expected,
    standings: &BTreeMap<MirrorNo, Standing>,
    absent: &[Absent],
) -> (Vec<MirrorNo>, Vec<Fault>) {
    let taking_part: Vec<MirrorNo> = standings
        .iter()
        .filter(|(mirror, standing)| {
            **standing == Standing::InStep && !absent.iter().any(|a| a.mirror == **mirror)
        })
        .map(|(mirror, _)| *mirror)
        .collect();
    let kept = standings
        .values()
        .filter(|standing| **standing != Standing::Dropped)
        .count();
    let needed = usize::from(expected.min_mirrors.max(1)).min(kept.max(1));
    let blind = expected.media_set.is_none() && !absent.is_empty();
    if taking_part.len() >= needed && !blind {
        return (taking_part, Vec::new());
    }
    let mut faults: Vec<Fault> = absent.iter().map(|absent| absent.fault.clone()).collect();
    for (mirror, standing) in standings {
        if let Standing::OutOfStep { since, .. } = standing {
            let object = format!("media set {}, {mirror}", expected.label);
            let message = format!("the mirror is out of step since position {since}");
            faults.push(
                Fault::new(code::MIRROR_MISSING, object, message)
                    .remedy(format!("run: twinset media repair {}", expected.label)),
            );
        }
    }
    if let Some(first) = faults.first_mut() {
        *first = if blind {
            first.clone().cause(
                "the catalog does not know this media set, so nobody can tell what the missing \
                 mirror holds: nothing is appended until it is back or dropped by media drop-mirror",
            )
        } else {
            first.clone().cause(format!(
                "{} of {} mirrors can take part, {needed} must",
                taking_part.len(),
                expected.shape.mirrors
            ))
        };
    }
    (taking_part, faults)
}
