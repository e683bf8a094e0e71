//! A database of an availability group: what its replica says, and which backups are taken there
//! (design 7.4; facts/sqlserver.md 8).

mod posts;
mod words;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use posts::{Barred, Posts, Site, Unfollowed, barred, posts};

/// The part that a replica plays in its group (`role_desc` of
/// `sys.dm_hadr_availability_replica_states`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaRole {
    /// Serves the databases.
    Primary,
    /// Follows.
    Secondary,
    /// Neither: a failover is under way, or nobody may serve.
    Resolving,
}

impl ReplicaRole {
    /// Reads the catalogue's word; what is not known has no role.
    #[must_use]
    pub fn from_desc(text: &str) -> Self {
        match text {
            "PRIMARY" => Self::Primary,
            "SECONDARY" => Self::Secondary,
            _ => Self::Resolving,
        }
    }
}

/// Where a group wants its backups (`automated_backup_preference_desc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// On the primary.
    Primary,
    /// On a secondary, never on the primary.
    SecondaryOnly,
    /// On a secondary, on the primary where there is none: SQL Server's default.
    Secondary,
    /// On any, by priority.
    None,
    /// A word that is not documented.
    Other,
}

impl Preference {
    /// Reads the catalogue's word.
    #[must_use]
    pub fn from_desc(text: &str) -> Self {
        match text {
            "PRIMARY" => Self::Primary,
            "SECONDARY_ONLY" => Self::SecondaryOnly,
            "SECONDARY" => Self::Secondary,
            "NONE" => Self::None,
            _ => Self::Other,
        }
    }
}

/// Who moves the roles (`cluster_type`; before 2017 there is one kind alone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cluster {
    /// 0: a Windows failover cluster.
    Wsfc,
    /// 1: another cluster manager.
    External,
    /// 2: nobody: a read-scale group.
    None,
}

impl Cluster {
    /// Reads the catalogue's number.
    #[must_use]
    pub const fn from_number(number: Option<i64>) -> Self {
        match number {
            None | Some(0) => Self::Wsfc,
            Some(1) => Self::External,
            Some(_) => Self::None,
        }
    }
}

/// What a replica lets clients do while it is secondary (`secondary_role_allow_connections_desc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Nothing.
    No,
    /// Reading, for whoever says that this is all he wants.
    ReadOnly,
    /// Reading.
    All,
}

impl Access {
    /// Reads the catalogue's word.
    #[must_use]
    pub fn from_desc(text: &str) -> Self {
        match text {
            "ALL" => Self::All,
            "READ_ONLY" => Self::ReadOnly,
            _ => Self::No,
        }
    }
}

/// A group that is followed in another way, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// A basic group: one secondary, which is neither read nor backed up.
    pub basic: bool,
    /// A contained group: it has a master and an msdb of its own.
    pub contained: bool,
    /// The distributed group that it is a part of.
    pub distributed: Option<String>,
}

/// What the local replica says of a database in its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// `group_id`.
    pub group: Uuid,
    /// The group's name.
    pub name: String,
    /// `group_database_id`, equal on all replicas: the key of the same database.
    pub database: Uuid,
    /// `replica_id`.
    pub replica: Uuid,
    /// `replica_server_name`: what the group calls this instance.
    pub server: String,
    /// Its role.
    pub role: ReplicaRole,
    /// What the group calls the primary, as far as this replica knows (`primary_replica`).
    pub primary: Option<String>,
    /// SYNCHRONOUS_COMMIT.
    pub synchronous: bool,
    /// `synchronization_state_desc` of the database.
    pub synchronization: String,
    /// `synchronization_health_desc` of the replica.
    pub health: String,
    /// Why its data movement is suspended, if it is (`suspend_reason_desc`).
    pub suspended: Option<String>,
    /// Where the group wants its backups.
    pub preference: Preference,
    /// `backup_priority`, 0 to 100; 0 is never preferred.
    pub priority: i64,
    /// `sys.fn_hadr_backup_is_preferred_replica`.
    pub preferred: bool,
    /// What clients may do here while it is secondary.
    pub access: Access,
    /// Who moves the roles.
    pub cluster: Cluster,
    /// What else the group is.
    pub shape: Shape,
}

impl Replica {
    /// Whether the log reaches it.
    #[must_use]
    pub fn is_following(&self) -> bool {
        let moves = ["SYNCHRONIZED", "SYNCHRONIZING"].contains(&self.synchronization.as_str());
        self.suspended.is_none() && moves
    }

    /// Why the group is not followed.
    #[must_use]
    pub fn unfollowed(&self) -> Option<Unfollowed> {
        let name = self.name.clone();
        if let Some(distributed) = &self.shape.distributed {
            let distributed = distributed.clone();
            return Some(Unfollowed::Distributed { name, distributed });
        }
        if self.cluster == Cluster::None {
            return Some(Unfollowed::ReadScale { name });
        }
        self.shape
            .contained
            .then_some(Unfollowed::Contained { name })
    }
}

/// Whether a database is in an availability group, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// It is in none.
    #[default]
    Alone,
    /// It is in one, and the login may not see which, or not how it stands; with the right that is
    /// missing.
    Hidden(String),
    /// It is in this one.
    In(Box<Replica>),
}

impl Membership {
    /// Its replica, where it can be seen.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        match self {
            Self::In(replica) => Some(replica),
            Self::Alone | Self::Hidden(_) => None,
        }
    }

    /// Whether it is in a group, seen or not.
    #[must_use]
    pub fn is_in(&self) -> bool {
        *self != Self::Alone
    }
}
