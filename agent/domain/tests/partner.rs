//! Who is principal? The table of two answers, and every other pair of answers.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use twinset_domain::partner::{
    Address, Answer, Backed, Copy, Host, Objection, Pairing, Place, Role, Session, SessionState,
    Side, State, objections, pairing,
};
use uuid::Uuid;

const OURS: Uuid = Uuid::from_u128(7);
const THEIRS: Uuid = Uuid::from_u128(8);
const FAMILY: Uuid = Uuid::from_u128(9);

fn bare(state: State) -> Copy {
    Copy {
        state,
        family: Some(FAMILY),
        fork: None,
        session: None,
        backed: Backed::default(),
        sees_mirrors: false,
        membership: Default::default(),
    }
}

fn with(guid: Uuid, role: Role, session: SessionState) -> Answer {
    let state = match role {
        Role::Principal => State::Online,
        Role::Mirror => State::Restoring,
    };
    Answer::Copy(Copy {
        session: Some(Session {
            guid,
            role,
            state: session,
            role_sequence: 1,
        }),
        ..bare(state)
    })
}

fn principal() -> Answer {
    with(OURS, Role::Principal, SessionState::Synchronized)
}

fn mirror() -> Answer {
    with(OURS, Role::Mirror, SessionState::Synchronized)
}

fn plain(state: State) -> Answer {
    Answer::Copy(bare(state))
}

#[test]
fn the_table_of_two_answers() {
    let (first, second) = (Side::First, Side::Second);
    let seeing = |state| {
        Answer::Copy(Copy {
            sees_mirrors: true,
            membership: Default::default(),
            ..bare(state)
        })
    };
    let stranger = Answer::Copy(Copy {
        family: None,
        ..bare(State::Online)
    });
    let exposed = with(OURS, Role::Principal, SessionState::Disconnected);
    let leaving = with(OURS, Role::Principal, SessionState::PendingFailover);
    let other = with(THEIRS, Role::Mirror, SessionState::Synchronized);
    let rows = [
        (principal(), mirror(), Pairing::Healthy { principal: first }),
        (
            mirror(),
            principal(),
            Pairing::Healthy { principal: second },
        ),
        (
            principal(),
            plain(State::Restoring),
            Pairing::MirrorHidden { principal: first },
        ),
        (
            principal(),
            seeing(State::Restoring),
            Pairing::HalfRemoved { principal: first },
        ),
        (
            principal(),
            plain(State::Online),
            Pairing::HalfRemoved { principal: first },
        ),
        (
            principal(),
            Answer::Unreachable,
            Pairing::Alone {
                principal: first,
                exposed: false,
            },
        ),
        (
            Answer::Unreachable,
            exposed,
            Pairing::Alone {
                principal: second,
                exposed: true,
            },
        ),
        (leaving.clone(), mirror(), Pairing::Switching),
        (leaving, Answer::Unreachable, Pairing::Switching),
        (mirror(), mirror(), Pairing::Switching),
        (mirror(), Answer::Unreachable, Pairing::NoPrincipal),
        (mirror(), plain(State::Restoring), Pairing::NoPrincipal),
        (principal(), principal(), Pairing::Split),
        (principal(), other, Pairing::OtherSessions),
        (
            plain(State::Online),
            plain(State::Restoring),
            Pairing::Unmirrored { open: first },
        ),
        (
            plain(State::Online),
            plain(State::Online),
            Pairing::Separate { related: true },
        ),
        (
            stranger.clone(),
            stranger,
            Pairing::Separate { related: false },
        ),
        (
            plain(State::Online),
            Answer::Absent,
            Pairing::Single {
                holder: first,
                unsure: false,
            },
        ),
        (
            Answer::Unreachable,
            plain(State::Online),
            Pairing::Single {
                holder: second,
                unsure: true,
            },
        ),
        (plain(State::Suspect), Answer::Absent, Pairing::Closed),
        (Answer::Absent, Answer::Unreachable, Pairing::Nowhere),
        (
            Answer::Unreachable,
            Answer::Unreachable,
            Pairing::Unreachable,
        ),
    ];
    for (a, b, wanted) in rows {
        assert_eq!(pairing(&a, &b), wanted, "{a:?} {b:?}");
    }
}

fn states() -> impl Strategy<Value = State> {
    prop::sample::select(vec![
        State::Online,
        State::Restoring,
        State::Recovering,
        State::RecoveryPending,
        State::Suspect,
        State::Emergency,
        State::Offline,
        State::Other,
    ])
}

fn answers() -> impl Strategy<Value = Answer> {
    let sessions = prop::sample::select(vec![
        SessionState::Suspended,
        SessionState::Disconnected,
        SessionState::Synchronizing,
        SessionState::PendingFailover,
        SessionState::Synchronized,
        SessionState::Unsynchronized,
        SessionState::Other,
    ]);
    let session = (
        prop::sample::select(vec![OURS, THEIRS]),
        prop::sample::select(vec![Role::Principal, Role::Mirror]),
        sessions,
        0..9_i64,
    );
    let session = session.prop_map(|(guid, role, state, role_sequence)| Session {
        guid,
        role,
        state,
        role_sequence,
    });
    let family = prop::option::of(Just(FAMILY));
    let copy = (states(), family, prop::option::of(session), any::<bool>());
    let copy = copy.prop_map(|(state, family, session, sees_mirrors)| {
        Answer::Copy(Copy {
            state,
            family,
            fork: None,
            session,
            backed: Backed::default(),
            sees_mirrors,
            membership: Default::default(),
        })
    });
    prop_oneof![4 => copy, 1 => Just(Answer::Absent), 1 => Just(Answer::Unreachable)]
}

const fn turned(side: Side) -> Side {
    match side {
        Side::First => Side::Second,
        Side::Second => Side::First,
    }
}

proptest! {
    /// Whoever is asked first, the same one is backed up; and it is one that serves: a principal
    /// that is not leaving, or an open copy without a session. Never a mirror, never one of two
    /// that both claim to be principal.
    #[test]
    fn only_who_serves_is_a_source(a in answers(), b in answers()) {
        let read = pairing(&a, &b);
        prop_assert_eq!(read.source(), pairing(&b, &a).source().map(turned));
        prop_assert_eq!(read.to_string(), pairing(&b, &a).to_string());
        let role = |answer: &Answer| match answer {
            Answer::Copy(copy) => copy.session.as_ref().map(|session| session.role),
            _ => None,
        };
        if let Some(side) = read.source() {
            let (chosen, other) = match side {
                Side::First => (&a, &b),
                Side::Second => (&b, &a),
            };
            let Answer::Copy(copy) = chosen else {
                return Err(TestCaseError::fail("nobody is no source"));
            };
            match &copy.session {
                Some(session) => {
                    prop_assert_eq!(session.role, Role::Principal);
                    prop_assert_ne!(session.state, SessionState::PendingFailover);
                    prop_assert_ne!(role(other), Some(Role::Principal));
                }
                None => {
                    prop_assert_eq!(copy.state, State::Online);
                    prop_assert_eq!(role(other), None);
                }
            }
        }
    }
}

#[test]
fn addresses() {
    let rows = [
        (
            "TCP://hostb.example.com:5022",
            Some(("hostb.example.com", 5022, false)),
        ),
        ("tcp://HOSTB:7022", Some(("HOSTB", 7022, false))),
        ("TCP://10.0.0.7:5022", Some(("10.0.0.7", 5022, true))),
        ("TCP://[fe80::1]:5022", Some(("fe80::1", 5022, true))),
        ("TCP://fe80::1:5022", None),
        ("TCP://hostb", None),
        ("TCP://:5022", None),
        ("TCP://hostb:99999", None),
        ("HTTP://hostb:5022", None),
        ("hostb:5022", None),
        ("TCP://[hostb]:5022", None),
        ("", None),
    ];
    for (text, wanted) in rows {
        let read = text.parse::<Address>().ok().map(|address| {
            let host = match &address.host {
                Host::Name(name) => name.clone(),
                Host::V4(v4) => v4.to_string(),
                Host::V6(v6) => v6.to_string(),
            };
            (host, address.port, address.is_explicit_ip())
        });
        let wanted = wanted.map(|(host, port, ip)| (host.to_owned(), port, ip));
        assert_eq!(read, wanted, "{text}");
    }
}

#[test]
fn what_speaks_against_a_pair() {
    let place = |machine: &str, physical: &str, partner: &str| Place {
        machine: Some(machine.to_owned()),
        physical: Some(physical.to_owned()),
        partner: Some(partner.to_owned()),
    };
    let same = |computer: &str| Objection::SameComputer {
        computer: computer.to_owned(),
    };
    let a = place("HOSTA", "HOSTA", "TCP://hostb:5022");
    assert_eq!(
        objections(&a, &place("HOSTB", "HOSTB", "TCP://hosta:5022")),
        []
    );
    assert_eq!(
        objections(&a, &place("hosta", "hosta", "TCP://hosta:5023")),
        [same("HOSTA")]
    );
    // Two clusters that share a node for now.
    let clusters = (
        place("SQLCLUSTER1", "NODE1", "TCP://c2:5022"),
        place("SQLCLUSTER2", "NODE1", "TCP://c1:5022"),
    );
    assert_eq!(objections(&clusters.0, &clusters.1), []);
    let by_number = place("HOSTB", "HOSTB", "TCP://10.0.0.5:5022");
    assert_eq!(
        objections(&a, &by_number),
        [Objection::ExplicitIp {
            address: "TCP://10.0.0.5:5022".to_owned()
        }]
    );
    assert_eq!(objections(&Place::default(), &Place::default()), []);
}
