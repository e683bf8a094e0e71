//! What holds over random histories of a source.

use BackupKind::{Differential, Full, Log};
use proptest::prelude::*;
use twinset_domain::chain::{Bridge, Held, Question, judge};
use twinset_domain::{BackupKind, Lsn};
use uuid::Uuid;

use super::world::{held, question};

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
