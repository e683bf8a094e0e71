//! What follows when a backup is due, or a check is asked for.

use super::seen::begin_check;
use super::step::Turn;
use super::{Action, Alarm, Phase, Record, Refusal, Served, Sight, Why};
use crate::BackupKind;

/// Who would be backed up, or what speaks against anything being done for the database now.
#[allow(
    clippy::result_large_err,
    reason = "a refusal shows all that was seen, and is told now and then"
)]
fn source(record: &Record, at: &Turn<'_>) -> Result<Served, Refusal> {
    if record.orphaned {
        return Err(Refusal::Orphaned);
    }
    if let Some(until) = record.paused.filter(|until| *until > at.now) {
        return Err(Refusal::Paused(until));
    }
    if let Some(other) = &record.pair_of {
        return Err(Refusal::PairTaken(other.clone()));
    }
    match &record.sight {
        Sight::Unseen => Err(Refusal::NotSeen),
        Sight::Principal { who, .. } if who.works_at(at.ours) => Ok(who.clone()),
        Sight::Principal { who, .. } => Err(Refusal::NotPrincipal(who.by.clone())),
        Sight::Split(Some(who)) if at.rules.go_on_in_split => Ok(who.clone()),
        other => Err(Refusal::Sight(other.clone())),
    }
}

/// A backup is due, or asked for.
pub(super) fn backup(
    record: &mut Record,
    kind: BackupKind,
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) {
    match permitted(record, kind, at, actions) {
        Ok(()) => {
            record.running.push(kind);
            actions.push(Action::Backup(kind));
        }
        Err(None) => {}
        Err(Some(refusal)) => {
            // Whose backups another agent takes, or nobody wants, misses nothing. What comes due
            // while a switch is not answered yet is the partner's to take: this is no bounce any
            // more in which nothing happened (rows 4 and 6).
            record.disturbed |= match refusal {
                Refusal::NotPrincipal(_) => record.phase != Phase::Standby,
                Refusal::Running | Refusal::NotSeen | Refusal::NotHere(..) => false,
                _ => true,
            };
            actions.push(Action::Refuse(refusal));
        }
    }
}

/// `Err(None)`: not now, and nobody is refused: it runs behind the check.
#[allow(
    clippy::result_large_err,
    reason = "a refusal shows all that was seen, and is told now and then"
)]
fn permitted(
    record: &mut Record,
    kind: BackupKind,
    at: &Turn<'_>,
    actions: &mut Vec<Action>,
) -> Result<(), Option<Refusal>> {
    let who = source(record, at).map_err(Some)?;
    if let Some(barred) = record.elsewhere(kind) {
        return Err(Some(Refusal::NotHere(kind, barred.clone())));
    }
    match &mut record.phase {
        Phase::Protected if record.running.contains(&kind) => Err(Some(Refusal::Running)),
        Phase::Protected => Ok(()),
        // Row 8.
        Phase::CheckPending { .. } if at.rules.check_first => {
            begin_check(record, Why::BackupWaits, who, at, actions);
            waits(record, kind);
            Err(None)
        }
        Phase::CheckPending { due, alerted, .. } => {
            let due = *due;
            if !std::mem::replace(alerted, true) {
                actions.push(Action::Raise(Alarm::CheckRequired));
            }
            Err(Some(Refusal::CheckRequired(due)))
        }
        Phase::Checking { .. } if at.rules.check_first => {
            waits(record, kind);
            Err(None)
        }
        Phase::Checking { .. } => Err(Some(Refusal::Checking)),
        Phase::Inconsistent { retry, .. } => Err(Some(Refusal::Inconsistent(*retry))),
        Phase::TopologyChanged { what, .. } => Err(Some(Refusal::TopologyChanged(*what))),
        // Ours was not seen serving it by a step yet.
        Phase::Initializing | Phase::Standby => Err(Some(Refusal::NotSeen)),
    }
}

/// One backup runs behind the check; a full outranks a differential, that a log.
fn waits(record: &mut Record, kind: BackupKind) {
    if let Phase::Checking { then, .. } = &mut record.phase {
        let rank = |kind: BackupKind| match kind {
            BackupKind::Log => 0,
            BackupKind::Differential => 1,
            BackupKind::Full => 2,
        };
        if then.is_none_or(|waiting| rank(waiting) < rank(kind)) {
            *then = Some(kind);
        }
    }
}

/// A check is asked for by hand.
pub(super) fn check(record: &mut Record, at: &Turn<'_>, actions: &mut Vec<Action>) {
    let who = match source(record, at) {
        Ok(who) => who,
        Err(refusal) => return actions.push(Action::Refuse(refusal)),
    };
    match &record.phase {
        Phase::Checking { .. } => actions.push(Action::Refuse(Refusal::Checking)),
        Phase::TopologyChanged { what, .. } => {
            actions.push(Action::Refuse(Refusal::TopologyChanged(*what)));
        }
        Phase::Initializing
        | Phase::Standby
        | Phase::Protected
        | Phase::CheckPending { .. }
        | Phase::Inconsistent { .. } => begin_check(record, Why::ByHand, who, at, actions),
    }
}

/// A check is due by schedule. Where another state leads to one anyhow, or speaks against any, nothing
/// follows; nor beside a backup, behind which it would wait while logs wait for it.
pub(super) fn daily(record: &mut Record, at: &Turn<'_>, actions: &mut Vec<Action>) {
    if record.phase != Phase::Protected || !record.running.is_empty() {
        return;
    }
    if let Ok(who) = source(record, at) {
        begin_check(record, Why::Daily, who, at, actions);
    }
}
