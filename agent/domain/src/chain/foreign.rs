//! Backups of other tools, as msdb tells of them, and what they endanger.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Decision, Question, Reason};
use crate::{BackupKind, LocalTime, Lsn, Moment};

/// A backup that somebody else took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// Its GUID.
    pub set: Uuid,
    /// Its kind.
    pub kind: BackupKind,
    /// Outside the chain: it endangers nothing.
    pub copy_only: bool,
    /// Oldest record in it.
    pub first: Option<Lsn>,
    /// Record after it.
    pub last: Option<Lsn>,
    /// When it was finished, in the server's own zone.
    pub finished: Option<LocalTime>,
    /// The first device that it was written to.
    pub device: Option<String>,
    /// Name of the set: most tools put their job there.
    pub name: Option<String>,
    /// The login that took it.
    pub user: Option<String>,
}

/// What a foreign backup puts at risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endangered {
    /// The backup.
    pub by: Foreign,
    /// Of a log: times behind this one, when the newest set before it was begun, up to the next
    /// base are restorable with the foreign file alone.
    pub behind: Option<Moment>,
}

impl Foreign {
    /// Who and where, in words: `log backup in D:\b\x.trn, set "Nightly", login sa, finished ...`.
    #[must_use]
    pub fn described(&self) -> String {
        let mut text = format!("{} backup", self.kind);
        if let Some(device) = &self.device {
            text = format!("{text} in {device}");
        }
        if let Some(name) = self.name.as_ref().filter(|name| !name.is_empty()) {
            text = format!("{text}, set \"{name}\"");
        }
        if let Some(user) = &self.user {
            text = format!("{text}, login {user}");
        }
        if let Some(finished) = &self.finished {
            text = format!("{text}, finished {finished} by the server's clock");
        }
        text
    }
}

impl Endangered {
    /// What is at risk, in words.
    #[must_use]
    pub fn risk(&self) -> String {
        match (self.by.kind, self.behind) {
            (BackupKind::Log, Some(behind)) => {
                format!("restores to times from {behind} to the next base need that file")
            }
            (BackupKind::Log, None) => {
                "restores to times before the next base need that file".to_owned()
            }
            _ => "differentials on it would need that file".to_owned(),
        }
    }
}

/// Whether the facts speak of backups that others took, so that the server's history is worth
/// asking.
#[must_use]
pub fn suspects_others(question: &Question, decision: &Decision) -> bool {
    match decision.reason {
        Reason::Gap { ends, .. } => ends.is_some(),
        Reason::BaseNotHeld { .. } | Reason::ManyBases => true,
        Reason::Fits => {
            question.wanted.kind == BackupKind::Log && {
                let held = |base| question.held.iter().any(|held| held.set == Some(base));
                let mut bases = question.source.bases.iter().flatten();
                bases.any(|base| !held(*base))
            }
        }
        _ => false,
    }
}

/// Which foreign backups endanger something: logs that are no copies and reach behind what is held,
/// and fulls that became a differential base.
#[must_use]
pub fn endangered(foreign: Vec<Foreign>, question: &Question) -> Vec<Endangered> {
    let held = &question.held;
    let covered = |foreign: &Foreign| {
        let logs = held.iter().filter(|held| held.kind == BackupKind::Log);
        let ends = logs.filter_map(|held| held.last).max();
        foreign.last <= ends
    };
    let counts = |foreign: &Foreign| match foreign.kind {
        BackupKind::Log => !foreign.copy_only && !covered(foreign),
        BackupKind::Full => question.source.bases.contains(&Some(foreign.set)),
        BackupKind::Differential => false,
    };
    let risk = |by: Foreign| {
        let before = held
            .iter()
            .filter(|held| held.last.is_some() && held.last <= by.last);
        let behind = before.map(|held| held.written).max();
        Endangered {
            behind: behind.filter(|_| by.kind == BackupKind::Log),
            by,
        }
    };
    foreign.into_iter().filter(counts).map(risk).collect()
}
