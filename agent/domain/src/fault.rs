//! The one shape of every failure a user may see: code, object, cause, remedy (promise P12).

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// How the process ends (design: exit codes of the command line).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: done, with fewer mirrors than configured, or damage that is still readable.
    Degraded,
    /// 4: data lost or unreadable.
    Lost,
    /// 5: refused by state (locked by another, check required).
    Refused,
    /// 6: cancelled.
    Cancelled,
}

impl Exit {
    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Degraded => 3,
            Self::Lost => 4,
            Self::Refused => 5,
            Self::Cancelled => 6,
        }
    }

    /// The end that an exit code says; an unknown one says that it failed.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::Degraded,
            4 => Self::Lost,
            5 => Self::Refused,
            6 => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// The worse of two ends, in the order 6, 4, 1, 2, 5, 3, 0.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        const fn rank(exit: Exit) -> u8 {
            match exit {
                Exit::Cancelled => 6,
                Exit::Lost => 5,
                Exit::Failed => 4,
                Exit::Usage => 3,
                Exit::Refused => 2,
                Exit::Degraded => 1,
                Exit::Done => 0,
            }
        }
        if rank(self) >= rank(other) {
            self
        } else {
            other
        }
    }
}

/// A fixed code: SQL Server's number where it has one for the condition, else `TW` and a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    text: &'static str,
    exit: Exit,
}

impl Code {
    /// As users see it: `3258`, `TW3004`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.text
    }

    /// How a process ends that fails with this code.
    #[must_use]
    pub const fn exit(self) -> Exit {
        self.exit
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text)
    }
}

impl<'de> Deserialize<'de> for Code {
    /// A code that this release does not know says that something failed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(code::find(&text).unwrap_or(code::INTERNAL))
    }
}

/// Something that failed, said so that an operator can act on it at three in the morning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Fixed code.
    pub code: Code,
    /// One sentence: what failed.
    pub message: String,
    /// What it failed on: a file with line and column, a volume, a database, a device.
    pub object: String,
    /// What to do now.
    pub remedy: String,
    /// Causes, nearest first.
    pub causes: Vec<String>,
}

impl Fault {
    /// A fault without cause or remedy yet.
    pub fn new(code: Code, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            object: object.into(),
            remedy: String::new(),
            causes: Vec::new(),
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Adds one cause as text.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds an error and all its sources as causes.
    #[must_use]
    pub fn source(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// How a process ends that stops at this fault.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.code.exit
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, self.object, self.message)?;
        for cause in &self.causes {
            write!(f, "\n  cause: {cause}")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n  remedy: {}", self.remedy)?;
        }
        Ok(())
    }
}

impl Error for Fault {}

pub mod code;
