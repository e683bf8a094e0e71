//! What holds after any row of events.

use proptest::prelude::*;
use twinset_domain::partner::Backed;
use twinset_domain::protection::{Action, End, Event, Phase, Rules, Served, Sight, Verdict};
use twinset_domain::{BackupKind, Lsn, Moment};

use super::world::{BACKED, World, one_computer, principal, served};

fn kinds() -> impl Strategy<Value = BackupKind> {
    prop_oneof![
        Just(BackupKind::Full),
        Just(BackupKind::Differential),
        Just(BackupKind::Log)
    ]
}

fn serving() -> impl Strategy<Value = Served> {
    let session = prop_oneof![8 => Just(Some(7)), 1 => Just(None), 1 => Just(Some(8))];
    let fork = prop_oneof![8 => Just(100), 1 => Just(200)];
    let by = prop_oneof![Just("sql-a"), Just("sql-b")];
    (by, session, 1..6_i64, fork)
        .prop_map(|(by, session, sequence, fork)| served(by, session, sequence, fork))
}

/// How far it is backed up; now and then nobody may tell.
fn marks() -> impl Strategy<Value = Backed> {
    prop_oneof![
        8 => (1000..1003_u128).prop_map(|log| Backed { log: Some(Lsn(log)), ..BACKED }),
        1 => Just(Backed::default()),
    ]
}

fn sights() -> impl Strategy<Value = Sight> {
    prop_oneof![
        8 => (serving(), any::<bool>(), marks()).prop_map(|(who, exposed, backed)| {
            Sight::Principal { who, exposed, backed, posts: Box::default() }
        }),
        1 => Just(Sight::NoPrincipal),
        1 => Just(Sight::Split(Some(served("sql-a", Some(7), 2, 100)))),
        1 => Just(Sight::Split(None)),
        1 => Just(Sight::Unfit(one_computer())),
        1 => Just(Sight::NotOpen("OFFLINE".to_owned())),
        1 => Just(Sight::Absent),
        1 => Just(Sight::Unreachable),
        1 => Just(Sight::Forbidden("CONNECT SQL".to_owned())),
    ]
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Continue),
        1 => Just(Verdict::Take(BackupKind::Log)),
        1 => Just(Verdict::Take(BackupKind::Full)),
        1 => Just(Verdict::Inconsistent("so".to_owned())),
    ]
}

fn events() -> impl Strategy<Value = (Event, i64)> {
    let ends = prop_oneof![
        Just(End::Published),
        Just(End::Interrupted),
        Just(End::Failed)
    ];
    let event = prop_oneof![
        8 => sights().prop_map(Event::Seen),
        4 => kinds().prop_map(Event::Due),
        2 => kinds().prop_map(Event::Asked),
        4 => (kinds(), ends).prop_map(|(kind, end)| Event::Ended(kind, end)),
        1 => Just(Event::CheckAsked),
        1 => Just(Event::CheckDue),
        4 => verdicts().prop_map(Event::Checked),
        2 => Just(Event::Tick),
        1 => (0..4000_i64).prop_map(|s| Event::Pause(Moment(super::world::START + s))),
        1 => Just(Event::Resume),
        1 => Just(Event::Reprotect),
        1 => Just(Event::Restarted),
        1 => Just(Event::Orphaned),
        1 => Just(Event::Unprotect),
        1 => Just(Event::Matched),
        1 => Just(Event::PairTaken("group other".to_owned())),
        1 => Just(Event::PairFree),
        1 => Just(Event::PartnerSilent),
        1 => Just(Event::PartnerHeard),
    ];
    (event, prop_oneof![3 => Just(0_i64), 1 => 1..2000_i64])
}

fn rules() -> impl Strategy<Value = Rules> {
    let any = (any::<bool>(), any::<bool>(), any::<bool>());
    (any, prop_oneof![Just(0_i64), Just(1800)]).prop_map(|((a, b, c), delay)| Rules {
        check_first: a,
        follow_topology: b,
        go_on_in_split: c,
        check_delay: delay,
        ..Rules::FOLLOW
    })
}

/// Who ours was seen to serve as, when it may be backed up.
fn source(world: &World) -> Option<Served> {
    match &world.record.sight {
        Sight::Principal { who, .. } if who.by == world.ours => Some(who.clone()),
        Sight::Split(Some(who)) if world.rules.go_on_in_split => Some(who.clone()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_unchecked_is_extended_and_nobody_but_the_principal_is_backed_up(
        rules in rules(),
        events in prop::collection::vec(events(), 1..60),
    ) {
        let mut world = World::new(rules, "sql-a");
        let mut checked: Option<Served> = None;
        for (event, pause) in events {
            world.after(pause);
            let before = world.record.clone();
            let actions = world.tell(event.clone());
            // What a check that passes now has looked at.
            if let (Event::Checked(verdict), Phase::Checking { of, .. }) = (&event, &before.phase)
                && !matches!(verdict, Verdict::Inconsistent(_))
            {
                checked = Some(of.clone());
            }
            for action in &actions {
                let Action::Backup(kind) = action else { continue };
                let source = source(&world);
                prop_assert!(source.is_some(), "no principal of ours: {:?}", world.record);
                let (source, checked) = (source.unwrap(), checked.clone());
                prop_assert!(checked.is_some(), "P6: never checked");
                let checked = checked.unwrap();
                prop_assert_eq!(&source.by, &checked.by, "P6: another principal");
                prop_assert_eq!(source.family, checked.family);
                prop_assert_eq!(source.fork, checked.fork, "P6: another fork");
                let session = |who: &Served| who.term.map(|term| term.guid);
                prop_assert_eq!(session(&source), session(&checked), "P6: another session");
                prop_assert!(!world.record.orphaned && world.record.pair_of.is_none());
                prop_assert!(world.record.paused.is_none_or(|until| until <= world.now));
                prop_assert!(!before.running.contains(kind), "one of a kind");
            }
            // A switch that is seen stops what runs.
            if let Event::Seen(Sight::Principal { who, .. }) = &event
                && who.by != world.ours
                && !before.running.is_empty()
            {
                prop_assert!(
                    actions.contains(&Action::Stop) || before.phase != Phase::Protected,
                    "row 12: {:?}", actions
                );
            }
            // The time of a pending check never moves away.
            if let (Phase::CheckPending { due: was, .. }, Phase::CheckPending { due: is, .. }) =
                (&before.phase, &world.record.phase)
            {
                prop_assert!(is <= was, "row 7");
            }
            prop_assert!(world.record.running.len() <= 3);
            let text = serde_json::to_string(&world.record).unwrap();
            let again = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&world.record, &again);
        }
    }

    #[test]
    fn when_all_is_well_again_it_is_protected_again(
        events in prop::collection::vec(events(), 1..60),
        check_first in any::<bool>(),
    ) {
        let rules = Rules { check_first, ..Rules::FOLLOW };
        let mut world = World::new(rules, "sql-a");
        for (event, pause) in events {
            world.after(pause);
            world.tell(event);
        }
        for event in [Event::Resume, Event::Matched, Event::PairFree, Event::PartnerHeard] {
            world.tell(event);
        }
        for _ in 0..4 {
            for kind in world.record.running.clone() {
                world.tell(Event::Ended(kind, End::Published));
            }
            world.sees(principal("sql-a", 9));
            world.after(3600);
            world.tell(Event::Checked(Verdict::Continue));
        }
        prop_assert_eq!(&world.record.phase, &Phase::Protected, "{:?}", world.record);
        let kind = BackupKind::Log;
        world.record.running.clear();
        prop_assert_eq!(world.due(kind), [Action::Backup(kind)]);
    }

    #[test]
    fn one_alert_for_one_condition(
        rules in rules(),
        attempts in 1..20_usize,
    ) {
        let mut world = World::standby(Rules { check_first: false, check_delay: 1800, ..rules });
        world.sees(principal("sql-b", 2));
        for _ in 0..attempts {
            world.sees(principal("sql-b", 2));
            world.due(BackupKind::Log);
            world.after(10);
        }
        let raises = |action: &&Action| matches!(action, Action::Raise(_));
        let raised: Vec<_> = world.done.iter().filter(raises).collect();
        let mut once = raised.clone();
        once.dedup();
        prop_assert_eq!(raised.len(), once.len(), "{:?}", world.done);
    }
}
