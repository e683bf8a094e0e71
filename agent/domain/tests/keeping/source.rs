//! A server that writes random histories: forced service that abandons logs, differentials and
//! fulls, and machines that are rolled back.

use twinset_domain::{BackupKind, Moment};
use uuid::Uuid;

use super::history::{History, at, guid, lsn};

/// Seconds between two events.
pub(crate) const STEP: i64 = 60;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Full,
    CopyOnly,
    Differential,
    Log,
    /// Beside the chain: the next log begins where this one did.
    CopyOnlyLog,
    /// Forced service, or a restore over itself: this much of what was written is lost, backups
    /// and all.
    Fork(u32),
    /// The machine is set back to how it was at its last log: the next set is a full.
    RollBack,
    /// The set that was taken last is lost on every mirror.
    Lose,
}

/// The end of a log, and the fork that it is on.
type End = (u32, Uuid);

/// What the server knows.
pub(crate) struct Source {
    pub(crate) told: History,
    pub(crate) clock: i64,
    end: u32,
    fork: Uuid,
    /// The forks before it, and where each was left.
    way: Vec<(Uuid, u32)>,
    /// Ends of the log backups on the way here; the next begins at the last of them.
    logs: Vec<End>,
    /// Fulls on the way here that differentials can stand on, with their ends.
    bases: Vec<(u32, Uuid)>,
    forks: u128,
    /// The next set begins a branch.
    rolled_back: bool,
}

impl Source {
    pub(crate) fn new() -> Self {
        Self {
            told: History::default(),
            clock: at("00:00").0,
            end: 100,
            fork: guid(1),
            way: Vec::new(),
            logs: vec![(90, guid(1))],
            bases: Vec::new(),
            forks: 1,
            rolled_back: false,
        }
    }

    pub(crate) fn take(&mut self, event: Event) {
        self.clock += STEP;
        let logged = *self.logs.last().unwrap();
        match event {
            Event::Full => self.add(BackupKind::Full, (self.end, self.fork), false),
            Event::CopyOnly if !self.rolled_back => {
                self.add(BackupKind::Full, (self.end, self.fork), true);
            }
            Event::Differential if !self.bases.is_empty() && !self.rolled_back => {
                self.add(BackupKind::Differential, (self.end, self.fork), false);
            }
            Event::Log if !self.rolled_back => self.add(BackupKind::Log, logged, false),
            Event::CopyOnlyLog if !self.rolled_back => self.add(BackupKind::Log, logged, true),
            Event::Fork(lost) => self.fork(lost),
            Event::RollBack => {
                self.end = logged.0 + 1;
                self.bases.clear();
                self.rolled_back = true;
            }
            Event::Lose => {
                if let Some(set) = self.told.sets.last_mut() {
                    set.sources = vec![Vec::new()];
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, kind: BackupKind, (first, began): End, copy_only: bool) {
        self.end += 30;
        let (end, fork) = (self.end, self.fork);
        let left = self
            .way
            .iter()
            .find(|(before, _)| *before == began)
            .copied();
        let finished = Moment(self.clock);
        let set = self.told.set_at("set", kind, (first, end), finished);
        set.new_branch = std::mem::take(&mut self.rolled_back);
        let link = set.link.as_mut().unwrap();
        link.fork = Some(fork);
        // msdb tells of the fork that it began on where it crosses from there.
        if let Some((before, point)) = left {
            link.first_fork = Some(before);
            link.fork_point = Some(lsn(point));
        }
        link.copy_only = copy_only;
        let guid = link.set.unwrap();
        match kind {
            BackupKind::Full if !copy_only => self.bases.push((end, guid)),
            BackupKind::Differential => link.base = self.bases.last().map(|(_, guid)| *guid),
            BackupKind::Log if !copy_only => self.logs.push((end, fork)),
            _ => {}
        }
        self.end += 10;
    }

    /// Everything behind the point never happened here.
    fn fork(&mut self, lost: u32) {
        let begun = self.way.last().map_or(100, |(_, left)| *left);
        let point = self.end.saturating_sub(lost).max(begun);
        self.forks += 1;
        self.way.push((self.fork, point));
        self.fork = guid(self.forks);
        self.end = point;
        let first = self.logs[0];
        self.logs.retain(|(end, _)| *end <= point);
        if self.logs.is_empty() {
            self.logs.push(first);
        }
        self.bases.retain(|(end, _)| *end <= point);
    }
}
