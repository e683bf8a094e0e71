//! Availability groups of a scene.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use super::invalid;
use crate::instance::Instance;
use crate::instance::availability::{Cluster, Connections, Group, Preference, Replica, Role};
use crate::instance::model::DiffBase;

/// One availability group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupScene {
    /// Name.
    pub name: String,
    /// group_id
    pub id: Uuid,
    /// Its databases; every replica has a database of each name.
    pub databases: Vec<String>,
    /// Its replicas in the order of the scene's instances; the first one is primary.
    pub replicas: Vec<ReplicaScene>,
    /// primary, secondary_only, secondary (what a group has that says nothing) or none.
    #[serde(default)]
    pub preference: Preference,
    /// wsfc, external or none.
    #[serde(default)]
    pub cluster: Cluster,
    /// A basic group.
    #[serde(default)]
    pub basic: bool,
    /// A contained group.
    #[serde(default)]
    pub contained: bool,
    /// Name of the distributed group that it is a part of.
    #[serde(default)]
    pub distributed: Option<String>,
}

/// One replica.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaScene {
    /// Server name of an instance of the scene.
    pub instance: String,
    /// SYNCHRONOUS_COMMIT (the default) or ASYNCHRONOUS_COMMIT.
    #[serde(default = "yes")]
    pub synchronous: bool,
    /// Automatic failover.
    #[serde(default)]
    pub automatic: bool,
    /// backup_priority
    #[serde(default = "fifty")]
    pub priority: i32,
    /// no, read_only or all, while it is secondary.
    #[serde(default)]
    pub connections: Connections,
}

const fn yes() -> bool {
    true
}

const fn fifty() -> i32 {
    50
}

impl GroupScene {
    /// Joins the databases of the instances.
    ///
    /// # Errors
    /// An instance or a database is not there, or the order is another one.
    pub fn build(&self, instances: &[Arc<Instance>]) -> io::Result<Group> {
        let mut replicas: Vec<Replica> = Vec::new();
        for (at, wanted) in self.replicas.iter().enumerate() {
            let place = |known: &Arc<Instance>| known.server_name() == wanted.instance;
            let found = instances.iter().position(place);
            let missing = || invalid(format!("{}: no instance {}", self.name, wanted.instance));
            let instance = found.ok_or_else(missing)?;
            if replicas
                .last()
                .is_some_and(|last| last.instance >= instance)
            {
                let text = "replicas stand in the order of the scene's instances";
                return Err(invalid(format!("{}: {text}", self.name)));
            }
            replicas.push(Replica {
                id: Uuid::from_u128(self.id.as_u128() + 1 + at as u128),
                instance,
                server: wanted.instance.clone(),
                synchronous: wanted.synchronous,
                automatic: wanted.automatic,
                priority: wanted.priority,
                connections: wanted.connections,
                cut: false,
                suspended: None,
                role: Role::Resolving,
                runs: true,
            });
        }
        let mut databases = Vec::new();
        for (at, name) in self.databases.iter().enumerate() {
            for replica in &replicas {
                self.joins(name, &instances[replica.instance])?;
            }
            let id = Uuid::from_u128(self.id.as_u128() + 0x100 + at as u128);
            databases.push((name.clone(), id));
        }
        Ok(Group {
            id: self.id,
            name: self.name.clone(),
            preference: self.preference,
            cluster: self.cluster,
            basic: self.basic,
            contained: self.contained,
            distributed: self.distributed.clone(),
            replicas,
            databases,
            primary: 0,
        })
    }

    /// Only a database that was backed up in full can join.
    fn joins(&self, name: &str, instance: &Instance) -> io::Result<()> {
        let now = instance.clock.now();
        let mut guard = instance.state();
        let state = &mut *guard;
        let set = state.ids.fresh();
        let missing = || invalid(format!("{}: no database {name} everywhere", self.name));
        let database = state.database_mut(name).ok_or_else(missing)?;
        if database.last_log_backup.is_none() {
            let lsn = database.log_end;
            (database.last_log_backup, database.full_checkpoint) = (Some(lsn), Some(lsn));
            database.base = Some(DiffBase { lsn, set, at: now });
        }
        Ok(())
    }
}
