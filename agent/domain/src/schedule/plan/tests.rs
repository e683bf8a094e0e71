#![allow(clippy::unwrap_used, clippy::panic)]

use crate::schedule::{Attempt, Blackout, Cron, Missed, Past, Rules, Zone};

use super::*;

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

fn rules() -> Rules {
    let line = |text| Some(Cron::parse(text).unwrap());
    Rules {
        full: line("0 1 * * sun"),
        differential: line("0 1 * * *"),
        log: line("*/15 * * * *"),
        zone: Zone::utc(),
        stagger: 0,
        missed: Missed::RunOnce,
        retries: 2,
        retry_delay: 60,
        blackout: Vec::new(),
    }
}

fn ran(starts: &[&str]) -> Past {
    let attempt = |start: &&str| Attempt {
        started: at(start),
        ended: Some(at(start)),
        succeeded: true,
    };
    Past::of(starts.iter().map(attempt), Moment(i64::MAX))
}

fn failed(past: &Past, starts: &[&str]) -> Past {
    let mut past = past.clone();
    let ends = starts.iter().map(|start| (at(start), at(start)));
    past.failed.extend(ends);
    past
}

/// Everything done on Sunday 2026-11-22 until 09:45.
fn settled() -> Subject {
    Subject {
        database: "Payroll".into(),
        full: ran(&["2026-11-22T01:00:03Z"]),
        differential: ran(&["2026-11-21T01:00:02Z"]),
        log: ran(&["2026-11-22T09:45:01Z"]),
        ..Subject::default()
    }
}

fn told(rules: &Rules, subject: &Subject, now: &str, awake: &str) -> String {
    let clock = Clock {
        now: at(now),
        awake: at(awake),
    };
    let plan = plan(rules, std::slice::from_ref(subject), clock);
    let due = plan
        .due
        .iter()
        .map(|due| format!("{} due {}: {}", due.kind, due.slot, due.cause.text()));
    let waiting = plan.waiting.iter().map(|wait| {
        let next = wait
            .next
            .map_or_else(|| "-".to_owned(), |next| next.to_string());
        format!(
            "{}: {}; next {next}",
            wait.kind,
            wait.wait.text(&rules.zone)
        )
    });
    due.chain(waiting).collect::<Vec<_>>().join("\n")
}

const AWAKE: &str = "2026-11-20T00:00:00Z";

#[test]
fn nothing_is_due_when_all_is_done() {
    insta::assert_snapshot!(told(&rules(), &settled(), "2026-11-22T09:59:59Z", AWAKE), @r"
    full: done: began 2026-11-22 01:00:03; next 2026-11-29T01:00:00Z
    differential: a full backup takes its place; next 2026-11-23T01:00:00Z
    log: done: began 2026-11-22 09:45:01; next 2026-11-22T10:00:00Z
    ");
}

#[test]
fn a_slot_is_due_from_its_moment_on() {
    insta::assert_snapshot!(told(&rules(), &settled(), "2026-11-22T10:00:00Z", AWAKE), @r"
    log due 2026-11-22T10:00:00Z: its time has come
    full: done: began 2026-11-22 01:00:03; next 2026-11-29T01:00:00Z
    differential: a full backup takes its place; next 2026-11-23T01:00:00Z
    ");
}

#[test]
fn a_new_database_begins_with_its_full() {
    let new = Subject {
        database: "Payroll".into(),
        ..Subject::default()
    };
    insta::assert_snapshot!(told(&rules(), &new, "2026-11-25T10:00:00Z", "2026-11-25T09:00:00Z"), @r"
    full due 2026-11-22T01:00:00Z: none was taken yet
    differential: a full backup takes its place; next -
    log: no full backup yet: that goes first; next -
    ");
    let skip = Rules {
        missed: Missed::Skip,
        ..rules()
    };
    insta::assert_snapshot!(told(&skip, &new, "2026-11-25T10:00:00Z", "2026-11-25T09:50:00Z"), @r"
    log due 2026-11-25T10:00:00Z: its time has come
    full: missed at 2026-11-22 01:00 while the agent was away: skipped; next 2026-11-29T01:00:00Z
    differential: missed at 2026-11-25 01:00 while the agent was away: skipped; next 2026-11-26T01:00:00Z
    ");
}

#[test]
fn what_was_due_while_the_partner_served_was_due_there() {
    let taken_over = Subject {
        database: "Payroll".into(),
        since: Some("2026-11-25T10:03:00Z".parse().unwrap()),
        ..Subject::default()
    };
    let awake = "2026-11-25T09:00:00Z";
    insta::assert_snapshot!(told(&rules(), &taken_over, "2026-11-25T10:10:00Z", awake), @r"
    full: due 2026-11-22 01:00, while the partner served it; next 2026-11-29T01:00:00Z
    differential: due 2026-11-25 01:00, while the partner served it; next 2026-11-26T01:00:00Z
    log: due 2026-11-25 10:00, while the partner served it; next 2026-11-25T10:15:00Z
    ");
    insta::assert_snapshot!(told(&rules(), &taken_over, "2026-11-25T10:15:00Z", awake), @r"
    log due 2026-11-25T10:15:00Z: its time has come
    full: due 2026-11-22 01:00, while the partner served it; next 2026-11-29T01:00:00Z
    differential: due 2026-11-25 01:00, while the partner served it; next 2026-11-26T01:00:00Z
    ");
}

#[test]
fn what_was_missed_runs_once_or_is_skipped() {
    let (now, awake) = ("2026-12-01T10:07:00Z", "2026-12-01T10:06:00Z");
    insta::assert_snapshot!(told(&rules(), &settled(), now, awake), @r"
    log due 2026-12-01T10:00:00Z: missed while the agent was away
    full due 2026-11-29T01:00:00Z: missed while the agent was away
    differential: a full backup takes its place; next -
    ");
    let skip = Rules {
        missed: Missed::Skip,
        ..rules()
    };
    insta::assert_snapshot!(told(&skip, &settled(), now, awake), @r"
    full: missed at 2026-11-29 01:00 while the agent was away: skipped; next 2026-12-06T01:00:00Z
    differential: missed at 2026-12-01 01:00 while the agent was away: skipped; next 2026-12-02T01:00:00Z
    log: missed at 2026-12-01 10:00 while the agent was away: skipped; next 2026-12-01T10:15:00Z
    ");
}

#[test]
fn a_clock_that_is_set_back_runs_nothing_twice() {
    let subject = Subject {
        log: ran(&["2026-11-22T10:00:01Z"]),
        ..settled()
    };
    insta::assert_snapshot!(told(&rules(), &subject, "2026-11-22T09:50:00Z", AWAKE), @r"
    full: done: began 2026-11-22 01:00:03; next 2026-11-29T01:00:00Z
    differential: a full backup takes its place; next 2026-11-23T01:00:00Z
    log: done: began 2026-11-22 10:00:01; next 2026-11-22T10:15:00Z
    ");
}

#[test]
fn a_start_in_a_far_future_is_not_believed() {
    let attempts = ["2026-11-22T09:45:01Z", "2099-01-01T00:00:00Z"].map(|start| Attempt {
        started: at(start),
        ended: None,
        succeeded: true,
    });
    let past = Past::of(attempts, at("2026-11-22T10:00:00Z"));
    assert_eq!(past, ran(&["2026-11-22T09:45:01Z"]));
}

#[test]
fn failures_are_tried_again_and_then_given_up() {
    let one = Subject {
        full: failed(&ran(&["2026-11-15T01:00:00Z"]), &["2026-11-22T01:00:00Z"]),
        ..settled()
    };
    let tries = [
        "2026-11-22T01:00:00Z",
        "2026-11-22T01:01:00Z",
        "2026-11-22T01:02:00Z",
    ];
    let all = Subject {
        full: failed(&ran(&["2026-11-15T01:00:00Z"]), &tries),
        ..settled()
    };
    insta::assert_snapshot!(told(&rules(), &one, "2026-11-22T01:00:30Z", AWAKE), @r"
    full: failed once: next try 2026-11-22 01:01; next 2026-11-22T01:01:00Z
    differential: a full backup takes its place; next -
    log: done: began 2026-11-22 09:45:01; next 2026-11-22T10:00:00Z
    ");
    insta::assert_snapshot!(told(&rules(), &one, "2026-11-22T01:01:00Z", AWAKE), @r"
    full due 2026-11-22T01:00:00Z: try 2: the last one failed
    differential: a full backup takes its place; next -
    log: done: began 2026-11-22 09:45:01; next 2026-11-22T10:00:00Z
    ");
    // The differential of the same moment is owed once the full is given up.
    insta::assert_snapshot!(told(&rules(), &all, "2026-11-22T09:50:00Z", AWAKE), @r"
    differential due 2026-11-22T01:00:00Z: its time has come
    full: failed 3 times: given up until its next time; next 2026-11-29T01:00:00Z
    log: done: began 2026-11-22 09:45:01; next 2026-11-22T10:00:00Z
    ");
}

#[test]
fn a_full_stops_no_log_and_holds_a_differential_back() {
    let subject = Subject {
        full: ran(&["2026-11-15T01:00:00Z"]),
        running: vec![BackupKind::Full],
        ..settled()
    };
    insta::assert_snapshot!(told(&rules(), &subject, "2026-11-22T10:00:00Z", AWAKE), @r"
    log due 2026-11-22T10:00:00Z: its time has come
    full: a full backup of it runs; next -
    differential: a full backup of it runs; next -
    ");
}

#[test]
fn windows_states_and_models_have_their_reasons() {
    let night = Rules {
        blackout: vec![Blackout::parse("mon-sun 08:00-12:00").unwrap()],
        ..rules()
    };
    insta::assert_snapshot!(told(&night, &settled(), "2026-11-22T10:07:00Z", AWAKE), @r"
    full: done: began 2026-11-22 01:00:03; next 2026-11-29T01:00:00Z
    differential: a full backup takes its place; next 2026-11-23T01:00:00Z
    log: blackout until 2026-11-22 12:00; next 2026-11-22T12:00:00Z
    ");
    let held = Subject {
        hold: Some("consistency check required".into()),
        excluded: vec![(
            BackupKind::Log,
            "recovery model SIMPLE: it has no log backups".into(),
        )],
        full: ran(&["2026-11-15T01:00:00Z"]),
        ..settled()
    };
    insta::assert_snapshot!(told(&rules(), &held, "2026-11-22T10:07:00Z", AWAKE), @r"
    full: consistency check required; next -
    differential: consistency check required; next -
    log: recovery model SIMPLE: it has no log backups; next -
    ");
}

#[test]
fn logs_go_first_then_the_oldest() {
    let names = ["b", "a", "c"];
    let subjects: Vec<Subject> = names
        .iter()
        .map(|name| Subject {
            database: (*name).into(),
            full: ran(&["2026-11-15T01:00:00Z"]),
            ..settled()
        })
        .collect();
    let clock = Clock {
        now: at("2026-11-22T10:00:00Z"),
        awake: at(AWAKE),
    };
    let due = plan(&rules(), &subjects, clock).due;
    let order: Vec<String> = due
        .iter()
        .map(|due| format!("{} {}", due.kind, due.database))
        .collect();
    assert_eq!(
        order,
        ["log a", "log b", "log c", "full a", "full b", "full c"]
    );
}
