//! Jobs: the processes that a service starts, one step after the other.

use twinset_domain::protection::{End, Verdict};
use twinset_domain::{BackupKind, Code, Moment, code};

use super::lab::Lab;
use super::run::Run;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Backup(BackupKind),
    /// Typed by an operator: the state machine does not know it.
    Hand(BackupKind),
    Check,
}

impl What {
    /// Lower goes first.
    const fn rank(self) -> u8 {
        match self {
            Self::Check | Self::Hand(_) | Self::Backup(BackupKind::Log) => 0,
            Self::Backup(BackupKind::Differential) => 1,
            Self::Backup(BackupKind::Full) => 2,
        }
    }
}

/// What a process ended with.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Published(BackupKind),
    Skipped,
    Fault(Code, String),
    Checked(Verdict),
}

impl Outcome {
    pub(crate) const fn published(&self) -> Option<BackupKind> {
        match self {
            Self::Published(kind) => Some(*kind),
            _ => None,
        }
    }

    /// As `service::outcome` reads it.
    pub(crate) fn end(&self, stopped: bool) -> End {
        let switched = [
            code::NOT_PRINCIPAL,
            code::ROLE_UNSEEN,
            code::TWO_PRINCIPALS,
            code::ROLE_LOST,
        ];
        match self {
            Self::Published(_) | Self::Skipped => End::Published,
            Self::Fault(fault, _) if stopped || switched.contains(fault) => End::Interrupted,
            _ if stopped => End::Interrupted,
            _ => End::Failed,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Checked(verdict) => verdict.clone(),
            Self::Fault(code, why) => Verdict::Inconsistent(format!("{code}: {why}")),
            other => Verdict::Inconsistent(format!("{other:?}")),
        }
    }
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) what: What,
    pub(crate) queued: Moment,
    pub(crate) started: Option<Moment>,
    pub(crate) stopping: bool,
    /// When its next step comes.
    pub(crate) at: Option<i64>,
    /// Media sets that it writes.
    keys: Vec<usize>,
    pub(crate) run: Option<Box<Run>>,
}

impl Lab {
    pub(crate) fn begin(&mut self, me: usize, what: What) {
        let queued = self.clock(me);
        let keys = match what {
            What::Backup(kind) | What::Hand(kind) => vec![self.set_of(kind)],
            What::Check => (0..self.media[me].len()).collect(),
        };
        let agent = &mut self.agents[me];
        agent.ids += 1;
        agent.jobs.push(Job {
            id: agent.ids,
            what,
            queued,
            started: None,
            stopping: false,
            at: None,
            keys,
            run: None,
        });
    }

    /// One job for each media set, logs and checks first.
    pub(crate) fn start_ready(&mut self, me: usize) {
        let (now, true_now) = (self.clock(me), self.now);
        let jobs = &mut self.agents[me].jobs;
        let mut queue: Vec<(u8, u64)> = jobs
            .iter()
            .filter(|job| job.started.is_none())
            .map(|job| (job.what.rank(), job.id))
            .collect();
        queue.sort_unstable();
        for (_, id) in queue {
            let at = jobs.iter().position(|job| job.id == id).unwrap();
            let free = |other: &&Job| other.started.is_some();
            let shares = |other: &Job| other.keys.iter().any(|key| jobs[at].keys.contains(key));
            if jobs.iter().filter(free).any(shares) {
                continue;
            }
            jobs[at].started = Some(now);
            jobs[at].at = Some(true_now + 1);
        }
    }

    /// What a job of a dead agent leaves running ends.
    pub(crate) fn aborts(&mut self, job: Job) {
        if let Some(statement) = job.run.and_then(|run| run.statement) {
            self.pair.abort(&statement);
        }
    }

    /// Jobs whose time has come take their next step.
    pub(crate) fn jobs(&mut self, me: usize) {
        let due = |job: &Job| job.at.is_some_and(|at| at <= self.now);
        let ids: Vec<u64> = self.agents[me]
            .jobs
            .iter()
            .filter(|job| due(job))
            .map(|job| job.id)
            .collect();
        for id in ids {
            let jobs = &mut self.agents[me].jobs;
            let Some(at) = jobs.iter().position(|job| job.id == id) else {
                continue;
            };
            let mut job = jobs.remove(at);
            self.agents[me].past = None;
            let outcome = match job.what {
                What::Backup(kind) | What::Hand(kind) => self.backup_step(me, &mut job, kind),
                What::Check => Some(self.check(me, job.stopping)),
            };
            if self.agents[me].down.is_some() {
                return;
            }
            match outcome {
                None => self.agents[me].jobs.push(job),
                Some(outcome) => {
                    self.ended(me, &job, outcome);
                    self.start_ready(me);
                }
            }
        }
    }
}
