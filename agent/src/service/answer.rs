//! What is asked over the control socket.

use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use twinset_domain::protection::{End, Event};
use twinset_domain::{Exit, Fault, Moment, code};

use super::input::{Answer, Request};
use super::jobs::Name;
use super::state::Service;

impl Answer {
    /// It is done.
    pub(super) fn done(result: Value) -> Self {
        Self {
            result: Some(result),
            faults: Vec::new(),
            exit: Exit::Done.code(),
        }
    }

    /// It is not.
    pub(super) fn refused(fault: Fault) -> Self {
        Self {
            result: None,
            exit: fault.exit().code(),
            faults: vec![fault],
        }
    }
}

impl Service {
    /// Answers, or keeps the asker waiting for the end of a job.
    pub(super) fn asked(
        &mut self,
        request: Request,
        answer: &Sender<Answer>,
        now: Moment,
    ) -> Result<(), Fault> {
        let done = self.answer(request, answer, now);
        if let Err(fault) = &done {
            // Who asked may have gone.
            let _ = answer.send(Answer::refused(fault.clone()));
        }
        done
    }

    fn answer(
        &mut self,
        request: Request,
        answer: &Sender<Answer>,
        now: Moment,
    ) -> Result<(), Fault> {
        let said = match request {
            Request::Status => Answer::done(self.status()),
            Request::Jobs => Answer::done(json!({ "jobs": self.jobs.shown() })),
            Request::Cancel { job } => self.cancel(job, now)?,
            Request::Check { group, database } => {
                return self.check_asked(&group, database.as_deref(), answer, now);
            }
            Request::Pause {
                group,
                database,
                until,
            } => self.all(&group, database.as_deref(), &Event::Pause(until), now)?,
            Request::Resume { group, database } => {
                self.all(&group, database.as_deref(), &Event::Resume, now)?
            }
            Request::Unprotect { group, database } => {
                self.unprotect(&group, database.as_deref(), now)?
            }
            Request::Reprotect { group, database } => {
                self.all(&group, database.as_deref(), &Event::Reprotect, now)?
            }
        };
        // Who asked may have gone.
        let _ = answer.send(said);
        Ok(())
    }

    fn status(&self) -> Value {
        let databases: Vec<Value> = self
            .members
            .iter()
            .map(|(name, member)| {
                json!({
                    "group": name.group,
                    "database": name.database,
                    "protection": member.record.shown(),
                    "text": member.record.shown().to_string(),
                    "exposed": member.record.is_exposed(),
                })
            })
            .collect();
        json!({
            "databases": databases,
            "running": self.jobs.running(),
            "status_page": self.window.address(),
        })
    }

    pub(super) fn meant(&self, group: &str, database: Option<&str>) -> Result<Vec<Name>, Fault> {
        let names: Vec<Name> = self
            .members
            .keys()
            .filter(|name| name.group == group)
            .filter(|name| database.is_none_or(|one| name.database.eq_ignore_ascii_case(one)))
            .cloned()
            .collect();
        if names.is_empty() {
            let object = format!("group {group}");
            let message = match database {
                Some(database) => format!("the service protects no database {database} in it"),
                None => "the service protects no database of it".to_owned(),
            };
            return Err(
                Fault::new(code::UNKNOWN_NAME, object, message).remedy("look: twinset status")
            );
        }
        Ok(names)
    }

    /// One event for all databases that are meant.
    fn all(
        &mut self,
        group: &str,
        database: Option<&str>,
        event: &Event,
        now: Moment,
    ) -> Result<Answer, Fault> {
        let names = match self.meant(group, database) {
            Ok(names) => names,
            Err(fault) => return Ok(Answer::refused(fault)),
        };
        let mut states = Vec::new();
        for name in names {
            self.event(&name, event, now)?;
            let shown = self.members.get(&name).map(|member| member.record.shown());
            states.push(json!({
                "database": name.database,
                "protection": shown,
                "text": shown.as_ref().map(ToString::to_string),
            }));
        }
        Ok(Answer::done(json!({ "group": group, "databases": states })))
    }

    fn cancel(&mut self, job: u64, now: Moment) -> Result<Answer, Fault> {
        if self.jobs.get_mut(job).is_none() {
            let fault = Fault::new(code::UNKNOWN_NAME, format!("job {job}"), "there is none")
                .remedy("look: twinset jobs");
            return Ok(Answer::refused(fault));
        }
        if let Some(queued) = self.jobs.stop(job) {
            self.dequeued(queued, End::Failed, now)?;
        }
        Ok(Answer::done(json!({ "job": job, "stopping": true })))
    }

    /// A check for who waits for its end: of each database, the last answer is sent.
    fn check_asked(
        &mut self,
        group: &str,
        database: Option<&str>,
        answer: &Sender<Answer>,
        now: Moment,
    ) -> Result<(), Fault> {
        let names = match self.meant(group, database) {
            Ok(names) => names,
            Err(fault) => {
                let _ = answer.send(Answer::refused(fault));
                return Ok(());
            }
        };
        let [name] = names.as_slice() else {
            let fault = Fault::new(
                code::USAGE,
                format!("group {group}"),
                "one database at a time is checked through the service",
            )
            .remedy("ask for each with --database");
            let _ = answer.send(Answer::refused(fault));
            return Ok(());
        };
        self.event(name, &Event::CheckAsked, now)?;
        let shown = self.members.get(name).map(|member| member.record.shown());
        if let Some(job) = self.jobs.check_of(name) {
            job.waiting.push(answer.clone());
            return Ok(());
        }
        let state = shown.map(|shown| shown.to_string()).unwrap_or_default();
        let object = name.object();
        let fault = Fault::new(
            code::NOT_NOW,
            object,
            format!("it is not checked now: {state}"),
        )
        .remedy("look: twinset status");
        let _ = answer.send(Answer::refused(fault));
        Ok(())
    }
}
