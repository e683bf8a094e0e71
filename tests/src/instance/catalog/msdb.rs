//! msdb's history tables (facts: sqlserver.md 4.4, nullability and order as observed).

/// One row per backup set.
pub const BACKUPSET: &str = "backup_set_id int!, backup_set_uuid uniqueidentifier!, \
    media_set_id int!, first_family_number tinyint, first_media_number smallint, \
    last_family_number tinyint, last_media_number smallint, catalog_family_number tinyint, \
    catalog_media_number smallint, position int, expiration_date datetime, \
    software_vendor_id int, name nvarchar(128), description nvarchar(255), \
    user_name nvarchar(128), software_major_version tinyint, software_minor_version tinyint, \
    software_build_version smallint, time_zone smallint, mtf_minor_version tinyint, \
    first_lsn numeric(25.0), last_lsn numeric(25.0), checkpoint_lsn numeric(25.0), \
    database_backup_lsn numeric(25.0), database_creation_date datetime, \
    backup_start_date datetime, backup_finish_date datetime, type char(1), sort_order smallint, \
    code_page smallint, compatibility_level tinyint, database_version int, \
    backup_size numeric(20.0), database_name nvarchar(128), server_name nvarchar(128), \
    machine_name nvarchar(128), flags int, unicode_locale int, unicode_compare_style int, \
    collation_name nvarchar(128), is_password_protected bit, recovery_model nvarchar(60), \
    has_bulk_logged_data bit, is_snapshot bit, is_readonly bit, is_single_user bit, \
    has_backup_checksums bit, is_damaged bit, begins_log_chain bit, \
    has_incomplete_metadata bit, is_force_offline bit, is_copy_only bit, \
    first_recovery_fork_guid uniqueidentifier, last_recovery_fork_guid uniqueidentifier, \
    fork_point_lsn numeric(25.0), database_guid uniqueidentifier, family_guid uniqueidentifier, \
    differential_base_lsn numeric(25.0), differential_base_guid uniqueidentifier, \
    compressed_backup_size numeric(20.0), key_algorithm nvarchar(32), \
    encryptor_thumbprint varbinary(20), encryptor_type nvarchar(32), \
    last_valid_restore_time datetime, compression_algorithm nvarchar(32)";

/// One row per media set.
pub const BACKUPMEDIASET: &str = "media_set_id int!, media_uuid uniqueidentifier, \
    media_family_count tinyint, name nvarchar(128), description nvarchar(255), \
    software_name nvarchar(128), software_vendor_id int, MTF_major_version tinyint, \
    mirror_count tinyint, is_password_protected bit, is_compressed bit, is_encrypted bit";

/// One row per family and mirror.
pub const BACKUPMEDIAFAMILY: &str = "media_set_id int!, family_sequence_number tinyint!, \
    media_family_id uniqueidentifier, media_count int, logical_device_name nvarchar(128), \
    physical_device_name nvarchar(260), device_type tinyint, physical_block_size int, \
    mirror tinyint!";

/// One row per file of a backup set.
pub const BACKUPFILE: &str = "backup_set_id int!, first_family_number tinyint, \
    first_media_number smallint, filegroup_name nvarchar(128), page_size int, \
    file_number numeric(10.0)!, backed_up_page_count numeric(10.0), file_type char(1), \
    source_file_block_size numeric(10.0), file_size numeric(20.0), logical_name nvarchar(128), \
    physical_drive nvarchar(260), physical_name nvarchar(260), state tinyint, \
    state_desc nvarchar(64), create_lsn numeric(25.0), drop_lsn numeric(25.0), \
    file_guid uniqueidentifier, read_only_lsn numeric(25.0), read_write_lsn numeric(25.0), \
    differential_base_lsn numeric(25.0), differential_base_guid uniqueidentifier, \
    backup_size numeric(20.0), filegroup_guid uniqueidentifier, is_readonly bit, is_present bit";

/// Jobs of SQL Server Agent. No facts page has these four: the columns are those that Microsoft
/// documents.
pub const SYSJOBS: &str = "job_id uniqueidentifier!, originating_server_id int!, name sysname!, \
    enabled tinyint!, description nvarchar(512), start_step_id int!, category_id int!, \
    owner_sid varbinary(85), notify_level_eventlog int, notify_level_email int, \
    notify_level_netsend int, notify_level_page int, notify_email_operator_id int, \
    notify_netsend_operator_id int, notify_page_operator_id int, delete_level int, \
    date_created datetime!, date_modified datetime!, version_number int!";

/// Their steps.
pub const SYSJOBSTEPS: &str = "job_id uniqueidentifier!, step_id int!, step_name sysname!, \
    subsystem nvarchar(40)!, command nvarchar(4000), flags int!, \
    additional_parameters nvarchar(4000), cmdexec_success_code int, on_success_action tinyint, \
    on_success_step_id int, on_fail_action tinyint, on_fail_step_id int, server sysname, \
    database_name sysname, database_user_name sysname, retry_attempts int, retry_interval int, \
    os_run_priority int, output_file_name nvarchar(200), last_run_outcome int, \
    last_run_duration int, last_run_retries int, last_run_date int, last_run_time int, \
    proxy_id int, step_uid uniqueidentifier";

/// Which schedule starts which job.
pub const SYSJOBSCHEDULES: &str = "schedule_id int, job_id uniqueidentifier, next_run_date int!, \
    next_run_time int!";

/// Schedules.
pub const SYSSCHEDULES: &str = "schedule_id int!, schedule_uid uniqueidentifier!, \
    originating_server_id int, name sysname!, owner_sid varbinary(85), enabled int!, \
    freq_type int!, freq_interval int!, freq_subday_type int, freq_subday_interval int, \
    freq_relative_interval int, freq_recurrence_factor int, active_start_date int, \
    active_end_date int, active_start_time int, active_end_time int, date_created datetime, \
    date_modified datetime, version_number int";

/// One row per restore.
pub const RESTOREHISTORY: &str = "restore_history_id int!, restore_date datetime, \
    destination_database_name nvarchar(128), user_name nvarchar(128), backup_set_id int!, \
    restore_type char(1), replace bit, recovery bit, restart bit, stop_at datetime, \
    device_count tinyint, stop_at_mark_name nvarchar(128), stop_before bit";

/// One row per marked transaction.
pub const LOGMARKHISTORY: &str = "database_name nvarchar(128)!, mark_name nvarchar(128)!, \
    description nvarchar(255), user_name nvarchar(128)!, lsn numeric(25.0)!, mark_time datetime!";

/// Pages with damage that a check or a backup met.
pub const SUSPECT_PAGES: &str = "database_id int!, file_id int!, page_id bigint!, \
    event_type int!, error_count int!, last_update_date datetime!";
