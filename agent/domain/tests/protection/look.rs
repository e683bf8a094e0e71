//! What the service sees is what a backup by hand is told: one reading of two answers.

use proptest::prelude::*;
use twinset_domain::partner::{
    Allowed, Answer, Backed, Copy, Duty, Objection, Role, Session, SessionState, State, duty,
};
use twinset_domain::protection::{Served, Sight, Unfit, Voice, look};
use uuid::Uuid;

const FOLLOW: Allowed = Allowed {
    ip: true,
    split: true,
};
const DPM: Allowed = Allowed {
    ip: false,
    split: false,
};

fn session(role: Role, state: SessionState) -> Option<Session> {
    Some(Session {
        guid: Uuid::from_u128(7),
        role,
        state,
        role_sequence: 3,
    })
}

fn copy(state: State, session: Option<Session>) -> Copy {
    Copy {
        state,
        family: Some(Uuid::from_u128(1)),
        fork: Some(Uuid::from_u128(2)),
        session,
        backed: Backed::default(),
        sees_mirrors: true,
        membership: Default::default(),
    }
}

fn principal() -> Answer {
    let session = session(Role::Principal, SessionState::Synchronized);
    Answer::Copy(copy(State::Online, session))
}

fn mirror() -> Answer {
    let session = session(Role::Mirror, SessionState::Synchronized);
    Answer::Copy(copy(State::Restoring, session))
}

fn seen(ours: &Answer, other: Option<&Answer>, allowed: Allowed) -> Sight {
    look(
        voice("sql-a", ours),
        other.map(|answer| voice("sql-b", answer)).as_slice(),
        &[],
        allowed.into(),
    )
}

fn voice<'a>(name: &'a str, answer: &'a Answer) -> Voice<'a> {
    Voice { name, answer }
}

fn serves(sight: &Sight) -> Option<&str> {
    match sight {
        Sight::Principal { who, .. } => Some(&who.by),
        _ => None,
    }
}

#[test]
fn a_healthy_pair_is_served_by_its_principal() {
    assert_eq!(
        serves(&seen(&principal(), Some(&mirror()), FOLLOW)),
        Some("sql-a")
    );
    assert_eq!(
        serves(&seen(&mirror(), Some(&principal()), FOLLOW)),
        Some("sql-b")
    );
}

#[test]
fn a_principal_whose_partner_is_silent_serves_and_a_mirror_alone_does_not() {
    let silent = Answer::Unreachable;
    assert_eq!(
        serves(&seen(&principal(), Some(&silent), DPM)),
        Some("sql-a")
    );
    assert_eq!(seen(&mirror(), Some(&silent), DPM), Sight::NoPrincipal);
    assert_eq!(seen(&silent, Some(&principal()), DPM), Sight::Unreachable);
}

#[test]
fn a_suspended_session_is_said() {
    let suspended = session(Role::Principal, SessionState::Suspended);
    let ours = Answer::Copy(copy(State::Online, suspended));
    let sight = seen(&ours, Some(&mirror()), FOLLOW);
    assert!(
        matches!(sight, Sight::Principal { exposed: true, .. }),
        "{sight:?}"
    );
}

#[test]
fn a_row_that_is_hidden_is_no_broken_session() {
    let mut hidden = copy(State::Online, None);
    (hidden.sees_mirrors, hidden.family) = (false, None);
    // The partner tells that there is one, and which.
    let sight = seen(&Answer::Copy(hidden.clone()), Some(&mirror()), FOLLOW);
    let Sight::Principal { who, .. } = &sight else {
        panic!("{sight:?}");
    };
    assert_eq!(who.term.map(|term| term.role_sequence), Some(3));
    // Nobody tells: then it is a right that is missing.
    let sight = seen(&Answer::Copy(hidden), Some(&Answer::Unreachable), FOLLOW);
    assert!(matches!(sight, Sight::Forbidden(_)), "{sight:?}");
}

#[test]
fn two_that_claim_the_role() {
    for allowed in [FOLLOW, DPM] {
        let sight = seen(&principal(), Some(&principal()), allowed);
        let Sight::Split(Some(Served { by, .. })) = sight else {
            panic!("{sight:?}");
        };
        assert_eq!(by, "sql-a");
    }
}

#[test]
fn a_pair_that_is_unfit_and_what_is_not_there_or_not_open() {
    let against = [Objection::SameComputer {
        computer: "HOST".into(),
    }];
    let (ours, theirs) = (principal(), mirror());
    let pair = |against: &[Objection]| {
        look(
            voice("sql-a", &ours),
            &[voice("sql-b", &theirs)],
            against,
            FOLLOW.into(),
        )
    };
    assert_eq!(
        pair(&against),
        Sight::Unfit(Unfit::Pair(against[0].clone()))
    );
    assert_eq!(seen(&Answer::Absent, None, FOLLOW), Sight::Absent);
    let offline = Answer::Copy(copy(State::Offline, None));
    assert_eq!(
        seen(&offline, None, FOLLOW),
        Sight::NotOpen("OFFLINE".into())
    );
    let plain = Answer::Copy(copy(State::Online, None));
    assert_eq!(serves(&seen(&plain, None, FOLLOW)), Some("sql-a"));
    assert_eq!(
        serves(&seen(&Answer::Absent, Some(&plain), FOLLOW)),
        Some("sql-b")
    );
}

fn answers() -> impl Strategy<Value = Answer> {
    let state = prop_oneof![
        Just(State::Online),
        Just(State::Restoring),
        Just(State::Recovering),
        Just(State::Offline)
    ];
    let role = prop_oneof![Just(Role::Principal), Just(Role::Mirror)];
    let how = prop_oneof![
        Just(SessionState::Synchronized),
        Just(SessionState::Disconnected),
        Just(SessionState::PendingFailover)
    ];
    let session =
        (role, how, 7..9_u128, 1..4_i64).prop_map(|(role, state, guid, role_sequence)| Session {
            guid: Uuid::from_u128(guid),
            role,
            state,
            role_sequence,
        });
    let copies = (
        state,
        prop::option::of(session),
        any::<bool>(),
        any::<bool>(),
    );
    let copies = copies.prop_map(|(state, session, sees_mirrors, known)| {
        Answer::Copy(Copy {
            family: known.then(|| Uuid::from_u128(1)),
            sees_mirrors,
            membership: Default::default(),
            ..copy(state, session)
        })
    });
    prop_oneof![8 => copies, 1 => Just(Answer::Absent), 1 => Just(Answer::Unreachable)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_seen_to_be_ours_is_what_a_backup_by_hand_may_take(
        ours in answers(),
        theirs in answers(),
        split in any::<bool>(),
    ) {
        let allowed = Allowed { ip: true, split };
        let sight = seen(&ours, Some(&theirs), allowed);
        let by_hand = duty(&ours, &theirs, &[], allowed);
        let open = matches!(&ours, Answer::Copy(copy) if copy.state == State::Online);
        match &sight {
            Sight::Principal { who, .. } if who.by == "sql-a" => {
                prop_assert!(open && matches!(by_hand, Duty::Ours(_)), "{by_hand:?}");
            }
            Sight::Split(Some(_)) => {
                prop_assert!(open);
                prop_assert_eq!(matches!(by_hand, Duty::Ours(_)), split, "{:?}", by_hand);
            }
            Sight::Principal { .. } | Sight::NoPrincipal | Sight::Unfit(_) => {
                let refused = matches!(by_hand, Duty::Refused(_));
                prop_assert!(refused || !open, "{sight:?} {by_hand:?}");
            }
            _ => {}
        }
    }
}
