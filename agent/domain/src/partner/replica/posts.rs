//! Which backups of a database are taken on a replica.

use serde::{Deserialize, Serialize};

use super::{Access, Preference, Replica, ReplicaRole};
use crate::BackupKind;

/// Where a group of ours wants its log backups; fulls and differentials are the primary's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// On the replica that the availability group prefers.
    #[default]
    Preferred,
    /// On the primary, whatever the group prefers.
    Primary,
}

/// Why a group is not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "group")]
pub enum Unfollowed {
    /// Nobody moves its roles: after a failover by hand two may believe in themselves.
    ReadScale {
        /// Its name.
        name: String,
    },
    /// It is part of a group of groups.
    Distributed {
        /// Its name.
        name: String,
        /// That of the distributed one.
        distributed: String,
    },
    /// It has a master and an msdb of its own.
    Contained {
        /// Its name.
        name: String,
    },
}

/// Why a backup is not taken on this replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "barred")]
pub enum Barred {
    /// Neither primary nor secondary.
    Resolving,
    /// Only the primary takes it: a secondary takes logs and copy-only fulls.
    NeedsPrimary {
        /// What the group calls it.
        primary: Option<String>,
    },
    /// The group prefers another replica.
    NotPreferred {
        /// What it prefers.
        preference: Preference,
    },
    /// Our group wants its logs on the primary.
    Configured,
    /// The log does not reach this secondary.
    NotFollowing {
        /// `synchronization_state_desc`.
        synchronization: String,
        /// Why it is suspended.
        suspended: Option<String>,
    },
    /// This secondary lets nobody read it.
    NotReadable,
    /// The secondary of a basic group takes no backups.
    Basic,
}

/// What the role and SQL Server itself allow of one backup on this replica. Nobody else is asked.
#[must_use]
pub fn barred(replica: &Replica, (kind, copy_only): (BackupKind, bool)) -> Option<Barred> {
    match replica.role {
        ReplicaRole::Primary => None,
        ReplicaRole::Resolving => Some(Barred::Resolving),
        ReplicaRole::Secondary => {
            let takes = match kind {
                BackupKind::Full => copy_only,
                BackupKind::Differential => false,
                BackupKind::Log => !copy_only,
            };
            if !takes {
                let primary = replica.primary.clone();
                return Some(Barred::NeedsPrimary { primary });
            }
            unready(replica)
        }
    }
}

/// Why a secondary takes nothing at all.
fn unready(replica: &Replica) -> Option<Barred> {
    if replica.shape.basic {
        Some(Barred::Basic)
    } else if replica.access == Access::No {
        Some(Barred::NotReadable)
    } else if !replica.is_following() {
        Some(Barred::NotFollowing {
            synchronization: replica.synchronization.clone(),
            suspended: replica.suspended.clone(),
        })
    } else {
        None
    }
}

/// Who takes which kind, from the point of view of one replica: nothing where it is taken here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posts {
    /// Fulls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Barred>,
    /// Differentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differential: Option<Barred>,
    /// Logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Barred>,
}

impl Posts {
    /// Why a kind is not taken here.
    #[must_use]
    pub const fn of(&self, kind: BackupKind) -> Option<&Barred> {
        match kind {
            BackupKind::Full => self.full.as_ref(),
            BackupKind::Differential => self.differential.as_ref(),
            BackupKind::Log => self.log.as_ref(),
        }
    }

    /// Whether every kind is taken here.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether any kind is.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.full.is_none() || self.differential.is_none() || self.log.is_none()
    }
}

/// Decides which kinds an agent takes on its replica by schedule. Fulls and differentials are the
/// primary's. Logs are taken where the availability group prefers them, as SQL Server itself
/// evaluates that on every replica; where all other configured replicas (`others`) answered and
/// none of them would take them, the primary does: a log must be taken somewhere. A replica that
/// did not answer (`None`) may take them.
#[must_use]
pub fn posts(replica: &Replica, others: &[Option<&Replica>], site: Site) -> Posts {
    let plain = |kind| barred(replica, (kind, false));
    Posts {
        full: plain(BackupKind::Full),
        differential: plain(BackupKind::Differential),
        log: plain(BackupKind::Log).or_else(|| elsewhere(replica, others, site)),
    }
}

/// Why logs, which could be taken here, are not.
fn elsewhere(replica: &Replica, others: &[Option<&Replica>], site: Site) -> Option<Barred> {
    let is_primary = replica.role == ReplicaRole::Primary;
    let wanted = match site {
        Site::Primary if is_primary => true,
        Site::Primary => return Some(Barred::Configured),
        Site::Preferred => replica.preferred,
    };
    let takes = |other: &Option<&Replica>| {
        other.is_none_or(|other| {
            let related = other.database == replica.database;
            related && other.preferred && barred(other, (BackupKind::Log, false)).is_none()
        })
    };
    if wanted || (is_primary && !others.iter().any(takes)) {
        return None;
    }
    Some(Barred::NotPreferred {
        preference: replica.preference,
    })
}
