//! The one total step.

use super::asked::{backup, check, daily};
use super::seen::{self, begin_check};
use super::{Action, Alarm, End, Event, Phase, Record, Rules, Sight, Verdict, Why};
use crate::{BackupKind, Moment};

/// Pause before a failed check is tried again, in seconds; doubled each time.
const FIRST_RETRY: i64 = 60;
/// Longest such pause, in seconds.
const LAST_RETRY: i64 = 3600;

/// What a passed check answers, and what is the other agent's when the partner serves.
const ANSWERED: [Alarm; 5] = [
    Alarm::Switched,
    Alarm::CheckRequired,
    Alarm::Inconsistent,
    Alarm::NewlyMirrored,
    Alarm::MirrorBroken,
];

/// What follows from an event. Total: every record takes every event at every time. `ours` is the
/// instance that this agent serves.
#[must_use]
pub fn step(
    record: &Record,
    event: &Event,
    now: Moment,
    (rules, ours): (&Rules, &str),
) -> (Record, Vec<Action>) {
    let mut next = record.clone();
    let mut actions = Vec::new();
    let at = Turn {
        now,
        rules: *rules,
        ours,
    };
    match event {
        Event::Seen(sight) => seen::seen(&mut next, sight, &at, &mut actions),
        Event::Due(kind) | Event::Asked(kind) => backup(&mut next, *kind, &at, &mut actions),
        Event::Ended(kind, end) => ended(&mut next, *kind, *end),
        Event::CheckAsked => check(&mut next, &at, &mut actions),
        Event::CheckDue => daily(&mut next, &at, &mut actions),
        Event::Checked(verdict) => checked(&mut next, verdict, &at, &mut actions),
        Event::Tick => {}
        Event::Pause(until) => next.paused = Some(*until),
        Event::Resume => next.paused = None,
        Event::Reprotect => reprotect(&mut next, &at, &mut actions),
        Event::Restarted => restarted(&mut next, now),
        Event::Orphaned => {
            next.orphaned = true;
            actions.push(Action::Raise(Alarm::Orphaned));
        }
        Event::Matched => {
            next.orphaned = false;
            actions.push(Action::Resolve(Alarm::Orphaned));
        }
        Event::Unprotect => {
            // Only what no group means can be let go: the files say who is a member.
            if next.orphaned {
                seen::stop(&mut next, &mut actions);
                actions.extend(Alarm::ALL.map(Action::Resolve));
                return (next, actions);
            }
        }
        Event::PairTaken(by) => {
            let news = next.pair_of.as_ref() != Some(by);
            next.pair_of = Some(by.clone());
            if news {
                seen::stop(&mut next, &mut actions);
                actions.push(Action::Raise(Alarm::BothProtected));
            }
        }
        Event::PairFree => {
            if next.pair_of.take().is_some() {
                actions.push(Action::Resolve(Alarm::BothProtected));
            }
        }
        Event::PartnerSilent => {
            // Where ours serves there is no other agent to wait for.
            if next.silent.is_none() && partner_serves(&next, ours) {
                next.silent = Some(now);
                actions.push(Action::Raise(Alarm::AgentMissing));
            }
        }
        Event::PartnerHeard => {
            if next.silent.take().is_some() {
                actions.push(Action::Resolve(Alarm::AgentMissing));
            }
        }
    }
    if next.silent.is_some() && serves(&next) == Some(ours) {
        next.silent = None;
        actions.push(Action::Resolve(Alarm::AgentMissing));
    }
    timers(&mut next, &at, &mut actions);
    (next, actions)
}

/// Who was seen to serve it.
const fn serves(record: &Record) -> Option<&str> {
    match &record.sight {
        Sight::Principal { who, .. } => Some(who.by.as_str()),
        _ => None,
    }
}

fn partner_serves(record: &Record, ours: &str) -> bool {
    serves(record).is_some_and(|by| by != ours)
}

/// What a step knows beside the record and the event.
pub(super) struct Turn<'a> {
    pub(super) now: Moment,
    pub(super) rules: Rules,
    pub(super) ours: &'a str,
}

impl Turn<'_> {
    pub(super) const fn after(&self, seconds: i64) -> Moment {
        Moment(self.now.0.saturating_add(seconds))
    }
}

fn ended(record: &mut Record, kind: BackupKind, end: End) {
    record.running.retain(|running| *running != kind);
    match end {
        // What was published before a switch was seen does not make up for what the switch hit.
        End::Published if record.phase == Phase::Protected => record.disturbed = false,
        End::Interrupted => record.disturbed = true,
        End::Published | End::Failed => {}
    }
}

/// Row 9.
fn checked(record: &mut Record, verdict: &Verdict, at: &Turn<'_>, actions: &mut Vec<Action>) {
    // A check of which nobody knows any more: a switch took its place.
    let Phase::Checking {
        of, then, tries, ..
    } = record.phase.clone()
    else {
        return;
    };
    if let Verdict::Inconsistent(why) = verdict {
        let pause = FIRST_RETRY.saturating_mul(1_i64 << tries.min(10));
        record.phase = Phase::Inconsistent {
            since: at.now,
            retry: at.after(pause.min(LAST_RETRY)),
            tries: tries.saturating_add(1),
            why: why.clone(),
        };
        actions.push(Action::Raise(Alarm::Inconsistent));
        return;
    }
    record.phase = Phase::Protected;
    record.anchor = Some(of);
    record.backed = seen::backed(record);
    record.disturbed = false;
    actions.extend(ANSWERED.map(Action::Resolve));
    let first = match verdict {
        Verdict::Take(kind) => Some(*kind),
        Verdict::Continue | Verdict::Inconsistent(_) => None,
    };
    // A full serves who waited for anything; a log does not serve who waited for a full.
    for kind in [first, then.filter(|_| first != Some(BackupKind::Full))] {
        if let Some(kind) = kind.filter(|kind| !record.running.contains(kind)) {
            backup(record, kind, at, actions);
        }
    }
}

fn reprotect(record: &mut Record, at: &Turn<'_>, actions: &mut Vec<Action>) {
    if !matches!(record.phase, Phase::TopologyChanged { .. }) {
        return;
    }
    let Sight::Principal { who, .. } = record.sight.clone() else {
        // Seen again as if for the first time.
        record.phase = Phase::Initializing;
        return;
    };
    if who.works_at(at.ours) {
        begin_check(record, Why::Topology, who, at, actions);
    } else {
        stand_by(record, who, actions);
    }
}

/// The partner serves it: its agent works.
pub(super) fn stand_by(record: &mut Record, who: super::Served, actions: &mut Vec<Action>) {
    record.phase = Phase::Standby;
    record.anchor = Some(who);
    record.disturbed = false;
    actions.extend(ANSWERED.map(Action::Resolve));
}

/// Nothing that ran before runs any more; what was seen is old. What was cut off is looked at
/// before anything else is taken: the check says what is still wanting.
fn restarted(record: &mut Record, now: Moment) {
    let cut = !record.running.is_empty();
    record.running.clear();
    if record.sight_alerted {
        record.left_open = seen::alarm_of(&record.sight);
    }
    record.sight = Sight::Unseen;
    record.sight_since = now;
    record.sight_alerted = false;
    let served = match &record.phase {
        Phase::Checking { of, .. } => Some(of),
        Phase::Protected if cut => record.anchor.as_ref(),
        _ => None,
    };
    let from = served.map(|of| record.anchor.as_ref().unwrap_or(of).by.clone());
    record.disturbed |= cut || from.is_some();
    if let Some(from) = from {
        record.phase = Phase::CheckPending {
            since: now,
            due: now,
            from,
            alerted: false,
        };
    }
}

/// What follows from the time alone.
fn timers(record: &mut Record, at: &Turn<'_>, actions: &mut Vec<Action>) {
    if record.paused.is_some_and(|until| until <= at.now) {
        record.paused = None;
    }
    seen::alarms(record, at, actions);
    let Sight::Principal { who, .. } = record.sight.clone() else {
        return;
    };
    let ours = who.works_at(at.ours);
    match record.phase {
        Phase::CheckPending { due, .. } if due <= at.now && ours => {
            begin_check(record, Why::Due, who, at, actions);
        }
        Phase::CheckPending { due, .. } if due <= at.now => stand_by(record, who, actions),
        Phase::Inconsistent { retry, .. } if retry <= at.now && ours => {
            begin_check(record, Why::Again, who, at, actions);
        }
        _ => {}
    }
}
