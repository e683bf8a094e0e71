//! Times, records, marks, single sets: what is typed, and what RESTORE LOG is told.

use twinset_domain::recover::SetState;
use twinset_domain::restore::{Goal, Mark, Stop, number_branches, points};
use twinset_domain::{BackupKind, LocalTime, Moment};

use super::history::{History, at, fixture, lsn};

fn parsed(text: &str) -> Result<Goal, String> {
    Goal::parse(text, &|_| Some(3600))
}

#[test]
fn what_is_typed_is_understood() {
    let time = |text: &str| Goal::Time(text.parse().unwrap());
    for (text, goal) in [
        ("latest", Goal::Latest),
        ("2026-11-21T03:15:00Z", time("2026-11-21T03:15:00Z")),
        ("2026-11-21T03:15:00+05:30", time("2026-11-20T21:45:00Z")),
        ("2026-11-21 03:15-08:00", time("2026-11-21T11:15:00Z")),
        // Without an offset the given zone counts.
        ("2026-11-21 03:15", time("2026-11-21T02:15:00Z")),
        ("lsn:40000000030000000", Goal::Lsn(lsn(300))),
        ("40000000030000000", Goal::Lsn(lsn(300))),
        ("00000028:0000012c:0000", Goal::Lsn(lsn(300))),
        ("mark:month end", mark("month end", false)),
        ("before-mark:x", mark("x", true)),
    ] {
        assert_eq!(parsed(text), Ok(goal), "{text}");
    }
    for text in [
        "",
        "now",
        "2026-13-01 00:00",
        "2026-02-30 00:00",
        "lsn:",
        "lsn:x",
        "mark:",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
    for text in [
        "2026-11-21 03:15+15:00",
        "2026-11-21 03:15+1:00",
        "2026-11-21 03:60",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
}

fn mark(name: &str, before: bool) -> Goal {
    Goal::Mark(Mark {
        name: name.to_owned(),
        before,
        after: None,
    })
}

#[test]
fn a_time_is_told_by_the_clock_of_the_server() {
    let mut told = fixture();
    told.sets.iter_mut().for_each(|set| set.offset = 3600);
    let plan = told.plan(Goal::Time(at("03:15"))).unwrap();
    let expected = LocalTime {
        year: 2026,
        month: 11,
        day: 21,
        time: (4, 15, 0),
    };
    assert_eq!(plan.stop, Some(Stop::At(expected)));
    assert_eq!(
        plan.server_time.as_deref(),
        Some("2026-11-21T04:15:00 +01:00")
    );
    // From there to now, at 12:00.
    assert_eq!(plan.lost_seconds, Some(31_500));
}

#[test]
fn an_hour_that_comes_twice_is_told() {
    let mut told = fixture();
    assert!(
        told.plan(Goal::Time(at("03:15")))
            .unwrap()
            .warnings
            .is_empty()
    );
    told.of("L3").offset = 3600;
    let warnings = told
        .plan(Goal::Time(at("03:15")))
        .unwrap()
        .warnings
        .join("\n");
    assert!(warnings.contains("twice"), "{warnings}");
}

#[test]
fn a_record_stops_in_the_log_that_holds_it() {
    let told = fixture();
    let plan = told.plan_on(1, Goal::Lsn(lsn(350))).unwrap();
    assert_eq!(told.names(&plan), "F1 L1* L2* L3*");
    assert_eq!(plan.stop, Some(Stop::Lsn(lsn(350))));
    // The number behind a set is that of the record which the next log begins with.
    let plan = told.plan_on(1, Goal::Lsn(lsn(300))).unwrap();
    assert_eq!(told.names(&plan), "F1 L1* L2* L3*");
    assert_eq!(plan.stop, Some(Stop::Lsn(lsn(300))));
    // Where no log has it, or one that cannot be stopped in, the end of the set is meant.
    let plan = told.plan_on(1, Goal::Lsn(lsn(520))).unwrap();
    assert_eq!((told.names(&plan).as_str(), plan.stop), ("C1 L4", None));
    let mut bulk = fixture();
    bulk.link("L3").bulk = true;
    let plan = bulk.plan_on(1, Goal::Lsn(lsn(300))).unwrap();
    assert_eq!((bulk.names(&plan).as_str(), plan.stop), ("F1 L1 L2", None));
}

#[test]
fn a_mark_is_looked_for_from_the_oldest_full_on_or_from_a_time() {
    let told = fixture();
    let plan = told.plan(mark("month end", false)).unwrap();
    assert_eq!(told.names(&plan), "F1 L1* L2* L3* L5*");
    assert!(plan.warnings.join("\n").contains("--after"));
    let after = Mark {
        name: "month end".to_owned(),
        before: true,
        after: Some(at("04:46")),
    };
    let plan = told.plan(Goal::Mark(after)).unwrap();
    assert_eq!(told.names(&plan), "C1 L5*");
    let Some(Stop::Mark {
        before: true,
        after: Some(after),
        ..
    }) = plan.stop
    else {
        panic!("{:?}", plan.stop);
    };
    assert_eq!(after.to_string(), "2026-11-21T04:46:00");
}

#[test]
fn one_set_is_restored_with_what_leads_to_it() {
    let told = fixture();
    for (name, expected) in [
        ("F1", "F1"),
        ("C1", "C1"),
        ("D1", "F1 D1"),
        ("L2", "F1 L1 L2"),
        ("L4", "C1 L4"),
        ("L5", "C1 L5"),
    ] {
        let plan = told.plan(Goal::Set(told.place(name))).unwrap();
        assert_eq!(told.names(&plan), expected);
    }
}

#[test]
fn what_nobody_called_good_is_a_last_resort() {
    let mut told = fixture();
    told.of("C1").state = SetState::Unconfirmed;
    assert_eq!(told.to("05:45"), "F1 D1 L5*");
    told.of("L3").state = SetState::Unconfirmed;
    let plan = told.plan(Goal::Time(at("03:45"))).unwrap();
    assert_eq!(told.names(&plan), "F1 L1* L2* L3*");
    let warnings = plan.warnings.join("\n");
    assert!(
        warnings.contains("position 4 (log) is needed, and nothing proves"),
        "{warnings}"
    );
    assert!(told.plan(Goal::Set(told.place("C1"))).is_ok());
}

#[test]
fn without_logs_single_points_remain() {
    let mut told = History::default();
    told.set("F1", BackupKind::Full, (100, 140), "01:00");
    told.set("F2", BackupKind::Full, (200, 240), "02:00");
    assert_eq!(told.names(&told.plan(Goal::Latest).unwrap()), "F2");
    assert_eq!(told.to("01:00"), "F1");
    assert_eq!(told.to("01:30"), "TW4031");
    let listed = points(&told.wanted(Goal::Latest), &told.sets).unwrap();
    let ends: Vec<(Moment, bool)> = listed
        .intervals
        .iter()
        .map(|one| (one.to.at, one.single))
        .collect();
    assert_eq!(ends, [(at("01:00"), true), (at("02:00"), true)]);
}

#[test]
fn points_are_intervals_with_what_endangers_them() {
    let mut told = fixture().without("L3");
    told.of("L2").sources[0].truncate(1);
    let listed = points(&told.wanted(Goal::Latest), &told.sets).unwrap();
    let spans: Vec<(Moment, Moment)> = listed
        .intervals
        .iter()
        .map(|one| (one.from.at, one.to.at))
        .collect();
    assert_eq!(
        spans,
        [(at("01:00"), at("03:00")), (at("04:30"), at("06:00"))]
    );
    let danger = &listed.intervals[0].endangered;
    assert_eq!(danger.len(), 1);
    assert_eq!(danger[0].why, "lies on 1 of 2 mirrors");
    assert_eq!(listed.gaps.len(), 1);
    assert_eq!(listed.intervals[1].endangered, []);
}

#[test]
fn sets_before_and_behind_a_rolled_back_machine_are_never_joined() {
    let mut told = History::default();
    told.set("F1", BackupKind::Full, (100, 140), "01:00");
    told.set("L1", BackupKind::Log, (80, 300), "02:00");
    // The machine went back to 40:200; the same numbers were given again.
    told.set("F2", BackupKind::Full, (210, 240), "03:00")
        .new_branch = true;
    told.set("L2", BackupKind::Log, (200, 400), "04:00");
    number_branches(&mut told.sets);
    assert_eq!(told.names(&told.plan(Goal::Latest).unwrap()), "F2 L2");
    assert_eq!(told.to("01:30"), "F1 L1*");
    assert_eq!(told.to("02:30"), "TW4031");
    let listed = points(&told.wanted(Goal::Latest), &told.sets).unwrap();
    assert_eq!(listed.intervals.len(), 2);
}
