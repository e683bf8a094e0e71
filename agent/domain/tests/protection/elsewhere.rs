//! P6 against the truth: whoever published last, nothing goes on here before a check has passed
//! behind what the partner's agent took, whether this agent looked, was away, or was cut off.

use proptest::prelude::*;
use twinset_domain::partner::Backed;
use twinset_domain::protection::{Action, End, Event, Phase, Rules, Verdict};
use twinset_domain::{BackupKind, Lsn};

use super::world::{BACKED, World, backed};

/// What happens to the pair. Ours is `sql-a`.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// The partners exchange roles.
    Switch,
    /// The partner's agent takes a backup, if its server is principal.
    Theirs(BackupKind),
    /// Our agent looks at the partners.
    Look,
    /// Our agent dies and starts again, and has not looked yet.
    Restart,
    /// A log is due here.
    Due,
    /// What runs here ends.
    End(End),
    /// A check that runs here passes.
    Pass,
    /// Half an hour passes.
    Wait,
}

fn moves() -> impl Strategy<Value = Move> {
    let ends = prop_oneof![3 => Just(End::Published), 1 => Just(End::Interrupted)];
    prop_oneof![
        4 => Just(Move::Switch),
        2 => Just(Move::Theirs(BackupKind::Log)),
        1 => Just(Move::Theirs(BackupKind::Full)),
        6 => Just(Move::Look),
        2 => Just(Move::Restart),
        4 => Just(Move::Due),
        3 => ends.prop_map(Move::End),
        3 => Just(Move::Pass),
        1 => Just(Move::Wait),
    ]
}

/// The servers as they are, whatever our agent knows.
struct Truth {
    world: World,
    serves: &'static str,
    sequence: i64,
    backed: Backed,
    /// The partner's agent published, and no check of ours has passed since.
    unchecked: bool,
}

impl Truth {
    fn took(&mut self, kind: BackupKind) {
        let moved = match kind {
            BackupKind::Full => &mut self.backed.base,
            BackupKind::Log | BackupKind::Differential => &mut self.backed.log,
        };
        *moved = moved.map(|Lsn(at)| Lsn(at + 1));
    }

    fn go(&mut self, step: Move) -> Vec<Action> {
        match step {
            Move::Switch => {
                self.sequence += 1;
                self.serves = if self.serves == "sql-a" {
                    "sql-b"
                } else {
                    "sql-a"
                };
                Vec::new()
            }
            Move::Theirs(kind) => {
                if self.serves == "sql-b" {
                    self.took(kind);
                    self.unchecked = true;
                }
                Vec::new()
            }
            Move::Look => {
                let seen = backed(self.serves, self.sequence, self.backed);
                self.world.sees(seen)
            }
            Move::Restart => self.world.tell(Event::Restarted),
            Move::Due => self.world.due(BackupKind::Log),
            Move::End(end) => match self.world.record.running.first().copied() {
                Some(kind) => {
                    if end == End::Published && self.serves == "sql-a" {
                        self.took(kind);
                    }
                    self.world.tell(Event::Ended(kind, end))
                }
                None => Vec::new(),
            },
            Move::Pass => match &self.world.record.phase {
                // A check asks the server: behind a switch it finds no principal.
                Phase::Checking { of, .. }
                    if of
                        .term
                        .is_some_and(|term| term.role_sequence == self.sequence) =>
                {
                    self.unchecked = false;
                    self.world.tell(Event::Checked(Verdict::Continue))
                }
                _ => Vec::new(),
            },
            Move::Wait => self.world.after(1800),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_the_partners_agent_took_is_checked_before_anything_follows_it(
        check_first in any::<bool>(),
        moves in prop::collection::vec(moves(), 1..60),
    ) {
        let rules = Rules { check_first, ..Rules::FOLLOW };
        let mut truth = Truth {
            world: World::new(rules, "sql-a"),
            serves: "sql-a",
            sequence: 1,
            backed: BACKED,
            unchecked: false,
        };
        for step in moves {
            let actions = truth.go(step);
            let taken = actions.iter().any(|action| matches!(action, Action::Backup(_)));
            // What was not seen yet the run itself sees: it asks both partners before it writes.
            let knows = match &truth.world.record.sight {
                twinset_domain::protection::Sight::Principal { who, .. } => {
                    who.term.is_some_and(|term| term.role_sequence == truth.sequence)
                }
                _ => false,
            };
            prop_assert!(!(taken && knows && truth.unchecked), "P6: {:?}", truth.world.record);
        }
    }
}
