//! What people read.

use std::fmt;

use super::{Found, Outcome, TakeOver, Tool};
use crate::BackupKind;

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hallengren => "Ola Hallengren's DatabaseBackup",
            Self::MaintenancePlan => "maintenance plan",
            Self::Statements => "BACKUP statements",
            Self::Unknown => "not known",
        })
    }
}

impl Found {
    /// The kinds that it takes, in words.
    #[must_use]
    pub fn takes(&self) -> String {
        let kinds: Vec<String> = self.kinds.iter().map(ToString::to_string).collect();
        let kinds = if kinds.is_empty() {
            "not told".to_owned()
        } else {
            kinds.join(", ")
        };
        if self.copy_only {
            format!("{kinds} (copies)")
        } else {
            kinds
        }
    }

    /// What it does to the chain that is held here, if it goes on.
    #[must_use]
    pub fn risk(&self) -> &'static str {
        if self.copy_only {
            return "nothing: copies stand outside the chain";
        }
        match (
            self.kinds.is_empty(),
            self.kinds.contains(&BackupKind::Log),
            self.kinds.contains(&BackupKind::Full),
        ) {
            (true, _, _) => "what it takes stands elsewhere: look, and take it for a break",
            (_, true, _) => "each log that it takes is missing here: the next log is bridged",
            (_, _, true) => {
                "its full becomes the differential base: the next differential here \
                             becomes a full"
            }
            _ => "nothing: its differentials stand beside these",
        }
    }
}

impl TakeOver {
    /// How it goes on, in words.
    #[must_use]
    pub fn text(&self) -> String {
        match (&self.outcome, self.imports.len()) {
            (Outcome::GoesOn, 0) => "goes on: everything that it needs is held".to_owned(),
            (Outcome::GoesOn, 1) => "goes on without a new full, with 1 backup taken in".to_owned(),
            (Outcome::GoesOn, many) => {
                format!("goes on without a new full, with {many} backups taken in")
            }
            (Outcome::NewBase { why }, _) => format!("begins with a full: {why}"),
        }
    }
}
