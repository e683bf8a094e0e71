//! Rows 4 to 9 and 12 of design 7.2: roles that switch, and the check that follows.

use twinset_domain::partner::Backed;
use twinset_domain::protection::{
    Action, Alarm, ByHand, End, Event, Refusal, Rules, Shown, Sight, Verdict, Why, by_hand,
};
use twinset_domain::{BackupKind, Lsn, Moment};

use super::world::{BACKED, World, alone, backed, principal, raised, refusal};

const BOTH: [(&str, Rules); 2] = [("dpm", Rules::DPM), ("follow", Rules::FOLLOW)];

#[test]
fn row_4_failed_over_and_back_unnoticed() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let actions = world.sees(principal("sql-a", 5));
        assert!(actions.contains(&Action::NoteBounce { switches: 4 }));
        assert_eq!(raised(&actions, Alarm::Switched), 0);
        assert_eq!(world.record.shown(), Shown::Protected);
        assert_eq!(
            world.due(BackupKind::Log),
            [Action::Backup(BackupKind::Log)]
        );
    }
}

#[test]
fn row_4_seen_in_between_and_nothing_was_due() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.sees(principal("sql-b", 2));
        world.after(60);
        let actions = world.sees(principal("sql-a", 3));
        assert_eq!(world.record.shown(), Shown::Protected);
        assert!(actions.contains(&Action::Resolve(Alarm::Switched)));
    }
}

/// What comes due while the partner serves is the partner's to take: no bounce in which nothing
/// happened.
#[test]
fn row_6_a_backup_was_due_while_the_partner_served() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.sees(principal("sql-b", 2));
        assert!(refusal(&world.due(BackupKind::Log)).is_some());
        world.after(60);
        let actions = world.sees(principal("sql-a", 3));
        assert!(
            actions.contains(&Action::Check(Why::FailedBack)),
            "{actions:?}"
        );
    }
}

/// An alarm that was raised before the agent died ends when its cause is gone, and not before.
#[test]
fn an_alarm_outlives_a_restart_no_longer_than_its_cause() {
    let split = || Sight::Split(None);
    for (seen, ends) in [(principal("sql-a", 1), true), (split(), false)] {
        let mut world = World::protected(Rules::DPM);
        world.sees(split());
        assert_eq!(raised(&world.done, Alarm::Split), 1);
        world.tell(Event::Restarted);
        world.tell(Event::Restarted);
        let actions = world.sees(seen);
        assert_eq!(
            actions.contains(&Action::Resolve(Alarm::Split)),
            ends,
            "{actions:?}"
        );
        let again = world.sees(principal("sql-a", 1));
        assert_eq!(
            again.contains(&Action::Resolve(Alarm::Split)),
            !ends,
            "{again:?}"
        );
    }
}

#[test]
fn a_backup_by_hand_waits_for_what_the_service_waits_for() {
    use BackupKind::{Full, Log};
    let mut world = World::standby(Rules::DPM);
    let asked = |world: &World, kind, first| by_hand(&world.record, kind, first);
    // The switch was not seen yet: the partner's sets are extended by nobody who did not check.
    assert_eq!(asked(&world, Log, true), ByHand::CheckFirst);
    assert_eq!(asked(&world, Log, false), ByHand::CheckRequired);
    world.sees(principal("sql-b", 2));
    assert_eq!(asked(&world, Full, false), ByHand::CheckRequired);
    world.after(1800);
    world.tell(Event::Checked(Verdict::Inconsistent(
        "rolled back".to_owned(),
    )));
    assert_eq!(asked(&world, Log, true), ByHand::Refused);
    assert_eq!(asked(&world, Full, true), ByHand::Free);
    world.after(60);
    world.tell(Event::Checked(Verdict::Continue));
    assert_eq!(asked(&world, Log, true), ByHand::Free);
}

/// Failed over and back, whether the partner was seen serving it or not, with this to see of it
/// behind the switches.
fn bounced(rules: Rules, seen: bool, after: Backed) -> (World, Vec<Action>) {
    let mut world = World::protected(rules);
    if seen {
        world.sees(principal("sql-b", 2));
        world.after(60);
    } else {
        world.tell(Event::Restarted);
    }
    let actions = world.sees(backed("sql-a", 3, after));
    (world, actions)
}

#[test]
fn row_4_is_not_for_a_partner_that_was_backed_up_in_between() {
    let log = Some(Lsn(1001));
    let base = Some(Lsn(901));
    let afters = [
        Backed { log, ..BACKED },
        Backed { base, ..BACKED },
        Backed { log, base },
        // What cannot be told may have happened.
        Backed::default(),
    ];
    for (_, rules) in BOTH {
        for (seen, after) in [true, false].into_iter().zip([BACKED; 2]) {
            let (world, actions) = bounced(rules, seen, after);
            assert_eq!(world.record.shown(), Shown::Protected, "{actions:?}");
        }
        for seen in [true, false] {
            for after in afters {
                let (mut world, actions) = bounced(rules, seen, after);
                assert!(
                    actions.contains(&Action::Check(Why::BackedElsewhere)),
                    "{actions:?}"
                );
                world.tell(Event::Checked(Verdict::Continue));
                assert_eq!(world.record.shown(), Shown::Protected);
            }
        }
    }
}

#[test]
fn row_4_our_own_backups_are_not_taken_for_the_partners() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.due(BackupKind::Log);
        world.tell(Event::Ended(BackupKind::Log, End::Published));
        let log = Some(Lsn(1001));
        world.sees(backed("sql-a", 1, Backed { log, ..BACKED }));
        world.tell(Event::Restarted);
        let actions = world.sees(backed("sql-a", 3, Backed { log, ..BACKED }));
        assert!(actions.contains(&Action::NoteBounce { switches: 2 }));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_5_the_mirror_has_become_principal() {
    for (_, rules) in BOTH {
        let mut world = World::standby(rules);
        let actions = world.sees(principal("sql-b", 2));
        assert_eq!(raised(&actions, Alarm::Switched), 1);
        let due = Moment(world.now.0 + 1800);
        assert_eq!(world.record.shown(), Shown::CheckPending { due });
        assert_eq!(world.after(1799), []);
        assert_eq!(world.after(1), [Action::Check(Why::Due)]);
        world.tell(Event::Checked(Verdict::Continue));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_5_the_agent_of_the_old_principal_stands_by_when_the_time_has_come() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.due(BackupKind::Full);
        let actions = world.sees(principal("sql-b", 2));
        assert!(actions.contains(&Action::Stop), "row 12: {actions:?}");
        world.tell(Event::Ended(BackupKind::Full, End::Interrupted));
        world.after(1800);
        let principal = Some("sql-b".to_owned());
        assert_eq!(world.record.shown(), Shown::NotPrincipal { principal });
    }
}

#[test]
fn row_6_fails_back_before_due_and_a_backup_was_running() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.due(BackupKind::Full);
        world.sees(principal("sql-b", 2));
        world.tell(Event::Ended(BackupKind::Full, End::Interrupted));
        world.after(300);
        let actions = world.sees(principal("sql-a", 3));
        assert!(
            actions.contains(&Action::Check(Why::FailedBack)),
            "{actions:?}"
        );
        assert_eq!(world.record.shown(), Shown::Checking);
        world.tell(Event::Checked(Verdict::Continue));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_7_another_failover_before_due_keeps_the_time() {
    for (_, rules) in BOTH {
        let mut world = World::standby(rules);
        world.sees(principal("sql-b", 2));
        let due = Moment(world.now.0 + 1800);
        world.after(600);
        world.sees(principal("sql-b", 4));
        assert_eq!(world.record.shown(), Shown::CheckPending { due });
    }
}

#[test]
fn row_8_a_backup_that_is_due_before_the_check() {
    let mut dpm = World::standby(Rules::DPM);
    dpm.sees(principal("sql-b", 2));
    let due = Moment(dpm.now.0 + 1800);
    for _ in 0..3 {
        let actions = dpm.due(BackupKind::Log);
        assert_eq!(refusal(&actions), Some(Refusal::CheckRequired(due)));
    }
    assert_eq!(
        raised(&dpm.done, Alarm::CheckRequired),
        1,
        "once, not per attempt"
    );
    assert_eq!(dpm.tell(Event::CheckAsked), [Action::Check(Why::ByHand)]);
    let actions = dpm.tell(Event::Checked(Verdict::Continue));
    assert!(actions.contains(&Action::Resolve(Alarm::CheckRequired)));
    assert_eq!(dpm.due(BackupKind::Log), [Action::Backup(BackupKind::Log)]);

    let mut follow = World::standby(Rules::FOLLOW);
    follow.sees(principal("sql-b", 2));
    let actions = follow.due(BackupKind::Log);
    assert_eq!(actions, [Action::Check(Why::BackupWaits)]);
    let actions = follow.tell(Event::Checked(Verdict::Continue));
    assert!(
        actions.contains(&Action::Backup(BackupKind::Log)),
        "{actions:?}"
    );
}

#[test]
fn row_9_a_check_fails_and_is_tried_again_ever_later() {
    for (_, rules) in BOTH {
        let mut world = World::standby(rules);
        world.sees(principal("sql-b", 2));
        world.after(1800);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let why = "a volume is missing".to_owned();
            let actions = world.tell(Event::Checked(Verdict::Inconsistent(why)));
            assert_eq!(raised(&actions, Alarm::Inconsistent), 1);
            let Shown::Inconsistent { retry, .. } = world.record.shown() else {
                panic!("{:?}", world.record.shown());
            };
            let actions = world.due(BackupKind::Log);
            assert_eq!(refusal(&actions), Some(Refusal::Inconsistent(retry)));
            pauses.push(retry.0 - world.now.0);
            let actions = world.after(retry.0 - world.now.0);
            assert_eq!(actions, [Action::Check(Why::Again)]);
        }
        assert_eq!(pauses, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        world.tell(Event::Checked(Verdict::Continue));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_12_a_switch_stops_what_runs() {
    for (_, rules) in BOTH {
        for seen in [principal("sql-b", 2), principal("sql-a", 3), alone("sql-a")] {
            let mut world = World::protected(rules);
            world.due(BackupKind::Full);
            world.due(BackupKind::Log);
            let actions = world.sees(seen);
            assert!(actions.contains(&Action::Stop), "{actions:?}");
        }
    }
}
