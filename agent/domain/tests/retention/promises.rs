//! What holds for every history, every policy and every moment.

use std::collections::BTreeSet;

use proptest::prelude::*;
use twinset_domain::recover::SetState;
use twinset_domain::retention::{Limits, Part, Plan, Subject};
use twinset_domain::{BackupKind, Position};

use super::history::{DAY, HOUR, History};

#[derive(Clone, Copy, Debug)]
enum Event {
    Full,
    CopyOnly,
    Differential,
    Log,
    Fork,
    Wait(i64),
    Thin,
    Unconfirmed,
}

fn event() -> impl Strategy<Value = (Event, bool)> {
    let kind = prop_oneof![
        3 => Just(Event::Full),
        1 => Just(Event::CopyOnly),
        4 => Just(Event::Differential),
        8 => Just(Event::Log),
        1 => Just(Event::Fork),
        6 => (1..72_i64).prop_map(|hours| Event::Wait(hours * HOUR)),
        1 => Just(Event::Thin),
        1 => Just(Event::Unconfirmed),
    ];
    (kind, any::<bool>())
}

fn limits() -> impl Strategy<Value = Limits> {
    let window = proptest::option::of((1..30_i64).prop_map(|days| days * DAY));
    (window, 0..4_u32, 0..4_u32, 0..3_u32, 0..2_u32).prop_map(
        |(window, daily, weekly, monthly, yearly)| Limits {
            window,
            daily,
            weekly,
            monthly,
            yearly,
            max_drop_percent: 25,
        },
    )
}

fn told(events: &[(Event, bool)]) -> History {
    let mut history = History::new();
    for (event, first) in events {
        let database = if *first { "Payroll" } else { "HR" };
        match event {
            Event::Full => history.full(database),
            Event::CopyOnly => history.copy_only(database),
            Event::Differential => history.differential(database),
            Event::Log => history.log(database),
            Event::Fork => history.fork(database),
            Event::Wait(seconds) => history.wait(*seconds),
            Event::Thin | Event::Unconfirmed if history.sets.is_empty() => &mut history,
            Event::Thin => {
                history.last().mirrors = 1;
                &mut history
            }
            Event::Unconfirmed => {
                history.last().state = SetState::Unconfirmed;
                &mut history
            }
        };
        history.wait(HOUR);
    }
    history
}

fn part(set: &Subject) -> &Part {
    &set.parts[0]
}

/// Says straight from SQL Server's own rules whether a set can be restored out of others.
fn restorable(set: &Subject, from: &[&Subject]) -> bool {
    match set.kind.unwrap() {
        BackupKind::Full => true,
        BackupKind::Differential => from.iter().any(|full| {
            full.kind == Some(BackupKind::Full)
                && part(set).base.is_some()
                && part(full).set == part(set).base
        }),
        BackupKind::Log => {
            let same = |other: &Subject| {
                (part(other).family, part(other).fork) == (part(set).family, part(set).fork)
            };
            let (first, last) = (part(set).first, part(set).last);
            let behind_base = from.iter().any(|base| {
                let end = part(base).last;
                base.kind != Some(BackupKind::Log)
                    && same(base)
                    && first <= end
                    && end <= last
                    && restorable(base, from)
            });
            behind_base
                || from.iter().any(|log| {
                    log.kind == Some(BackupKind::Log)
                        && same(log)
                        && part(log).last == first
                        && part(log).first < first
                        && restorable(log, from)
                })
        }
    }
}

fn kept<'a>(history: &'a History, plan: &Plan) -> Vec<&'a Subject> {
    let gone: BTreeSet<Position> = plan.drops().into_iter().collect();
    let stays = |set: &&Subject| !gone.contains(&set.place.position);
    history.sets.iter().filter(stays).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_could_be_restored_and_stays_can_still_be_restored(
        events in proptest::collection::vec(event(), 1..60), limits in limits()
    ) {
        let history = told(&events);
        let all: Vec<&Subject> = history.sets.iter().collect();
        let left = kept(&history, &history.plan(limits));
        for set in &left {
            if restorable(set, &all) {
                prop_assert!(restorable(set, &left), "position {}", set.place.position);
            }
        }
    }

    #[test]
    fn the_newest_restorable_moment_of_every_database_survives(
        events in proptest::collection::vec(event(), 1..60), limits in limits(), later in 0..300_i64
    ) {
        let history = told(&events);
        let plan = history.plan_at(limits, history.now + later * DAY, None);
        let left = kept(&history, &plan);
        for database in ["Payroll", "HR"] {
            let ours = |sets: &[&Subject]| -> Vec<Subject> {
                let ours = |set: &&&Subject| set.database.as_deref() == Some(database);
                sets.iter().filter(ours).map(|set| (*set).clone()).collect()
            };
            let all: Vec<&Subject> = history.sets.iter().collect();
            let fulls = |sets: &[Subject]| {
                let full = |set: &&Subject| set.kind == Some(BackupKind::Full);
                sets.iter().filter(full).map(|set| set.place.position).max()
            };
            let (before, after) = (ours(&all), ours(&left));
            prop_assert_eq!(fulls(&before), fulls(&after), "the newest full of {}", database);
            // Everything that can be restored on top of that full's branch is still there.
            let Some(newest) = fulls(&before) else { continue };
            let fork = part(&history.sets[usize::try_from(newest.get()).unwrap() - 1]).fork;
            let furthest = |sets: &[Subject]| {
                let refs: Vec<&Subject> = sets.iter().collect();
                let here = |set: &&Subject| part(set).fork == fork && restorable(set, &refs);
                sets.iter().filter(here).filter_map(|set| part(set).last).max()
            };
            prop_assert_eq!(furthest(&before), furthest(&after), "the last moment of {}", database);
        }
    }

    #[test]
    fn unconfirmed_sets_and_those_in_the_window_never_go(
        events in proptest::collection::vec(event(), 1..60), limits in limits()
    ) {
        let history = told(&events);
        let plan = history.plan(limits.clone());
        for position in plan.drops() {
            let set = &history.sets[usize::try_from(position.get()).unwrap() - 1];
            prop_assert_eq!(set.state, SetState::Published);
            if let Some(window) = limits.window {
                prop_assert!(set.ended.0 < history.now - window);
            }
        }
    }

    #[test]
    fn the_first_moment_of_the_window_stays_restorable(
        events in proptest::collection::vec(event(), 1..60), days in 1..20_i64
    ) {
        let history = told(&events);
        let limits = super::history::window(days);
        let start = history.now - days * DAY;
        let left = kept(&history, &history.plan(limits));
        for database in ["Payroll", "HR"] {
            let counted = |set: &&Subject| {
                set.database.as_deref() == Some(database)
                    && set.kind == Some(BackupKind::Full)
                    && set.mirrors >= 2
                    && set.state == SetState::Published
                    && set.ended.0 <= start
            };
            let anchor = history.sets.iter().rfind(counted);
            if let Some(anchor) = anchor {
                prop_assert!(left.contains(&anchor), "position {}", anchor.place.position);
            }
        }
    }

    #[test]
    fn a_second_run_at_the_same_time_finds_nothing_more(
        events in proptest::collection::vec(event(), 1..60), limits in limits()
    ) {
        let mut history = told(&events);
        let gone: BTreeSet<Position> = history.plan(limits.clone()).drops().into_iter().collect();
        history.sets.retain(|set| !gone.contains(&set.place.position));
        let again = history.plan(limits);
        prop_assert_eq!(again.drops(), Vec::new(), "{}", super::history::text(&again));
    }

    #[test]
    fn every_set_has_a_reason(
        events in proptest::collection::vec(event(), 1..60), limits in limits()
    ) {
        let plan = told(&events).plan(limits);
        for set in &plan.sets {
            prop_assert!(!set.reasons.is_empty());
            let keeps = set.reasons.iter().any(twinset_domain::retention::Reason::keeps);
            prop_assert_eq!(keeps, !set.drop);
        }
    }
}
