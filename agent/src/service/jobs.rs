//! What runs and what waits: one process each, bounded in number, logs first.

mod what;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use twinset_domain::{BackupKind, Moment};

use super::child::Child;
use super::input::{Answer, Input};
pub(super) use what::What;

/// How long a process may take to stop once it was asked to; then it is killed.
const GRACE: Duration = Duration::from_secs(60);

/// Which database, of which group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct Name {
    /// The group.
    pub(super) group: String,
    /// The database.
    pub(super) database: String,
}

impl Name {
    /// What messages about it are about.
    pub(super) fn object(&self) -> String {
        format!("group {}, database {}", self.group, self.database)
    }
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) of: Name,
    pub(super) what: What,
    pub(super) why: String,
    pub(super) queued: Moment,
    pub(super) started: Option<Moment>,
    /// Media sets that it writes: one job each.
    pub(super) keys: BTreeSet<String>,
    child: Option<Child>,
    stopping: Option<Instant>,
    /// What is typed for it, where that does not follow from the rest.
    line: Vec<String>,
    /// Devices that waited for the operator.
    pub(super) wishes: BTreeSet<String>,
    /// Who waits for its end.
    pub(super) waiting: Vec<Sender<Answer>>,
}

/// A job as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    job: u64,
    #[serde(flatten)]
    of: &'a Name,
    what: What,
    why: &'a str,
    queued: Moment,
    started: Option<Moment>,
    stopping: bool,
    /// Media sets that it writes, while it runs.
    media_sets: Vec<&'a str>,
    progress: Option<Value>,
}

/// All jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    /// This program, by the path that it was started from: after an upgrade that is the new one.
    program: PathBuf,
    file: PathBuf,
    tell: Sender<Input>,
    limit: usize,
    next: u64,
    all: BTreeMap<u64, Job>,
}

impl Jobs {
    pub(super) fn new(
        (program, file): (PathBuf, PathBuf),
        limit: usize,
        tell: Sender<Input>,
    ) -> Self {
        Self {
            program,
            file,
            tell,
            limit,
            next: 1,
            all: BTreeMap::new(),
        }
    }

    /// Another bound from now on.
    pub(super) const fn bound(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Puts a job into the queue; gives its number.
    pub(super) fn add(
        &mut self,
        of: Name,
        (what, why): (What, String),
        keys: BTreeSet<String>,
        now: Moment,
    ) -> u64 {
        let id = self.next;
        self.next += 1;
        let job = Job {
            of,
            what,
            why,
            queued: now,
            started: None,
            keys,
            child: None,
            stopping: None,
            line: Vec::new(),
            wishes: BTreeSet::new(),
            waiting: Vec::new(),
        };
        self.all.insert(id, job);
        id
    }

    /// A device of a job waits for the operator; whose job it is.
    pub(super) fn wished(&mut self, id: u64, device: &str) -> Option<Name> {
        let job = self.all.get_mut(&id)?;
        job.wishes.insert(device.to_owned());
        Some(job.of.clone())
    }

    /// Puts the retention of a media set into the queue, unless it waits there or runs.
    pub(super) fn expire(&mut self, of: Name, (key, line): (String, Vec<String>), now: Moment) {
        let keys = BTreeSet::from([key]);
        let mut all = self.all.values();
        if all.any(|job| job.what == What::Expire && job.keys == keys) {
            return;
        }
        let id = self.add(of, (What::Expire, "retention".to_owned()), keys, now);
        if let Some(job) = self.all.get_mut(&id) {
            job.line = line;
        }
    }

    /// Starts what may start now; gives those whose process could not be started.
    pub(super) fn start_ready(&mut self, now: Moment) -> Vec<(u64, io::Error)> {
        let mut failed = Vec::new();
        let mut queue: Vec<(u8, u64)> = self
            .all
            .iter()
            .filter(|(_, job)| job.child.is_none())
            .map(|(id, job)| (job.what.rank(), *id))
            .collect();
        queue.sort_unstable();
        for (_, id) in queue {
            if !self.may_start(id) {
                continue;
            }
            let tell = self.tell.clone();
            let Some(job) = self.all.get_mut(&id) else {
                continue;
            };
            match Child::start((&self.program, &self.file), &verb(job), id, tell) {
                Ok(child) => {
                    if !job.what.is_quiet() {
                        tracing::info!(job = id, group = job.of.group, database = job.of.database,
                            what = ?job.what, why = job.why, "begins");
                    }
                    (job.child, job.started) = (Some(child), Some(now));
                }
                Err(error) => failed.push((id, error)),
            }
        }
        failed
    }

    /// One job per media set; the last place is kept free for logs.
    fn may_start(&self, id: u64) -> bool {
        let Some(job) = self.all.get(&id) else {
            return false;
        };
        match job.what {
            What::Alerts | What::Share => return true,
            // One at a time, and behind the database's own backups, those that wait too.
            What::Integrity => {
                let in_way = |other: &Job| match other.what {
                    What::Integrity => other.child.is_some(),
                    what => what.reads_all() && other.of == job.of,
                };
                return !self.all.values().any(in_way);
            }
            What::Check | What::Expire | What::Backup(_) => {}
        }
        let counts = |other: &&Job| other.child.is_some() && other.what.takes_place();
        let running = || self.all.values().filter(counts);
        let long = running().filter(|other| other.what.is_long()).count();
        let free = running().count() < self.limit;
        let room = !job.what.is_long() || long < self.limit.saturating_sub(1).max(1);
        free && room && running().all(|other| other.keys.is_disjoint(&job.keys))
    }

    /// A job that has ended, or never began.
    pub(super) fn remove(&mut self, id: u64) -> Option<Job> {
        self.all.remove(&id)
    }

    /// A job.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Job> {
        self.all.get_mut(&id)
    }

    /// Whether a round of alerts runs or waits.
    pub(super) fn tells(&self) -> bool {
        self.all.values().any(|job| job.what == What::Alerts)
    }

    /// Whether the shared catalog is told just now.
    pub(super) fn shares(&self) -> bool {
        self.all.values().any(|job| job.what == What::Share)
    }

    /// Ends what tells the shared catalog, at once: nothing is half told.
    pub(super) fn end_sharing(&mut self) {
        for job in self.all.values_mut().filter(|job| job.what == What::Share) {
            if let Some(child) = &job.child {
                child.kill();
            }
        }
    }

    /// The check of a database that runs or waits.
    pub(super) fn check_of(&mut self, of: &Name) -> Option<&mut Job> {
        let mut all = self.all.values_mut();
        all.find(|job| job.of == *of && job.what == What::Check && job.stopping.is_none())
    }

    /// Whether the integrity check of a database runs or waits.
    pub(super) fn looks_into(&self, of: &Name) -> bool {
        let mut all = self.all.values();
        all.any(|job| job.of == *of && job.what == What::Integrity)
    }

    /// Stops integrity checks: nobody waits for them at the end of the service.
    pub(super) fn stop_integrity(&mut self) {
        let all = self.all.iter();
        let checks = all.filter(|(_, job)| job.what == What::Integrity);
        for id in checks.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.stop(id);
        }
    }

    /// Stops everything of a database; gives what had not begun.
    pub(super) fn stop_of(&mut self, of: &Name) -> Vec<u64> {
        let ids: Vec<u64> = self
            .all
            .iter()
            .filter(|(_, job)| job.of == *of)
            .map(|(id, _)| *id)
            .collect();
        ids.into_iter().filter_map(|id| self.stop(id)).collect()
    }

    /// Stops a job: one that runs tells its end; one that waits is given back.
    pub(super) fn stop(&mut self, id: u64) -> Option<u64> {
        let job = self.all.get_mut(&id)?;
        match &mut job.child {
            None => Some(id),
            Some(child) => {
                child.stop();
                job.stopping.get_or_insert_with(Instant::now);
                None
            }
        }
    }

    /// Whether a job was asked to stop.
    pub(super) fn is_stopping(&self, id: u64) -> bool {
        self.all.get(&id).is_some_and(|job| job.stopping.is_some())
    }

    /// Kills what was asked to stop and does not.
    pub(super) fn kill_late(&mut self) {
        for (id, job) in &self.all {
            if let Some(child) = &job.child
                && job.stopping.is_some_and(|since| since.elapsed() > GRACE)
            {
                tracing::warn!(job = id, "does not stop: killed; the next run recovers");
                child.kill();
            }
        }
    }

    /// Leaves out what has not begun.
    pub(super) fn forget_queued(&mut self) {
        self.all.retain(|_, job| job.child.is_some());
    }

    /// Stops all that runs.
    pub(super) fn stop_all(&mut self) {
        let ids: Vec<u64> = self.all.keys().copied().collect();
        for id in ids {
            self.stop(id);
        }
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.all.values().filter(|job| job.child.is_some()).count()
    }

    /// Backups and checks: how many run, how many wait.
    pub(super) fn count(&self) -> (usize, usize) {
        let all = || self.all.values().filter(|job| !job.what.is_quiet());
        let running = all().filter(|job| job.child.is_some()).count();
        (running, all().count().saturating_sub(running))
    }

    /// Whether any runs.
    pub(super) fn are_running(&self) -> bool {
        self.running() > 0
    }

    /// All of them, oldest first.
    pub(super) fn shown(&self) -> Vec<Shown<'_>> {
        let shown =
            |(id, job): (&u64, &'_ Job)| (*id, job.child.as_ref().and_then(Child::progress));
        self.all
            .iter()
            .filter(|(_, job)| !job.what.is_quiet())
            .map(|entry| {
                let (job, progress) = shown(entry);
                let one = entry.1;
                Shown {
                    job,
                    of: &one.of,
                    what: one.what,
                    why: &one.why,
                    queued: one.queued,
                    started: one.started,
                    stopping: one.stopping.is_some(),
                    media_sets: match one.started {
                        Some(_) => one.keys.iter().map(String::as_str).collect(),
                        None => Vec::new(),
                    },
                    progress,
                }
            })
            .collect()
    }
}

/// What is typed for a job.
fn verb(job: &Job) -> Vec<String> {
    let mut verb: Vec<String> = match job.what {
        What::Alerts => return vec!["alerts".into(), "check".into()],
        What::Share => return vec!["catalog".into(), "push".into()],
        What::Expire => return job.line.clone(),
        What::Check => vec!["check".into()],
        What::Integrity => vec!["integrity".into()],
        What::Backup(kind) => {
            let kind = match kind {
                BackupKind::Full => "full",
                BackupKind::Differential => "diff",
                BackupKind::Log => "log",
            };
            vec!["backup".into(), "--kind".into(), kind.into()]
        }
    };
    // In one word, and behind `--`: names may begin with a dash.
    verb.push(format!("--database={}", job.of.database));
    verb.extend(["--".into(), job.of.group.clone()]);
    verb
}
