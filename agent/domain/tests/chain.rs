//! What does the chain guard take? A table of situations, and properties over random histories.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use twinset_domain::chain::{
    Action, Bridge, Foreign, Held, Question, Reason, Source, Wanted, endangered, judge,
};
use twinset_domain::{BackupKind, Lsn, Moment, Position};
use uuid::Uuid;

use BackupKind::{Differential, Full, Log};

const FAMILY: Uuid = Uuid::from_u128(0xFA);
const FORK: Uuid = Uuid::from_u128(0xF0);

fn guid(n: u64) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(n))
}

/// A set at a position, begun at that time, over these records.
fn held(n: u64, kind: BackupKind, first: u128, last: u128) -> Held {
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

fn on(base: u64, mut held: Held) -> Held {
    held.base = Some(guid(base));
    held
}

/// A database whose next log starts there and whose base is this set.
fn question(kind: BackupKind, next: u128, base: u64, held: Vec<Held>) -> Question {
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
fn usual() -> Vec<Held> {
    vec![
        held(1, Full, 100, 140),
        held(2, Log, 80, 200),
        held(3, Log, 200, 300),
    ]
}

/// What is taken in a word: `log`, `full`, `full!` for a new branch, `skip`, `refuse`.
fn word(question: &Question) -> String {
    match judge(question).action {
        Action::Take { kind, new_branch } => {
            format!("{kind}{}", if new_branch { "!" } else { "" })
        }
        Action::Skip => "skip".into(),
        Action::Refuse => "refuse".into(),
    }
}

#[track_caller]
fn is(question: &Question, wanted: &str) {
    let decision = judge(question);
    assert_eq!(word(question), wanted, "{decision:?}: {}", decision.why());
    assert!(!decision.why().is_empty());
}

#[test]
fn a_chain_that_goes_on() {
    is(&question(Log, 300, 1, usual()), "log");
    is(&question(Differential, 300, 1, usual()), "differential");
    is(&question(Full, 300, 1, usual()), "full");
}

#[test]
fn a_database_without_anything() {
    let mut nothing = question(Log, 100, 1, Vec::new());
    is(&nothing, "full");
    nothing.source.next_log = None;
    is(&nothing, "full");
    nothing.wanted.copy_only = true;
    is(&nothing, "refuse");
    nothing.wanted.copy_only = false;
    nothing.wanted.kind = Differential;
    nothing.source.bases = vec![None];
    // Nothing was broken, so nothing is refused either.
    nothing.bridge = Bridge::Refuse;
    is(&nothing, "full");
}

#[test]
fn pseudo_simple_begins_anew() {
    let mut question = question(Log, 300, 1, usual());
    question.source.next_log = None;
    is(&question, "full");
}

#[test]
fn a_foreign_log_is_bridged_as_the_group_says() {
    let mut question = question(Log, 400, 1, usual());
    is(&question, "differential");
    question.bridge = Bridge::Full;
    is(&question, "full");
    question.bridge = Bridge::Refuse;
    is(&question, "refuse");
    // Where the base is not held, a differential would be worth nothing.
    question.bridge = Bridge::Differential;
    question.source.bases = vec![Some(guid(99))];
    is(&question, "full");
}

#[test]
fn behind_the_bridge_logs_go_on() {
    let mut sets = usual();
    sets.push(on(1, held(4, Differential, 410, 440)));
    is(&question(Log, 400, 1, sets.clone()), "log");
    // The differential is worth as much as the full under it.
    sets[0].sound = false;
    is(&question(Log, 400, 1, sets), "full");
}

#[test]
fn simple_and_master() {
    let mut question = question(Log, 300, 1, usual());
    question.source.is_simple = true;
    question.source.next_log = None;
    is(&question, "skip");
    question.wanted.tail = true;
    is(&question, "refuse");
    question.wanted.tail = false;
    question.wanted.kind = Differential;
    is(&question, "differential");
    question.source.is_master = true;
    is(&question, "full");
    question.wanted.kind = Log;
    is(&question, "skip");
}

#[test]
fn a_machine_that_was_rolled_back() {
    is(&question(Log, 200, 1, usual()), "refuse");
    is(&question(Differential, 200, 1, usual()), "refuse");
    is(&question(Full, 200, 1, usual()), "full!");
    assert!(matches!(
        judge(&question(Log, 200, 1, usual())).reason,
        Reason::RolledBack {
            ends: Lsn(300),
            next: Lsn(200)
        }
    ));
    // Behind the mark the chain goes on, and what was before counts no more.
    let mut sets = usual();
    let mut branch = held(4, Full, 205, 230);
    branch.new_branch = true;
    sets.push(branch);
    is(&question(Log, 200, 4, sets.clone()), "log");
    is(
        &question(Differential, 200, 4, sets.clone()),
        "differential",
    );
    is(&question(Full, 200, 4, sets.clone()), "full");
    // A differential on a full before the mark is no base any more.
    is(&question(Differential, 200, 1, sets), "full");
}

#[test]
fn another_fork_begins_with_a_full() {
    let mut question = question(Log, 300, 1, usual());
    question.source.fork = Some(guid(77));
    is(&question, "full");
    question.wanted.kind = Differential;
    is(&question, "full");
    question.bridge = Bridge::Refuse;
    is(&question, "refuse");
    // Another database of the same name has nothing here.
    question.bridge = Bridge::Differential;
    question.source.family = Some(guid(78));
    question.wanted.kind = Log;
    is(&question, "full");
}

#[test]
fn a_differential_needs_its_base_here() {
    is(&question(Differential, 300, 9, usual()), "full");
    let mut many = question(Differential, 300, 1, usual());
    many.source.bases = vec![Some(guid(1)), Some(guid(2))];
    is(&many, "full");
    let mut copy = usual();
    copy[0].copy_only = true;
    is(&question(Differential, 300, 1, copy), "full");
    let mut lost = usual();
    lost[0].sound = false;
    is(&question(Differential, 300, 1, lost), "full");
}

#[test]
fn a_set_without_a_verdict_counts_when_the_source_stands_on_it() {
    let mut sets = usual();
    sets[2].confirmed = false;
    is(&question(Log, 300, 1, sets.clone()), "log");
    // It never counted: the chain goes on from the log before it, and nothing was rolled back.
    is(&question(Log, 200, 1, sets), "log");
}

#[test]
fn copies_and_tails_are_taken_as_they_are() {
    let mut question = question(Log, 400, 1, usual());
    question.wanted.copy_only = true;
    is(&question, "log");
    question.wanted.copy_only = false;
    question.wanted.tail = true;
    is(&question, "log");
}

#[test]
fn foreign_logs_that_reach_behind_ours_endanger_what_they_hold() {
    let foreign = |n: u64, kind, first, last, copy_only| Foreign {
        set: guid(n),
        kind,
        copy_only,
        first: Some(Lsn(first)),
        last: Some(Lsn(last)),
        finished: None,
        device: Some("D:\\b\\x.trn".into()),
        name: Some("Nightly".into()),
        user: Some("sa".into()),
    };
    let question = question(Log, 400, 50, usual());
    let all = vec![
        foreign(50, Full, 310, 320, false),
        foreign(51, Full, 310, 320, true),
        foreign(52, Log, 300, 400, false),
        foreign(53, Log, 300, 390, true),
        foreign(54, Log, 80, 200, false),
        foreign(55, Differential, 350, 360, false),
    ];
    let found = endangered(all, &question);
    let named: Vec<_> = found.iter().map(|one| (one.by.set, one.behind)).collect();
    assert_eq!(named, [(guid(50), None), (guid(52), Some(Moment(180)))]);
    assert_eq!(
        found[1].by.described(),
        "log backup in D:\\b\\x.trn, set \"Nightly\", login sa"
    );
}

/// What happens at a source, one after the other.
#[derive(Clone, Copy, Debug)]
enum Event {
    Asked(BackupKind),
    ForeignLog,
    ForeignFull,
    Write,
    /// The newest full is lost on the media.
    Loses,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Asked(Log)),
        2 => Just(Event::Asked(Differential)),
        1 => Just(Event::Asked(Full)),
        2 => Just(Event::ForeignLog),
        1 => Just(Event::ForeignFull),
        3 => Just(Event::Write),
        1 => Just(Event::Loses),
    ]
}

/// A source as SQL Server keeps it.
#[derive(Default)]
struct Model {
    end: u128,
    next: Option<u128>,
    base: Option<Uuid>,
    held: Vec<Held>,
    taken: u64,
}

impl Model {
    fn question(&self, kind: BackupKind, bridge: Bridge) -> Question {
        let mut asked = question(kind, 0, 0, self.held.clone());
        asked.bridge = bridge;
        asked.source.next_log = self.next.map(Lsn);
        asked.source.bases = vec![self.base];
        asked
    }

    /// SQL Server's part: what a backup covers and moves. Fails where SQL Server would.
    fn take(&mut self, kind: BackupKind, ours: bool) -> bool {
        self.taken += 1;
        self.end += 10;
        let end = self.end;
        let (first, base) = match kind {
            Full => (end - 5, None),
            Differential => match self.base {
                Some(base) => (end - 5, Some(base)),
                None => return false,
            },
            Log => match self.next {
                Some(next) => (next, None),
                None => return false,
            },
        };
        let mut set = held(self.taken, kind, first, end);
        set.base = base;
        match kind {
            Full => {
                self.base = set.set;
                self.next = self.next.or(Some(first));
            }
            Log => self.next = Some(end),
            Differential => {}
        }
        if ours {
            self.held.push(set);
        }
        true
    }

    /// How far what is held can be restored: every set that fits is applied.
    fn restorable(&self) -> Option<u128> {
        let sound = |set: &&Held| set.sound;
        let last = |set: &Held| set.last.unwrap().0;
        let starts = self.held.iter().filter(sound).filter(|set| match set.kind {
            Full => true,
            Differential => self
                .held
                .iter()
                .any(|full| full.sound && full.kind == Full && full.set == set.base),
            Log => false,
        });
        let ends = starts.map(|start| {
            let logs = self.held.iter().filter(|set| set.kind == Log);
            logs.fold(last(start), |at, log| {
                if log.first.unwrap().0 <= at {
                    at.max(last(log))
                } else {
                    at
                }
            })
        });
        ends.max()
    }
}

proptest! {
    #[test]
    fn whatever_others_do_each_backup_is_restorable_and_reaches_up_to_now(
        events in prop::collection::vec(event(), 1..60), full: bool,
    ) {
        let bridge = if full { Bridge::Full } else { Bridge::Differential };
        let mut model = Model::default();
        for event in events {
            match event {
                Event::Write => model.end += 100,
                Event::ForeignLog => {
                    model.take(Log, false);
                }
                Event::ForeignFull => {
                    model.take(Full, false);
                }
                Event::Loses => {
                    if let Some(set) = model.held.iter_mut().rfind(|set| set.kind == Full) {
                        set.sound = false;
                    }
                }
                Event::Asked(kind) => {
                    let decision = judge(&model.question(kind, bridge));
                    let took = decision.takes();
                    prop_assert!(took.is_some(), "{:?}", decision);
                    prop_assert!(model.take(took.unwrap(), true), "SQL Server refuses {:?}", decision);
                    prop_assert_eq!(model.restorable(), Some(model.end), "{:?}", decision);
                }
            }
        }
    }

    #[test]
    fn refusing_never_writes_what_cannot_be_restored(
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut model = Model::default();
        for event in events {
            match event {
                Event::Write => model.end += 100,
                Event::ForeignLog => {
                    model.take(Log, false);
                }
                Event::ForeignFull => {
                    model.take(Full, false);
                }
                Event::Loses => {}
                Event::Asked(kind) => {
                    let decision = judge(&model.question(kind, Bridge::Refuse));
                    if let Some(kind) = decision.takes() {
                        prop_assert!(model.take(kind, true));
                        prop_assert_eq!(model.restorable(), Some(model.end), "{:?}", decision);
                    }
                }
            }
        }
    }
}
