//! Availability groups over the instances of one lab (facts: sqlserver.md 8).
//!
//! What a cluster knows of a group is one value that all its replicas share; `settle` lets the
//! log flow from the primary, brings home what a secondary has backed up, and tells each instance
//! how things stand there, before anybody looks. `switch` moves the roles. Nothing here waits.

pub mod messages;
mod settle;
mod switch;

use uuid::Uuid;

pub use switch::Order;

/// What is believed or unknown of availability groups.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AvailabilityFaults {
    /// A secondary without read access is backed up all the same (unknown).
    pub unreadable_backs_up: bool,
    /// sys.database_recovery_status tells nothing of a secondary (unknown).
    pub secondary_hides_recovery: bool,
}

/// sys.availability_groups.automated_backup_preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// 0
    Primary,
    /// 1
    SecondaryOnly,
    /// 2, what SQL Server gives a group that says nothing.
    #[default]
    Secondary,
    /// 3
    None,
}

impl Preference {
    /// Number and description of the catalogue.
    #[must_use]
    pub const fn describe(self) -> (i64, &'static str) {
        match self {
            Self::Primary => (0, "PRIMARY"),
            Self::SecondaryOnly => (1, "SECONDARY_ONLY"),
            Self::Secondary => (2, "SECONDARY"),
            Self::None => (3, "NONE"),
        }
    }
}

/// Who moves the roles of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cluster {
    /// 0: a Windows failover cluster.
    #[default]
    Wsfc,
    /// 1: another cluster manager.
    External,
    /// 2: nobody (a read-scale group).
    None,
}

impl Cluster {
    /// Number and description of the catalogue.
    #[must_use]
    pub const fn describe(self) -> (i64, &'static str) {
        match self {
            Self::Wsfc => (0, "wsfc"),
            Self::External => (1, "external"),
            Self::None => (2, "none"),
        }
    }
}

/// What a replica lets clients do while it is secondary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// 0
    No,
    /// 1
    ReadOnly,
    /// 2
    #[default]
    All,
}

/// sys.dm_hadr_availability_replica_states.role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// 0
    Resolving,
    /// 1
    Primary,
    /// 2
    Secondary,
}

/// One instance's part in a group.
#[derive(Clone, Debug)]
pub struct Replica {
    /// replica_id
    pub id: Uuid,
    /// Place of its instance in the scene.
    pub instance: usize,
    /// replica_server_name
    pub server: String,
    /// SYNCHRONOUS_COMMIT.
    pub synchronous: bool,
    /// AUTOMATIC failover.
    pub automatic: bool,
    /// backup_priority
    pub priority: i32,
    /// secondary_role_allow_connections
    pub connections: Connections,
    /// It cannot talk to the others.
    pub cut: bool,
    /// Data movement is suspended: suspend_reason.
    pub suspended: Option<u8>,
    /// Its role as of the last look.
    pub role: Role,
    /// Its instance runs, as of the last look.
    pub runs: bool,
}

/// A group, as its cluster knows it.
#[derive(Clone, Debug)]
pub struct Group {
    /// group_id
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// automated_backup_preference
    pub preference: Preference,
    /// cluster_type
    pub cluster: Cluster,
    /// basic_features
    pub basic: bool,
    /// is_contained
    pub contained: bool,
    /// Name of the distributed group that it is a part of.
    pub distributed: Option<String>,
    /// Replicas in the order of the scene.
    pub replicas: Vec<Replica>,
    /// Databases with their group_database_id.
    pub databases: Vec<(String, Uuid)>,
    /// Place of the primary among the replicas, or of who was it last.
    pub primary: usize,
}

/// A group as one instance sees it.
#[derive(Clone, Debug)]
pub struct View {
    /// The group.
    pub group: Group,
    /// Place of the instance among the replicas.
    pub local: usize,
}

/// A database's part in a group, on one replica.
#[derive(Clone, Debug)]
pub struct Joined {
    /// group_database_id
    pub database: Uuid,
    /// replica_id
    pub replica: Uuid,
    /// The role here.
    pub role: Role,
    /// synchronization_state: 0 not synchronizing, 1 synchronizing, 2 synchronized.
    pub sync: u8,
    /// suspend_reason.
    pub suspended: Option<u8>,
    /// What a secondary lets clients do.
    pub connections: Connections,
    /// Some secondary does not get the log: it cannot be truncated.
    pub held: bool,
}

impl Group {
    /// The primary, where there is one.
    #[must_use]
    pub fn live_primary(&self) -> Option<usize> {
        let primary = self.replicas.get(self.primary)?;
        (primary.role == Role::Primary).then_some(self.primary)
    }

    /// synchronization_state of a replica.
    #[must_use]
    pub fn sync_of(&self, at: usize) -> u8 {
        let replica = &self.replicas[at];
        let moves = replica.suspended.is_none() && self.live_primary().is_some();
        match (replica.role, moves) {
            (Role::Resolving, _) | (_, false) => 0,
            (Role::Primary, _) => 2,
            (Role::Secondary, true) if replica.synchronous => 2,
            (Role::Secondary, true) => 1,
        }
    }

    /// `sys.fn_hadr_backup_is_preferred_replica` on a replica: by preference, then by priority, then
    /// by name, among those that are there. Every replica evaluates the same data.
    #[must_use]
    pub fn prefers(&self, at: usize) -> bool {
        let there = |replica: &&Replica| {
            replica.role != Role::Resolving && replica.priority > 0 && !replica.cut && replica.runs
        };
        let secondary = |replica: &&Replica| replica.role == Role::Secondary;
        let best = |secondaries: bool| {
            let all = self.replicas.iter().filter(there);
            let all = all.filter(|replica| !secondaries || secondary(replica));
            all.min_by_key(|replica| (-replica.priority, replica.server.clone()))
        };
        let primary = || {
            let primary = self.live_primary().map(|at| &self.replicas[at]);
            // The priority says nothing where the preference names the role.
            primary.map(|primary| primary.id)
        };
        let chosen = match self.preference {
            Preference::Primary => primary(),
            Preference::SecondaryOnly => best(true).map(|replica| replica.id),
            Preference::Secondary => best(true).map(|replica| replica.id).or_else(primary),
            Preference::None => best(false).map(|replica| replica.id),
        };
        chosen == Some(self.replicas[at].id)
    }
}
