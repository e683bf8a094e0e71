//! May this run write to these volumes? One row per reason (P5, P6).
#![allow(clippy::unwrap_used)]

use twinset_domain::append::{Behind, Expected, Found, Seen, State, Tail, plan};
use twinset_domain::standing::{Change, Closed, Statement};
use twinset_domain::{AgentId, FamilyNo, Fault, MediaSetId, MirrorNo, Position, Shape, Slot};

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
        min_mirrors: 2,
        agent: agent(7),
        highest_known: 2,
        sequence_known: 2,
        settled: std::collections::BTreeSet::new(),
        behind: Behind::NOTHING,
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
        properties: vec![
            ("device class", "DISK".to_owned()),
            ("alignment", "1".to_owned()),
        ],
        highest: 2,
        tail: tail(2, "aa"),
        unresolved: Vec::new(),
        unconfirmed: Vec::new(),
        statements: Vec::new(),
        closed: None,
        signer: None,
    }
}

/// A catalog that was set back with its machine: what was decided by it is decided again.
#[test]
fn sets_that_the_catalog_never_heard_of_are_news() {
    let volumes = [1, 2].map(|mirror| Seen {
        slot: slot(mirror),
        device: format!("disk {mirror}"),
        state: State::Found(Box::new(Found {
            highest: 5,
            ..found(mirror)
        })),
    });
    for (known, media_set, news) in [
        (2, Some(id(1)), true),
        (5, Some(id(1)), false),
        (0, None, false),
    ] {
        let expected = Expected {
            highest_known: known,
            media_set,
            ..expected()
        };
        let plan = plan(&expected, &volumes).unwrap();
        assert_eq!((plan.position.get(), plan.is_news(&expected)), (6, news));
    }
}

fn closed() -> Closed {
    Closed {
        sequence: 2,
        by: None,
        previous: None,
    }
}

fn seen(mirror: u8, state: State) -> Seen {
    Seen {
        slot: slot(mirror),
        device: format!("/backup/{mirror}"),
        state,
    }
}

fn said(sequence: u64, change: Change) -> Statement {
    Statement {
        sequence,
        change,
        mirrors: vec![MirrorNo(2)],
        position: Position::new(2).unwrap(),
    }
}

fn out_of_step(sequence: u64) -> Statement {
    said(sequence, Change::OutOfStep)
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
            "3011",
            with_second(|f| f.properties[0].1 = "TAPE".to_owned()),
        ),
        (
            "3212",
            with_second(|f| f.properties[1].1 = "4096".to_owned()),
        ),
        ("TW3008", with_second(|f| f.unresolved = vec![2])),
        ("TW3008", with_second(|f| f.unconfirmed = vec![2])),
        ("3240", with_second(|f| f.tail = tail(1, "aa"))),
        ("3210", with_second(|f| f.tail = tail(2, "bb"))),
        ("3240", with_second(|f| f.statements = vec![out_of_step(2)])),
        ("TW3009", with_second(|f| f.closed = Some(closed()))),
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

/// The same with one mirror being enough.
fn degraded(state: State) -> Result<(Vec<u8>, Vec<&'static str>), &'static str> {
    let expected = Expected {
        min_mirrors: 1,
        ..expected()
    };
    let volumes = [seen(1, State::Found(Box::new(found(1)))), seen(2, state)];
    match plan(&expected, &volumes) {
        Ok(plan) => Ok((
            plan.mirrors.iter().map(|mirror| mirror.0).collect(),
            plan.fallen.iter().map(|f| f.why.code.text()).collect(),
        )),
        Err(faults) => Err(faults[0].code.text()),
    }
}

fn second(change: impl FnOnce(&mut Found)) -> State {
    let mut second = found(2);
    change(&mut second);
    State::Found(Box::new(second))
}

#[test]
fn with_one_mirror_enough_a_lost_one_falls_out_of_step() {
    let rows = [
        ("3240", State::Missing("no such folder".to_owned())),
        ("3240", State::Blank),
        ("3241", State::Damaged("its hash".to_owned())),
        ("3258", State::Other("holds 99".to_owned())),
        ("3258", second(|f| f.media_set = id(2))),
        ("3240", second(|f| f.tail = tail(1, "aa"))),
    ];
    for (number, state) in rows {
        let row = format!("{state:?}");
        assert_eq!(degraded(state), Ok((vec![1], vec![number])), "{row}");
    }
}

#[test]
fn one_mirror_being_enough_excuses_no_mistake_and_no_second_history() {
    let rows = [
        ("3231", second(|f| f.shape.families = 2)),
        ("3010", second(|f| f.shape.mirrors = 3)),
        ("3133", second(|f| f.slot = slot(1))),
        ("TW3006", second(|f| f.agent = agent(8))),
        ("3011", second(|f| f.properties[0].1 = "TAPE".to_owned())),
        ("TW3008", second(|f| f.unresolved = vec![2])),
        ("3210", second(|f| f.tail = tail(2, "bb"))),
        ("TW3009", second(|f| f.closed = Some(closed()))),
    ];
    for (number, state) in rows {
        let row = format!("{state:?}");
        assert_eq!(degraded(state), Err(number), "{row}");
    }
}

/// Plans where mirror 1 says that mirror 2 is out of step, by record 3.
fn after_a_loss(min_mirrors: u8, state: State) -> Result<Vec<u8>, &'static str> {
    let expected = Expected {
        min_mirrors,
        sequence_known: 3,
        ..expected()
    };
    let mut first = found(1);
    first.tail = tail(3, "cc");
    first.statements = vec![out_of_step(3)];
    let volumes = [seen(1, State::Found(Box::new(first))), seen(2, state)];
    plan(&expected, &volumes)
        .map(|plan| {
            assert!(plan.fallen.is_empty(), "said once is enough");
            plan.mirrors.iter().map(|mirror| mirror.0).collect()
        })
        .map_err(|faults| faults[0].code.text())
}

#[test]
fn an_out_of_step_record_outranks_whatever_the_mirror_looks_like() {
    assert_eq!(after_a_loss(1, second(|_| {})), Ok(vec![1]));
    assert_eq!(after_a_loss(1, State::Blank), Ok(vec![1]));
    assert_eq!(after_a_loss(1, State::Damaged(String::new())), Ok(vec![1]));
    assert_eq!(after_a_loss(2, second(|_| {})), Err("3240"));
}

#[test]
fn a_mirror_that_was_written_after_it_fell_out_of_step_is_a_second_history() {
    assert_eq!(
        after_a_loss(1, second(|f| f.tail = tail(3, "dd"))),
        Err("3210")
    );
    let repaired_so_far = second(|f| {
        f.tail = tail(3, "cc");
        f.statements = vec![out_of_step(3)];
    });
    assert_eq!(after_a_loss(1, repaired_so_far), Ok(vec![1]));
}

#[test]
fn a_mirror_in_step_again_takes_part_again() {
    let expected = Expected {
        sequence_known: 4,
        ..expected()
    };
    let volumes = [1, 2].map(|mirror| {
        let mut found = found(mirror);
        found.tail = tail(4, "dd");
        found.statements = vec![out_of_step(3), said(4, Change::InStep)];
        seen(mirror, State::Found(Box::new(found)))
    });
    assert_eq!(plan(&expected, &volumes).unwrap().mirrors.len(), 2);
}

#[test]
fn a_dropped_mirror_is_not_asked_for_and_not_missed() {
    let dropped = said(3, Change::Dropped);
    let expected = Expected {
        sequence_known: 3,
        ..expected()
    };
    let mut first = found(1);
    first.tail = tail(3, "cc");
    first.statements = vec![dropped];
    let gone = seen(2, State::Missing("gone".to_owned()));
    let volumes = [seen(1, State::Found(Box::new(first))), gone];
    let plan = plan(&expected, &volumes).unwrap();
    assert!(!plan.is_degraded());
    assert_eq!(plan.mirrors, [MirrorNo(1)]);
}

#[test]
fn with_a_lost_catalog_a_missing_mirror_stops_every_run() {
    let expected = Expected {
        min_mirrors: 1,
        media_set: None,
        highest_known: 0,
        sequence_known: 0,
        ..expected()
    };
    let gone = || seen(2, State::Missing("gone".to_owned()));
    let volumes = [seen(1, State::Found(Box::new(found(1)))), gone()];
    assert_eq!(
        plan(&expected, &volumes).unwrap_err()[0].code.text(),
        "3240"
    );
    // What is recorded as out of step holds nothing that the others lack.
    let mut first = found(1);
    first.tail = tail(3, "cc");
    first.statements = vec![out_of_step(3)];
    let volumes = [seen(1, State::Found(Box::new(first))), gone()];
    assert_eq!(plan(&expected, &volumes).unwrap().mirrors, [MirrorNo(1)]);
}
