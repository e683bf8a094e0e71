//! Kinds of backup.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a backup set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    /// The whole database.
    Full,
    /// What changed since a full.
    Differential,
    /// The transaction log.
    Log,
}

impl BackupKind {
    /// From the letter in `msdb.dbo.backupset.type` and in the media (D, I, L). Others (files,
    /// partial backups: F, G, P, Q) have no kind here.
    #[must_use]
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'D' => Some(Self::Full),
            b'I' => Some(Self::Differential),
            b'L' => Some(Self::Log),
            _ => None,
        }
    }
}

impl fmt::Display for BackupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Differential => "differential",
            Self::Log => "log",
        })
    }
}
