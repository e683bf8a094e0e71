//! The sys views (facts: sqlserver.md 1.1 to 1.3), with what privilege hides.

pub use super::columns::*;
use super::{Row, Table, Viewer};
use crate::instance::model::{Database, DbState};
use crate::tds::types::Value;

pub(super) fn each(
    viewer: &Viewer<'_>,
    table: &Table,
    fill: impl Fn(&Database, Row<'_>) -> Vec<Value>,
) -> Vec<Vec<Value>> {
    viewer
        .state
        .databases
        .iter()
        .map(|database| fill(database, Row::new(table)))
        .collect()
}

/// Rows of sys.databases.
pub fn databases(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("databases", DATABASES);
    let mut rows = Vec::new();
    for database in &viewer.state.databases {
        if database.state == DbState::Offline && !viewer.sysadmin {
            continue;
        }
        let (state, state_desc) = database.state.describe();
        let (model, model_desc) = database.recovery.describe();
        let (access, access_desc) = database.access.describe();
        let online = database.state == DbState::Online;
        let waits = match (&database.mirroring, online && database.busy.is_some()) {
            (_, true) => (3, "ACTIVE_BACKUP_OR_RESTORE"),
            (Some(_), _) if database.held_by_mirror() => (5, "DATABASE_MIRRORING"),
            _ if database.is_held() => (9, "AVAILABILITY_REPLICA"),
            _ if database.log_waits() => (2, "LOG_BACKUP"),
            _ => (0, "NOTHING"),
        };
        let joined = database.joined.as_ref();
        let row = Row::new(&table)
            .set("name", database.name.as_str())
            .set("database_id", database.id)
            .set("replica_id", joined.map(|joined| joined.replica))
            .set("group_database_id", joined.map(|joined| joined.database))
            .set("source_database_id", database.snapshot_of)
            .set("owner_sid", vec![1_u8])
            .set("create_date", database.created)
            .set("compatibility_level", 160)
            .set("collation_name", online.then_some(COLLATION_NAME))
            .set("user_access", access)
            .set("user_access_desc", access_desc)
            .set("is_read_only", database.read_only)
            .set("is_auto_close_on", false)
            .set("is_auto_shrink_on", false)
            .set("state", state)
            .set("state_desc", state_desc)
            .set("is_in_standby", database.standby)
            .set("is_cleanly_shutdown", false)
            .set("is_supplemental_logging_enabled", false)
            .set("snapshot_isolation_state", 0)
            .set("recovery_model", model)
            .set("recovery_model_desc", model_desc)
            .set("page_verify_option", 2)
            .set("page_verify_option_desc", "CHECKSUM")
            .set("is_broker_enabled", database.broker)
            .set("service_broker_guid", database.broker_guid)
            .set("log_reuse_wait", waits.0)
            .set("log_reuse_wait_desc", waits.1)
            .set("is_encrypted", false)
            .set("target_recovery_time_in_seconds", 60)
            .set("containment", 0)
            .set("containment_desc", "NONE")
            .set("is_accelerated_database_recovery_on", false);
        rows.push(row.build());
    }
    rows
}

/// Rows of sys.database_recovery_status: GUIDs are NULL where the database cannot be started.
pub fn recovery_status(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("database_recovery_status", RECOVERY_STATUS);
    each(viewer, &table, |database, row| {
        let row = row.set("database_id", database.id);
        let hidden = viewer.availability.secondary_hides_recovery && database.is_secondary();
        if hidden || !matches!(database.state, DbState::Online | DbState::Emergency) {
            return row.build();
        }
        row.set("database_guid", database.database_guid)
            .set("family_guid", database.family_guid)
            .set("last_log_backup_lsn", database.last_log_backup)
            .set("recovery_fork_guid", database.fork_guid)
            .set("first_recovery_fork_guid", database.first_fork_guid)
            .set("fork_point_lsn", database.fork_point)
            .build()
    })
}

/// Rows of sys.master_files.
pub fn master_files(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("master_files", MASTER_FILES);
    let mut rows = Vec::new();
    for database in &viewer.state.databases {
        // The row of a database that is not one's own needs a right; master and tempdb are open.
        let open = matches!(database.name.as_str(), "master" | "tempdb");
        if !open && !viewer.me.sees_files() {
            continue;
        }
        let (state, state_desc) = database.state.describe();
        for file in &database.files {
            let base = database.base.filter(|_| !file.is_log);
            let (kind, kind_desc) = match (file.is_log, file.is_filestream) {
                (true, _) => (1, "LOG"),
                (_, true) => (2, "FILESTREAM"),
                _ => (0, "ROWS"),
            };
            let redo = Some(database.log_end).filter(|_| database.state == DbState::Restoring);
            let row = Row::new(&table)
                .set("database_id", database.id)
                .set("file_id", file.id)
                .set("file_guid", file.guid)
                .set("type", kind)
                .set("type_desc", kind_desc)
                .set("data_space_id", i64::from(!file.is_log))
                .set("name", file.logical.as_str())
                .set("physical_name", file.physical.as_str())
                .set("state", state)
                .set("state_desc", state_desc)
                .set("size", file.pages)
                .set("max_size", if file.is_log { 268_435_456 } else { -1 })
                .set("growth", 8192)
                .set("is_media_read_only", false)
                .set("is_read_only", database.read_only)
                .set("is_sparse", false)
                .set("is_percent_growth", false)
                .set("is_name_reserved", false)
                .set("differential_base_lsn", base.map(|base| base.lsn))
                .set("differential_base_guid", base.map(|base| base.set))
                .set("differential_base_time", base.map(|base| base.at))
                .set("redo_start_lsn", redo)
                .set("redo_start_fork_guid", redo.map(|_| database.fork_guid))
                .set("backup_lsn", base.map(|base| base.lsn));
            rows.push(row.build());
        }
    }
    rows
}

/// Rows of sys.dm_exec_requests: without VIEW SERVER STATE a session sees only itself.
pub fn requests(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("dm_exec_requests", REQUESTS);
    let mut rows = Vec::new();
    for session in viewer.state.sessions.values() {
        let Some(request) = &session.request else {
            continue;
        };
        if session.spid != viewer.spid && !viewer.view_server_state {
            continue;
        }
        let elapsed = (viewer.now.to_unix() - request.started.to_unix()).max(0) * 1000;
        let share = request.progress.share();
        let left = if share > 0.0 {
            elapsed as f64 * (1.0 / share - 1.0)
        } else {
            0.0
        };
        let row = Row::new(&table)
            .set("session_id", i64::from(session.spid))
            .set("request_id", 0)
            .set("start_time", request.started)
            .set(
                "status",
                if session.spid == viewer.spid {
                    "running"
                } else {
                    "suspended"
                },
            )
            .set("command", request.command)
            .set("database_id", session.database_id)
            .set("user_id", 1)
            .set("blocking_session_id", 0)
            .set("wait_time", 0)
            .set("percent_complete", Value::Float(share * 100.0))
            .set("estimated_completion_time", left as i64)
            .set("cpu_time", 0)
            .set("total_elapsed_time", elapsed);
        rows.push(row.build());
    }
    rows
}

/// Rows of sys.dm_exec_sessions, with the same rule.
pub fn sessions(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("dm_exec_sessions", SESSIONS);
    let visible = |spid| spid == viewer.spid || viewer.view_server_state;
    let all = viewer
        .state
        .sessions
        .values()
        .filter(|session| visible(session.spid));
    all.map(|session| {
        let running = session.request.is_some();
        Row::new(&table)
            .set("session_id", i64::from(session.spid))
            .set("login_time", session.login_time)
            .set("host_name", session.host.as_str())
            .set("program_name", session.program.as_str())
            .set("host_process_id", i64::from(session.process))
            .set("client_version", 7)
            .set("client_interface_name", session.library.as_str())
            .set("login_name", session.login.as_str())
            .set("status", if running { "running" } else { "sleeping" })
            .set("cpu_time", 0)
            .set("last_request_start_time", session.last_start)
            .set("last_request_end_time", session.last_start)
            .set("is_user_process", true)
            .set("original_login_name", session.login.as_str())
            .set("database_id", session.database_id)
            .set("open_transaction_count", session.transactions)
            .build()
    })
    .collect()
}

/// Rows of sys.dm_exec_connections.
pub fn connections(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("dm_exec_connections", CONNECTIONS);
    let visible = |spid| spid == viewer.spid || viewer.view_server_state;
    let all = viewer
        .state
        .sessions
        .values()
        .filter(|session| visible(session.spid));
    all.map(|session| {
        Row::new(&table)
            .set("session_id", i64::from(session.spid))
            .set("connect_time", session.login_time)
            .set("net_transport", "TCP")
            .set("protocol_type", "TSQL")
            .set("encrypt_option", "TRUE")
            .set("auth_scheme", "SQL")
            .set("net_packet_size", i64::from(session.packet_size))
            .set("client_net_address", "127.0.0.1")
            .build()
    })
    .collect()
}

/// Rows of sys.server_principals.
pub fn principals(viewer: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("server_principals", PRINCIPALS);
    let visible = |name: &str| name.eq_ignore_ascii_case(viewer.login) || viewer.sysadmin;
    let logins = viewer.state.logins.iter().enumerate();
    logins
        .filter(|(_, login)| visible(&login.name))
        .map(|(at, login)| {
            Row::new(&table)
                .set("name", login.name.as_str())
                .set("principal_id", at as i64 + 257)
                .set("sid", vec![at as u8 + 1])
                .set("type", "S")
                .set("type_desc", "SQL_LOGIN")
                .set("is_disabled", false)
                .set("create_date", viewer.now)
                .build()
        })
        .collect()
}

/// Rows of sys.configurations: the options a backup depends on.
pub fn configurations(_: &Viewer<'_>) -> Vec<Vec<Value>> {
    let table = Table::parse("configurations", CONFIGURATIONS);
    let options = [
        (1579, "backup compression default", 0, 1),
        (1584, "backup checksum default", 0, 1),
        (1537, "media retention", 0, 365),
    ];
    options
        .into_iter()
        .map(|(id, name, value, maximum)| {
            Row::new(&table)
                .set("configuration_id", id)
                .set("name", name)
                .set("value", value)
                .set("minimum", 0)
                .set("maximum", maximum)
                .set("value_in_use", value)
                .set("description", name)
                .set("is_dynamic", true)
                .set("is_advanced", false)
                .build()
        })
        .collect()
}
