//! Partners that are away for days, and roles that flap: nothing piles up, one alarm stands.

use twinset_domain::partner::{Allowed, Answer, Copy, Role, Session, SessionState, State};
use twinset_domain::protection::{
    Action, Alarm, End, Event, Phase, Rules, Shown, Sight, Verdict, Voice, look,
};
use twinset_domain::{BackupKind, Moment};
use uuid::Uuid;

use super::world::{BACKED, World, principal, raised};

const BOTH: [Rules; 2] = [Rules::DPM, Rules::FOLLOW];
const ALLOWED: Allowed = Allowed {
    ip: true,
    split: true,
};
const DAY: i64 = 86_400;

/// One side of the session while the other is away.
fn alone(role: Role) -> Sight {
    let open = role == Role::Principal;
    let copy = Answer::Copy(Copy {
        state: if open {
            State::Online
        } else {
            State::Restoring
        },
        family: Some(Uuid::from_u128(1)),
        fork: open.then(|| Uuid::from_u128(100)),
        session: Some(Session {
            guid: Uuid::from_u128(7),
            role,
            state: SessionState::Disconnected,
            role_sequence: 1,
        }),
        backed: BACKED,
        sees_mirrors: true,
        membership: Default::default(),
    });
    let voice = |name, answer| Voice { name, answer };
    let other = [voice("sql-b", &Answer::Unreachable)];
    look(voice("sql-a", &copy), &other, &[], ALLOWED.into())
}

#[test]
fn a_principal_whose_partner_is_away_for_days_is_backed_up_and_says_so() {
    for rules in BOTH {
        let mut world = World::protected(rules);
        let until = Moment(world.now.0 + 5 * DAY);
        while world.now < until {
            world.sees(alone(Role::Principal));
            assert_eq!(
                world.due(BackupKind::Log),
                [Action::Backup(BackupKind::Log)]
            );
            world.tell(Event::Ended(BackupKind::Log, End::Published));
            world.after(900);
        }
        assert!(world.record.is_exposed());
        assert!(
            !world
                .done
                .iter()
                .any(|action| matches!(action, Action::Raise(_)))
        );
        world.sees(principal("sql-a", 1));
        assert_eq!(world.record.shown(), Shown::Protected);
    }
}

#[test]
fn a_mirror_whose_principal_is_away_for_days_raises_one_alarm() {
    for rules in BOTH {
        let mut world = World::new(rules, "sql-a");
        world.sees(principal("sql-b", 1));
        world.done.clear();
        let until = Moment(world.now.0 + 5 * DAY);
        while world.now < until {
            world.sees(alone(Role::Mirror));
            world.due(BackupKind::Log);
            world.after(900);
        }
        assert_eq!(raised(&world.done, Alarm::NoPrincipal), 1);
        assert!(
            !world
                .done
                .iter()
                .any(|action| matches!(action, Action::Backup(_)))
        );
        let actions = world.sees(principal("sql-b", 1));
        assert!(actions.contains(&Action::Resolve(Alarm::NoPrincipal)));
        let principal = Some("sql-b".to_owned());
        assert_eq!(world.record.shown(), Shown::NotPrincipal { principal });
    }
}

#[test]
fn roles_that_flap_every_second_start_one_check_at_a_time_and_end_protected() {
    for rules in BOTH {
        for check_delay in [0, 1800] {
            let mut world = World::protected(Rules {
                check_delay,
                ..rules
            });
            let mut checking = false;
            for sequence in 2..1000 {
                let by = if sequence % 2 == 0 { "sql-b" } else { "sql-a" };
                world.done.clear();
                world.sees(principal(by, sequence));
                world.due(BackupKind::Log);
                for action in world.done.clone() {
                    match action {
                        Action::Stop => checking = false,
                        Action::Check(_) => {
                            assert!(!checking, "one after the other");
                            checking = true;
                        }
                        Action::Backup(_) => panic!("never in between: {:?}", world.record),
                        _ => {}
                    }
                }
                world.after(1);
            }
            world.sees(principal("sql-a", 1001));
            world.after(1800);
            if matches!(world.record.phase, Phase::Checking { .. }) {
                world.tell(Event::Checked(Verdict::Continue));
            }
            assert_eq!(world.record.shown(), Shown::Protected);
        }
    }
}
