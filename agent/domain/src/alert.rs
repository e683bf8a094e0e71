//! What an operator must know, once.
//!
//! An alert is known by its code and the object it is about: raised again, it is the same one, seen
//! again. It ends when its cause is gone, or when somebody says so; both stay in the history.
//! [`Backoff`] says when a receiver that is down is tried again, [`pace`] how often one is told of
//! an alert that comes and goes.

mod backoff;
mod flood;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use backoff::{Backoff, Next};
pub use flood::{MANY, PAUSE, Pace, SPAN, pace};

use crate::{Code, Exit, Fault, Moment};

/// Longest message and remedy that are kept, in characters.
const MAX_TEXT: usize = 4000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is at risk.
    Info,
    /// Protection is thinner than configured.
    Warning,
    /// Something is not protected, or a backup failed.
    Error,
    /// Data is lost or unreadable.
    Critical,
}

impl Severity {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// From how it is written; what is not known is an error.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "info" => Self::Info,
            "warning" => Self::Warning,
            "critical" => Self::Critical,
            _ => Self::Error,
        }
    }

    /// By how a process ends that stops at a fault of this kind.
    #[must_use]
    pub const fn of(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::Info,
            Exit::Degraded | Exit::Refused | Exit::Cancelled => Self::Warning,
            Exit::Failed | Exit::Usage => Self::Error,
            Exit::Lost => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Something to be raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Fixed code, one half of its key.
    pub code: Code,
    /// What it is about, the other half: `group payroll`, `payroll/Payroll full`, a device.
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub message: String,
    /// What to do now.
    pub remedy: String,
    /// The protection group, if it is about one.
    pub group: Option<String>,
    /// The database, if it is about one.
    pub database: Option<String>,
}

impl Alert {
    /// An alert about an object, without group and database yet.
    #[must_use]
    pub fn new(code: Code, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            object: shortened(object.into()),
            severity: Severity::of(code.exit()),
            message: shortened(message.into()),
            remedy: String::new(),
            group: None,
            database: None,
        }
    }

    /// From a fault: its causes stand in the message.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let message = std::iter::once(&fault.message)
            .chain(&fault.causes)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(": ");
        Self::new(fault.code, fault.object.clone(), message).remedy(fault.remedy.clone())
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = shortened(remedy.into());
        self
    }

    /// Says how bad it is, where the code alone does not.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says which group it is about.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Says which database it is about.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }
}

/// What raising did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Raised {
    /// It was not open: whoever listens is told.
    New,
    /// It was open already, and was updated in place.
    Again,
}

/// How an alert ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// When.
    pub at: Moment,
    /// By hand, not because its cause was gone.
    pub by_hand: bool,
    /// What was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An alert as it stands in the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, never given twice.
    pub id: i64,
    /// Its code.
    pub code: String,
    /// What it is about.
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as it was last said.
    pub message: String,
    /// What to do now.
    pub remedy: String,
    /// The protection group.
    pub group: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// When it was first seen.
    pub first: Moment,
    /// When it was last seen.
    pub last: Moment,
    /// How often it was seen.
    pub times: u64,
    /// How it ended; `None` while it is open.
    pub resolved: Option<Resolved>,
}

/// What receivers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// An alert was raised that was not open.
    Raised,
    /// An alert ended.
    Resolved,
    /// Nothing happened: `alerts test`.
    Test,
}

/// One message to a receiver: what webhook and command get as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The agent that tells.
    pub agent: String,
    /// When it happened.
    pub at: Moment,
    /// The alert.
    pub alert: Entry,
    /// Messages about it that were left out within the last hour, since it comes and goes.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Notice {
    /// In one line, for subjects and logs.
    #[must_use]
    pub fn headline(&self) -> String {
        let alert = &self.alert;
        let word = match self.event {
            Event::Raised => alert.severity.word(),
            Event::Resolved => "resolved",
            Event::Test => "test",
        };
        let (agent, code, object) = (&self.agent, &alert.code, &alert.object);
        let line = format!("{agent}: {word} {code} {object}: {}", alert.message);
        match self.left_out {
            0 => line,
            count => format!("{line} (comes and goes: {count} messages were left out)"),
        }
    }
}

/// Cut where nobody reads on.
fn shortened(text: String) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text;
    }
    text.chars().take(MAX_TEXT).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests;
