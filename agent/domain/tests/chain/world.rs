//! Sets, sources and questions, shortly said.

use BackupKind::{Full, Log};
use twinset_domain::chain::{Action, Bridge, Held, Question, Source, Wanted, judge};
use twinset_domain::{BackupKind, Lsn, Moment, Position};
use uuid::Uuid;

pub(crate) const FAMILY: Uuid = Uuid::from_u128(0xFA);
pub(crate) const FORK: Uuid = Uuid::from_u128(0xF0);

pub(crate) fn guid(n: u64) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(n))
}

/// A set at a position, begun at that time, over these records.
pub(crate) fn held(n: u64, kind: BackupKind, first: u128, last: u128) -> Held {
    Held {
        media_set: "payroll".into(),
        position: Position::new(n).unwrap(),
        kind,
        set: Some(guid(n)),
        copy_only: false,
        first: Some(Lsn(first)),
        last: Some(Lsn(last)),
        base: None,
        family: Some(FAMILY),
        fork: Some(FORK),
        written: Moment(i64::try_from(n).unwrap() * 60),
        new_branch: false,
        confirmed: true,
        sound: true,
    }
}

pub(crate) fn on(base: u64, mut held: Held) -> Held {
    held.base = Some(guid(base));
    held
}

/// A database whose next log starts there and whose base is this set.
pub(crate) fn question(kind: BackupKind, next: u128, base: u64, held: Vec<Held>) -> Question {
    Question {
        wanted: Wanted {
            kind,
            copy_only: false,
            tail: false,
        },
        bridge: Bridge::Differential,
        source: Source {
            is_master: false,
            is_simple: false,
            is_damaged: false,
            family: Some(FAMILY),
            fork: Some(FORK),
            next_log: Some(Lsn(next)),
            bases: vec![Some(guid(base)); 2],
        },
        held,
    }
}

/// A full at 100..140, logs 80..200 and 200..300.
pub(crate) fn usual() -> Vec<Held> {
    vec![
        held(1, Full, 100, 140),
        held(2, Log, 80, 200),
        held(3, Log, 200, 300),
    ]
}

/// What is taken in a word: `log`, `full`, `full!` for a new branch, `skip`, `refuse`.
pub(crate) fn word(question: &Question) -> String {
    match judge(question).action {
        Action::Take { kind, new_branch } => {
            format!("{kind}{}", if new_branch { "!" } else { "" })
        }
        Action::Skip => "skip".into(),
        Action::Refuse => "refuse".into(),
    }
}

#[track_caller]
pub(crate) fn is(question: &Question, wanted: &str) {
    let decision = judge(question);
    assert_eq!(word(question), wanted, "{decision:?}: {}", decision.why());
    assert!(!decision.why().is_empty());
}
