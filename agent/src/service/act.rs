//! Carries out what the state machine asks for.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};
use twinset_domain::protection::{Action, End, Event, Phase, Verdict, Why};
use twinset_domain::{BackupKind, Exit, Fault, Moment, code};

use super::child::Outcome;
use super::input::{Answer, Said};
use super::jobs::{Job, Name, What};
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
            Action::Check(why) => self.begin_check(name, why, now),
            Action::Stop => {
                for (job, what) in self.jobs.stop_of(name) {
                    self.given_up(job, what, now)?;
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

    fn begin_check(&mut self, name: &Name, why: Why, now: Moment) -> Result<(), Fault> {
        // One that was stopped ends by itself; who waits for a check waits for this one.
        self.begin(name, What::Check, why.to_string(), now)
    }

    fn begin(&mut self, name: &Name, what: What, why: String, now: Moment) -> Result<(), Fault> {
        let Some(group) = self.config.groups.get(&name.group) else {
            return Ok(());
        };
        let sets = match what {
            What::Backup(kind) => vec![group.media_set_of(kind)],
            What::Check | What::Alerts => group.media_sets(),
        };
        let mut keys = BTreeSet::new();
        for set in sets {
            keys.insert(self.config.media_set(set)?.key_of(&name.database));
        }
        if let Some(member) = self.members.get_mut(name) {
            member.refused = None;
        }
        self.jobs.add(name.clone(), (what, why), keys, now);
        Ok(())
    }

    /// A job that had not begun when an operator stopped it.
    pub(super) fn cancelled(&mut self, id: u64, now: Moment) -> Result<(), Fault> {
        let Some(job) = self.jobs.remove(id) else {
            return Ok(());
        };
        for waiting in &job.waiting {
            let _ = waiting.send(stopped(&job.of));
        }
        match job.what {
            What::Backup(kind) => {
                let began = (kind, job.queued, now);
                if let Some(member) = self.members.get_mut(&job.of) {
                    member.early.push(began);
                }
                self.event(&job.of, &Event::Ended(kind, End::Failed), now)
            }
            What::Check => self.check_stopped(&job.of, now),
            What::Alerts => Ok(()),
        }
    }

    /// A job that had not begun when it was stopped.
    fn given_up(&mut self, job: u64, what: What, now: Moment) -> Result<(), Fault> {
        let Some(job) = self.jobs.remove(job) else {
            return Ok(());
        };
        for waiting in &job.waiting {
            let _ = waiting.send(stopped(&job.of));
        }
        match what {
            What::Backup(kind) => {
                let event = Event::Ended(kind, End::Interrupted);
                self.event(&job.of, &event, now)
            }
            What::Check | What::Alerts => Ok(()),
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
        let error = outcome.object.as_ref();
        let error = error.and_then(|object| object.pointer("/error/code")?.as_str());
        if job.what != What::Alerts {
            tracing::info!(job = id, group = job.of.group, database = job.of.database,
                what = ?job.what, code = outcome.code, error, "has ended");
        }
        for waiting in &job.waiting {
            let _ = waiting.send(answer(&job, outcome));
        }
        match job.what {
            What::Backup(kind) => self.backup_ended(&job, kind, (outcome, stopped), now),
            What::Alerts => Ok(()),
            What::Check if stopped => self.check_stopped(&job.of, now),
            What::Check => {
                let verdict = verdict(&job, outcome);
                self.event(&job.of, &Event::Checked(verdict), now)
            }
        }
    }

    fn backup_ended(
        &mut self,
        job: &Job,
        kind: BackupKind,
        (outcome, stopped): (&Outcome, bool),
        now: Moment,
    ) -> Result<(), Fault> {
        let end = end_of(outcome, stopped);
        if end == End::Failed
            && let Some(member) = self.members.get_mut(&job.of)
        {
            let began = job.started.unwrap_or(job.queued);
            member.early.push((kind, began, now));
            let old = member.early.len().saturating_sub(MAX_EARLY);
            member.early.drain(..old);
        }
        // What it wrote is read anew.
        self.mark = None;
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

/// How a backup ended, by its process.
fn end_of(outcome: &Outcome, stopped: bool) -> End {
    let object = outcome.object.as_ref();
    let sets = object.and_then(|object| object.pointer("/result/sets")?.as_array());
    let skipped = object.and_then(|object| object.pointer("/result/skipped")?.as_array());
    let done = |list: Option<&Vec<Value>>| list.is_some_and(|list| !list.is_empty());
    if done(sets) || done(skipped) {
        return End::Published;
    }
    let code = object.and_then(|object| object.pointer("/error/code")?.as_str());
    let switched = [
        code::NOT_PRINCIPAL,
        code::ROLE_UNSEEN,
        code::TWO_PRINCIPALS,
        code::ROLE_LOST,
    ]
    .map(|code| code.text());
    if stopped || code.is_some_and(|code| switched.contains(&code)) {
        return End::Interrupted;
    }
    End::Failed
}

/// What a check said of its one database.
fn verdict(job: &Job, outcome: &Outcome) -> Verdict {
    let object = outcome.object.as_ref();
    let said = object
        .and_then(|object| object.pointer("/result/checked/0/verdict"))
        .and_then(|verdict| serde_json::from_value(verdict.clone()).ok());
    said.unwrap_or_else(|| {
        let error = object.and_then(|object| object.get("error"));
        let text = |key: &str| error.and_then(|error| error.get(key)?.as_str());
        Verdict::Inconsistent(match (text("code"), text("object"), text("message")) {
            (Some(code), Some(object), Some(message)) => format!("{code} {object}: {message}"),
            _ => format!("the check of {} ended without a result", job.of.database),
        })
    })
}

/// The end of a job, for who waits for it.
fn answer(job: &Job, outcome: &Outcome) -> Answer {
    let object = outcome.object.clone().unwrap_or(Value::Null);
    let mut faults: Vec<Said> = Vec::new();
    for key in ["errors", "error"] {
        if faults.is_empty()
            && let Some(said) = object.get(key)
        {
            let list = said
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![said.clone()]);
            faults = list
                .into_iter()
                .filter_map(|one| serde_json::from_value(one).ok())
                .collect();
        }
    }
    Answer {
        result: object
            .get("result")
            .cloned()
            .or_else(|| Some(json!({ "database": job.of.database }))),
        faults,
        exit: outcome.code.unwrap_or_else(|| Exit::Failed.code()),
    }
}

fn stopped(of: &Name) -> Answer {
    let fault = Fault::new(
        code::CANCELLED,
        format!("database {}", of.database),
        "it was stopped before it began",
    )
    .remedy("look: twinset status");
    Answer::refused(&fault)
}
