use twinset_domain::name::HoldName;
use twinset_domain::retention::{Accepted, Doubt, Limits, Policy, Question, Rule, plan};
use twinset_domain::{AgentId, Moment, RunId};

use super::history::{DAY, HOUR, History, START, text, window};

#[test]
fn a_reader_keeps_all_until_its_hold_ends() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(40 * DAY)
        .full("Payroll")
        .wait(40 * DAY);
    let policies = [Policy {
        group: "payroll".into(),
        rule: Rule::Limits(window(1)),
    }];
    let held_until = |until: i64| {
        let hold = HoldName {
            until: Moment(until),
            agent: AgentId::random(),
            run: RunId::random(),
        };
        plan(&Question {
            media_set: "payroll",
            sets: &history.sets,
            policies: &policies,
            holds: &[hold],
            locks: &std::collections::BTreeMap::new(),
            now: Moment(history.now),
            accepted: None,
        })
    };
    let held = held_until(history.now + 1);
    assert_eq!(held.drops(), []);
    assert!(text(&held).contains("held by agent"));
    assert_eq!(held_until(history.now).drops().len(), 1);
}

#[test]
fn what_its_store_locks_stays_with_what_it_stands_on_until_the_lock_ends() {
    let mut history = History::new();
    history
        .full("Payroll")
        .wait(DAY)
        .differential("Payroll")
        .wait(40 * DAY)
        .full("Payroll")
        .wait(40 * DAY);
    let policies = [Policy {
        group: "payroll".into(),
        rule: Rule::Limits(window(1)),
    }];
    let locked_until = |until: i64| {
        let position = history.sets[1].place.position;
        plan(&Question {
            media_set: "payroll",
            sets: &history.sets,
            policies: &policies,
            holds: &[],
            locks: &std::collections::BTreeMap::from([(position, Moment(until))]),
            now: Moment(history.now),
            accepted: None,
        })
    };
    let locked = locked_until(history.now + 1);
    assert_eq!(locked.drops(), []);
    let told = text(&locked);
    assert!(told.contains("locked in its store until 20"), "{told}");
    assert!(text(&locked_until(i64::MAX)).contains("until a legal hold is lifted"));
    assert_eq!(locked_until(history.now).drops().len(), 2);
}

#[test]
fn one_run_drops_at_most_its_part() {
    let mut history = History::new();
    for _ in 0..8 {
        history.full("Payroll").wait(DAY);
    }
    let share = |percent: u8| {
        let limits = Limits {
            max_drop_percent: percent,
            ..window(1)
        };
        let plan = history.plan(limits);
        let excess = plan.excess().count() > 0;
        (plan.shares[0].drops, plan.shares[0].allowed, excess)
    };
    assert_eq!(share(25), (6, 2, true));
    assert_eq!(share(75), (6, 6, false));
    assert_eq!(share(5), (6, 1, true), "one may always go");
    assert_eq!(share(0), (6, 0, true), "none may ever go");
}

#[test]
fn clocks_that_jump_are_doubted() {
    let mut history = History::new();
    history.full("Payroll").wait(DAY).full("Payroll").wait(DAY);
    let now = history.now;
    let doubt = |now: i64, accepted| history.plan_at(window(1), now, accepted).doubt;
    assert_eq!(doubt(now, None), None);
    assert_eq!(
        doubt(now - DAY - HOUR / 2, None),
        None,
        "a little back is no jump"
    );
    assert!(matches!(doubt(START, None), Some(Doubt::Backwards { .. })));
    assert_eq!(doubt(now + 300 * DAY, None), None);
    assert!(matches!(
        doubt(now + 400 * DAY, None),
        Some(Doubt::Forwards { position: None, .. })
    ));
    let accepted = |at: i64, position| {
        Some(Accepted {
            at: Moment(at),
            position,
        })
    };
    assert_eq!(doubt(now + 400 * DAY, accepted(now + 390 * DAY, 2)), None);
    assert!(matches!(
        doubt(now, accepted(now + 390 * DAY, 2)),
        Some(Doubt::Backwards { .. })
    ));
    // A backup taken while the clock was wrong does not make it right.
    history.wait(3650 * DAY).full("Payroll");
    let plan = history.plan_at(window(1), history.now, None);
    assert!(
        matches!(plan.doubt, Some(Doubt::Forwards { position: Some(p), .. }) if p.get() == 3),
        "{:?}",
        plan.doubt
    );
    // Once the operator agreed, that set is no riddle any more.
    let agreed = accepted(now, 3);
    assert_eq!(history.plan_at(window(1), now + DAY, agreed).doubt, None);
}
