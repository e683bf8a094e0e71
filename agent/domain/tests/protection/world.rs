//! A record with a clock, and words for what it does.

use twinset_domain::partner::{Backed, Objection, Term};
use twinset_domain::protection::{
    Action, Alarm, Event, Record, Refusal, Rules, Served, Sight, Unfit, Verdict, step,
};
use twinset_domain::{BackupKind, Lsn, Moment};
use uuid::Uuid;

/// 2026-11-21T01:00:00Z.
pub(crate) const START: i64 = 1_795_222_800;

/// One agent's view of one database.
pub(crate) struct World {
    pub(crate) record: Record,
    pub(crate) now: Moment,
    pub(crate) rules: Rules,
    pub(crate) ours: &'static str,
    /// Every action so far.
    pub(crate) done: Vec<Action>,
}

impl World {
    pub(crate) fn new(rules: Rules, ours: &'static str) -> Self {
        let now = Moment(START);
        Self {
            record: Record::new(now),
            now,
            rules,
            ours,
            done: Vec::new(),
        }
    }

    /// Protected on `sql-a`, which is ours.
    pub(crate) fn protected(rules: Rules) -> Self {
        let mut world = Self::new(rules, "sql-a");
        world.sees(principal("sql-a", 1));
        world.tell(Event::Checked(Verdict::Continue));
        world.done.clear();
        world
    }

    /// On standby on `sql-b`, which is ours, while `sql-a` serves.
    pub(crate) fn standby(rules: Rules) -> Self {
        let mut world = Self::new(rules, "sql-b");
        world.sees(principal("sql-a", 1));
        world.done.clear();
        world
    }

    pub(crate) fn tell(&mut self, event: Event) -> Vec<Action> {
        let rules = (&self.rules, self.ours);
        let (record, actions) = step(&self.record, &event, self.now, rules);
        self.record = record;
        self.done.extend(actions.iter().cloned());
        actions
    }

    pub(crate) fn sees(&mut self, sight: Sight) -> Vec<Action> {
        self.tell(Event::Seen(sight))
    }

    pub(crate) fn due(&mut self, kind: BackupKind) -> Vec<Action> {
        self.tell(Event::Due(kind))
    }

    pub(crate) fn after(&mut self, seconds: i64) -> Vec<Action> {
        self.now = Moment(self.now.0 + seconds);
        self.tell(Event::Tick)
    }
}

fn guid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn served(by: &str, session: Option<u128>, sequence: i64, fork: u128) -> Served {
    Served {
        by: by.to_owned(),
        term: session.map(|session| Term {
            guid: guid(session),
            role_sequence: sequence,
        }),
        family: Some(guid(1)),
        fork: Some(guid(fork)),
        helper: None,
    }
}

/// How far it is backed up at first.
pub(crate) const BACKED: Backed = Backed {
    log: Some(Lsn(1000)),
    base: Some(Lsn(900)),
};

/// It serves, in the usual session.
pub(crate) fn principal(by: &str, sequence: i64) -> Sight {
    backed(by, sequence, BACKED)
}

/// The same, backed up so far.
pub(crate) fn backed(by: &str, sequence: i64, backed: Backed) -> Sight {
    Sight::Principal {
        who: served(by, Some(7), sequence, 100),
        exposed: false,
        backed,
        posts: Box::default(),
    }
}

/// It serves, in no session.
pub(crate) fn alone(by: &str) -> Sight {
    Sight::Principal {
        who: served(by, None, 0, 100),
        exposed: false,
        backed: BACKED,
        posts: Box::default(),
    }
}

/// A pair that cannot be protected.
pub(crate) fn one_computer() -> Unfit {
    Unfit::Pair(Objection::SameComputer {
        computer: "HOST".to_owned(),
    })
}

pub(crate) fn refusal(actions: &[Action]) -> Option<Refusal> {
    actions.iter().find_map(|action| match action {
        Action::Refuse(refusal) => Some(refusal.clone()),
        _ => None,
    })
}

pub(crate) fn raised(actions: &[Action], alarm: Alarm) -> usize {
    let one = |action: &&Action| **action == Action::Raise(alarm);
    actions.iter().filter(one).count()
}
