//! What holds for every history: a small SQL Server takes every chain, and gets where it should.

use std::fmt::Write as _;

use proptest::prelude::*;
use twinset_domain::restore::{Goal, Plan, plan, points};
use twinset_domain::{BackupKind, Lsn, Moment};
use uuid::Uuid;

use super::history::{History, at, guid, lsn};

#[derive(Clone, Copy, Debug)]
enum Event {
    Full,
    CopyOnly,
    Differential,
    Log,
    /// Forced service: this much of what was written since the last log backup is lost.
    Fork(u32),
    /// The set that was taken last is lost on every mirror.
    Lose,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Full),
        1 => Just(Event::CopyOnly),
        3 => Just(Event::Differential),
        8 => Just(Event::Log),
        1 => (0..40_u32).prop_map(Event::Fork),
        2 => Just(Event::Lose),
    ]
}

/// What the server that is backed up knows.
struct Source {
    told: History,
    end: u32,
    logged: u32,
    fork: (Uuid, Option<(Uuid, Lsn)>),
    /// Fork on which the current log backup would begin.
    began: Uuid,
    base: Option<Uuid>,
    clock: i64,
}

fn source() -> Source {
    Source {
        told: History::default(),
        end: 100,
        logged: 90,
        fork: (guid(1), None),
        began: guid(1),
        base: None,
        clock: at("00:00").0,
    }
}

impl Source {
    fn take(&mut self, event: Event) {
        self.clock += 60;
        let (kind, first) = match event {
            Event::Full | Event::CopyOnly => (BackupKind::Full, self.end),
            Event::Differential if self.base.is_some() => (BackupKind::Differential, self.end),
            Event::Log => (BackupKind::Log, self.logged),
            Event::Differential => return,
            Event::Fork(lost) => return self.fork(lost),
            Event::Lose => {
                if let Some(set) = self.told.sets.last_mut() {
                    set.sources = vec![Vec::new()];
                }
                return;
            }
        };
        self.end += 30;
        let (end, base, (fork, from), began) = (self.end, self.base, self.fork, self.began);
        let set = self
            .told
            .set_at("set", kind, (first, end), Moment(self.clock));
        let link = set.link.as_mut().unwrap();
        link.fork = Some(fork);
        if let Some((before, point)) =
            from.filter(|(before, _)| *before == began || kind != BackupKind::Log)
        {
            link.first_fork = Some(before);
            link.fork_point = Some(point);
        }
        link.copy_only = matches!(event, Event::CopyOnly);
        match event {
            Event::Full => self.base = link.set,
            Event::Differential => link.base = base,
            Event::Log => {
                self.logged = end;
                self.began = fork;
            }
            _ => {}
        }
        self.end += 10;
    }

    fn fork(&mut self, lost: u32) {
        let point = self
            .end
            .saturating_sub(lost)
            .max(self.logged)
            .max(self.newest_data());
        let number = self.told.sets.len() as u128 + 100 + u128::from(point);
        self.fork = (guid(number), Some((self.fork.0, lsn(point))));
        self.end = point;
    }

    /// Data sets stay on every path here: that they can be abandoned too, the fixture shows.
    fn newest_data(&self) -> u32 {
        let ends = self.told.sets.iter().filter_map(|set| set.last());
        ends.map(|last| u32::try_from(last.0 % 10_u128.pow(15) / 100_000).unwrap())
            .max()
            .unwrap_or(100)
    }
}

/// A database that is being restored, with SQL Server's refusals.
#[derive(Default)]
struct Target {
    at: Option<Lsn>,
    base: Option<Uuid>,
}

impl Target {
    /// # Errors
    /// SQL Server's number.
    fn take(&mut self, set: &twinset_domain::restore::Candidate) -> Result<(), String> {
        let link = set.link.as_ref().unwrap();
        match (set.kind.unwrap(), self.at) {
            (BackupKind::Full, None) => self.base = link.set,
            (BackupKind::Full, Some(_)) => return Err("3159".to_owned()),
            (_, None) => return Err("3118".to_owned()),
            (BackupKind::Differential, Some(_)) if link.base != self.base => {
                return Err("3136".to_owned());
            }
            (BackupKind::Differential, Some(at)) if link.last < Some(at) => {
                return Err("3120".to_owned());
            }
            (BackupKind::Differential, Some(_)) => {}
            (BackupKind::Log, Some(at)) if link.first > Some(at) => return Err("4305".to_owned()),
            (BackupKind::Log, Some(at)) if link.last < Some(at) => return Err("4326".to_owned()),
            (BackupKind::Log, Some(_)) => {}
        }
        self.at = link.last;
        Ok(())
    }
}

/// The chain goes in without a refusal and without a set of a fork that was left.
fn applies(plan: &Plan) -> Result<(), TestCaseError> {
    let mut target = Target::default();
    let mut path = String::new();
    for step in &plan.steps {
        write!(path, "{} ", step.set.named()).unwrap();
        prop_assert!(step.set.is_readable(), "{path}");
        if let Err(number) = target.take(&step.set) {
            return Err(TestCaseError::fail(format!("{number} at {path}")));
        }
        prop_assert!(
            plan.path.holds(step.set.link.as_ref().unwrap().forked()),
            "4330 at {path}"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_plan_is_taken_by_sql_server_and_reaches_its_point(
        events in prop::collection::vec(event(), 1..40),
        minute in 0..45_i64,
        block in 90..1800_u32,
    ) {
        let mut source = source();
        events.iter().for_each(|event| source.take(*event));
        let told = source.told;
        let time = Moment(at("00:00").0 + minute * 60 + 30);
        if let Ok(plan) = told.plan(Goal::Time(time)) {
            applies(&plan)?;
            let (last, data) = (plan.steps.last().unwrap(), &plan.steps[0]);
            prop_assert!(last.set.ended() >= time && data.set.ended() <= time);
            prop_assert_eq!(last.set.kind, Some(BackupKind::Log));
        }
        if let Ok(plan) = told.plan(Goal::Lsn(lsn(block))) {
            applies(&plan)?;
            prop_assert!(plan.steps.last().unwrap().set.last() >= Some(lsn(block)));
        }
        if let Ok(plan) = told.plan(Goal::Latest) {
            applies(&plan)?;
            let sets = told.sets.iter().filter(|set| plan.path.holds(set.link.as_ref().unwrap().forked()));
            let newest = sets.filter_map(|set| set.last()).max();
            prop_assert_eq!(plan.steps.last().unwrap().set.last(), newest);
        }
    }

    #[test]
    fn points_and_plans_agree(
        events in prop::collection::vec(event(), 1..40),
        minute in 0..45_i64,
    ) {
        let mut source = source();
        events.iter().for_each(|event| source.take(*event));
        let told = source.told;
        let Ok(listed) = points(&told.wanted(Goal::Latest), &told.sets) else {
            return Ok(());
        };
        let time = Moment(at("00:00").0 + minute * 60 + 30);
        let inside = listed.intervals.iter().any(|one| {
            !one.single && one.from.at <= time && time <= one.to.at
        });
        let planned = plan(&told.wanted(Goal::Time(time)), &told.sets);
        prop_assert_eq!(inside, planned.is_ok(), "{:?}", listed.intervals);
        if let Err(fault) = planned {
            // What a refusal offers can be had.
            for interval in &listed.intervals {
                let offered = plan(&told.wanted(Goal::Time(interval.to.at)), &told.sets);
                prop_assert!(offered.is_ok(), "{fault}: {interval:?}");
            }
        }
    }
}
