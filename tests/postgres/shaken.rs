//! Batches that come twice, out of order and in parts end as all in order once: in the tables of a
//! real server, with every kind of event.

use std::time::Duration;

use twinset::config::{SecretRef, Shared};
use twinset::fleet::Teller;
use twinset::fleet::link::Link;
use twinset_domain::alert::Severity;
use twinset_domain::fleet::{
    AlertTold, Batch, CheckTold, Event, Inside, MemberTold, RunTold, SetTold, Tag, Told,
};
use twinset_domain::integrity::Depth;
use twinset_domain::recover::SetState;
use twinset_domain::{AgentId, BackupKind, MediaSetId, Moment, RunId};
use uuid::Uuid;

use crate::server::{ROLE, Server, password};
use crate::support::Dice;

const AT: Moment = Moment(1_795_305_600);

fn link(server: &Server, folder: &std::path::Path) -> Link {
    password(folder);
    let mut link = Link::open(
        &Shared {
            host: "127.0.0.1".into(),
            port: server.port,
            database: "twinset".into(),
            user: ROLE.into(),
            password: SecretRef::File(folder.join("pg-password")),
            encrypted: false,
            ca_file: None,
            server_name: None,
            timeout: Duration::from_secs(60),
            alert_after: Duration::ZERO,
        },
        "shaken",
    )
    .unwrap();
    link.prepare().unwrap();
    link
}

fn set(dice: &mut Dice) -> Event {
    let position = 1 + dice.below(5);
    let states = [SetState::Published, SetState::Dropped, SetState::Void];
    let state = states[usize::try_from(dice.below(3)).unwrap()];
    let guid = Uuid::from_u128(u128::from(100 + dice.below(6)));
    let inside = Inside {
        set: Some(guid),
        family: Some(Uuid::from_u128(7)),
        fork: None,
        database: Some("Payroll".into()),
        server: Some("SQL-A".into()),
        kind: Some(BackupKind::Full),
        first_lsn: Some("34000000012300001".into()),
        last_lsn: None,
    };
    Event::Set(Box::new(SetTold {
        media_set: MediaSetId(Uuid::from_u128(1)),
        key: "payroll".into(),
        position,
        state,
        run: None,
        database: Some("Payroll".into()),
        kind: Some(BackupKind::Full),
        written: Some(AT),
        published: None,
        bytes: dice.below(9),
        mirrors: 2,
        copy_only: false,
        over_damage: false,
        inside: if state == SetState::Void {
            Vec::new()
        } else {
            vec![inside]
        },
    }))
}

fn event(dice: &mut Dice) -> Event {
    let (key, word) = (dice.below(4), dice.below(9).to_string());
    match dice.below(8) {
        0..=2 => set(dice),
        3 => Event::SetGone {
            media_set: MediaSetId(Uuid::from_u128(1)),
            position: 1 + dice.below(5),
        },
        4 => Event::Run(RunTold {
            run: RunId(Uuid::from_u128(key.into())),
            key: "payroll".into(),
            database: "Payroll".into(),
            what: "vdi full".into(),
            state: word,
            started: AT,
            ended: None,
            bytes: 1,
            note: None,
        }),
        5 => Event::Alert(AlertTold {
            id: i64::try_from(key).unwrap(),
            code: "TW6021".into(),
            object: "payroll".into(),
            severity: Severity::Warning,
            message: word,
            remedy: "look".into(),
            group: None,
            database: None,
            first: AT,
            resolved: Some(AT),
            by_hand: true,
        }),
        6 => Event::Check(CheckTold {
            id: i64::try_from(key).unwrap(),
            database: "Payroll".into(),
            instance: "sql-a".into(),
            depth: Depth::Full,
            outcome: word,
            found: None,
            began: AT,
            ended: AT,
        }),
        _ if dice.below(3) == 0 => Event::MemberGone {
            group: "payroll".into(),
            database: key.to_string(),
        },
        _ => Event::Member(MemberTold {
            group: "payroll".into(),
            database: key.to_string(),
            family: None,
            state: word,
            text: "as it is".into(),
            exposed: false,
            served_by: None,
        }),
    }
}

/// An epoch of random events.
fn epoch(dice: &mut Dice) -> Vec<Told> {
    let middle = (0..40).map(|_| event(dice));
    let mut events: Vec<Event> = std::iter::once(Event::Begin).chain(middle).collect();
    events.insert(20, Event::Whole);
    let told = |(number, event)| Told {
        number,
        tag: Tag::random(),
        at: AT,
        event,
    };
    (1..).zip(events).map(told).collect()
}

fn part(epoch: u64, all: &[Told], from: usize, count: usize) -> Batch {
    Batch {
        epoch,
        before: from.checked_sub(1).map_or(Tag::NONE, |at| all[at].tag),
        events: all[from..].iter().take(count).cloned().collect(),
    }
}

#[test]
fn any_order_of_parts_ends_as_all_in_order_once() {
    let (calm, shaken) = (Server::start(), Server::start());
    let folder = tempfile::tempdir().unwrap();
    let mut links = [link(&calm, folder.path()), link(&shaken, folder.path())];
    let agents = [1, 2].map(|number| AgentId(Uuid::from_u128(number)));
    let mut dice = Dice::new(20_261_122);
    for round in 1..=4 {
        let epochs = agents.map(|_| epoch(&mut dice));
        for (agent, all) in agents.iter().zip(&epochs) {
            let teller = Teller {
                agent: *agent,
                name: "shaken",
            };
            for at in 0..all.len() {
                links[0].apply(teller, &part(round, all, at, 1)).unwrap();
            }
        }
        // Both agents in turns, in parts that overlap, come again, or come too early.
        for _ in 0..60 {
            let which = usize::try_from(dice.below(2)).unwrap();
            let all = &epochs[which];
            let from = usize::try_from(dice.below(all.len() as u64)).unwrap();
            let count = usize::try_from(1 + dice.below(12)).unwrap();
            let teller = Teller {
                agent: agents[which],
                name: "shaken",
            };
            // What does not follow is refused, and nothing of it is taken.
            let _ = links[1].apply(teller, &part(round, all, from, count));
        }
        for (agent, all) in agents.iter().zip(&epochs) {
            let teller = Teller {
                agent: *agent,
                name: "shaken",
            };
            for at in (0..all.len()).step_by(3) {
                links[1].apply(teller, &part(round, all, at, 5)).unwrap();
            }
        }
        assert_eq!(shaken.tables(), calm.tables(), "round {round}");
        let marks = |server: &Server| {
            server.ask("SELECT agent, epoch, last, tag FROM twinset.agent ORDER BY 1")
        };
        assert_eq!(marks(&shaken), marks(&calm));
    }
    assert_ne!(calm.ask("SELECT count(*) FROM twinset.holding"), "0");
}
