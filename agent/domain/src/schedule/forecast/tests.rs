#![allow(clippy::unwrap_used, clippy::panic)]

use crate::schedule::{Blackout, Cron, Missed, Zone};

use super::*;

fn rules(full: &str, differential: &str, log: &str, blackout: &[&str]) -> Rules {
    let line = |text: &str| Cron::parse(text).ok();
    Rules {
        full: line(full),
        differential: line(differential),
        log: line(log),
        zone: Zone::utc(),
        stagger: 0,
        missed: Missed::RunOnce,
        retries: 0,
        retry_delay: 0,
        blackout: blackout
            .iter()
            .map(|text| Blackout::parse(text).unwrap())
            .collect(),
    }
}

fn week(rules: &Rules) -> String {
    let from: Moment = "2026-11-22T00:00:00Z".parse().unwrap();
    let told = forecast(rules, from, Moment(from.0 + 7 * 86_400));
    let line = |kind: &Forecast| {
        let first: Vec<String> = kind.slots.iter().take(3).map(ToString::to_string).collect();
        format!(
            "{} {} {:?} {:?}",
            kind.kind, kind.count, first, kind.replaced
        )
    };
    told.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_full_takes_the_place_of_the_differential_of_its_moment() {
    let told = week(&rules("0 1 * * sun", "0 1 * * *", "*/15 * * * *", &[]));
    insta::assert_snapshot!(told, @r#"
    log 672 ["2026-11-22T00:00:00Z", "2026-11-22T00:15:00Z", "2026-11-22T00:30:00Z"] []
    differential 6 ["2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z"] [Full { count: 1 }]
    full 1 ["2026-11-22T01:00:00Z"] []
    "#);
}

#[test]
fn windows_gather_what_they_cover_into_one_run() {
    let told = week(&rules("0 9 * * *", "", "*/15 * * * *", &["08:00-12:00"]));
    insta::assert_snapshot!(told, @r#"
    log 560 ["2026-11-22T00:00:00Z", "2026-11-22T00:15:00Z", "2026-11-22T00:30:00Z"] [Blackout { count: 112 }]
    full 7 ["2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z"] []
    "#);
}

#[test]
fn what_is_told_is_bounded_and_what_is_counted_is_whole() {
    let rules = rules("", "", "* * * * *", &[]);
    let from: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
    let told = forecast(&rules, from, Moment(from.0 + 365 * 86_400));
    assert_eq!(
        (told[0].slots.len(), told[0].count),
        (MAX_SLOTS, 365 * 1440)
    );
}
