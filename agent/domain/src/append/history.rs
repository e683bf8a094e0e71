//! Do the mirrors tell one history, and is it at an end that may be continued?

use std::collections::{BTreeMap, BTreeSet};

use super::mirrors::Absent;
use super::{Expected, Found, Seen, State, Tail};
use crate::standing::Standing;
use crate::{Fault, MirrorNo, code};

const fn order(tail: Option<&Tail>) -> u64 {
    match tail {
        Some(tail) => tail.sequence,
        None => 0,
    }
}

/// The newest tail.
pub(super) fn best(found: &[(&Seen, &Found)]) -> Option<Tail> {
    found.iter().filter_map(|(_, f)| f.tail.clone()).max()
}

/// What a dead run left must be set right first.
pub(super) fn unresolved(expected: &Expected, found: &[(&Seen, &Found)]) -> Option<Fault> {
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
    if unresolved.is_empty() {
        return None;
    }
    let list: Vec<String> = unresolved.iter().map(u64::to_string).collect();
    let message = format!("a dead run left position {} unresolved", list.join(", "));
    Some(
        Fault::new(
            code::UNRESOLVED,
            format!("media set {}", expected.label),
            message,
        )
        .remedy(format!("run: twinset media recover {}", expected.label)),
    )
}

/// Two histories are never joined: no run appends until somebody has decided.
pub(super) fn diverged(
    volumes: &[Seen],
    found: &[(&Seen, &Found)],
    standings: &BTreeMap<MirrorNo, Standing>,
) -> Vec<Fault> {
    let best = best(found);
    let mut faults = Vec::new();
    for (seen, volume) in found {
        let ours = volume.tail.as_ref();
        if ours != best.as_ref() && order(ours) == order(best.as_ref()) {
            faults.push(two_histories(seen));
        }
    }
    faults.extend(volumes.iter().filter_map(|seen| went_on(seen, standings)));
    faults
}

/// The catalog knows records that nobody has who answers: they are on a mirror that is absent, or
/// the volumes were set back.
pub(super) fn set_back(expected: &Expected, best: Option<&Tail>, absent: &[Absent]) -> Vec<Fault> {
    let (top, known) = (order(best), expected.sequence_known);
    if known <= top {
        return Vec::new();
    }
    if !absent.is_empty() {
        let why = format!("what answers ends at record {top}, the catalog knows record {known}");
        let behind = |absent: &Absent| absent.fault.clone().cause(&why);
        return absent.iter().map(behind).collect();
    }
    let message = format!("all volumes end at record {top}, the catalog knows record {known}");
    vec![
        Fault::new(
            code::MIRROR_DIVERGED,
            format!("media set {}", expected.label),
            message,
        )
        .cause("the volumes were set back to an older state, or records were removed")
        .remedy("bring the newest volumes back; backups would otherwise lose their order"),
    ]
}

fn two_histories(seen: &Seen) -> Fault {
    let place = format!("{} ({})", seen.device, seen.slot);
    Fault::new(
        code::MIRROR_DIVERGED,
        place,
        "the mirrors tell different histories",
    )
    .remedy("run: twinset media verify; nothing is appended to diverged mirrors")
}

/// A mirror that was recorded as out of step and has records of its own from that time on was
/// written by somebody who did not know.
fn went_on(seen: &Seen, standings: &BTreeMap<MirrorNo, Standing>) -> Option<Fault> {
    let Some(Standing::OutOfStep { sequence, .. }) = standings.get(&seen.slot.mirror) else {
        return None;
    };
    let State::Found(found) = &seen.state else {
        return None;
    };
    // One that is being repaired holds that very record as well.
    let knows = found.statements.iter().any(|s| s.sequence == *sequence);
    (order(found.tail.as_ref()) >= *sequence && !knows).then(|| two_histories(seen))
}

/// Volumes in step by every record, and yet behind: such a mirror is out of step whatever is said
/// of it.
pub(super) fn behind(
    expected: &Expected,
    found: &[(&Seen, &Found)],
    best: Option<&Tail>,
) -> Vec<Absent> {
    let mut absent = Vec::new();
    for (seen, volume) in found {
        let (ours, best) = (order(volume.tail.as_ref()), order(best));
        if ours < best {
            let place = format!("{} ({})", seen.device, seen.slot);
            let message = format!("the mirror is behind: record {ours} of {best}");
            let fault = Fault::new(code::MIRROR_MISSING, place, message)
                .remedy(format!("run: twinset media repair {}", expected.label));
            let mirror = seen.slot.mirror;
            absent.push(Absent { mirror, fault });
        }
    }
    absent
}
