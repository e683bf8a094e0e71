//! sys.database_mirroring and its companions (facts: sqlserver.md 1.1, 1.2, 9.1).

use super::server::each;
use super::{Row, Table, Viewer};
use crate::tds::types::Value;

/// sys.database_mirroring
pub const MIRRORING: &str = "database_id int!, mirroring_guid uniqueidentifier, \
    mirroring_state tinyint, mirroring_state_desc nvarchar(60), mirroring_role tinyint, \
    mirroring_role_desc nvarchar(60), mirroring_role_sequence int, \
    mirroring_safety_level tinyint, mirroring_safety_level_desc nvarchar(60), \
    mirroring_safety_sequence int, mirroring_partner_name nvarchar(128), \
    mirroring_partner_instance nvarchar(128), mirroring_witness_name nvarchar(128), \
    mirroring_witness_state tinyint, mirroring_witness_state_desc nvarchar(60), \
    mirroring_failover_lsn numeric(25.0), mirroring_connection_timeout int, \
    mirroring_redo_queue int, mirroring_redo_queue_type nvarchar(60), \
    mirroring_end_of_log_lsn numeric(25.0), mirroring_replication_lsn numeric(25.0)";

/// sys.database_mirroring_witnesses
pub const WITNESSES: &str = "database_name sysname!, principal_server_name sysname!, \
    mirror_server_name sysname!, safety_level tinyint!, safety_level_desc nvarchar(60), \
    safety_sequence_number int!, role_sequence_number int!, mirroring_guid uniqueidentifier!, \
    family_guid uniqueidentifier!, is_suspended bit!, is_suspended_sequence_number int!, \
    partner_sync_state tinyint, partner_sync_state_desc nvarchar(60)";

/// sys.dm_os_cluster_nodes
pub const CLUSTER_NODES: &str = "NodeName nvarchar(256)!, status int, \
    status_description nvarchar(20), is_current_owner bit";

/// Number and description of a state; 5 and 6 where the knob has them.
fn state_of(state: u8, five_and_six: bool) -> (i64, &'static str) {
    match (state, five_and_six) {
        (0, _) => (0, "SUSPENDED"),
        (1, _) => (1, "DISCONNECTED"),
        (2, true) => (5, "UNSYNCHRONIZED"),
        (2, false) => (2, "SYNCHRONIZING"),
        (3, _) => (3, "PENDING_FAILOVER"),
        (_, true) => (6, "SYNCHRONIZED"),
        (_, false) => (4, "SYNCHRONIZED"),
    }
}

/// Rows of sys.database_mirroring: a mirror's row is blank for anyone but sysadmin.
pub fn rows(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("database_mirroring", MIRRORING);
    let knobs = viewer.mirroring;
    let sees_mirrors = viewer.sysadmin || knobs.everybody_sees_mirrors;
    each(viewer, &table, |database, row| {
        let row = row.set("database_id", database.id);
        let session = database.mirroring.as_ref();
        let Some(session) = session.filter(|session| session.principal || sees_mirrors) else {
            return row.build();
        };
        let (state, state_desc) = state_of(session.state, knobs.five_and_six);
        let (role, role_desc) = match session.principal {
            true => (1, "PRINCIPAL"),
            false => (2, "MIRROR"),
        };
        let (safety, safety_desc) = match session.safety_full {
            true => (2, "FULL"),
            false => (1, "OFF"),
        };
        let witness = session.witness.as_deref();
        let (sees, sees_desc) = match session.witness_connected {
            true => (1, "CONNECTED"),
            false => (2, "DISCONNECTED"),
        };
        row.set("mirroring_guid", session.guid)
            .set("mirroring_state", state)
            .set("mirroring_state_desc", state_desc)
            .set("mirroring_role", role)
            .set("mirroring_role_desc", role_desc)
            .set("mirroring_role_sequence", session.role_sequence)
            .set("mirroring_safety_level", safety)
            .set("mirroring_safety_level_desc", safety_desc)
            .set("mirroring_safety_sequence", session.safety_sequence)
            .set("mirroring_partner_name", session.partner_address.as_str())
            .set(
                "mirroring_partner_instance",
                session.partner_instance.as_str(),
            )
            .set("mirroring_witness_name", witness)
            .set("mirroring_witness_state", witness.map(|_| sees))
            .set("mirroring_witness_state_desc", witness.map(|_| sees_desc))
            .set("mirroring_failover_lsn", session.failover_lsn)
            .set("mirroring_connection_timeout", session.timeout)
            .set("mirroring_redo_queue_type", "UNLIMITED")
            .set("mirroring_end_of_log_lsn", database.log_end)
            .set("mirroring_replication_lsn", database.log_end)
            .build()
    })
}

/// Rows of sys.database_mirroring_witnesses: here 5 is synchronized, 6 is not.
pub fn witnesses(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("database_mirroring_witnesses", WITNESSES);
    let seen = viewer
        .state
        .witnessed
        .iter()
        .filter(|_| viewer.me.holds("VIEW ANY DEFINITION"));
    seen.map(|row| {
        let (state, state_desc) = match row.synchronized {
            true => (5, "SYNCHRONIZED"),
            false => (6, "UNSYNCHRONIZED"),
        };
        let (safety, safety_desc) = match row.safety_full {
            true => (2, "FULL"),
            false => (1, "OFF"),
        };
        Row::new(&table)
            .set("database_name", row.database.as_str())
            .set("principal_server_name", row.principal.as_str())
            .set("mirror_server_name", row.mirror.as_str())
            .set("safety_level", safety)
            .set("safety_level_desc", safety_desc)
            .set("safety_sequence_number", row.safety_sequence)
            .set("role_sequence_number", row.role_sequence)
            .set("mirroring_guid", row.guid)
            .set("family_guid", row.family)
            .set("is_suspended", row.suspended)
            .set("is_suspended_sequence_number", 1)
            .set("partner_sync_state", state)
            .set("partner_sync_state_desc", state_desc)
            .build()
    })
    .collect()
}
