//! What came of a backup of one or more databases.

use serde::Serialize;
use twinset_domain::{BackupKind, Fault};

use super::{said, tell};
use crate::backup::finished::Finished;
use crate::backup::guard::{self, Guarded};
use crate::backup::role::Role;
use crate::config::Group;
use crate::report::Output;

/// The end of a backup of one or more databases.
#[derive(Default, Serialize)]
pub(super) struct Ended {
    pub(super) sets: Vec<Finished>,
    pub(super) failed: Vec<String>,
    /// Databases that have nothing of the kind, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) skipped: Vec<Skipped>,
    /// Where the chain guard took something else than was asked for, or found backups of others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) guard: Vec<Guarded>,
    /// Where the roles of two partners are worth telling.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<Role>,
}

/// A database that has nothing of the kind.
#[derive(Serialize)]
pub(super) struct Skipped {
    pub(super) database: String,
    pub(super) why: String,
}

/// What came of one database.
pub(super) enum One {
    /// It was backed up, or has nothing of the kind.
    Done {
        guarded: Box<Guarded>,
        finished: Option<Box<Finished>>,
        role: Option<Box<Role>>,
    },
    /// The mirror is here.
    PassedOver(Box<Role>),
}

impl Ended {
    /// Adds what came of one database; what is to be said loudly is returned.
    pub(super) fn take(&mut self, one: One, group: &Group, output: &Output) -> Vec<Fault> {
        let (guarded, finished, role) = match one {
            One::Done {
                guarded,
                finished,
                role,
            } => (*guarded, finished, role),
            One::PassedOver(role) => {
                let (database, refused) = (role.database.clone(), role.refused());
                let why = refused.map(|fault| fault.message).unwrap_or_default();
                self.skipped.push(Skipped { database, why });
                self.roles.push(*role);
                return Vec::new();
            }
        };
        said(&guarded, output);
        let warned = guard::warned(&guarded);
        let noted = warned.is_some() || guarded.decision.differs();
        let mut faults: Vec<Fault> = warned.into_iter().collect();
        match finished {
            Some(finished) => {
                tell(&finished, output);
                let kind = finished.kind.unwrap_or(BackupKind::Full);
                faults.extend(finished.degraded(group.media_set_of(kind)));
                faults.extend(role.as_ref().and_then(|role| role.branch()));
                self.sets.push(*finished);
                if noted {
                    self.guard.push(guarded);
                }
            }
            None => self.skipped.push(Skipped {
                database: guarded.database,
                why: guarded.why,
            }),
        }
        let worth = role.filter(|role| !role.beside().is_empty());
        self.roles.extend(worth.map(|role| *role));
        faults
    }
}
