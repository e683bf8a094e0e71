//! Carries out what the state machine asks for.

use std::collections::BTreeSet;
use std::io;

use twinset_domain::protection::{Action, End, Event, Phase, Verdict};
use twinset_domain::{BackupKind, Fault, Moment, code};

use super::input::Answer;
use super::jobs::{Job, Name, What};
use super::outcome::Outcome;
use super::state::Service;

/// Tries before the catalog knew them that are remembered of a database.
const MAX_EARLY: usize = 64;

impl Service {
    /// One action.
    pub(super) fn act(&mut self, name: &Name, action: Action, now: Moment) -> Result<(), Fault> {
        match action {
            Action::Backup(kind) => {
                let what = What::Backup(kind);
                self.begin(name, what, "due".to_owned(), now)
            }
            // A check that was stopped ends by itself; who waits for one waits for the new one.
            Action::Check(why) => self.begin(name, What::Check, why.to_string(), now),
            Action::Stop => {
                for job in self.jobs.stop_of(name) {
                    self.dequeued(job, End::Interrupted, now)?;
                }
                Ok(())
            }
            Action::Refuse(refusal) => {
                let text = refusal.to_string();
                if let Some(member) = self.members.get_mut(name)
                    && member.refused.as_ref() != Some(&text)
                {
                    tracing::info!(
                        group = name.group,
                        database = name.database,
                        "not now: {text}"
                    );
                    member.refused = Some(text);
                }
                Ok(())
            }
            Action::Raise(alarm) => self.raise(name, alarm, now),
            Action::Resolve(alarm) => self.resolve(name, alarm, now),
            Action::NoteBounce { switches } => {
                let text = format!("failed over and back: {switches} switches, nothing was due");
                tracing::info!(group = name.group, database = name.database, "{text}");
                self.catalog.note(&name.group, &name.database, &text, now)
            }
        }
    }

    pub(super) fn begin(
        &mut self,
        name: &Name,
        what: What,
        why: String,
        now: Moment,
    ) -> Result<(), Fault> {
        let Some(group) = self.config.groups.get(&name.group) else {
            return Ok(());
        };
        let sets = match what {
            What::Backup(kind) => vec![group.media_set_of(kind)],
            What::Check => group.media_sets(),
            What::Integrity | What::Expire | What::Alerts | What::Share => Vec::new(),
        };
        let mut keys = BTreeSet::new();
        for set in sets {
            keys.insert(self.config.media_set(set)?.key_of(Some(&name.database)));
        }
        if let Some(member) = self.members.get_mut(name) {
            member.refused = None;
        }
        self.jobs.add(name.clone(), (what, why), keys, now);
        Ok(())
    }

    /// A job that is taken out of the queue: by a switch, or by an operator.
    pub(super) fn dequeued(&mut self, id: u64, end: End, now: Moment) -> Result<(), Fault> {
        let Some(job) = self.jobs.remove(id) else {
            return Ok(());
        };
        for waiting in &job.waiting {
            // Who waited may have gone.
            let _ = waiting.send(stopped(&job.of));
        }
        match job.what {
            What::Backup(kind) => {
                self.tried(&job, kind, now);
                self.event(&job.of, &Event::Ended(kind, end), now)
            }
            What::Check if end == End::Failed => self.check_stopped(&job.of, now),
            // The switch that takes it out of the queue says what comes in its place.
            What::Check | What::Expire | What::Alerts | What::Share => Ok(()),
            // Who takes it out of the queue does not want it at once again.
            What::Integrity => {
                self.rest(&job.of, now);
                Ok(())
            }
        }
    }

    /// A try that came to nothing: the catalog knows only those that reached the media.
    fn tried(&mut self, job: &Job, kind: BackupKind, now: Moment) {
        if let Some(member) = self.members.get_mut(&job.of) {
            let began = job.started.unwrap_or(job.queued);
            member.early.push((kind, began, now));
            let old = member.early.len().saturating_sub(MAX_EARLY);
            member.early.drain(..old);
        }
    }

    /// A job whose process could not be started.
    pub(super) fn never_began(
        &mut self,
        id: u64,
        error: &io::Error,
        now: Moment,
    ) -> Result<(), Fault> {
        tracing::error!(job = id, %error, "cannot start its process");
        self.ended(id, &Outcome::default(), now)
    }

    /// A job's process has ended.
    pub(super) fn ended(&mut self, id: u64, outcome: &Outcome, now: Moment) -> Result<(), Fault> {
        let stopped = self.jobs.is_stopping(id);
        let Some(job) = self.jobs.remove(id) else {
            return Ok(());
        };
        for device in &job.wishes {
            self.over(code::OPERATOR, device, now)?;
        }
        // Remembered first: whoever reads that it has ended may ask what came of it.
        match job.what {
            What::Backup(kind) => self.backup_ended(&job, kind, (outcome, stopped), now)?,
            What::Alerts => return Ok(()),
            What::Share => return self.was_shared(outcome, now),
            What::Integrity => self.looked_into(&job, (outcome, stopped), now)?,
            What::Expire => self.expired(&job, (outcome, stopped), now)?,
            What::Check if stopped => self.check_stopped(&job.of, now)?,
            What::Check => {
                let verdict = outcome.verdict(&job.of.database);
                self.event(&job.of, &Event::Checked(verdict), now)?;
            }
        }
        let error = outcome.fault().map(|fault| fault.code.text());
        tracing::info!(job = id, group = job.of.group, database = job.of.database,
            what = ?job.what, code = outcome.code, error, "has ended");
        for waiting in &job.waiting {
            // Who waited may have gone.
            let _ = waiting.send(outcome.answer());
        }
        Ok(())
    }

    fn backup_ended(
        &mut self,
        job: &Job,
        kind: BackupKind,
        (outcome, stopped): (&Outcome, bool),
        now: Moment,
    ) -> Result<(), Fault> {
        let end = outcome.end(stopped);
        if outcome.published().is_empty() {
            self.tried(job, kind, now);
        }
        // What it wrote is read anew.
        self.mark = None;
        self.met_damage(&job.of, outcome);
        if outcome.published().contains(&BackupKind::Full) {
            self.expire_behind(&job.of, now)?;
        }
        self.told(&job.of, kind, outcome, now)?;
        self.event(&job.of, &Event::Ended(kind, end), now)
    }

    /// A check that was stopped says nothing; if nothing else came of it, it is made again.
    fn check_stopped(&mut self, of: &Name, now: Moment) -> Result<(), Fault> {
        let checking = self
            .members
            .get(of)
            .is_some_and(|member| matches!(member.record.phase, Phase::Checking { .. }));
        if checking && self.jobs.check_of(of).is_none() {
            let why = "the check was stopped".to_owned();
            return self.event(of, &Event::Checked(Verdict::Inconsistent(why)), now);
        }
        Ok(())
    }
}

fn stopped(of: &Name) -> Answer {
    let fault = Fault::new(
        code::CANCELLED,
        format!("database {}", of.database),
        "it was stopped before it began",
    )
    .remedy("look: twinset status");
    Answer::refused(fault)
}
