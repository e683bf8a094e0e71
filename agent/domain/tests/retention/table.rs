use twinset_domain::recover::SetState;
use twinset_domain::retention::{Limits, Policy, Question, Rule, plan};
use twinset_domain::{BackupKind, Moment, Position};

use super::history::{DAY, HOUR, History, START, text, window};

/// A full each Sunday-like seventh day, a differential each day between, a log after each.
fn weeks(count: i64) -> History {
    let mut history = History::new();
    for day in 0..count * 7 {
        if day % 7 == 0 {
            history.full("Payroll");
        } else {
            history.differential("Payroll");
        }
        history.wait(12 * HOUR).log("Payroll").wait(12 * HOUR);
    }
    history
}

fn of(history: &History, limits: Limits) -> Vec<String> {
    text(&history.plan(limits))
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_window_keeps_what_restores_its_first_moment() {
    let history = weeks(3);
    let lines = of(&history, window(7));
    // Day 14 is where the window of 7 days begins: that full and all behind stay.
    let kept: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains(" keep: "))
        .collect();
    // The window begins as the third full does: before that lies the differential of day 13.
    assert!(
        lines[14 * 2].contains("full keep: in the window"),
        "{}",
        lines[28]
    );
    assert!(
        lines[26].contains("differential keep: needed to restore to the start"),
        "{lines:#?}"
    );
    assert!(
        lines[27].contains("log keep: needed to restore to the start"),
        "{lines:#?}"
    );
    assert!(
        lines[14].contains("full keep: needed to restore to the start"),
        "{lines:#?}"
    );
    assert!(
        lines[16].contains("differential drop: older than the window"),
        "{lines:#?}"
    );
    assert!(lines[0].contains("full drop"), "{lines:#?}");
    assert_eq!(kept.len(), 3 + 14, "{lines:#?}");
}

#[test]
fn counts_keep_the_last_full_of_each_period_and_name_it() {
    let mut history = History::new();
    for _ in 0..60 {
        history.full("Payroll").wait(DAY);
    }
    let limits = Limits {
        daily: 2,
        weekly: 2,
        monthly: 3,
        yearly: 1,
        max_drop_percent: 100,
        ..Limits::default()
    };
    let plan = history.plan(limits);
    let kept: Vec<String> = text(&plan)
        .lines()
        .filter(|line| line.contains(" keep: "))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        kept,
        [
            "31 full keep: monthly 2026-01",
            "53 full keep: weekly 2026-W08",
            "59 full keep: daily 2026-02-28; monthly 2026-02",
            "60 full keep: daily 2026-03-01; weekly 2026-W09; monthly 2026-03; yearly 2026; \
             last restorable chain of Payroll",
        ]
    );
}

#[test]
fn a_kept_log_names_itself_at_all_it_needs() {
    let mut history = History::new();
    history.full("Payroll").wait(DAY).differential("Payroll");
    history
        .wait(DAY)
        .log("Payroll")
        .wait(20 * DAY)
        .log("Payroll");
    // A newer full, so that nothing is kept as the last chain but by need.
    history.wait(HOUR).full("Payroll").wait(HOUR);
    let lines = of(&history, window(1));
    assert!(
        lines[0].contains("needed by position 2 (differential)"),
        "{lines:#?}"
    );
    assert!(
        lines[1].contains("needed by position 3 (log)"),
        "{lines:#?}"
    );
    assert!(
        lines[2].contains("needed by position 4 (log)"),
        "{lines:#?}"
    );
}

#[test]
fn the_last_restorable_chain_survives_whatever_the_policy() {
    let mut history = History::new();
    history.full("Payroll").wait(DAY).log("Payroll");
    history.full("Payroll").wait(DAY).log("Payroll").wait(DAY);
    history
        .differential("Payroll")
        .wait(DAY)
        .log("Payroll")
        .wait(DAY)
        .log("Payroll");
    history.full("HR").wait(40 * DAY);
    let plan = history.plan(window(1));
    let dropped: Vec<u64> = plan.drops().iter().map(|p| p.get()).collect();
    // The log right behind the full is not needed: the differential stands over it.
    assert_eq!(dropped, [4, 2, 1], "{}", text(&plan));
}

#[test]
fn a_copy_only_full_is_no_base_of_a_differential() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(DAY)
        .copy_only("Payroll")
        .wait(DAY);
    history.differential("Payroll").wait(30 * DAY);
    // The differential does not know its base's GUID, only its checkpoint.
    let base = history.sets[0].parts[0].checkpoint;
    history.last().parts[0].base = None;
    history.sets[1].parts[0].checkpoint = base;
    let later = history.now - 31 * DAY;
    let mut limits = window(31);
    limits.max_drop_percent = 100;
    let plan = history.plan(limits.clone());
    assert!(later > START);
    let first = plan.of(Position::new(1).unwrap()).unwrap();
    assert!(
        first
            .reasons
            .iter()
            .any(|reason| reason.to_string() == "needed by position 3 (differential)"),
        "{}",
        text(&plan)
    );
    let second = plan.of(Position::new(2).unwrap()).unwrap();
    assert!(
        !second
            .reasons
            .iter()
            .any(|reason| reason.to_string().contains("needed by")),
        "{}",
        text(&plan)
    );
}

#[test]
fn forks_are_not_joined() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(DAY)
        .log("Payroll")
        .fork("Payroll");
    history
        .full("Payroll")
        .wait(DAY)
        .log("Payroll")
        .wait(40 * DAY);
    let plan = history.plan(window(1));
    let dropped: Vec<u64> = plan.drops().iter().map(|p| p.get()).collect();
    assert_eq!(dropped, [2, 1], "{}", text(&plan));
}

#[test]
fn unconfirmed_sets_stay_and_so_does_what_they_need() {
    let mut history = History::new();
    history.full("Payroll").wait(DAY).differential("Payroll");
    history.last().state = SetState::Unconfirmed;
    history.wait(DAY).full("Payroll").wait(40 * DAY);
    let lines = of(&history, window(1));
    assert_eq!(lines[1], "2 differential keep: unconfirmed: kept");
    assert!(
        lines[0].contains("keep: needed by position 2 (differential)"),
        "{lines:#?}"
    );
}

#[test]
fn a_set_on_too_few_mirrors_stands_in_for_nothing() {
    let mut history = History::new();
    history.full("Payroll").wait(DAY).full("Payroll");
    history.last().mirrors = 1;
    history.wait(40 * DAY);
    let plan = history.plan(window(1));
    let lines: Vec<String> = text(&plan).lines().map(str::to_owned).collect();
    assert!(lines[0].contains("last restorable chain"), "{lines:#?}");
    assert!(
        lines[1].contains("last restorable chain"),
        "the newest stays too: {lines:#?}"
    );
    assert!(
        lines[1].contains("lies on 1 of 2 mirrors needed: not counted"),
        "{lines:#?}"
    );
}

#[test]
fn what_cannot_be_told_or_is_in_no_group_stays() {
    let mut history = History::new();
    history.full("Payroll");
    history.last().kind = None;
    history.full("Payroll");
    history.last().database = None;
    history.full("Other");
    history.last().policies.clear();
    history.wait(DAY).full("Payroll").wait(40 * DAY);
    let lines = of(&history, window(1));
    assert_eq!(lines[0], "1 - keep: what is in it cannot be told: kept");
    assert_eq!(lines[1], "2 full keep: what is in it cannot be told: kept");
    assert_eq!(lines[2], "3 full keep: its database is in no group: kept");
}

#[test]
fn a_group_without_limits_keeps_all_that_it_shares() {
    let mut history = History::new();
    for _ in 0..4 {
        history.full("Payroll").wait(20 * DAY);
    }
    for set in &mut history.sets {
        set.policies = vec![0, 1];
    }
    let policy = |group: &str, rule| Policy {
        group: group.into(),
        rule,
    };
    let policies = [
        policy("strict", Rule::Limits(window(1))),
        policy("loose", Rule::Everything("it has no [retention]".into())),
    ];
    let plan = plan(&Question {
        media_set: "payroll",
        sets: &history.sets,
        policies: &policies,
        holds: &[],
        locks: &std::collections::BTreeMap::new(),
        now: Moment(history.now),
        accepted: None,
    });
    assert_eq!(plan.drops(), []);
    assert!(text(&plan).starts_with("1 full keep: group loose keeps everything: it has no"));
}

#[test]
fn sets_that_tell_no_numbers_are_joined_by_their_order() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(DAY)
        .full("Payroll")
        .wait(DAY)
        .log("Payroll");
    history
        .wait(30 * DAY)
        .log("Payroll")
        .full("Payroll")
        .wait(HOUR);
    for set in &mut history.sets {
        for part in &mut set.parts {
            *part = twinset_domain::retention::Part {
                kind: part.kind,
                ..Default::default()
            };
        }
    }
    let lines = of(&history, window(1));
    assert!(lines[0].contains("drop"), "{lines:#?}");
    assert!(
        lines[1].contains("needed by position 4 (log)"),
        "{lines:#?}"
    );
    assert!(
        lines[2].contains("needed by position 4 (log)"),
        "{lines:#?}"
    );
}

#[test]
fn a_chain_through_another_media_set_is_kept_and_named() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(DAY)
        .log("Payroll")
        .wait(DAY)
        .full("Payroll")
        .wait(30 * DAY);
    history.log("Payroll");
    for set in &mut history.sets {
        if set.kind == Some(BackupKind::Log) {
            set.place.media_set = "logs".into();
        }
    }
    // The last log begins where the first one ended: both stand on the first full alone.
    history.sets[2].parts[0].fork = Some(uuid::Uuid::from_u128(99));
    let plan = history.plan(window(1));
    assert_eq!(plan.sets.len(), 2, "only the sets of the media set itself");
    let text = text(&plan);
    assert!(
        text.contains("1 full keep: needed by position 2 (log) of logs"),
        "{text}"
    );
}
