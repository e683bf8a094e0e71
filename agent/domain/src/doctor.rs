//! What would keep a backup or a restore from succeeding: facts in, findings out.
//!
//! A *failure* is what the next run would meet for certain, a *warning* what may stop it or what it
//! would do worse, a *note* what an operator should know. Everything that was looked at and is in
//! order is said too, so that silence never means "not looked at".

mod database;
mod host;
mod media;
mod server;
mod stage;

use serde::Serialize;

use crate::{Code, Exit, Fault};

pub use database::{Database, Native};
pub use host::Host;
pub use media::{Device, Media};
pub use server::Server;
pub use stage::Stage;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Looked at, and in order.
    Ok,
    /// Good to know.
    Note,
    /// It may stop a run, or make it worse.
    Warning,
    /// The next run would fail.
    Failure,
}

impl Level {
    /// The same as a word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How grave.
    pub level: Level,
    /// The code that a run would fail with, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What it is about: the host, an instance, a database, a device, a file.
    pub object: String,
    /// What was found.
    pub message: String,
    /// What to do; empty where nothing needs to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Causes, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Finding {
    fn new(level: Level, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level,
            code: None,
            object: object.into(),
            message: message.into(),
            remedy: String::new(),
            causes: Vec::new(),
        }
    }

    /// In order.
    pub fn ok(object: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Ok, object, message)
    }

    /// Good to know.
    pub fn note(object: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Note, object, message)
    }

    /// May stop a run.
    pub fn warning(object: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, object, message)
    }

    /// Would stop the next run.
    pub fn failure(code: Code, object: impl Into<String>, message: impl Into<String>) -> Self {
        let mut finding = Self::new(Level::Failure, object, message);
        finding.code = Some(code);
        finding
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// A fault that a run would meet.
    #[must_use]
    pub fn of(fault: Fault) -> Self {
        Self {
            level: Level::Failure,
            code: Some(fault.code),
            object: fault.object,
            message: fault.message,
            remedy: fault.remedy,
            causes: fault.causes,
        }
    }

    /// The same, less grave: a run can go on without it.
    #[must_use]
    pub const fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

/// All findings and what they come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// How many would stop a run.
    pub failures: usize,
    /// How many may.
    pub warnings: usize,
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Counts.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        let count = |level| findings.iter().filter(|found| found.level == level).count();
        Self {
            failures: count(Level::Failure),
            warnings: count(Level::Warning),
            findings,
        }
    }

    /// How the process ends: 0 all good, 3 warnings only, else as the worst failure would end.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let failing = self
            .findings
            .iter()
            .filter(|found| found.level == Level::Failure);
        let ends = failing.map(|found| match found.code.map(Code::exit) {
            Some(Exit::Usage) => Exit::Usage,
            // Whatever a run would end with: the doctor has failed to find it well.
            _ => Exit::Failed,
        });
        match ends.reduce(Exit::worst) {
            Some(exit) => exit,
            None if self.warnings > 0 => Exit::Degraded,
            None => Exit::Done,
        }
    }

    /// The verdict as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match (self.failures, self.warnings) {
            (0, 0) => "all is in order".to_owned(),
            (0, warnings) => format!("{warnings} warnings, nothing that would fail"),
            (failures, 0) => format!("{failures} things would make a run fail"),
            (failures, warnings) => {
                format!("{failures} things would make a run fail, {warnings} warnings")
            }
        }
    }
}

#[cfg(test)]
mod tests;
