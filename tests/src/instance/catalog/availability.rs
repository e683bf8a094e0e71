//! Availability groups in the catalogue (facts: sqlserver.md 8.1). The views of the catalogue show
//! nothing without VIEW ANY DEFINITION; the dynamic ones refuse without VIEW SERVER STATE. What is
//! known of other replicas stands on the primary alone.

use super::{Row, Table, Viewer};
use crate::instance::availability::{Connections, Group, Role, View, messages};
use crate::tds::tokens::ServerMessage;
use crate::tds::types::Value;

/// sys.availability_groups, as SQL Server 2022 has it.
pub const GROUPS: &str = "group_id uniqueidentifier!, name sysname, \
    resource_id nvarchar(40), resource_group_id nvarchar(40), failure_condition_level int, \
    health_check_timeout int, automated_backup_preference tinyint, \
    automated_backup_preference_desc nvarchar(60), version smallint, basic_features bit, \
    dtc_support bit, db_failover bit, is_distributed bit, cluster_type tinyint, \
    cluster_type_desc nvarchar(60), required_synchronized_secondaries_to_commit int, \
    sequence_number bigint, is_contained bit";

/// sys.availability_replicas
pub const REPLICAS: &str = "replica_id uniqueidentifier, group_id uniqueidentifier, \
    replica_metadata_id int, replica_server_name nvarchar(256), owner_sid varbinary(85), \
    endpoint_url nvarchar(128), availability_mode tinyint, availability_mode_desc nvarchar(60), \
    failover_mode tinyint, failover_mode_desc nvarchar(60), session_timeout int, \
    primary_role_allow_connections tinyint, primary_role_allow_connections_desc nvarchar(60), \
    secondary_role_allow_connections tinyint, \
    secondary_role_allow_connections_desc nvarchar(60), create_date datetime, \
    modify_date datetime, backup_priority int, read_only_routing_url nvarchar(256), \
    seeding_mode tinyint, seeding_mode_desc nvarchar(60)";

/// sys.availability_databases_cluster
pub const CLUSTER_DATABASES: &str = "group_id uniqueidentifier, \
    group_database_id uniqueidentifier, database_name sysname";

/// sys.dm_hadr_availability_group_states
pub const GROUP_STATES: &str = "group_id uniqueidentifier!, primary_replica nvarchar(128), \
    primary_recovery_health tinyint, primary_recovery_health_desc nvarchar(60), \
    secondary_recovery_health tinyint, secondary_recovery_health_desc nvarchar(60), \
    synchronization_health tinyint, synchronization_health_desc nvarchar(60)";

/// sys.dm_hadr_availability_replica_states
pub const REPLICA_STATES: &str = "replica_id uniqueidentifier!, group_id uniqueidentifier!, \
    is_local bit!, role tinyint, role_desc nvarchar(60), operational_state tinyint, \
    operational_state_desc nvarchar(60), connected_state tinyint, \
    connected_state_desc nvarchar(60), recovery_health tinyint, \
    recovery_health_desc nvarchar(60), synchronization_health tinyint, \
    synchronization_health_desc nvarchar(60), last_connect_error_number int, \
    last_connect_error_description nvarchar(1024), last_connect_error_timestamp datetime";

/// sys.dm_hadr_database_replica_states
pub const DATABASE_STATES: &str = "database_id int!, group_id uniqueidentifier!, \
    replica_id uniqueidentifier!, group_database_id uniqueidentifier!, is_local bit, \
    is_primary_replica bit, synchronization_state tinyint, \
    synchronization_state_desc nvarchar(60), is_commit_participant bit, \
    synchronization_health tinyint, synchronization_health_desc nvarchar(60), \
    database_state tinyint, database_state_desc nvarchar(60), is_suspended bit, \
    suspend_reason tinyint, suspend_reason_desc nvarchar(60), \
    last_hardened_lsn numeric(25.0), last_redone_lsn numeric(25.0), log_send_queue_size bigint, \
    redo_queue_size bigint, end_of_log_lsn numeric(25.0), last_commit_lsn numeric(25.0), \
    last_commit_time datetime, secondary_lag_seconds bigint";

type Rows = Vec<Vec<Value>>;

fn seen<'a>(viewer: &'a Viewer<'_>) -> impl Iterator<Item = &'a View> {
    let sees = viewer.me.holds("VIEW ANY DEFINITION");
    viewer.state.groups.iter().filter(move |_| sees)
}

fn allowed(viewer: &Viewer<'_>) -> Result<(), ServerMessage> {
    if viewer.view_server_state {
        Ok(())
    } else {
        Err(messages::hidden())
    }
}

/// Rows of sys.availability_groups; a distributed group has one of its own.
pub fn groups(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    let table = Table::parse("availability_groups", GROUPS);
    let mut rows = Vec::new();
    for view in seen(viewer) {
        let group = &view.group;
        let (preference, preference_desc) = group.preference.describe();
        let (cluster, cluster_desc) = group.cluster.describe();
        let row = |id, name: &str, distributed: bool| {
            Row::new(&table)
                .set("group_id", id)
                .set("name", name)
                .set("failure_condition_level", 3)
                .set("health_check_timeout", 30_000)
                .set("automated_backup_preference", preference)
                .set("automated_backup_preference_desc", preference_desc)
                .set("version", 0)
                .set("basic_features", group.basic)
                .set("dtc_support", false)
                .set("db_failover", false)
                .set("is_distributed", distributed)
                .set("cluster_type", cluster)
                .set("cluster_type_desc", cluster_desc)
                .set("required_synchronized_secondaries_to_commit", 0)
                .set("sequence_number", 1)
                .set("is_contained", group.contained)
                .build()
        };
        rows.push(row(group.id, &group.name, false));
        if let Some(name) = &group.distributed {
            rows.push(row(outer(group), name, true));
        }
    }
    Ok(rows)
}

/// group_id of the distributed group around a group.
fn outer(group: &Group) -> uuid::Uuid {
    uuid::Uuid::from_u128(group.id.as_u128() ^ 1)
}

/// Rows of sys.availability_replicas: those of a distributed group are groups.
pub fn replicas(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    let table = Table::parse("availability_replicas", REPLICAS);
    let mut rows = Vec::new();
    for view in seen(viewer) {
        for replica in &view.group.replicas {
            let (mode, mode_desc) = match replica.synchronous {
                true => (1, "SYNCHRONOUS_COMMIT"),
                false => (0, "ASYNCHRONOUS_COMMIT"),
            };
            let (failover, failover_desc) = match replica.automatic {
                true => (0, "AUTOMATIC"),
                false => (1, "MANUAL"),
            };
            let (connections, connections_desc) = match replica.connections {
                Connections::No => (0, "NO"),
                Connections::ReadOnly => (1, "READ_ONLY"),
                Connections::All => (2, "ALL"),
            };
            let row = Row::new(&table)
                .set("replica_id", replica.id)
                .set("group_id", view.group.id)
                .set("replica_server_name", replica.server.as_str())
                .set("endpoint_url", format!("TCP://{}:5022", replica.server))
                .set("availability_mode", mode)
                .set("availability_mode_desc", mode_desc)
                .set("failover_mode", failover)
                .set("failover_mode_desc", failover_desc)
                .set("session_timeout", 10)
                .set("primary_role_allow_connections", 2)
                .set("primary_role_allow_connections_desc", "ALL")
                .set("secondary_role_allow_connections", connections)
                .set("secondary_role_allow_connections_desc", connections_desc)
                .set("backup_priority", replica.priority);
            rows.push(row.build());
        }
        if view.group.distributed.is_some() {
            let row = Row::new(&table)
                .set("replica_id", view.group.id)
                .set("group_id", outer(&view.group))
                .set("replica_server_name", view.group.name.as_str())
                .set("backup_priority", 50);
            rows.push(row.build());
        }
    }
    Ok(rows)
}

/// Rows of sys.availability_databases_cluster.
pub fn databases(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    let table = Table::parse("availability_databases_cluster", CLUSTER_DATABASES);
    let mut rows = Vec::new();
    for view in seen(viewer) {
        for (name, id) in &view.group.databases {
            let row = Row::new(&table)
                .set("group_id", view.group.id)
                .set("group_database_id", *id)
                .set("database_name", name.as_str());
            rows.push(row.build());
        }
    }
    Ok(rows)
}

/// Rows of sys.dm_hadr_availability_group_states: nobody names a primary that is not there.
pub fn group_states(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    allowed(viewer)?;
    let table = Table::parse("dm_hadr_availability_group_states", GROUP_STATES);
    let row = |view: &View| {
        let group = &view.group;
        let cut = group.replicas[view.local].cut;
        let primary = group.live_primary().filter(|_| !cut);
        let (health, health_desc) = health(group, primary.is_some());
        Row::new(&table)
            .set("group_id", group.id)
            .set(
                "primary_replica",
                primary.map(|at| group.replicas[at].server.as_str()),
            )
            .set("synchronization_health", health)
            .set("synchronization_health_desc", health_desc)
            .build()
    };
    Ok(viewer.state.groups.iter().map(row).collect())
}

/// NOT_HEALTHY where nobody serves, PARTIALLY_HEALTHY where some replica does not follow.
fn health(group: &Group, served: bool) -> (i64, &'static str) {
    let follows = |at: usize| group.sync_of(at) > 0;
    if !served {
        (0, "NOT_HEALTHY")
    } else if (0..group.replicas.len()).all(follows) {
        (2, "HEALTHY")
    } else {
        (1, "PARTIALLY_HEALTHY")
    }
}

/// The replicas that an instance knows the state of.
fn known(view: &View) -> impl Iterator<Item = usize> {
    let primary = view.group.replicas[view.local].role == Role::Primary;
    let local = view.local;
    (0..view.group.replicas.len()).filter(move |at| primary || *at == local)
}

/// Rows of sys.dm_hadr_availability_replica_states.
pub fn replica_states(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    allowed(viewer)?;
    let table = Table::parse("dm_hadr_availability_replica_states", REPLICA_STATES);
    let mut rows = Vec::new();
    for view in &viewer.state.groups {
        for at in known(view) {
            let (group, local) = (&view.group, at == view.local);
            let replica = &group.replicas[at];
            let (role, role_desc) = match replica.role {
                Role::Resolving => (0, "RESOLVING"),
                Role::Primary => (1, "PRIMARY"),
                Role::Secondary => (2, "SECONDARY"),
            };
            // Only the replica itself knows how it works.
            let (state, state_desc) = match replica.role {
                Role::Resolving => (0, "PENDING_FAILOVER"),
                _ => (2, "ONLINE"),
            };
            let away = replica.cut || replica.role == Role::Resolving;
            let (connected, connected_desc) = match away {
                true => (0, "DISCONNECTED"),
                false => (1, "CONNECTED"),
            };
            let (health, health_desc) = match group.sync_of(at) {
                0 => (0, "NOT_HEALTHY"),
                1 if replica.synchronous => (1, "PARTIALLY_HEALTHY"),
                _ => (2, "HEALTHY"),
            };
            let row = Row::new(&table)
                .set("replica_id", replica.id)
                .set("group_id", group.id)
                .set("is_local", local)
                .set("role", role)
                .set("role_desc", role_desc)
                .set("operational_state", local.then_some(state))
                .set("operational_state_desc", local.then_some(state_desc))
                .set("connected_state", connected)
                .set("connected_state_desc", connected_desc)
                .set("synchronization_health", health)
                .set("synchronization_health_desc", health_desc);
            rows.push(row.build());
        }
    }
    Ok(rows)
}

/// Rows of sys.dm_hadr_database_replica_states.
pub fn database_states(viewer: &Viewer<'_>) -> Result<Rows, ServerMessage> {
    allowed(viewer)?;
    let table = Table::parse("dm_hadr_database_replica_states", DATABASE_STATES);
    let mut rows = Vec::new();
    for view in &viewer.state.groups {
        for at in known(view) {
            let replica = &view.group.replicas[at];
            for (name, id) in &view.group.databases {
                let Some(database) = viewer.state.database(name) else {
                    continue;
                };
                let sync = view.group.sync_of(at);
                let sync_desc = match sync {
                    0 => "NOT SYNCHRONIZING",
                    1 => "SYNCHRONIZING",
                    _ => "SYNCHRONIZED",
                };
                let (state, state_desc) = database.state.describe();
                let local = at == view.local;
                let reason = replica.suspended;
                let row = Row::new(&table)
                    .set("database_id", database.id)
                    .set("group_id", view.group.id)
                    .set("replica_id", replica.id)
                    .set("group_database_id", *id)
                    .set("is_local", local)
                    .set("is_primary_replica", replica.role == Role::Primary)
                    .set("synchronization_state", i64::from(sync))
                    .set("synchronization_state_desc", sync_desc)
                    .set("database_state", local.then_some(state))
                    .set("database_state_desc", local.then_some(state_desc))
                    .set("is_suspended", reason.is_some())
                    .set("suspend_reason", reason.map(i64::from))
                    .set("suspend_reason_desc", reason.map(why))
                    .set("last_hardened_lsn", database.log_end)
                    .set("end_of_log_lsn", database.log_end);
                rows.push(row.build());
            }
        }
    }
    Ok(rows)
}

const fn why(reason: u8) -> &'static str {
    match reason {
        0 => "SUSPEND_FROM_USER",
        _ => "SUSPEND_FROM_PARTNER",
    }
}
