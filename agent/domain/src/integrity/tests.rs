#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const WEEK: i64 = 7 * DAY;

fn check(at: i64, depth: Depth, outcome: Outcome) -> Check {
    Check {
        database: "Payroll".into(),
        instance: "sql-a".into(),
        depth,
        began: Moment(at),
        ended: Moment(at + 60),
        outcome,
    }
}

fn damaged() -> Outcome {
    Outcome::Damaged(Damage {
        errors: 2,
        ..Damage::default()
    })
}

fn standing(checks: &[Check]) -> Standing {
    let mut standing = Standing::default();
    for check in checks {
        standing.add(check);
    }
    standing
}

fn row(number: i64, level: i64, text: &str) -> Said {
    Said {
        number,
        level: Some(level),
        text: text.into(),
        ..Said::default()
    }
}

fn judged(rows: &[Said]) -> Outcome {
    let mut gathered = Gathered::default();
    for row in rows {
        gathered.take("Payroll2026", row);
    }
    gathered.outcome()
}

#[test]
fn nothing_said_is_clean_and_so_is_a_summary_of_nothing() {
    assert_eq!(judged(&[]), Outcome::Clean);
    let text =
        "CHECKDB found 0 allocation errors and 0 consistency errors in database 'Payroll2026'.";
    assert_eq!(judged(&[row(8989, 10, text)]), Outcome::Clean);
}

#[test]
fn every_error_is_counted_and_few_are_kept() {
    let mut rows: Vec<Said> = (1..=1000)
        .map(|page| Said {
            page: Some((1, page)),
            repair: Some("repair_allow_data_loss".into()),
            ..row(8928, 16, "Page could not be processed.")
        })
        .collect();
    let text = "In 'Payroll2026' hat CHECKDB 3 Zuordnungsfehler und 997 Konsistenzfehler gefunden.";
    rows.push(row(8989, 10, text));
    let Outcome::Damaged(damage) = judged(&rows) else {
        panic!("damaged");
    };
    assert_eq!(
        (damage.errors, damage.pages.len(), damage.said.len()),
        (1000, 20, 20)
    );
    assert_eq!((damage.allocation, damage.consistency), (3, 997));
    assert_eq!(damage.repair.as_deref(), Some("repair_allow_data_loss"));
}

#[test]
fn a_summary_alone_is_enough_and_one_that_cannot_be_read_is_no_verdict() {
    let text = "CHECKDB found 0 allocation errors and 1 consistency errors in database 'x'.";
    assert!(matches!(
        judged(&[row(8989, 10, text)]),
        Outcome::Damaged(_)
    ));
    let strange = judged(&[row(8989, 10, "?")]);
    assert!(matches!(
        strange,
        Outcome::Unfinished(Unfinished::Failed(_))
    ));
}

#[test]
fn a_check_that_ended_itself_says_nothing_unless_it_found_something_before() {
    let ended = row(8921, 16, "Check terminated.");
    let outcome = judged(std::slice::from_ref(&ended));
    assert!(matches!(
        outcome,
        Outcome::Unfinished(Unfinished::Failed(_))
    ));
    let outcome = judged(&[row(8939, 16, "Table error."), ended]);
    assert!(matches!(outcome, Outcome::Damaged(_)));
    // Metadata that are damaged end the check, and are damage.
    assert!(matches!(judged(&[row(8930, 16, "x")]), Outcome::Damaged(_)));
}

#[test]
fn errors_without_a_severity_speak_by_their_number() {
    let said = |number| Said {
        level: None,
        ..row(number, 0, "x")
    };
    assert!(matches!(judged(&[said(8966)]), Outcome::Damaged(_)));
    assert_eq!(judged(&[said(5030)]), Outcome::Clean);
}

#[test]
fn a_physical_check_does_not_end_what_a_full_one_found() {
    let found = [
        check(10, Depth::Full, damaged()),
        check(20, Depth::Physical, Outcome::Clean),
    ];
    let mut known = standing(&found);
    assert_eq!(known.found.map(|found| found.since), Some(Moment(10)));
    assert_eq!(known.clean, Some(Moment(20)));
    known.add(&check(30, Depth::Full, Outcome::Clean));
    assert_eq!(known.found, None);
}

#[test]
fn the_last_clean_check_is_remembered_behind_findings() {
    let known = standing(&[
        check(10, Depth::Physical, Outcome::Clean),
        check(20, Depth::Physical, damaged()),
        check(30, Depth::Physical, damaged()),
    ]);
    let found = known.found.unwrap();
    assert_eq!(
        (known.clean, found.since, found.last),
        (Some(Moment(10)), Moment(20), Moment(30))
    );
}

/// Rows: last check (days ago), full (days ago), what follows for a week's rule.
#[test]
fn a_check_runs_behind_fulls_and_never_later_than_its_age() {
    let rule = Rule {
        depth: Depth::Physical,
        max_age: WEEK,
    };
    let now = Moment(1_000 * DAY);
    let ago = |days: i64| Moment(now.0 - days * DAY);
    let rows = [
        (None, Some(0), Due::Now(Cause::First)),
        (None, None, Due::Later(Moment(ago(1).0 + WEEK))),
        (Some(1), Some(0), Due::Later(Moment(ago(1).0 + WEEK))),
        (Some(4), Some(0), Due::Now(Cause::BehindFull)),
        (Some(4), Some(5), Due::Later(Moment(ago(4).0 + WEEK))),
        (Some(7), Some(9), Due::Now(Cause::TooOld)),
        (Some(-1), None, Due::Now(Cause::TooOld)),
    ];
    for (last, full, expected) in rows {
        let checks: Vec<Check> = last
            .map(|days| check(ago(days).0, Depth::Full, Outcome::Clean))
            .into_iter()
            .collect();
        let facts = Facts {
            full: full.map(ago),
            since: ago(1),
            now,
        };
        assert_eq!(
            due(rule, &standing(&checks), facts),
            expected,
            "{last:?} {full:?}"
        );
    }
}

#[test]
fn findings_are_looked_at_again_each_day() {
    let rule = Rule {
        depth: Depth::Physical,
        max_age: WEEK,
    };
    let known = standing(&[check(0, Depth::Physical, damaged())]);
    let facts = |now| Facts {
        full: None,
        since: Moment(0),
        now: Moment(now),
    };
    assert_eq!(due(rule, &known, facts(DAY - 1)), Due::Later(Moment(DAY)));
    assert_eq!(due(rule, &known, facts(DAY)), Due::Now(Cause::Findings));
}

#[test]
fn a_check_without_a_result_waits_longer_each_time_and_a_budget_a_day() {
    let rule = Rule {
        depth: Depth::Full,
        max_age: WEEK,
    };
    let failed = || Outcome::Unfinished(Unfinished::Failed("x".into()));
    let one = check(0, Depth::Full, failed());
    let two = check(HOUR, Depth::Full, failed());
    let facts = Facts {
        full: Some(Moment(0)),
        since: Moment(0),
        now: Moment(61),
    };
    let known = standing(std::slice::from_ref(&one));
    assert_eq!(due(rule, &known, facts), Due::Later(Moment(60 + HOUR)));
    let known = standing(&[one, two]);
    assert_eq!(
        due(rule, &known, facts),
        Due::Later(Moment(HOUR + 60 + 2 * HOUR))
    );
    let over = Outcome::Unfinished(Unfinished::Budget(5));
    let known = standing(&[check(0, Depth::Full, over)]);
    assert_eq!(due(rule, &known, facts), Due::Later(Moment(60 + DAY)));
    // A physical check is no full one.
    let known = standing(&[check(60, Depth::Physical, Outcome::Clean)]);
    assert_eq!(due(rule, &known, facts), Due::Now(Cause::First));
}

#[test]
fn findings_stop_bases_and_never_logs_or_copies() {
    let known = standing(&[check(0, Depth::Physical, damaged())]);
    let of = ("payroll", "Payroll", "sql-a");
    let stops = |kind, copy_only| refused(&known, (kind, copy_only), of).is_some();
    assert!(stops(BackupKind::Full, false) && stops(BackupKind::Differential, false));
    assert!(!stops(BackupKind::Log, false) && !stops(BackupKind::Full, true));
    assert!(refused(&Standing::default(), (BackupKind::Full, false), of).is_none());
}

/// Everything that is said of a check, as it is printed.
fn printed(outcome: Outcome) -> String {
    let fault = fault("payroll", &check(1_795_222_800, Depth::Full, outcome)).unwrap();
    let causes: String = fault
        .causes
        .iter()
        .map(|cause| format!("\n  {cause}"))
        .collect();
    let (code, object, message) = (fault.code, &fault.object, &fault.message);
    format!("{code} {object}: {message}{causes}\n  {}", fault.remedy)
}

#[test]
fn findings_are_told_with_pages_words_and_what_to_do() {
    let damage = Damage {
        errors: 2,
        allocation: 0,
        consistency: 2,
        pages: vec!["1:77".into()],
        repair: Some("repair_allow_data_loss".into()),
        said: vec!["error 8928: Page (1:77) could not be processed.".into()],
    };
    let expected = "\
TW4071 group payroll, integrity of Payroll on sql-a: DBCC CHECKDB found the database damaged: \
0 allocation errors and 2 consistency errors, on pages 1:77
  error 8928: Page (1:77) could not be processed.
  look at the disks first; restore the pages or the database from a set before the damage \
(twinset restore points Payroll); the server's least repair is repair_allow_data_loss, which may \
lose data. No set of it expires meanwhile. Then: twinset integrity payroll --database Payroll --full";
    assert_eq!(printed(Outcome::Damaged(damage)), expected);
}

#[test]
fn a_check_without_a_result_says_why_and_what_it_does_not_say() {
    let expected = "\
TW4072 group payroll, integrity of Payroll on sql-a: the integrity check did not finish: its \
budget of 7200 s was over
  it says neither that the database is sound nor that it is not
  raise [check] budget, or choose integrity = \"physical\", which takes much less time";
    assert_eq!(
        printed(Outcome::Unfinished(Unfinished::Budget(7200))),
        expected
    );
    assert!(fault("payroll", &check(0, Depth::Full, Outcome::Clean)).is_none());
}

#[test]
fn a_refused_backup_and_frozen_sets_name_the_check_that_found_it() {
    let known = standing(&[check(1_795_222_800, Depth::Physical, damaged())]);
    let of = ("payroll", "Payroll", "sql-a");
    let fault = refused(&known, (BackupKind::Full, false), of).unwrap();
    let expected = "the database is damaged (integrity check of 2026-11-21T01:00:00Z), and the \
                    group wants no full backup of it then ([check] gate)";
    assert_eq!(
        (fault.code.text(), fault.message.as_str()),
        ("TW4073", expected)
    );
    let frozen = freezes(&known, "Payroll", "sql-a").unwrap();
    let expected =
        "Payroll is damaged on sql-a (found 2026-11-21T01:00:00Z; no check was ever clean)";
    assert_eq!(frozen, expected);
    assert_eq!(freezes(&Standing::default(), "Payroll", "sql-a"), None);
}
