//! Who may take a backup, and was the role kept? (design 7.2, rows 11 to 15)
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use twinset_domain::partner::{
    Allowed, Answer, Backed, Beside, Copy, Duty, Objection, Refusal, Role, Session, SessionState,
    State, Tenure, Term, duty, taken_over, tenure,
};
use uuid::Uuid;

const OURS: Uuid = Uuid::from_u128(7);
const OTHER: Uuid = Uuid::from_u128(8);
const FOLLOW: Allowed = Allowed {
    ip: true,
    split: true,
};
const DPM: Allowed = Allowed {
    ip: false,
    split: false,
};

fn copy(state: State, session: Option<Session>, sees_mirrors: bool) -> Answer {
    Answer::Copy(Copy {
        state,
        family: None,
        fork: None,
        session,
        backed: Backed::default(),
        sees_mirrors,
        membership: Default::default(),
    })
}

fn in_session(guid: Uuid, role: Role, state: SessionState, role_sequence: i64) -> Answer {
    let open = match role {
        Role::Principal => State::Online,
        Role::Mirror => State::Restoring,
    };
    let session = Session {
        guid,
        role,
        state,
        role_sequence,
    };
    copy(open, Some(session), true)
}

fn principal() -> Answer {
    in_session(OURS, Role::Principal, SessionState::Synchronized, 1)
}

fn mirror() -> Answer {
    in_session(OURS, Role::Mirror, SessionState::Synchronized, 1)
}

fn hidden() -> Answer {
    copy(State::Restoring, None, false)
}

#[test]
fn the_table_of_duties() {
    let leaving = in_session(OURS, Role::Principal, SessionState::PendingFailover, 1);
    let suspended = in_session(OURS, Role::Principal, SessionState::Suspended, 1);
    let alone = in_session(OURS, Role::Principal, SessionState::Disconnected, 1);
    let elsewhere = in_session(OTHER, Role::Mirror, SessionState::Synchronized, 1);
    let open = |sees| copy(State::Online, None, sees);
    let (silent, absent) = (Answer::Unreachable, Answer::Absent);
    let ours = |beside: &[Beside]| Duty::Ours(beside.to_vec());
    let exposed = Beside::Exposed;
    let mirror_alone = |hidden| Duty::Refused(Refusal::MirrorAlone { hidden });
    let rows = [
        (principal(), mirror(), ours(&[])),
        (mirror(), principal(), Duty::Refused(Refusal::NotPrincipal)),
        (hidden(), principal(), Duty::Refused(Refusal::NotPrincipal)),
        (mirror(), silent.clone(), mirror_alone(false)),
        (hidden(), silent.clone(), mirror_alone(true)),
        (
            copy(State::Restoring, None, true),
            silent.clone(),
            ours(&[]),
        ),
        (principal(), silent.clone(), ours(&[Beside::PartnerSilent])),
        (
            alone,
            silent.clone(),
            ours(&[exposed(SessionState::Disconnected), Beside::PartnerSilent]),
        ),
        (
            suspended,
            mirror(),
            ours(&[exposed(SessionState::Suspended)]),
        ),
        (principal(), hidden(), ours(&[Beside::MirrorHidden])),
        (open(false), mirror(), ours(&[Beside::RowHidden])),
        (open(true), mirror(), ours(&[Beside::HalfRemoved])),
        (leaving, mirror(), Duty::Refused(Refusal::Switching)),
        (mirror(), mirror(), mirror_alone(false)),
        (
            principal(),
            elsewhere,
            Duty::Refused(Refusal::OtherSessions),
        ),
        (open(true), open(true), ours(&[])),
        (open(true), absent.clone(), ours(&[])),
        (absent, principal(), ours(&[])),
        (silent.clone(), silent, ours(&[])),
    ];
    for (here, there, wanted) in rows {
        let found = duty(&here, &there, &[], DPM);
        assert_eq!(found, wanted, "{here:?} {there:?}");
    }
}

/// Two open copies of one origin without a session: told apart by their forks, or not at all.
#[test]
fn nothing_is_taken_of_two_copies_on_one_fork() {
    let open = |fork: Option<u128>| {
        Answer::Copy(Copy {
            state: State::Online,
            family: Some(Uuid::from_u128(0xFA)),
            fork: fork.map(Uuid::from_u128),
            session: None,
            backed: Backed::default(),
            sees_mirrors: true,
            membership: Default::default(),
        })
    };
    for allowed in [FOLLOW, DPM] {
        let refused = duty(&open(Some(1)), &open(Some(1)), &[], allowed);
        assert_eq!(refused, Duty::Refused(Refusal::OneFork));
        for other in [open(Some(2)), open(None), Answer::Unreachable] {
            let taken = duty(&open(Some(1)), &other, &[], allowed);
            assert!(matches!(taken, Duty::Ours(_)), "{other:?}: {taken:?}");
        }
    }
}

#[test]
fn a_split_and_an_address_are_as_the_group_has_them() {
    let found = duty(&principal(), &principal(), &[], FOLLOW);
    assert_eq!(found, Duty::Ours(vec![Beside::Split]));
    let found = duty(&principal(), &principal(), &[], DPM);
    assert_eq!(found, Duty::Refused(Refusal::Split));
    let address = Objection::ExplicitIp {
        address: "TCP://10.0.0.1:5022".into(),
    };
    let by_number = [address.clone()];
    let found = duty(&principal(), &mirror(), &by_number, FOLLOW);
    let said = Beside::ExplicitIp("TCP://10.0.0.1:5022".into());
    assert_eq!(found, Duty::Ours(vec![said]));
    let found = duty(&principal(), &mirror(), &by_number, DPM);
    assert_eq!(found, Duty::Refused(Refusal::Unfit(address)));
    let one_computer = Objection::SameComputer {
        computer: "SQL-A".into(),
    };
    let found = duty(
        &principal(),
        &mirror(),
        std::slice::from_ref(&one_computer),
        FOLLOW,
    );
    assert_eq!(found, Duty::Refused(Refusal::Unfit(one_computer.clone())));
    // Whose copy is the mirror has nothing to object to.
    let found = duty(&mirror(), &principal(), &[one_computer], FOLLOW);
    assert_eq!(found, Duty::Refused(Refusal::NotPrincipal));
}

#[test]
fn a_role_is_kept_by_the_same_principal_of_the_same_moment_alone() {
    let before = Term {
        guid: OURS,
        role_sequence: 1,
    };
    let switched = |sequence, back| Tenure::Switched { sequence, back };
    let rows = [
        (principal(), Tenure::Kept),
        (
            in_session(OURS, Role::Mirror, SessionState::Synchronized, 2),
            switched(Some(2), false),
        ),
        (
            in_session(OURS, Role::Principal, SessionState::Synchronized, 3),
            switched(Some(3), true),
        ),
        (hidden(), switched(None, false)),
        (
            in_session(OTHER, Role::Principal, SessionState::Synchronized, 1),
            Tenure::Ended,
        ),
        (copy(State::Online, None, true), Tenure::Ended),
        (Answer::Absent, Tenure::Ended),
        (Answer::Unreachable, Tenure::Unknown),
    ];
    for (now, wanted) in rows {
        assert_eq!(tenure(before, &now), wanted, "{now:?}");
    }
    let partner = in_session(OURS, Role::Principal, SessionState::Disconnected, 2);
    assert_eq!(taken_over(before, &partner), Some(2));
    assert_eq!(taken_over(before, &principal()), None);
    assert_eq!(taken_over(before, &mirror()), None);
    assert_eq!(taken_over(before, &Answer::Unreachable), None);
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let states = vec![State::Online, State::Restoring, State::Recovering];
    let sessions = vec![
        SessionState::Suspended,
        SessionState::Disconnected,
        SessionState::Synchronizing,
        SessionState::PendingFailover,
        SessionState::Synchronized,
    ];
    let session = (
        prop::bool::ANY,
        prop::bool::ANY,
        prop::sample::select(sessions),
        1..4_i64,
    );
    let session = session.prop_map(|(ours, principal, state, role_sequence)| Session {
        guid: if ours { OURS } else { OTHER },
        role: if principal {
            Role::Principal
        } else {
            Role::Mirror
        },
        state,
        role_sequence,
    });
    let copy = (
        prop::sample::select(states),
        prop::option::of(session),
        prop::bool::ANY,
    );
    let copy = copy.prop_map(|(state, session, sees)| self::copy(state, session, sees));
    prop_oneof![
        1 => Just(Answer::Absent),
        1 => Just(Answer::Unreachable),
        8 => copy,
    ]
}

proptest! {
    /// Whatever else is seen: a mirror is never taken, and silence never stops an open principal.
    #[test]
    fn no_mirror_is_taken_and_no_silence_stops_a_principal(
        here in any_answer(),
        there in any_answer(),
    ) {
        let Answer::Copy(copy) = &here else { return Ok(()) };
        let role = copy.session.as_ref().map(|session| session.role);
        if role == Some(Role::Mirror) {
            let refused = matches!(duty(&here, &there, &[], FOLLOW), Duty::Refused(_));
            prop_assert!(refused);
        }
        let leaving = copy.session.as_ref()
            .is_some_and(|session| session.state == SessionState::PendingFailover);
        if role == Some(Role::Principal) && !leaving {
            for silent in [Answer::Unreachable, Answer::Absent] {
                let taken = matches!(duty(&here, &silent, &[], DPM), Duty::Ours(_));
                prop_assert!(taken);
            }
        }
    }
}
