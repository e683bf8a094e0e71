#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::Moment;

const VIENNA: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn rules(lines: [&str; 3], missed: Missed, stagger: u32, blackout: &[&str]) -> Rules {
    let line = |text: &str| Cron::parse(text).ok();
    Rules {
        full: line(lines[0]),
        differential: line(lines[1]),
        log: line(lines[2]),
        zone: Zone::new(VIENNA, TimeZone::posix(VIENNA).unwrap()),
        stagger,
        missed,
        retries: 2,
        retry_delay: 60,
        blackout: blackout
            .iter()
            .map(|text| Blackout::parse(text).unwrap())
            .collect(),
    }
}

#[test]
fn offsets_are_spread_and_stay() {
    let spread = rules(["", "", ""], Missed::Skip, 1200, &[]);
    let mut buckets = [0; 10];
    for number in 0..1000 {
        let offset = spread.offset(&format!("Database_{number:04}"));
        assert!(offset < 1200);
        buckets[usize::try_from(offset / 120).unwrap()] += 1;
    }
    assert!(
        buckets.iter().all(|count| (60..=150).contains(count)),
        "{buckets:?}"
    );
    assert_eq!(spread.offset("Payroll"), spread.offset("PAYROLL"));
    // Written down: an offset that changes with a release would run slots twice.
    assert_eq!(spread.offset("Payroll"), 696);
}

#[test]
fn a_tick_of_a_thousand_databases_is_cheap() {
    let rules = rules(
        ["0 1 * * sun", "0 1 * * *", "*/15 * * * *"],
        Missed::RunOnce,
        1200,
        &[],
    );
    let now: Moment = "2026-11-22T10:00:00Z".parse().unwrap();
    let subjects: Vec<Subject> = (0..1000)
        .map(|number| Subject {
            database: format!("Database_{number:04}"),
            ..Subject::default()
        })
        .collect();
    let begin = Instant::now();
    let rounds = 100;
    for tick in 0..rounds {
        let now = Moment(now.0 + tick);
        let plan = plan(&rules, &subjects, Clock { now, awake: now });
        assert_eq!(plan.due.len() + plan.waiting.len(), 3000);
    }
    println!("a tick of 1,000 databases: {:?}", begin.elapsed() / 100);
}

#[test]
fn a_run_an_hour_ahead_of_the_clock_is_believed_and_none_further() {
    let now = Moment(1_790_000_000);
    for (ahead, believed) in [(FUTURE, true), (FUTURE + 1, false)] {
        let started = Moment(now.0 + ahead);
        let run = Attempt {
            started,
            ended: None,
            succeeded: true,
        };
        assert_eq!(Past::of([run], now).succeeded, believed.then_some(started));
    }
}

/// A world of one database that the planner drives: runs succeed or fail, the agent is away, the
/// clock leaps.
struct World {
    rules: Rules,
    now: i64,
    awake: i64,
    attempts: BTreeMap<BackupKind, Vec<Attempt>>,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// So many ticks of 20 seconds; each run that is due ends as the bit says.
    Tick(u16, bool),
    /// The agent is away for so many seconds.
    Away(u32),
    /// The clock is set back by so many seconds.
    Back(u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (1..400_u16, prop::bool::weighted(0.8)).prop_map(|(n, ok)| Event::Tick(n, ok)),
        2 => (1..200_000_u32).prop_map(Event::Away),
        1 => (1..3000_u16).prop_map(Event::Back),
    ];
    prop::collection::vec(event, 1..30)
}

impl World {
    fn subject(&self) -> Subject {
        let past = |kind: BackupKind| {
            let attempts = self.attempts.get(&kind).into_iter().flatten();
            Past::of(attempts.copied(), Moment(self.now))
        };
        Subject {
            database: "Payroll".into(),
            full: past(BackupKind::Full),
            differential: past(BackupKind::Differential),
            log: past(BackupKind::Log),
            ..Subject::default()
        }
    }

    fn tick(&mut self, succeeded: bool) -> Vec<Due> {
        self.now += 20;
        let clock = Clock {
            now: Moment(self.now),
            awake: Moment(self.awake),
        };
        let due = plan(&self.rules, &[self.subject()], clock).due;
        for one in &due {
            let started = Moment(self.now);
            self.attempts.entry(one.kind).or_default().push(Attempt {
                started,
                ended: Some(started),
                succeeded,
            });
        }
        due
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_slot_runs_twice_and_none_is_lost(
        events in events(),
        run_once in any::<bool>(),
        stagger in prop::sample::select(vec![0_u32, 600, 7200]),
        begin in prop::sample::select(vec![
            // Before clocks go forward, back, and on a plain day.
            "2027-03-27T20:00:00Z", "2026-10-24T20:00:00Z", "2026-11-22T10:00:00Z",
        ]),
        windows in prop::sample::select(vec![&[][..], &["01:00-05:00"], &["full sun 00:00-24:00"]]),
    ) {
        let missed = if run_once { Missed::RunOnce } else { Missed::Skip };
        let lines = ["30 2 * * *", "30 */6 * * *", "*/20 * * * *"];
        let begin: Moment = begin.parse().unwrap();
        let mut world = World {
            rules: rules(lines, missed, stagger, windows),
            now: begin.0,
            awake: begin.0,
            attempts: BTreeMap::new(),
        };
        let offset = i64::from(world.rules.offset("Payroll"));
        // Good runs by kind and slot.
        let mut served: BTreeMap<(BackupKind, Moment), u32> = BTreeMap::new();
        let mut tries: BTreeMap<(BackupKind, Moment), u32> = BTreeMap::new();
        // The latest that the clock has shown.
        let mut newest = world.now;
        for event in events {
            newest = newest.max(world.now);
            match event {
                Event::Tick(count, succeeded) => for _ in 0..count {
                    for due in world.tick(succeeded) {
                        let key = (due.kind, due.slot);
                        *served.entry(key).or_default() += u32::from(succeeded);
                        *tries.entry(key).or_default() += 1;
                        prop_assert!(due.slot.0 <= world.now);
                        prop_assert_eq!(until(
                            &world.rules.blackout, &world.rules.zone, due.kind, Moment(world.now)
                        ), None);
                    }
                },
                Event::Away(seconds) => {
                    world.now += i64::from(seconds);
                    world.awake = world.now;
                }
                Event::Back(seconds) => {
                    // Further back what ran is not believed, and runs again: that is the rule of
                    // `FUTURE`, with a test of its own.
                    world.now = (world.now - i64::from(seconds)).max(newest - FUTURE);
                    world.awake = world.now;
                }
            }
        }
        prop_assert!(served.values().all(|count| *count <= 1), "twice: {:?}", served);
        prop_assert!(tries.values().all(|count| *count <= 3), "too often: {:?}", tries);
        // With an agent that is there and runs that succeed, what is owed is paid, each once.
        let mut runs: BTreeMap<BackupKind, u32> = BTreeMap::new();
        for _ in 0..(86_400 / 20 + 3600 / 20) {
            for due in world.tick(true) {
                *runs.entry(due.kind).or_default() += 1;
            }
        }
        if run_once {
            let end = Moment(world.now);
            for kind in KINDS {
                let line = world.rules.line(kind).unwrap();
                let until_now = Moment(end.0 - offset - 20);
                let slot = last_until(line, &world.rules.zone, until_now).unwrap();
                let subject = world.subject();
                let waits = until(&world.rules.blackout, &world.rules.zone, kind, end).is_some();
                let by_full = kind == BackupKind::Differential
                    && subject.full.served(Moment(slot.0 + offset));
                let paid = subject.past(kind).served(Moment(slot.0 + offset));
                // A window may hold the first full back, and with it all that builds on it.
                let no_base = subject.full.succeeded.is_none();
                prop_assert!(paid || by_full || waits || no_base, "{} {}", kind, slot);
            }
        }
        // A day has at most so many slots, and one that was owed.
        let most = [(BackupKind::Log, 77), (BackupKind::Differential, 6), (BackupKind::Full, 3)];
        for (kind, most) in most {
            prop_assert!(runs.get(&kind).copied().unwrap_or(0) <= most, "{:?}", runs);
        }
    }

    #[test]
    fn any_clock_has_a_bounded_answer(
        now in prop::sample::select(vec![i64::MIN, -1, 0, 1_795_341_600, 253_402_300_799, i64::MAX]),
        awake in any::<i64>(), began in any::<i64>(), retries in any::<u32>(), stagger in any::<u32>(),
    ) {
        let mut rules = rules(["0 1 29 2 *", "0 1 * * *", "* * * * *"], Missed::RunOnce, stagger, &["mon 08:00-12:00"]);
        (rules.retries, rules.retry_delay) = (retries, u32::MAX);
        let past = Past::of(
            [true, false].map(|succeeded| Attempt { started: Moment(began), ended: None, succeeded }),
            Moment(now),
        );
        let subject = Subject { log: past.clone(), full: past, ..Subject::default() };
        let clock = Clock { now: Moment(now), awake: Moment(awake) };
        let plan = plan(&rules, &[subject], clock);
        prop_assert_eq!(plan.due.len() + plan.waiting.len(), 3);
        for wait in &plan.waiting {
            prop_assert!(!wait.wait.text(&rules.zone).is_empty());
        }
    }
}
