//! Columns of the sys views (facts: sqlserver.md 1.1 to 1.3).

/// sys.databases
pub const DATABASES: &str = "name sysname!, database_id int!, source_database_id int, \
    owner_sid varbinary(85), create_date datetime!, compatibility_level tinyint!, \
    collation_name sysname, user_access tinyint, user_access_desc nvarchar(60), \
    is_read_only bit, is_auto_close_on bit!, is_auto_shrink_on bit, state tinyint, \
    state_desc nvarchar(60), is_in_standby bit, is_cleanly_shutdown bit, \
    is_supplemental_logging_enabled bit, snapshot_isolation_state tinyint, \
    recovery_model tinyint, recovery_model_desc nvarchar(60), page_verify_option tinyint, \
    page_verify_option_desc nvarchar(60), is_broker_enabled bit!, \
    service_broker_guid uniqueidentifier!, log_reuse_wait tinyint, \
    log_reuse_wait_desc nvarchar(60), is_encrypted bit, target_recovery_time_in_seconds int, \
    containment tinyint, containment_desc nvarchar(60), replica_id uniqueidentifier, \
    group_database_id uniqueidentifier, is_accelerated_database_recovery_on bit";

/// sys.database_recovery_status
pub const RECOVERY_STATUS: &str = "database_id int!, database_guid uniqueidentifier, \
    family_guid uniqueidentifier, last_log_backup_lsn numeric(25.0), \
    recovery_fork_guid uniqueidentifier, first_recovery_fork_guid uniqueidentifier, \
    fork_point_lsn numeric(25.0)";

/// sys.master_files
pub const MASTER_FILES: &str = "database_id int!, file_id int!, file_guid uniqueidentifier, \
    type tinyint!, type_desc nvarchar(60), data_space_id int!, name sysname!, \
    physical_name nvarchar(260)!, state tinyint, state_desc nvarchar(60), size int!, \
    max_size int!, growth int!, is_media_read_only bit!, is_read_only bit!, is_sparse bit!, \
    is_percent_growth bit!, is_name_reserved bit!, create_lsn numeric(25.0), \
    drop_lsn numeric(25.0), read_only_lsn numeric(25.0), read_write_lsn numeric(25.0), \
    differential_base_lsn numeric(25.0), differential_base_guid uniqueidentifier, \
    differential_base_time datetime, redo_start_lsn numeric(25.0), \
    redo_start_fork_guid uniqueidentifier, redo_target_lsn numeric(25.0), \
    redo_target_fork_guid uniqueidentifier, backup_lsn numeric(25.0)";

/// sys.dm_exec_requests (the columns that matter to a backup agent)
pub const REQUESTS: &str = "session_id smallint!, request_id int!, start_time datetime!, \
    status nvarchar(30)!, command nvarchar(32)!, database_id smallint!, user_id int!, \
    blocking_session_id smallint, wait_type nvarchar(60), wait_time int!, \
    percent_complete real!, estimated_completion_time bigint!, cpu_time int!, \
    total_elapsed_time int!";

/// sys.dm_exec_sessions
pub const SESSIONS: &str = "session_id smallint!, login_time datetime!, \
    host_name nvarchar(128), program_name nvarchar(128), host_process_id int, \
    client_version int, client_interface_name nvarchar(32), login_name nvarchar(128)!, \
    status nvarchar(30)!, cpu_time int!, last_request_start_time datetime!, \
    last_request_end_time datetime, is_user_process bit!, original_login_name nvarchar(128)!, \
    database_id smallint!, open_transaction_count int!";

/// sys.dm_exec_connections
pub const CONNECTIONS: &str = "session_id int, connect_time datetime!, \
    net_transport nvarchar(40)!, protocol_type nvarchar(40), encrypt_option nvarchar(40)!, \
    auth_scheme nvarchar(40)!, net_packet_size int, client_net_address varchar(48), \
    local_tcp_port int";

/// sys.server_principals
pub const PRINCIPALS: &str = "name sysname!, principal_id int!, sid varbinary(85), \
    type char(1)!, type_desc nvarchar(60), is_disabled bit, create_date datetime!";

/// sys.configurations
pub const CONFIGURATIONS: &str = "configuration_id int!, name nvarchar(35)!, value sql_variant, \
    minimum sql_variant, maximum sql_variant, value_in_use sql_variant, \
    description nvarchar(255)!, is_dynamic bit!, is_advanced bit!";

/// Collation of every database here.
pub const COLLATION_NAME: &str = "SQL_Latin1_General_CP1_CI_AS";
