//! Rows 1 to 3, 10, 11 and 13 to 18 of design 7.2: who serves a database at all, and what stops its
//! protection. The others are in `switches`.

use twinset_domain::protection::{
    Action, Alarm, Change, End, Event, Refusal, Rules, Shown, Sight, Verdict, Why,
};
use twinset_domain::{BackupKind, Moment};

use super::world::{BACKED, World, alone, one_computer, principal, raised, refusal, served};

const BOTH: [(&str, Rules); 2] = [("dpm", Rules::DPM), ("follow", Rules::FOLLOW)];

#[test]
fn row_1_a_database_that_is_added_is_checked_before_it_is_protected() {
    for (_, rules) in BOTH {
        let mut world = World::new(rules, "sql-a");
        assert_eq!(world.record.shown(), Shown::Initializing);
        let actions = world.due(BackupKind::Full);
        assert_eq!(refusal(&actions), Some(Refusal::NotSeen));
        let actions = world.sees(principal("sql-a", 1));
        assert_eq!(actions, [Action::Check(Why::First)]);
        assert_eq!(world.record.shown(), Shown::Checking);
        let actions = world.tell(Event::Checked(Verdict::Take(BackupKind::Full)));
        assert!(
            actions.contains(&Action::Backup(BackupKind::Full)),
            "{actions:?}"
        );
        assert_eq!(world.record.shown(), Shown::Protected);

        let mut other = World::new(rules, "sql-b");
        other.sees(principal("sql-a", 1));
        let principal = Some("sql-a".to_owned());
        assert_eq!(other.record.shown(), Shown::NotPrincipal { principal });
        let actions = other.due(BackupKind::Log);
        assert_eq!(
            refusal(&actions),
            Some(Refusal::NotPrincipal("sql-a".to_owned()))
        );
    }
}

/// Rows 2 and 3 differ in what is seen alone.
fn topology(mut world: World, seen: Sight, what: Change, alarm: Alarm) {
    let follow = world.rules.follow_topology;
    let actions = world.sees(seen.clone());
    assert_eq!(raised(&actions, alarm), 1);
    if follow {
        assert!(actions.contains(&Action::Check(Why::Topology)));
        world.tell(Event::Checked(Verdict::Continue));
        assert_eq!(world.record.shown(), Shown::Protected);
        assert!(world.done.contains(&Action::Resolve(alarm)));
        return;
    }
    assert_eq!(world.record.shown(), Shown::TopologyChanged { what });
    let actions = world.due(BackupKind::Log);
    assert_eq!(refusal(&actions), Some(Refusal::TopologyChanged(what)));
    world.sees(seen);
    assert_eq!(world.record.shown(), Shown::TopologyChanged { what });
    assert_eq!(raised(&world.done, alarm), 1, "raised once");
    let actions = world.tell(Event::Reprotect);
    assert_eq!(actions, [Action::Check(Why::Topology)]);
    world.tell(Event::Checked(Verdict::Continue));
    assert_eq!(world.record.shown(), Shown::Protected);
}

#[test]
fn row_2_a_protected_database_becomes_mirrored() {
    for (_, rules) in BOTH {
        let mut world = World::new(rules, "sql-a");
        world.sees(alone("sql-a"));
        world.tell(Event::Checked(Verdict::Continue));
        let (what, alarm) = (Change::NewlyMirrored, Alarm::NewlyMirrored);
        topology(world, principal("sql-a", 1), what, alarm);
    }
}

#[test]
fn row_3_the_mirror_is_broken_or_made_anew() {
    for (_, rules) in BOTH {
        let anew = Sight::Principal {
            who: served("sql-a", Some(8), 1, 100),
            exposed: false,
            backed: BACKED,
            posts: Box::default(),
        };
        for seen in [alone("sql-a"), anew] {
            let (what, alarm) = (Change::MirrorBroken, Alarm::MirrorBroken);
            topology(World::protected(rules), seen, what, alarm);
        }
    }
}

#[test]
fn row_10_two_groups_protect_one_session() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let other = "group other".to_owned();
        let actions = world.tell(Event::PairTaken(other.clone()));
        assert_eq!(raised(&actions, Alarm::BothProtected), 1);
        let shown = Shown::BothPartnersProtected {
            other: other.clone(),
        };
        assert_eq!(world.record.shown(), shown);
        let actions = world.due(BackupKind::Full);
        assert_eq!(refusal(&actions), Some(Refusal::PairTaken(other.clone())));
        assert_eq!(
            raised(&world.tell(Event::PairTaken(other)), Alarm::BothProtected),
            0
        );
        world.tell(Event::PairFree);
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_11_a_pair_that_cannot_be_protected() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let why = one_computer();
        let actions = world.sees(Sight::Unfit(why.clone()));
        assert_eq!(raised(&actions, Alarm::Unfit), 1);
        assert_eq!(world.record.shown(), Shown::Unsupported { why });
        assert!(refusal(&world.due(BackupKind::Log)).is_some());
        world.sees(principal("sql-a", 1));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_13_no_principal() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.sees(Sight::NoPrincipal);
        let since = world.now;
        assert_eq!(world.record.shown(), Shown::NoPrincipal { since });
        assert!(refusal(&world.due(BackupKind::Log)).is_some());
        assert_eq!(raised(&world.after(299), Alarm::NoPrincipal), 0);
        assert_eq!(raised(&world.after(1), Alarm::NoPrincipal), 1);
        assert_eq!(raised(&world.after(1000), Alarm::NoPrincipal), 0, "once");
        let actions = world.sees(principal("sql-a", 1));
        assert!(actions.contains(&Action::Resolve(Alarm::NoPrincipal)));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_13_a_principal_without_its_partner_is_backed_up() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        world.sees(Sight::Principal {
            who: served("sql-a", Some(7), 1, 100),
            exposed: true,
            backed: BACKED,
            posts: Box::default(),
        });
        assert!(world.record.is_exposed());
        assert_eq!(
            world.due(BackupKind::Log),
            [Action::Backup(BackupKind::Log)]
        );
    }
}

#[test]
fn row_14_both_claim_to_be_principal() {
    for (profile, rules) in BOTH {
        let mut world = World::protected(rules);
        let ours = served("sql-a", Some(7), 1, 100);
        let actions = world.sees(Sight::Split(Some(ours)));
        assert_eq!(raised(&actions, Alarm::Split), 1);
        assert_eq!(world.record.shown(), Shown::Split);
        let taken = world.due(BackupKind::Log) == [Action::Backup(BackupKind::Log)];
        assert_eq!(taken, profile == "follow", "{profile}");
    }
}

#[test]
fn row_14_the_forced_side_checks_first_and_begins_anew() {
    let mut world = World::standby(Rules::FOLLOW);
    let forced = served("sql-b", Some(7), 2, 200);
    world.sees(Sight::Split(Some(forced)));
    world.after(1800);
    // Both claim still: the time comes, and the check waits for a clear sight or a backup.
    let actions = world.due(BackupKind::Log);
    assert_eq!(actions, [Action::Check(Why::BackupWaits)]);
    let actions = world.tell(Event::Checked(Verdict::Take(BackupKind::Full)));
    assert!(
        actions.contains(&Action::Backup(BackupKind::Full)),
        "{actions:?}"
    );
    assert!(
        !actions.contains(&Action::Backup(BackupKind::Log)),
        "{actions:?}"
    );
}

#[test]
fn row_15_a_right_is_lost() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let right = "VIEW SERVER STATE".to_owned();
        let actions = world.sees(Sight::Forbidden(right.clone()));
        assert_eq!(raised(&actions, Alarm::Right), 1);
        assert_eq!(
            raised(&actions, Alarm::MirrorBroken),
            0,
            "never read as that"
        );
        assert_eq!(world.record.shown(), Shown::Blocked { right });
        world.sees(principal("sql-a", 1));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_16_the_principals_agent_is_silent() {
    for (_, rules) in BOTH {
        let mut world = World::standby(rules);
        let actions = world.tell(Event::PartnerSilent);
        assert_eq!(raised(&actions, Alarm::AgentMissing), 1);
        let since = world.now;
        assert_eq!(world.record.shown(), Shown::AgentMissing { since });
        assert_eq!(world.tell(Event::PartnerSilent), []);
        let actions = world.tell(Event::PartnerHeard);
        assert_eq!(actions, [Action::Resolve(Alarm::AgentMissing)]);
    }
}

#[test]
fn row_17_the_group_is_gone() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let actions = world.tell(Event::Orphaned);
        assert_eq!(raised(&actions, Alarm::Orphaned), 1);
        assert_eq!(world.record.shown(), Shown::Orphaned);
        assert_eq!(
            refusal(&world.due(BackupKind::Log)),
            Some(Refusal::Orphaned)
        );
        world.tell(Event::Matched);
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn row_18_paused_and_resumes_by_itself() {
    for (_, rules) in BOTH {
        let mut world = World::protected(rules);
        let until = Moment(world.now.0 + 7200);
        world.tell(Event::Pause(until));
        assert_eq!(world.record.shown(), Shown::Paused { until });
        assert_eq!(
            refusal(&world.due(BackupKind::Log)),
            Some(Refusal::Paused(until))
        );
        world.sees(principal("sql-a", 1));
        world.after(7200);
        assert_eq!(world.record.shown(), Shown::Protected);
        assert_eq!(
            world.due(BackupKind::Log),
            [Action::Backup(BackupKind::Log)]
        );
    }
}

#[test]
fn a_check_that_ran_when_the_agent_died_runs_again_at_once() {
    for (_, rules) in BOTH {
        let mut world = World::new(rules, "sql-a");
        world.sees(principal("sql-a", 1));
        assert_eq!(world.record.shown(), Shown::Checking);
        world.tell(Event::Restarted);
        let actions = world.sees(principal("sql-a", 1));
        assert!(
            actions
                .iter()
                .any(|action| matches!(action, Action::Check(_))),
            "{actions:?}"
        );
    }
}

#[test]
fn the_time_of_a_pending_check_outlives_a_restart() {
    for (_, rules) in BOTH {
        let mut world = World::standby(rules);
        world.sees(principal("sql-b", 2));
        let before = world.record.shown();
        world.after(100);
        let text = serde_json::to_string(&world.record).unwrap();
        world.record = serde_json::from_str(&text).unwrap();
        world.tell(Event::Restarted);
        assert_eq!(world.record.shown(), before);
    }
}

#[test]
fn a_daily_check_runs_where_all_is_well_and_beside_nothing() {
    let mut world = World::protected(Rules::FOLLOW);
    world.due(BackupKind::Full);
    assert_eq!(world.tell(Event::CheckDue), [], "not beside a backup");
    world.tell(Event::Ended(BackupKind::Full, End::Published));
    assert_eq!(world.tell(Event::CheckDue), [Action::Check(Why::Daily)]);
    assert_eq!(world.tell(Event::CheckDue), [], "once");
    let mut standby = World::standby(Rules::FOLLOW);
    assert_eq!(standby.tell(Event::CheckDue), [], "the other agent's");
}
