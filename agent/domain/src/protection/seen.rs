//! What follows from a look at the partners.

use crate::partner::Backed;

use super::step::{Turn, stand_by};
use super::{Action, Alarm, Change, Phase, Record, Served, Sight, Why};

/// How who serves now differs from who served when the last check passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shift {
    /// Not at all.
    Same,
    /// The same principal, after so many exchanges of roles.
    Bounced(i64),
    /// The other partner.
    Switched,
    /// The session.
    Changed(Change),
    /// The same place, another fork or another database.
    OtherCopy,
}

fn shift(anchor: &Served, who: &Served) -> Shift {
    let differ = |a: Option<uuid::Uuid>, b: Option<uuid::Uuid>| match (a, b) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    };
    if differ(anchor.family, who.family) {
        return Shift::OtherCopy;
    }
    match (anchor.term, who.term) {
        (None, Some(_)) => return Shift::Changed(Change::NewlyMirrored),
        (Some(_), None) => return Shift::Changed(Change::MirrorBroken),
        (Some(was), Some(is)) if was.guid != is.guid => {
            return Shift::Changed(Change::MirrorBroken);
        }
        _ => {}
    }
    if anchor.by != who.by {
        return Shift::Switched;
    }
    if differ(anchor.fork, who.fork) {
        return Shift::OtherCopy;
    }
    match (anchor.term, who.term) {
        (Some(was), Some(is)) if was.role_sequence != is.role_sequence => {
            Shift::Bounced(is.role_sequence.saturating_sub(was.role_sequence))
        }
        _ => Shift::Same,
    }
}

/// Stops what runs for the database; it counts as disturbed (row 12).
pub(super) fn stop(record: &mut Record, actions: &mut Vec<Action>) {
    let checking = matches!(record.phase, Phase::Checking { .. });
    if !record.running.is_empty() {
        record.disturbed = true;
    }
    // Each kind leaves the list when its end is told.
    if !record.running.is_empty() || checking {
        actions.push(Action::Stop);
    }
}

/// The check begins.
pub(super) fn begin_check(
    record: &mut Record,
    why: Why,
    of: Served,
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    let (then, tries) = match &record.phase {
        Phase::Checking { then, tries, .. } => (*then, *tries),
        Phase::Inconsistent { tries, .. } => (None, *tries),
        _ => (None, 0),
    };
    record.phase = Phase::Checking {
        since: at.now,
        why,
        of,
        then,
        tries,
    };
    actions.push(Action::Check(why));
}

/// Takes in what was seen.
pub(super) fn seen(record: &mut Record, sight: &Sight, at: &Turn<'_>, actions: &mut Vec<Action>) {
    if !alike(&record.sight, sight) {
        record.sight_since = at.now;
        record.sight_alerted = false;
        actions.extend(alarm_of(&record.sight).map(Action::Resolve));
    }
    if let Some(left) = record.left_open.take() {
        let lasts = alarm_of(sight) == Some(left);
        actions.extend((!lasts).then_some(Action::Resolve(left)));
    }
    moved(record, sight, at);
    record.sight = sight.clone();
    match sight {
        Sight::Principal { who, .. } => principal(record, who, at, actions),
        Sight::Split(ours) => match ours {
            Some(who) if at.rules.go_on_in_split => principal(record, who, at, actions),
            _ => stop(record, actions),
        },
        Sight::NoPrincipal | Sight::Unfit(_) | Sight::NotOpen(_) | Sight::Absent => {
            stop(record, actions);
        }
        // The run's own connection tells better than a poll that was not answered.
        Sight::Unseen | Sight::Unreachable | Sight::Forbidden(_) => {}
    }
}

/// Remembers when the database was backed up further, by whomever.
fn moved(record: &mut Record, sight: &Sight, at: &Turn<'_>) {
    let Sight::Principal { backed, posts, .. } = sight else {
        return;
    };
    let before = match record.sight {
        Sight::Principal { backed, .. } => backed.log,
        _ => None,
    };
    if posts.log.is_none() {
        record.log_moved = None;
    } else if record.log_moved.is_none() || (before.is_some() && before != backed.log) {
        record.log_moved = Some(at.now);
    }
}

/// Whether two looks showed the same condition.
fn alike(before: &Sight, now: &Sight) -> bool {
    match (before, now) {
        (Sight::Principal { .. }, Sight::Principal { .. }) | (Sight::Split(_), Sight::Split(_)) => {
            true
        }
        _ => before == now,
    }
}

/// The alarm of a sight.
pub(super) const fn alarm_of(sight: &Sight) -> Option<Alarm> {
    match sight {
        Sight::Unseen | Sight::Principal { .. } => None,
        Sight::NoPrincipal => Some(Alarm::NoPrincipal),
        Sight::Split(_) => Some(Alarm::Split),
        Sight::Unfit(_) => Some(Alarm::Unfit),
        Sight::NotOpen(_) | Sight::Absent => Some(Alarm::NotThere),
        Sight::Unreachable => Some(Alarm::Unreachable),
        Sight::Forbidden(_) => Some(Alarm::Right),
    }
}

/// How many seconds a sight must last before its alarm is raised.
const fn patience(alarm: Alarm, at: &Turn<'_>) -> i64 {
    match alarm {
        Alarm::NoPrincipal | Alarm::NotThere | Alarm::Unreachable => at.rules.no_principal_alert,
        _ => 0,
    }
}

/// Raises the alarm of what is seen, once it has lasted.
pub(super) fn alarms(record: &mut Record, at: &Turn<'_>, actions: &mut Vec<Action>) {
    if record.sight_alerted {
        return;
    }
    if let Some(alarm) = alarm_of(&record.sight)
        && at.now.0 >= record.sight_since.0.saturating_add(patience(alarm, at))
    {
        record.sight_alerted = true;
        actions.push(Action::Raise(alarm));
    }
}

/// Somebody serves it.
fn principal(record: &mut Record, who: &Served, at: &Turn<'_>, actions: &mut Vec<Action>) {
    let Some(anchor) = record.anchor.clone() else {
        return first(record, who, at, actions);
    };
    if let Some(works) = helps(record, (&anchor, who), at) {
        if works {
            check_now(record, Why::Preferred, who, at, actions);
        } else {
            stop(record, actions);
            stand_by(record, who.clone(), actions);
        }
        return;
    }
    let shift = shift(&anchor, who);
    match (&record.phase, shift) {
        (Phase::Initializing, _) => first(record, who, at, actions),
        (Phase::Standby, _) => standing_by(record, (&anchor, who), at, actions),
        // The operator decides, whatever comes.
        (Phase::TopologyChanged { .. }, _) => {}
        (Phase::Checking { of, .. }, _) if of == who => {}
        (_, Shift::Changed(what)) => changed(record, what, who, at, actions),
        (Phase::CheckPending { .. }, Shift::Switched) => {}
        (Phase::CheckPending { .. }, Shift::Same | Shift::Bounced(_)) => {
            back(record, (&anchor, who), at, actions);
        }
        (_, Shift::Switched) => switched(record, &anchor, at, actions),
        (_, Shift::OtherCopy) => check_now(record, Why::OtherCopy, who, at, actions),
        (Phase::Checking { .. }, Shift::Same | Shift::Bounced(_)) => {
            check_now(record, Why::FailedBack, who, at, actions);
        }
        (Phase::Protected, Shift::Bounced(_)) if undisturbed(record) => {
            back(record, (&anchor, who), at, actions);
        }
        (Phase::Protected, Shift::Bounced(_)) => {
            check_now(record, Why::FailedBack, who, at, actions);
        }
        (Phase::Protected, Shift::Same) => record.backed = backed(record),
        (Phase::Inconsistent { .. }, Shift::Bounced(_) | Shift::Same) => {}
    }
}

/// The same primary, and its group wants the backups of a secondary here from now on, or no longer.
fn helps(record: &Record, (anchor, who): (&Served, &Served), at: &Turn<'_>) -> Option<bool> {
    let waits = matches!(
        record.phase,
        Phase::Initializing | Phase::TopologyChanged { .. }
    );
    if waits || anchor.by != who.by || anchor.term != who.term || anchor.family != who.family {
        return None;
    }
    match (&record.phase, who.works_at(at.ours)) {
        (Phase::Standby, true) => Some(true),
        (Phase::Standby, false) | (_, true) => None,
        // A switch that was not answered yet is answered at its time.
        (Phase::CheckPending { .. }, false) => None,
        (_, false) => anchor.works_at(at.ours).then_some(false),
    }
}

/// How far it is backed up now, as far as that can be told.
pub(super) fn backed(record: &Record) -> Option<Backed> {
    match record.sight {
        Sight::Principal { backed, .. } if !backed.is_unknown() => Some(backed),
        _ => None,
    }
}

const fn undisturbed(record: &Record) -> bool {
    record.running.is_empty() && !record.disturbed
}

/// Row 1, and a database of which this agent knows nothing (P7: checked before it is protected).
fn first(record: &mut Record, who: &Served, at: &Turn<'_>, actions: &mut Vec<Action>) {
    record.anchor = Some(who.clone());
    if who.works_at(at.ours) {
        // Until that check has passed, no way back leads around it.
        record.disturbed = true;
        begin_check(record, Why::First, who.clone(), at, actions);
    } else {
        stand_by(record, who.clone(), actions);
    }
}

/// The partner's agent worked until now.
fn standing_by(
    record: &mut Record,
    (anchor, who): (&Served, &Served),
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    if who.works_at(at.ours) {
        record.taken_over = Some(at.now);
        switched(record, anchor, at, actions);
    } else {
        record.anchor = Some(who.clone());
    }
}

/// Row 5.
fn switched(record: &mut Record, anchor: &Served, at: &Turn<'_>, actions: &mut Vec<Action>) {
    stop(record, actions);
    record.phase = Phase::CheckPending {
        since: at.now,
        due: at.after(at.rules.check_delay),
        from: anchor.by.clone(),
        alerted: false,
    };
    actions.push(Action::Raise(Alarm::Switched));
}

/// Rows 4 and 6: the principal is again who it was.
fn back(
    record: &mut Record,
    (anchor, who): (&Served, &Served),
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    if !who.works_at(at.ours) {
        return stand_by(record, who.clone(), actions);
    }
    let sequence = |served: &Served| served.term.map_or(0, |term| term.role_sequence);
    let switches = sequence(who).saturating_sub(sequence(anchor));
    if !undisturbed(record) {
        // Without a switch it was the agent that was away.
        let why = if switches == 0 {
            Why::Due
        } else {
            Why::FailedBack
        };
        return check_now(record, why, who, at, actions);
    }
    // What cannot be told may have happened.
    if switches != 0 && (record.backed.is_none() || record.backed != backed(record)) {
        return check_now(record, Why::BackedElsewhere, who, at, actions);
    }
    record.phase = Phase::Protected;
    record.anchor = Some(who.clone());
    actions.push(Action::Resolve(Alarm::Switched));
    actions.push(Action::Resolve(Alarm::CheckRequired));
    actions.push(Action::NoteBounce { switches });
}

/// Rows 2 and 3.
fn changed(
    record: &mut Record,
    what: Change,
    who: &Served,
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    actions.push(Action::Raise(match what {
        Change::NewlyMirrored => Alarm::NewlyMirrored,
        Change::MirrorBroken => Alarm::MirrorBroken,
    }));
    if at.rules.follow_topology {
        return check_now(record, Why::Topology, who, at, actions);
    }
    stop(record, actions);
    record.phase = Phase::TopologyChanged {
        since: at.now,
        what,
    };
}

/// What runs is stopped, and the check begins, if it is ours to do.
fn check_now(
    record: &mut Record,
    why: Why,
    who: &Served,
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    stop(record, actions);
    if who.works_at(at.ours) {
        begin_check(record, why, who.clone(), at, actions);
    } else {
        stand_by(record, who.clone(), actions);
    }
}
