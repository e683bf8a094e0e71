#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    full: Some(8 * 86_400),
    differential: Some(86_400),
    log: Some(1800),
};

fn told(held: &Held, now: i64) -> String {
    let readings = judge(&LIMITS, held, Moment(now));
    let line = |reading: &Reading| {
        let alert = reading.alert("payroll").map_or_else(String::new, |alert| {
            format!(" {} {}: {}", alert.code, alert.object, alert.message)
        });
        format!("{} {:?}{alert}", reading.kind, reading.standing)
    };
    readings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn held() -> Held {
    Held {
        database: "Payroll".into(),
        full: Some(Moment(0)),
        differential: None,
        log: Some(Moment(1000)),
        is_simple: None,
        elsewhere: false,
        others: Vec::new(),
    }
}

#[test]
fn the_partners_agent_answers_for_what_the_partner_serves() {
    let nothing = Held {
        full: None,
        log: None,
        elsewhere: true,
        ..held()
    };
    insta::assert_snapshot!(told(&nothing, 99 * 86_400), @r"
    full Elsewhere
    differential Elsewhere
    log Elsewhere
    ");
}

#[test]
fn each_kind_has_its_own_age() {
    insta::assert_snapshot!(told(&held(), 2800), @r"
    full Good
    differential Good
    log Good
    ");
    insta::assert_snapshot!(told(&held(), 2801), @r"
    full Good
    differential Good
    log Breached TW6021 payroll/Payroll log: the last log backup began 1970-01-01T00:16:40Z; at most 30 min are allowed
    ");
    insta::assert_snapshot!(told(&held(), 8 * 86_400 + 1), @r"
    full Breached TW6021 payroll/Payroll full: the last full backup began 1970-01-01T00:00:00Z; at most 8 d are allowed
    differential Breached TW6021 payroll/Payroll differential: the last differential backup began 1970-01-01T00:00:00Z; at most 1 d are allowed
    log Breached TW6021 payroll/Payroll log: the last log backup began 1970-01-01T00:16:40Z; at most 30 min are allowed
    ");
    assert_eq!(
        told(&held(), -500),
        told(&held(), 1000),
        "ahead of the clock is young"
    );
}

#[test]
fn what_cannot_be_is_not_asked_for() {
    let new = Held {
        database: "Payroll".into(),
        ..Held::default()
    };
    insta::assert_snapshot!(told(&new, 10), @r"
    full Breached TW6021 payroll/Payroll full: there is no full backup; at most 8 d may lie between two
    differential NoBase
    log NoBase
    ");
    let simple = Held {
        is_simple: Some(true),
        ..held()
    };
    assert!(told(&simple, 9000).contains("log Exempt"));
    let master = Held {
        database: "master".into(),
        ..held()
    };
    insta::assert_snapshot!(told(&master, 9000), @r"
    full Good
    differential Exempt
    log Exempt
    ");
    let no_log = |is_simple| Held {
        log: None,
        is_simple,
        ..held()
    };
    assert!(told(&no_log(None), 9000).contains("log Unknown"));
    assert!(told(&no_log(Some(false)), 9000).contains("log Breached"));
}

proptest! {
    #[test]
    fn a_younger_backup_never_makes_it_worse(
        now in 0..1_000_000_i64, last in 0..1_000_000_i64, more in 0..1_000_000_i64,
    ) {
        let judged = |log: i64| {
            let held = Held { log: Some(Moment(log)), ..held() };
            judge(&LIMITS, &held, Moment(now))[2].standing
        };
        if judged(last) == Standing::Good {
            prop_assert_eq!(judged(last + more), Standing::Good);
        }
    }
}
