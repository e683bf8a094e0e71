//! Histories of a database, as short as they are told.

use twinset_domain::recover::SetState;
use twinset_domain::restore::{Candidate, Goal, Link, Place, Plan, Wanted, plan};
use twinset_domain::{BackupKind, FamilyNo, Fault, Lsn, MirrorNo, Moment, Position, RunId, Slot};
use uuid::Uuid;

/// 2026-11-21, the day of every fixture.
pub(crate) fn at(time: &str) -> Moment {
    format!("2026-11-21T{time}:00Z").parse().unwrap()
}

/// The record at a block of virtual log 40.
pub(crate) fn lsn(block: u32) -> Lsn {
    Lsn::from_parts(40, block, 0)
}

/// A GUID that is told by a number.
pub(crate) fn guid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The only family.
pub(crate) const FAMILY: u128 = 0xFA;

fn place(position: u64) -> Place {
    Place {
        media_set: "payroll".to_owned(),
        position: Position::new(position).unwrap(),
    }
}

/// Sets by their names; the position is the number in the row.
#[derive(Clone, Default)]
pub(crate) struct History {
    pub(crate) sets: Vec<Candidate>,
    names: Vec<&'static str>,
}

impl History {
    /// One more set: first and last block, and when it was finished.
    pub(crate) fn set(
        &mut self,
        name: &'static str,
        kind: BackupKind,
        (first, last): (u32, u32),
        finished: &str,
    ) -> &mut Candidate {
        self.set_at(name, kind, (first, last), at(finished))
    }

    pub(crate) fn set_at(
        &mut self,
        name: &'static str,
        kind: BackupKind,
        (first, last): (u32, u32),
        finished: Moment,
    ) -> &mut Candidate {
        let number = self.sets.len() as u64 + 1;
        let slot = |mirror| Slot {
            mirror: MirrorNo(mirror),
            family: FamilyNo(1),
        };
        self.names.push(name);
        self.sets.push(Candidate {
            place: place(number),
            run: RunId(guid(number.into())),
            state: SetState::Published,
            database: "Payroll".to_owned(),
            kind: Some(kind),
            at: finished,
            finished: Some(finished),
            offset: 0,
            offset_is_guessed: false,
            bytes: 100,
            sets: 1,
            link: Some(Link {
                set: Some(guid(number.into())),
                family: Some(guid(FAMILY)),
                fork: Some(guid(0x1)),
                first: Some(lsn(first)),
                last: Some(lsn(last)),
                checkpoint: Some(lsn(first)),
                ..Link::default()
            }),
            new_branch: false,
            branch: 0,
            container: false,
            over_damage: false,
            encryptor: None,
            sources: vec![vec![slot(1), slot(2)]],
            mirrors: 2,
        });
        self.sets.last_mut().unwrap()
    }

    /// The number of a name, from 0.
    fn number(&self, name: &str) -> usize {
        self.names.iter().position(|known| *known == name).unwrap()
    }

    pub(crate) fn place(&self, name: &str) -> Place {
        self.sets[self.number(name)].place.clone()
    }

    pub(crate) fn of(&mut self, name: &str) -> &mut Candidate {
        let number = self.number(name);
        &mut self.sets[number]
    }

    pub(crate) fn link(&mut self, name: &str) -> &mut Link {
        self.of(name).link.as_mut().unwrap()
    }

    /// The same, where a set is on no mirror.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut left = self.clone();
        left.of(name).sources = vec![Vec::new()];
        left
    }

    pub(crate) fn wanted(&self, goal: Goal) -> Wanted {
        Wanted {
            database: "Payroll".to_owned(),
            goal,
            fork: None,
            without: Vec::new(),
            lost: Vec::new(),
            now: at("12:00"),
        }
    }

    /// The names of a plan's sets; `*` behind those that are told where to stop.
    pub(crate) fn names(&self, plan: &Plan) -> String {
        let name = |step: &twinset_domain::restore::Step| {
            let stop = if step.stops { "*" } else { "" };
            let at = usize::try_from(step.set.place.position.get()).unwrap() - 1;
            format!("{}{stop}", self.names[at])
        };
        plan.steps.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn plan(&self, goal: Goal) -> Result<Plan, Fault> {
        plan(&self.wanted(goal), &self.sets)
    }

    pub(crate) fn plan_on(&self, fork: u128, goal: Goal) -> Result<Plan, Fault> {
        let wanted = Wanted {
            fork: Some(guid(fork)),
            ..self.wanted(goal)
        };
        plan(&wanted, &self.sets)
    }

    /// What a plan to a time is, or the code of its refusal.
    #[track_caller]
    pub(crate) fn to(&self, time: &str) -> String {
        match self.plan(Goal::Time(at(time))) {
            Ok(plan) => self.names(&plan),
            Err(fault) => fault.code.to_string(),
        }
    }
}

/// The worked fixture: failover, a forced service, two forks (facts/sqlserver.md 5.4).
pub(crate) fn fixture() -> History {
    use BackupKind::{Differential, Full, Log};
    let mut told = History::default();
    told.set("F1", Full, (100, 140), "01:00");
    told.set("L1", Log, (80, 200), "02:00");
    told.set("L2", Log, (200, 300), "03:00");
    told.set("L3", Log, (300, 410), "04:00");
    told.set("D1", Differential, (410, 440), "04:30");
    told.link("D1").base = Some(guid(1));
    told.set("C1", Full, (445, 460), "04:45");
    told.link("C1").copy_only = true;
    told.set("L4", Log, (410, 520), "05:00");
    told.set("L5", Log, (410, 600), "06:00");
    let last = told.link("L5");
    last.fork = Some(guid(0x2));
    last.first_fork = Some(guid(0x1));
    last.fork_point = Some(lsn(480));
    told
}
