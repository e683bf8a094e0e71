//! Restore and retention together: what could be restored to before sets were dropped, and is
//! wanted, can still be restored to afterwards. Over random histories with forks, copies, losses
//! and machines that were rolled back.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../restore/history.rs"]
#[allow(dead_code, reason = "the planner's own tests use the rest")]
mod history;
mod source;

use std::collections::BTreeSet;

use proptest::prelude::*;
use twinset_domain::restore::{Candidate, Goal, Wanted, number_branches, plan};
use twinset_domain::retention::{self, Limits, Part, Place, Policy, Question, Rule, Subject};
use twinset_domain::{BackupKind, Moment, Position};
use uuid::Uuid;

use source::{Event, STEP, Source};

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Full),
        1 => Just(Event::CopyOnly),
        3 => Just(Event::Differential),
        8 => Just(Event::Log),
        1 => Just(Event::CopyOnlyLog),
        2 => (0..150_u32).prop_map(Event::Fork),
        1 => Just(Event::RollBack),
        1 => Just(Event::Lose),
    ]
}

/// A set as retention sees it.
fn subject(set: &Candidate) -> Subject {
    let link = set.link.as_ref().unwrap();
    let mirrors = set.sources.iter().map(Vec::len).min().unwrap_or(0);
    Subject {
        place: Place {
            media_set: set.place.media_set.clone(),
            position: set.place.position,
        },
        state: set.state,
        database: Some(set.database.clone()),
        kind: set.kind,
        parts: vec![Part {
            kind: set.kind,
            set: link.set,
            base: link.base,
            copy_only: link.copy_only,
            family: link.family,
            fork: link.fork,
            first_fork: link.first_fork,
            fork_point: link.fork_point,
            first: link.first,
            last: link.last,
            checkpoint: link.checkpoint,
            base_checkpoint: link.base_lsn,
        }],
        new_branch: set.new_branch,
        began: set.at,
        ended: set.ended(),
        bytes: set.bytes,
        mirrors: u8::try_from(mirrors).unwrap(),
        least: 1,
        policies: vec![0],
    }
}

/// What is left when everything that may go is gone.
fn expired(sets: &[Candidate], limits: Limits, now: Moment) -> Vec<Candidate> {
    let subjects: Vec<Subject> = sets.iter().map(subject).collect();
    let policies = [Policy {
        group: "payroll".to_owned(),
        rule: Rule::Limits(limits),
    }];
    let told = retention::plan(&Question {
        media_set: "payroll",
        sets: &subjects,
        policies: &policies,
        holds: &[],
        locks: &std::collections::BTreeMap::new(),
        now,
        accepted: None,
    });
    let gone: BTreeSet<Position> = told.drops().into_iter().collect();
    let stays = |set: &&Candidate| !gone.contains(&set.place.position);
    sets.iter().filter(stays).cloned().collect()
}

/// Whether a point can be restored to, along a fork or along the newest one.
fn reaches(sets: &[Candidate], goal: Goal, fork: Option<Uuid>, now: Moment) -> bool {
    let mut sets = sets.to_vec();
    number_branches(&mut sets);
    let wanted = Wanted {
        database: "Payroll".to_owned(),
        goal,
        fork,
        without: Vec::new(),
        lost: Vec::new(),
        now,
    };
    plan(&wanted, &sets).is_ok()
}

fn forks(sets: &[Candidate]) -> Vec<Option<Uuid>> {
    let mut forks: Vec<_> = sets
        .iter()
        .map(|set| set.link.as_ref().unwrap().fork)
        .collect();
    forks.push(None);
    forks.sort_unstable();
    forks.dedup();
    forks
}

fn told(events: &[Event]) -> (Vec<Candidate>, Moment) {
    let mut source = Source::new();
    for event in events {
        source.take(*event);
    }
    (source.told.sets.clone(), Moment(source.clock))
}

fn text(sets: &[Candidate]) -> String {
    let line = |set: &Candidate| {
        let link = set.link.as_ref().unwrap();
        format!(
            "{} {} at {} first {:?} last {:?} fork {:?} from {:?} {:?} on {}\n",
            set.place.position,
            set.kind
                .map_or_else(String::new, |kind: BackupKind| kind.to_string()),
            set.at.0,
            link.first.map(|lsn| lsn.0),
            link.last.map(|lsn| lsn.0),
            link.fork.map(|fork| fork.as_u128()),
            link.first_fork.map(|fork| fork.as_u128()),
            link.fork_point.map(|lsn| lsn.0),
            set.sources[0].len(),
        )
    };
    sets.iter().map(line).collect()
}

/// The latest point is within reach, and stays so when everything that may go is gone.
#[track_caller]
fn latest_stays(events: &[Event]) {
    let (sets, now) = told(events);
    let limits = Limits {
        max_drop_percent: 100,
        ..Limits::default()
    };
    let left = expired(&sets, limits, now);
    assert!(reaches(&sets, Goal::Latest, None, now));
    assert!(reaches(&left, Goal::Latest, None, now), "{}", text(&left));
}

/// Two restores between two logs: that the second fork came from the first is told by a differential
/// alone, which no chain to the end needs.
#[test]
fn a_set_that_alone_tells_where_a_fork_came_from_stays() {
    use Event::{CopyOnlyLog, Differential, Fork, Full, Log};
    latest_stays(&[
        Fork(0),
        CopyOnlyLog,
        Full,
        Full,
        Fork(0),
        Log,
        Differential,
        Full,
        Full,
        Fork(91),
        Log,
    ]);
}

/// The same, and the fulls that the chain begins with lie on a fork of which only its end tells.
#[test]
fn a_full_stays_that_is_on_the_way_of_a_chains_end_alone() {
    use Event::{CopyOnly, CopyOnlyLog, Differential, Fork, Full, Log};
    latest_stays(&[
        Fork(0),
        CopyOnlyLog,
        Full,
        Full,
        Full,
        Full,
        Full,
        Fork(0),
        Log,
        Log,
        Full,
        Full,
        Fork(51),
        Log,
        CopyOnly,
        Differential,
        Full,
        Full,
        Fork(131),
        Log,
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_point_of_the_window_stays_within_reach(
        events in proptest::collection::vec(event(), 1..50),
        steps in 1..40_i64, later in 0..5_i64,
    ) {
        let (sets, end) = told(&events);
        let now = Moment(end.0 + later * STEP);
        let window = steps * STEP;
        let limits = Limits { window: Some(window), max_drop_percent: 100, ..Limits::default() };
        let left = expired(&sets, limits, now);
        let start = now.0 - window;
        // The ends of sets, and moments between them.
        for at in (start.max(0)..=now.0).step_by(usize::try_from(STEP / 2).unwrap()) {
            for fork in forks(&sets) {
                let goal = Goal::Time(Moment(at));
                if reaches(&sets, goal.clone(), fork, now) {
                    prop_assert!(
                        reaches(&left, goal, fork, now),
                        "{at} on {fork:?}\n{}left of it\n{}", text(&sets), text(&left)
                    );
                }
            }
        }
    }

    #[test]
    fn the_last_chain_survives_every_policy(
        events in proptest::collection::vec(event(), 1..50),
        window in proptest::option::of(1..40_i64), later in 0..1000_i64, daily in 0..2_u32,
    ) {
        let (sets, end) = told(&events);
        let now = Moment(end.0 + later * STEP);
        let window = window.map(|steps| steps * STEP);
        let limits = Limits { window, daily, max_drop_percent: 100, ..Limits::default() };
        let left = expired(&sets, limits, now);
        if reaches(&sets, Goal::Latest, None, now) {
            prop_assert!(
                reaches(&left, Goal::Latest, None, now),
                "{}left of it\n{}", text(&sets), text(&left)
            );
        }
    }
}
