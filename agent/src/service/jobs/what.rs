//! What a job does, and what follows from that for the others.

use serde::Serialize;
use twinset_domain::BackupKind;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::service) enum What {
    /// A backup.
    Backup(BackupKind),
    /// The consistency check.
    Check,
    /// The integrity check: the server's work, so it takes no place and holds nobody up.
    Integrity,
    /// What retention lets go is dropped from one media set.
    Expire,
    /// Ages of backups are judged, receivers of alerts are told: of no database, beside all others.
    Alerts,
    /// The shared catalog is told what waits for it: likewise.
    Share,
}

impl What {
    /// Lower goes first: a log must never wait behind a full.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Alerts | Self::Share | Self::Check | Self::Backup(BackupKind::Log) => 0,
            Self::Backup(BackupKind::Differential) => 1,
            Self::Backup(BackupKind::Full) => 2,
            Self::Integrity | Self::Expire => 3,
        }
    }

    pub(super) const fn is_long(self) -> bool {
        self.rank() > 0
    }

    /// Whether it takes one of the places of `max_parallel`.
    pub(super) const fn takes_place(self) -> bool {
        !matches!(self, Self::Alerts | Self::Share | Self::Integrity)
    }

    /// Of no database, and not worth a line.
    pub(super) const fn is_quiet(self) -> bool {
        matches!(self, Self::Alerts | Self::Share)
    }

    /// Reads the whole database, or much of it: no integrity check begins beside it.
    pub(super) const fn reads_all(self) -> bool {
        matches!(
            self,
            Self::Backup(BackupKind::Full | BackupKind::Differential)
        )
    }
}
