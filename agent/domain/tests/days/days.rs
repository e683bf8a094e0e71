//! Histories: made from a seed, lived, shortened when they break a promise.

use twinset_domain::chain::Bridge;
use twinset_domain::protection::Rules;
use twinset_domain::rpo;
use twinset_domain::schedule::{Cron, Missed, Rules as Schedule, Zone};

use super::chance::Chance;
use super::deeds::Deed;
use super::lab::{Lab, Plan};

/// 2026-10-20, some days before clocks are put back in Europe.
const START: i64 = 1_792_454_400;
const DAY: i64 = 86_400;
/// Days of one history; the last one is quiet.
const DAYS: i64 = 6;

/// What happens, and when: seconds since the start.
#[derive(Clone, Debug)]
struct History {
    seed: u64,
    plan: Plan,
    deeds: Vec<(i64, Deed)>,
}

fn schedule(chance: &mut Chance) -> Schedule {
    let line = |text: &str| Some(Cron::parse(text).unwrap());
    Schedule {
        full: line(chance.of_these(&["0 1 * * *", "0 1 * * sun,wed", "30 22 * * *"])),
        differential: line(chance.of_these(&["0 7,13,19 * * *", "0 12 * * *"])),
        log: line(chance.of_these(&["*/15 * * * *", "*/30 * * * *", "5 * * * *"])),
        zone: Zone::utc(),
        stagger: 0,
        missed: Missed::RunOnce,
        retries: 3,
        retry_delay: 60,
        blackout: Vec::new(),
    }
}

impl History {
    fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let mirrored = !chance.one_in(6);
        let base = chance.of_these(&[Rules::FOLLOW, Rules::FOLLOW, Rules::DPM]);
        let mirrors = chance.of_these(&[1, 2, 2, 3]);
        let plan = Plan {
            mirrored,
            witness: chance.one_in(2),
            rules: Rules {
                check_delay: chance.of_these(&[0, 1800]),
                check_first: base.check_first ^ chance.one_in(4),
                go_on_in_split: base.go_on_in_split ^ chance.one_in(4),
                ..base
            },
            schedule: schedule(&mut chance),
            bridge: chance.of_these(&[Bridge::Differential, Bridge::Full]),
            mirrors,
            least: 1 + u8::try_from(chance.below(mirrors as u64)).unwrap(),
            apart: chance.one_in(2),
            shared: !chance.one_in(4),
            window: 2 * DAY,
            limits: rpo::Limits {
                full: Some(8 * 86_400),
                differential: None,
                log: Some(3 * 3600),
            },
        };
        let count = chance.below(20);
        let mut deeds: Vec<(i64, Deed)> = (0..count)
            .map(|_| {
                let at = chance.within(600, (DAYS - 1) * DAY);
                (at, Deed::any(&mut chance))
            })
            .collect();
        deeds.sort_by_key(|(at, _)| *at);
        Self { seed, plan, deeds }
    }

    /// Lives it; the story, if a promise is broken.
    fn live(&self) -> Result<(), (String, String)> {
        let mut lab = Lab::new(self.plan.clone(), START);
        let mut chance = Chance::of(self.seed ^ 0xD1CE);
        let mut deeds = self.deeds.iter().peekable();
        for day in 1..=DAYS {
            let end = START + day * DAY;
            while let Some((at, deed)) = deeds.next_if(|(at, _)| START + at < end) {
                lab.until(START + at);
                if lab.broken.is_none() {
                    lab.happens(*deed);
                }
            }
            if day == DAYS && lab.broken.is_none() {
                lab.mended();
                lab.until(end - DAY + 3600);
                lab.agreed();
            }
            lab.until(end);
            if lab.broken.is_none() {
                lab.evening(&mut chance);
            }
            if lab.broken.is_some() {
                break;
            }
        }
        if lab.broken.is_none() {
            lab.all_is_well();
        }
        match &lab.broken {
            None => Ok(()),
            Some(broken) => Err((broken.clone(), lab.story().to_owned())),
        }
    }

    /// The same without what is not needed to break a promise.
    fn shortened(&self) -> Self {
        let mut short = self.clone();
        let mut size = short.deeds.len().div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < short.deeds.len() {
                let mut tried = short.clone();
                let end = (at + size).min(tried.deeds.len());
                tried.deeds.drain(at..end);
                if tried.live().is_err() {
                    short = tried;
                } else {
                    at += size;
                }
            }
            if size == 1 {
                return short;
            }
            size = size.div_ceil(2);
        }
    }
}

/// The last lines of a story.
fn tail(story: &str, lines: usize) -> String {
    let all: Vec<&str> = story.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn lives(seed: u64) {
    let history = History::of(seed);
    if history.live().is_ok() {
        return;
    }
    let short = history.shortened();
    let (broken, story) = short.live().unwrap_err();
    panic!(
        "seed {seed}: {broken}\n{:#?}\n{:?}\n{}",
        short.deeds,
        short.plan,
        tail(
            &story,
            usize::try_from(number("TWINSET_LINES", 60)).unwrap()
        )
    );
}

fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |text| text.parse().unwrap())
}

#[test]
fn some_hundred_days_break_no_promise() {
    (0..40).for_each(lives);
}

/// Seeds that found something once.
#[test]
fn what_was_found_stays_found() {
    let seeds = include_str!("found.txt").lines();
    let seeds = seeds.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    seeds.for_each(lives);
}

/// `cargo test -p twinset-domain --test days -- --ignored --nocapture`: as many days as
/// `TWINSET_DAYS` says, from the seed `TWINSET_SEED` on.
#[test]
#[ignore = "ten thousand days take minutes"]
fn ten_thousand_days_break_no_promise() {
    let days = number("TWINSET_DAYS", 10_000);
    let from = number("TWINSET_SEED", 1_000);
    let histories = days.div_ceil(DAYS.unsigned_abs());
    let begun = std::time::Instant::now();
    (from..from + histories).for_each(lives);
    let lived = histories * DAYS.unsigned_abs();
    println!(
        "{lived} days, seeds {from} to {}, in {:?}",
        from + histories - 1,
        begun.elapsed()
    );
}
