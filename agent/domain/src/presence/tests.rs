#![allow(clippy::unwrap_used, clippy::panic)]

use uuid::Uuid;

use super::*;
use crate::schedule::{Cron, Missed, Zone};

const OURS: AgentId = AgentId(Uuid::from_u128(1));
const OTHER: AgentId = AgentId(Uuid::from_u128(2));

fn at(second: u8) -> LocalTime {
    LocalTime {
        year: 2026,
        month: 11,
        day: 21,
        time: (1, 0, second),
    }
}

/// Ours asks at every look; the other one asked last at this second, if it has a session.
fn sessions(now: i64, other: Option<u8>) -> Traces {
    let second = u8::try_from(now % 60).unwrap();
    let mut seen = BTreeMap::from([(OURS, Some(at(second)))]);
    seen.extend(other.map(|second| (OTHER, Some(at(second)))));
    Traces {
        sessions: Some(seen),
        sets: Vec::new(),
    }
}

fn set(group: &str, agent: AgentId) -> Traces {
    Traces {
        sets: vec![Taken {
            database: "Payroll".to_owned(),
            group: group.to_owned(),
            agent,
        }],
        ..sessions(0, None)
    }
}

#[test]
fn the_name_of_a_set_says_for_which_group_and_by_whom() {
    let name = set_name("payroll", OTHER);
    insta::assert_snapshot!(name, @"Twinset payroll 00000000000000000000000000000002");
    assert_eq!(of_set(&name), Some(("payroll", OTHER)));
    let longest = "g".repeat(64);
    let name = set_name(&longest, OTHER);
    assert!(
        name.chars().count() <= 128,
        "NAME is at most 128 characters"
    );
    assert_eq!(of_set(&name), Some((longest.as_str(), OTHER)));
    for others in [
        "",
        "Twinset",
        "Twinset payroll",
        "Payroll full",
        "Twinset a b",
        "Twinset  1",
    ] {
        assert_eq!(of_set(others), None, "{others}");
    }
}

#[test]
fn who_asks_lives_and_who_stops_asking_is_silent_once_the_patience_is_over() {
    let mut presence = Presence::default();
    assert_eq!(presence.life("Payroll", 10, Moment(0)), Life::Unknown);
    for now in 0..5 {
        presence.hear(Some(&sessions(now, Some(7))), OURS, Moment(now));
        assert_eq!(presence.life("Payroll", 10, Moment(now)), Life::Unknown);
    }
    // A session that stands there and asks nothing is a frozen agent's.
    presence.hear(Some(&sessions(11, Some(7))), OURS, Moment(11));
    assert_eq!(presence.life("Payroll", 10, Moment(11)), Life::Silent);
    presence.hear(Some(&sessions(12, Some(8))), OURS, Moment(12));
    assert_eq!(presence.life("Payroll", 10, Moment(21)), Life::Heard);
    assert_eq!(presence.life("Payroll", 10, Moment(22)), Life::Silent);
    // A clock that is set back moves as well.
    presence.hear(Some(&sessions(30, Some(3))), OURS, Moment(30));
    assert_eq!(presence.life("Payroll", 10, Moment(30)), Life::Heard);
}

#[test]
fn an_agent_without_a_service_lives_by_its_sets() {
    let mut presence = Presence::default();
    presence.hear(Some(&sessions(0, None)), OURS, Moment(0));
    presence.hear(Some(&set("payroll", OTHER)), OURS, Moment(20));
    assert_eq!(presence.life("payroll", 10, Moment(25)), Life::Heard);
    assert_eq!(presence.life("Other", 10, Moment(25)), Life::Silent);
    presence.hear(Some(&set("payroll", OURS)), OURS, Moment(40));
    assert_eq!(
        presence.life("Payroll", 10, Moment(40)),
        Life::Silent,
        "our own set is no sign"
    );
}

#[test]
fn what_cannot_be_told_is_not_alarmed_about() {
    let mut presence = Presence::default();
    presence.hear(Some(&sessions(0, None)), OURS, Moment(0));
    assert_eq!(presence.life("Payroll", 10, Moment(10)), Life::Silent);
    // No answer, then no right to see: the patience begins anew behind them.
    presence.hear(None, OURS, Moment(11));
    assert_eq!(presence.life("Payroll", 10, Moment(100)), Life::Unknown);
    presence.hear(Some(&Traces::default()), OURS, Moment(101));
    assert_eq!(presence.life("Payroll", 10, Moment(200)), Life::Unknown);
    presence.hear(Some(&sessions(201, None)), OURS, Moment(201));
    assert_eq!(presence.life("Payroll", 10, Moment(210)), Life::Unknown);
    assert_eq!(presence.life("Payroll", 10, Moment(211)), Life::Silent);
}

#[test]
fn a_set_speaks_for_its_group_for_a_day() {
    let mut presence = Presence::default();
    presence.hear(Some(&set("hr", OTHER)), OURS, Moment(0));
    presence.hear(Some(&set("ours", OURS)), OURS, Moment(1));
    assert_eq!(presence.taken("PAYROLL").unwrap().group, "hr");
    presence.hear(Some(&set("payroll", OTHER)), OURS, Moment(2));
    assert_eq!(presence.taken("Payroll").unwrap().group, "payroll");
    presence.hear(Some(&sessions(3, None)), OURS, Moment(2 + SPEAKS));
    assert_eq!(presence.taken("Payroll"), None);
}

#[test]
fn the_patience_is_two_intervals_also_where_the_nights_are_long() {
    let of = |line: Option<&str>, now: i64| {
        let rules = Rules {
            full: None,
            differential: None,
            log: line.map(|line| Cron::parse(line).unwrap()),
            zone: Zone::utc(),
            stagger: 0,
            missed: Missed::RunOnce,
            retries: 0,
            retry_delay: 0,
            blackout: Vec::new(),
        };
        patience(&rules, Moment(now))
    };
    // 2026-11-21T01:07:00Z
    let now = 1_795_223_220;
    assert_eq!(of(Some("*/15 * * * *"), now), Some(1800));
    assert_eq!(of(Some("* * * * *"), now), Some(120));
    assert_eq!(of(Some("0 8-18 * * *"), now), Some(2 * 14 * 3600));
    assert_eq!(of(None, now), None);
}
