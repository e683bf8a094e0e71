//! May this run write to these volumes? One row per reason (P5, P6).
#![allow(clippy::unwrap_used)]

use twinset_domain::append::{Expected, Found, Seen, State, Tail, plan};
use twinset_domain::{AgentId, FamilyNo, Fault, MediaSetId, MirrorNo, Shape, Slot};

const SHAPE: Shape = Shape {
    families: 1,
    mirrors: 2,
};

fn id(n: u128) -> MediaSetId {
    MediaSetId(uuid::Uuid::from_u128(n))
}

fn agent(n: u128) -> AgentId {
    AgentId(uuid::Uuid::from_u128(n))
}

fn expected() -> Expected {
    Expected {
        label: "payroll".to_owned(),
        media_set: Some(id(1)),
        shape: SHAPE,
        agent: agent(7),
        highest_known: 2,
        sequence_known: 2,
        settled: std::collections::BTreeSet::new(),
    }
}

fn slot(mirror: u8) -> Slot {
    Slot {
        mirror: MirrorNo(mirror),
        family: FamilyNo(1),
    }
}

fn tail(sequence: u64, hash: &str) -> Option<Tail> {
    Some(Tail {
        sequence,
        hash: hash.to_owned(),
    })
}

fn found(mirror: u8) -> Found {
    Found {
        media_set: id(1),
        shape: SHAPE,
        slot: slot(mirror),
        agent: agent(7),
        properties: vec![("device class", "DISK".to_owned())],
        highest: 2,
        tail: tail(2, "aa"),
        unresolved: Vec::new(),
        unconfirmed: Vec::new(),
    }
}

fn seen(mirror: u8, state: State) -> Seen {
    Seen {
        slot: slot(mirror),
        device: format!("/backup/{mirror}"),
        state,
    }
}

/// Plans with mirror 1 as it should be and mirror 2 as the row says.
fn with_second(change: impl FnOnce(&mut Found)) -> Result<u64, Vec<Fault>> {
    let mut second = found(2);
    change(&mut second);
    with_state(State::Found(Box::new(second)))
}

fn with_state(state: State) -> Result<u64, Vec<Fault>> {
    let volumes = [seen(1, State::Found(Box::new(found(1)))), seen(2, state)];
    plan(&expected(), &volumes).map(|plan| plan.position.get())
}

#[test]
fn equal_mirrors_take_the_next_position() {
    assert_eq!(with_second(|_| {}).unwrap(), 3);
}

#[test]
fn a_position_that_the_catalog_gave_is_never_given_again() {
    let expected = Expected {
        highest_known: 9,
        ..expected()
    };
    let volumes = [1, 2].map(|m| seen(m, State::Found(Box::new(found(m)))));
    assert_eq!(plan(&expected, &volumes).unwrap().position.get(), 10);
}

#[test]
fn each_reason_has_its_number() {
    let rows: Vec<(&str, Result<u64, Vec<Fault>>)> = vec![
        (
            "3240",
            with_state(State::Missing("no such folder".to_owned())),
        ),
        ("3240", with_state(State::Blank)),
        (
            "3241",
            with_state(State::Damaged("its hash does not match".to_owned())),
        ),
        ("3258", with_state(State::Other("holds 99".to_owned()))),
        ("3258", with_second(|f| f.media_set = id(2))),
        ("3231", with_second(|f| f.shape.families = 2)),
        ("3010", with_second(|f| f.shape.mirrors = 3)),
        ("3133", with_second(|f| f.slot = slot(1))),
        ("TW3006", with_second(|f| f.agent = agent(8))),
        (
            "3212",
            with_second(|f| f.properties[0].1 = "TAPE".to_owned()),
        ),
        ("TW3008", with_second(|f| f.unresolved = vec![2])),
        ("TW3008", with_second(|f| f.unconfirmed = vec![2])),
        ("3240", with_second(|f| f.tail = tail(1, "aa"))),
        ("3210", with_second(|f| f.tail = tail(2, "bb"))),
    ];
    for (number, outcome) in rows {
        let found = outcome.as_ref().map_err(|faults| faults[0].code.text());
        assert_eq!(found, Err(number));
    }
}

#[test]
fn an_unconfirmed_set_on_every_mirror_stops_nobody() {
    let mut volumes = [1, 2].map(found);
    volumes
        .iter_mut()
        .for_each(|found| found.unconfirmed = vec![2]);
    let [one, two] = volumes.map(|found| State::Found(Box::new(found)));
    assert_eq!(
        plan(&expected(), &[seen(1, one), seen(2, two)])
            .unwrap()
            .position
            .get(),
        3
    );
}

#[test]
fn media_that_were_never_formatted_are_3215() {
    let faults = plan(&expected(), &[seen(1, State::Blank), seen(2, State::Blank)]).unwrap_err();
    assert_eq!(faults[0].code.text(), "3215");
}

#[test]
fn volumes_that_were_all_set_back_are_refused() {
    let expected = Expected {
        sequence_known: 5,
        ..expected()
    };
    let volumes = [1, 2].map(|m| seen(m, State::Found(Box::new(found(m)))));
    assert_eq!(
        plan(&expected, &volumes).unwrap_err()[0].code.text(),
        "3210"
    );
}

#[test]
fn damage_to_a_settled_set_is_no_reason_to_take_no_new_ones() {
    let expected = Expected {
        settled: [2].into(),
        ..expected()
    };
    let mut second = found(2);
    second.unresolved = vec![2];
    let volumes = [
        seen(1, State::Found(Box::new(found(1)))),
        seen(2, State::Found(Box::new(second))),
    ];
    assert_eq!(plan(&expected, &volumes).unwrap().position.get(), 3);
}
