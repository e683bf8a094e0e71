//! The decision.

use uuid::Uuid;

use super::{Action, Bridge, Decision, Held, Question, Reason, Source};
use crate::{BackupKind, Lsn};

/// Decides what to take instead of, or as, what was asked for.
#[must_use]
pub fn judge(question: &Question) -> Decision {
    let (action, reason) = decide(question);
    Decision {
        wanted: question.wanted,
        action,
        reason,
    }
}

const fn take(kind: BackupKind) -> Action {
    Action::Take {
        kind,
        new_branch: false,
    }
}

const FULL: Action = take(BackupKind::Full);
/// A full that nothing before it may be joined with.
const NEW_BRANCH: Action = Action::Take {
    kind: BackupKind::Full,
    new_branch: true,
};

fn decide(question: &Question) -> (Action, Reason) {
    let (wanted, source) = (question.wanted, &question.source);
    let chain = Chain::new(source, &question.held);
    match wanted.kind {
        BackupKind::Full => match chain.rolled_back() {
            // A copy changes nothing at the source, but it too stands on the new branch.
            Some(reason) => (NEW_BRANCH, reason),
            None => (FULL, Reason::Fits),
        },
        BackupKind::Log if source.is_master || source.is_simple => {
            let nothing = if wanted.tail {
                Action::Refuse
            } else {
                Action::Skip
            };
            let reason = if source.is_master {
                Reason::Master
            } else {
                Reason::Simple
            };
            (nothing, reason)
        }
        // Beside the chain, or the last of it: taken as it is, as long as SQL Server can.
        BackupKind::Log if wanted.tail && source.is_damaged => {
            (take(BackupKind::Log), Reason::Fits)
        }
        BackupKind::Log if wanted.copy_only || wanted.tail => match source.next_log {
            Some(_) => (take(BackupKind::Log), Reason::Fits),
            None => (Action::Refuse, Reason::NoBase),
        },
        BackupKind::Log => log(question, &chain),
        BackupKind::Differential if source.is_master => (FULL, Reason::Master),
        BackupKind::Differential => differential(question.bridge, &chain),
    }
}

fn log(question: &Question, chain: &Chain<'_>) -> (Action, Reason) {
    let Some(next) = question.source.next_log else {
        return (FULL, Reason::NoBase);
    };
    if let Some(reason) = chain.rolled_back() {
        return (Action::Refuse, reason);
    }
    if let Some(reason) = chain.other_fork() {
        return (new_base(question.bridge), reason);
    }
    let ends = chain.ends();
    if ends.is_some_and(|ends| next <= ends) {
        return (take(BackupKind::Log), Reason::Fits);
    }
    let reason = Reason::Gap { ends, next };
    let action = match (question.bridge, ends) {
        // Nothing was there to be broken: the first full of a database begins its chain.
        (_, None) => FULL,
        (Bridge::Refuse, _) => Action::Refuse,
        (Bridge::Full, _) => FULL,
        (Bridge::Differential, _) => match chain.base() {
            Ok(_) => take(BackupKind::Differential),
            Err(_) => FULL,
        },
    };
    (action, reason)
}

fn differential(bridge: Bridge, chain: &Chain<'_>) -> (Action, Reason) {
    if let Some(reason) = chain.rolled_back() {
        return (Action::Refuse, reason);
    }
    if let Some(reason) = chain.other_fork() {
        return (new_base(bridge), reason);
    }
    match chain.base() {
        Ok(_) => (take(BackupKind::Differential), Reason::Fits),
        // Without any full there is nothing that was broken.
        Err(Reason::ManyBases) if !chain.has_full() => (FULL, Reason::NoBase),
        Err(reason) => (new_base(bridge), reason),
    }
}

const fn new_base(bridge: Bridge) -> Action {
    match bridge {
        Bridge::Differential | Bridge::Full => FULL,
        Bridge::Refuse => Action::Refuse,
    }
}

/// A set whose verdict is missing counts when the source itself stands on it.
fn proven(source: &Source, held: &Held) -> bool {
    match held.kind {
        BackupKind::Full => held.set.is_some() && source.bases.contains(&held.set),
        BackupKind::Log => held.last.is_some() && source.next_log == held.last,
        BackupKind::Differential => false,
    }
}

/// What is held of this database, behind the newest mark.
struct Chain<'a> {
    source: &'a Source,
    held: Vec<&'a Held>,
}

impl<'a> Chain<'a> {
    fn new(source: &'a Source, held: &'a [Held]) -> Self {
        let ours = |held: &&Held| source.family.is_some() && held.family == source.family;
        let marks = held.iter().filter(ours).filter(|held| held.new_branch);
        let mark = marks.map(|held| held.written).max();
        let behind = |held: &&Held| mark.is_none_or(|mark| held.written >= mark);
        let counts = |held: &&Held| held.confirmed || proven(source, held);
        Self {
            source,
            held: held
                .iter()
                .filter(|held| ours(held) && behind(held) && counts(held))
                .collect(),
        }
    }

    /// Sets on the database's own fork.
    fn here(&self) -> impl Iterator<Item = &'a Held> {
        let fork = self.source.fork;
        let held = self.held.iter().copied();
        held.filter(move |held| held.fork.is_some() && held.fork == fork)
    }

    fn has_full(&self) -> bool {
        self.here().any(|held| held.kind == BackupKind::Full)
    }

    /// The newest log that counts ends behind where the database's next log starts.
    fn rolled_back(&self) -> Option<Reason> {
        let next = self.source.next_log?;
        let logs = self.here().filter(|held| {
            // A copy reaches as far as the log did, and moves nothing.
            held.kind == BackupKind::Log && !held.copy_only
        });
        let ends = logs.filter_map(|held| held.last).max()?;
        (next < ends).then_some(Reason::RolledBack { ends, next })
    }

    /// The newest set is on another fork, and none is on this one.
    fn other_fork(&self) -> Option<Reason> {
        let now = self.source.fork?;
        if self.here().next().is_some() {
            return None;
        }
        let newest = self.held.iter().max_by_key(|held| held.written)?;
        let held = newest.fork.filter(|held| *held != now)?;
        Some(Reason::OtherFork { held, now })
    }

    /// The full under a set is held and sound.
    fn full(&self, guid: Option<Uuid>) -> Option<&'a Held> {
        guid?;
        self.here()
            .find(|held| held.kind == BackupKind::Full && held.sound && held.set == guid)
    }

    /// How far a restore comes with what is held: along logs from every full and differential that
    /// can be restored.
    fn ends(&self) -> Option<Lsn> {
        let data = self.here().filter(|held| match held.kind {
            BackupKind::Full => held.sound,
            BackupKind::Differential => held.sound && self.full(held.base).is_some(),
            BackupKind::Log => false,
        });
        let mut logs: Vec<(Lsn, Lsn)> = self
            .here()
            .filter(|held| held.kind == BackupKind::Log && held.sound)
            .filter_map(|held| held.first.zip(held.last))
            .collect();
        logs.sort_unstable();
        data.filter_map(|held| held.last)
            .map(|from| {
                // Sorted by their beginning: one pass follows the chain as far as it goes.
                logs.iter().fold(
                    from,
                    |at, (first, last)| {
                        if *first <= at { at.max(*last) } else { at }
                    },
                )
            })
            .max()
    }

    /// The full that a differential of now would stand on, if it is held.
    fn base(&self) -> Result<&'a Held, Reason> {
        let mut bases = self.source.bases.iter();
        let Some(Some(base)) = bases.next().copied() else {
            return Err(Reason::ManyBases);
        };
        if bases.any(|other| *other != Some(base)) {
            return Err(Reason::ManyBases);
        }
        self.full(Some(base))
            .filter(|held| !held.copy_only)
            .ok_or(Reason::BaseNotHeld { base })
    }
}
