#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn zone(rules: &str) -> Zone {
    Zone::new(rules, TimeZone::posix(rules).unwrap())
}

/// Vienna: forward at 02:00 on the last Sunday of March, back at 03:00 on that of October.
const VIENNA: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// Lord Howe moves by half an hour; Havana at midnight; Azores back to before midnight.
const ZONES: [&str; 5] = [
    VIENNA,
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "CST5CDT,M3.2.0/0,M11.1.0/1",
    "<-01>1<+00>,M3.5.0/0,M10.5.0/1",
    "EST5EDT,M3.2.0,M11.1.0",
];

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

fn slots(line: &str, zone: &Zone, from: &str, to: &str) -> Vec<String> {
    let cron = Cron::parse(line).unwrap();
    let to = moment(to);
    behind(&cron, zone, Moment(moment(from).0 - 1))
        .take_while(|slot| *slot < to)
        .map(|slot| slot.to_string())
        .collect()
}

#[test]
fn a_time_that_clocks_skip_comes_at_the_first_moment_behind() {
    let vienna = zone(VIENNA);
    // 2027-03-28: 02:00 CET is 03:00 CEST, 01:00 UTC.
    let (from, to) = ("2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z");
    assert_eq!(
        slots("30 2 * * *", &vienna, from, to),
        ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]
    );
    // Several in the gap are one run, together with the one at its end.
    assert_eq!(
        slots("0,20,40 2,3 * * sun", &vienna, from, to),
        [
            "2027-03-28T01:00:00Z",
            "2027-03-28T01:20:00Z",
            "2027-03-28T01:40:00Z"
        ]
    );
    let quarter = slots(
        "*/15 * * * *",
        &vienna,
        "2027-03-28T00:30:00Z",
        "2027-03-28T01:30:00Z",
    );
    assert_eq!(
        quarter,
        [
            "2027-03-28T00:30:00Z",
            "2027-03-28T00:45:00Z",
            "2027-03-28T01:00:00Z",
            "2027-03-28T01:15:00Z"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_runs_once_and_a_distance_goes_on() {
    let vienna = zone(VIENNA);
    // 2026-10-25: 03:00 CEST is 02:00 CET, 01:00 UTC.
    let (from, to) = ("2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z");
    assert_eq!(
        slots("30 2 * * *", &vienna, from, to),
        ["2026-10-25T00:30:00Z"]
    );
    let hours = slots(
        "0 * * * *",
        &vienna,
        "2026-10-25T00:00:00Z",
        "2026-10-25T03:00:00Z",
    );
    assert_eq!(
        hours,
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z"
        ]
    );
}

#[test]
fn rare_days_are_found_and_lost_ones_end() {
    let cron = Cron::parse("0 0 29 2 *").unwrap();
    let utc = Zone::utc();
    let next = next_after(&cron, &utc, moment("2096-03-01T00:00:00Z")).unwrap();
    assert_eq!(next, moment("2104-02-29T00:00:00Z"));
    let last = last_until(&cron, &utc, moment("2104-02-28T00:00:00Z")).unwrap();
    assert_eq!(last, moment("2096-02-29T00:00:00Z"));
    // Where calendars end nothing is found, and nothing breaks.
    for at in [
        i64::MIN,
        i64::MIN + 1,
        -500_000_000_000,
        500_000_000_000,
        i64::MAX,
    ] {
        let _ = next_after(&cron, &zone(VIENNA), Moment(at));
        let _ = last_until(&cron, &zone(VIENNA), Moment(at));
    }
}

/// Slots of a span found by looking at every minute: what clocks show then, and what they skip.
fn by_hand(cron: &Cron, zone: &Zone, from: Moment, to: Moment) -> BTreeSet<Moment> {
    let mut found = BTreeSet::new();
    let mut shown = BTreeSet::new();
    let minutes: BTreeSet<u32> = cron.minutes().collect();
    let fits = |day: i64, minute: i64| {
        cron.falls_on(day) && minutes.contains(&u32::try_from(minute).unwrap())
    };
    // A day before, so that times which were shown already are known.
    let begin = from.0 - 2 * 86_400;
    let mut before = None;
    for at in (begin..to.0).step_by(60).map(Moment) {
        let local = at.0 + i64::from(zone.offset(at));
        let (day, minute) = (local.div_euclid(86_400), local.rem_euclid(86_400) / 60);
        let skipped = before.map_or(local, |before: i64| before + 60)..local;
        for gone in skipped.step_by(60) {
            if fits(gone.div_euclid(86_400), gone.rem_euclid(86_400) / 60) {
                found.insert(at);
            }
        }
        if fits(day, minute) && (cron.is_hourly() || !shown.contains(&local)) {
            found.insert(at);
        }
        shown.insert(local);
        before = Some(local);
    }
    found.into_iter().filter(|at| *at >= from).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn slots_are_those_that_a_clock_on_the_wall_tells(
        which in 0..ZONES.len(),
        minute in prop::sample::select(vec!["0", "30", "*/15", "59", "*", "7,37"]),
        hour in prop::sample::select(vec!["*", "0", "1", "2", "1-3", "23", "*/2", "0,23"]),
        day in prop::sample::select(vec!["* * *", "* * sun", "* * sat-mon", "1-7 * *"]),
        // Around the changes of 2026, in days.
        at in prop::sample::select(vec![20_485_i64, 20_520, 20_540, 20_548, 20_730, 20_750, 20_755]),
        shift in 0..12_i64,
    ) {
        let zone = zone(ZONES[which]);
        let cron = Cron::parse(&format!("{minute} {hour} {day}")).unwrap();
        let from = Moment((at + shift) * 86_400);
        let to = Moment(from.0 + 2 * 86_400);
        let found: BTreeSet<Moment> = behind(&cron, &zone, Moment(from.0 - 1))
            .take_while(|slot| *slot < to)
            .collect();
        prop_assert_eq!(&found, &by_hand(&cron, &zone, from, to));
        // The way back finds the same.
        let mut back = BTreeSet::new();
        let mut at = Moment(to.0 - 1);
        while let Some(slot) = last_until(&cron, &zone, at).filter(|slot| *slot >= from) {
            back.insert(slot);
            at = Moment(slot.0 - 1);
        }
        prop_assert_eq!(back, found);
    }
}
