//! What is due now, and why the rest is not.

use serde::Serialize;

use super::recent::Recent;
use super::{KINDS, Missed, Past, Rules, next_after, until};
use crate::{BackupKind, Moment};

/// The clock as the service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Now.
    pub now: Moment,
    /// Since when the agent has looked at its schedules without a break: its start, or the end of
    /// the last leap of the clock. What was due before was missed.
    pub awake: Moment,
}

/// A database with what the planner needs to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its name.
    pub database: String,
    /// Fulls that ran.
    pub full: Past,
    /// Differentials that ran.
    pub differential: Past,
    /// Logs that ran.
    pub log: Past,
    /// What runs now.
    pub running: Vec<BackupKind>,
    /// Kinds that it cannot have, and why: no log in the simple recovery model, of master only
    /// fulls.
    pub excluded: Vec<(BackupKind, String)>,
    /// Why nothing may run now, in words: the state of its protection.
    pub hold: Option<String>,
    /// Since when this agent takes its backups, where the partner's did before.
    pub since: Option<Moment>,
}

impl Subject {
    /// What ran of a kind.
    #[must_use]
    pub const fn past(&self, kind: BackupKind) -> &Past {
        match kind {
            BackupKind::Full => &self.full,
            BackupKind::Differential => &self.differential,
            BackupKind::Log => &self.log,
        }
    }
}

/// Why something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// Its time has come.
    Slot,
    /// Its time came while the agent was away.
    Missed,
    /// Nothing of this kind is known of the database.
    First,
    /// It failed before: this is the second try or a later one.
    Retry {
        /// Which try this is.
        number: u32,
    },
}

/// Something to run now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The database.
    pub database: String,
    /// What to take.
    pub kind: BackupKind,
    /// When it was due.
    pub slot: Moment,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
}

/// Why something is not to run now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Wait {
    /// The last one is done.
    Done {
        /// When it began.
        began: Moment,
    },
    /// A full that ran or runs holds it too.
    ByFull,
    /// There is no full to build on yet; the full goes first.
    NoBase,
    /// The database cannot have it.
    Excluded {
        /// Why.
        why: String,
    },
    /// The line has no time in the past nine years.
    NotYet,
    /// Another backup of the database runs that it cannot run beside.
    Running {
        /// Which.
        kind: BackupKind,
    },
    /// It failed; the next try comes.
    Retrying {
        /// Tries so far.
        tries: u32,
        /// When the next one comes.
        at: Moment,
    },
    /// It failed too often; the next slot begins anew.
    GivenUp {
        /// Tries.
        tries: u32,
    },
    /// It was missed while the agent was away, and the policy is to skip.
    Skipped {
        /// When it was due.
        slot: Moment,
    },
    /// It was due while the partner served the database: the partner's agent took it, or its alert
    /// stands there.
    Elsewhere {
        /// When it was due.
        slot: Moment,
    },
    /// A window forbids it.
    Blackout {
        /// When the window ends.
        until: Moment,
    },
    /// The state of the protection forbids it.
    Held {
        /// Why.
        why: String,
    },
}

/// Something that does not run now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The database.
    pub database: String,
    /// What would be taken.
    pub kind: BackupKind,
    /// Why not now.
    #[serde(flatten)]
    pub wait: Wait,
    /// When it may run next, as far as time decides.
    pub next: Option<Moment>,
}

/// What is due and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// To run now, the most urgent first.
    pub due: Vec<Due>,
    /// The rest, in the order of the databases.
    pub waiting: Vec<Waiting>,
}

/// What is due now of each database, in order of priority, and why the rest is not.
///
/// Total and cheap: slots are found once for all databases.
#[must_use]
pub fn plan(rules: &Rules, subjects: &[Subject], clock: Clock) -> Plan {
    let mut plan = Plan::default();
    let recent = KINDS.map(|kind| {
        let line = rules.line(kind)?;
        Some((
            kind,
            Recent::of(line, &rules.zone, clock.now, rules.stagger),
        ))
    });
    for subject in subjects {
        let offset = rules.offset(&subject.database);
        let mut verdicts: Vec<(BackupKind, Verdict)> = Vec::with_capacity(3);
        // From full to log: what the others do depends on the full.
        for (kind, recent) in recent.iter().rev().flatten() {
            let desk = Desk {
                rules,
                subject,
                clock,
                kind: *kind,
                recent,
                offset,
            };
            let full = verdicts.iter().find(|(kind, _)| *kind == BackupKind::Full);
            verdicts.push((*kind, desk.judge(full.map(|(_, verdict)| verdict))));
        }
        for (kind, verdict) in verdicts {
            let database = subject.database.clone();
            match verdict {
                Verdict::Due(slot, cause) => plan.due.push(Due {
                    database,
                    kind,
                    slot,
                    cause,
                }),
                Verdict::Wait(wait, next) => plan.waiting.push(Waiting {
                    database,
                    kind,
                    wait,
                    next,
                }),
            }
        }
    }
    order(&mut plan.due);
    plan
}

/// Sorts by urgency: logs before differentials before fulls, then by slot, then by name.
pub fn order(due: &mut [Due]) {
    let rank = |kind| KINDS.iter().position(|known| *known == kind);
    due.sort_by(|a, b| {
        (rank(a.kind), a.slot, &a.database).cmp(&(rank(b.kind), b.slot, &b.database))
    });
}

enum Verdict {
    Due(Moment, Cause),
    Wait(Wait, Option<Moment>),
}

/// One kind of one database.
struct Desk<'a> {
    rules: &'a Rules,
    subject: &'a Subject,
    clock: Clock,
    kind: BackupKind,
    recent: &'a Recent,
    offset: u32,
}

impl Desk<'_> {
    fn judge(&self, full: Option<&Verdict>) -> Verdict {
        let now = self.clock.now;
        let next = || self.next();
        let excluded = &self.subject.excluded;
        if let Some((_, why)) = excluded.iter().find(|(kind, _)| *kind == self.kind) {
            return Verdict::Wait(Wait::Excluded { why: why.clone() }, None);
        }
        let Some(slot) = self.recent.last(now, self.offset) else {
            return Verdict::Wait(Wait::NotYet, next());
        };
        if let Some(kind) = self.in_the_way() {
            return Verdict::Wait(Wait::Running { kind }, None);
        }
        let cause = match self.open(slot) {
            Ok(cause) => cause,
            Err(Wait::Retrying { tries, at }) => {
                return Verdict::Wait(Wait::Retrying { tries, at }, Some(at));
            }
            Err(wait) => return Verdict::Wait(wait, next()),
        };
        if let Some(wait) = self.behind_full(full) {
            return Verdict::Wait(wait, None);
        }
        if let Some(why) = &self.subject.hold {
            return Verdict::Wait(Wait::Held { why: why.clone() }, None);
        }
        if let Some(until) = self.free(now) {
            return Verdict::Wait(Wait::Blackout { until }, Some(until));
        }
        Verdict::Due(slot, cause)
    }

    /// Its next time: behind now, and behind what ran already where the clock was set back.
    fn next(&self) -> Option<Moment> {
        let now = self.clock.now;
        let began = self.subject.past(self.kind).succeeded;
        let slot = match began.filter(|began| *began > now) {
            None => self.recent.next(now, self.offset)?,
            Some(began) => {
                let line = self.rules.line(self.kind)?;
                let offset = i64::from(self.offset);
                let began = Moment(began.0.saturating_sub(offset));
                let slot = next_after(line, &self.rules.zone, began)?;
                Moment(slot.0.saturating_add(offset))
            }
        };
        Some(self.free(slot).unwrap_or(slot))
    }

    /// When windows let it begin, if they forbid it at a moment.
    fn free(&self, at: Moment) -> Option<Moment> {
        until(&self.rules.blackout, &self.rules.zone, self.kind, at)
    }

    /// What runs that it cannot run beside: SQL Server takes a log beside a full or a differential,
    /// and nothing else at once.
    fn in_the_way(&self) -> Option<BackupKind> {
        let log = |kind| kind == BackupKind::Log;
        let same = |kind: &&BackupKind| log(**kind) == log(self.kind);
        self.subject.running.iter().find(same).copied()
    }

    /// Whether the slot is still to be served, and why; or why not.
    fn open(&self, slot: Moment) -> Result<Cause, Wait> {
        let past = self.subject.past(self.kind);
        if let Some(began) = past.succeeded.filter(|_| past.served(slot)) {
            return Err(Wait::Done { began });
        }
        if self.kind == BackupKind::Differential && self.subject.full.served(slot) {
            return Err(Wait::ByFull);
        }
        if self.subject.since.is_some_and(|since| slot < since) {
            return Err(Wait::Elsewhere { slot });
        }
        if let Some((tries, ended)) = past.failures(slot) {
            if tries > self.rules.retries {
                return Err(Wait::GivenUp { tries });
            }
            let at = Moment(ended.0.saturating_add(self.rules.retry_delay.into()));
            // A clock that was set back must not stretch the pause.
            if self.clock.now < at && self.clock.now >= ended {
                return Err(Wait::Retrying { tries, at });
            }
            let number = tries.saturating_add(1);
            return Ok(Cause::Retry { number });
        }
        match self.rules.missed {
            _ if slot >= self.clock.awake => Ok(Cause::Slot),
            Missed::Skip => Err(Wait::Skipped { slot }),
            Missed::RunOnce if past.is_empty() => Ok(Cause::First),
            Missed::RunOnce => Ok(Cause::Missed),
        }
    }

    /// What waits because of the full that is due too, or of the one that is not there yet.
    fn behind_full(&self, full: Option<&Verdict>) -> Option<Wait> {
        let first = self.subject.full.succeeded.is_none();
        match (self.kind, full?) {
            (BackupKind::Full, _) => None,
            (
                BackupKind::Differential,
                Verdict::Due(..) | Verdict::Wait(Wait::Retrying { .. }, _),
            ) => Some(Wait::ByFull),
            (BackupKind::Log, Verdict::Due(..)) => first.then_some(Wait::NoBase),
            // A full that comes soon; else the chain guard makes a full of it.
            (_, Verdict::Wait(wait, _)) => {
                let soon = matches!(
                    wait,
                    Wait::Running { .. }
                        | Wait::Retrying { .. }
                        | Wait::Blackout { .. }
                        | Wait::Held { .. }
                );
                (first && soon).then_some(Wait::NoBase)
            }
        }
    }
}

#[cfg(test)]
mod tests;
