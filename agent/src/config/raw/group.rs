//! The tables of a file in `groups.d`.

use serde::Deserialize;
use toml::Spanned;

use super::{Quantity, Value, table};

table! {
    /// The whole of a group's file.
    GroupFile in "groups.d/*.toml" at "" {
        /// The protection group.
        group: Spanned<GroupTable> = "table", "required";
        /// How backups are taken.
        backup: Option<BackupTable> = "table", "all defaults";
        /// When backups are taken.
        schedule: Option<Spanned<ScheduleTable>> = "table", "on demand only";
        /// What a change of roles does.
        failover: Option<Spanned<FailoverTable>> = "table", "as `profile` says";
        /// Integrity checks of the database.
        check: Option<Spanned<CheckTable>> = "table", "all defaults";
        /// How long sets are kept.
        retention: Option<Spanned<RetentionTable>> = "table", "everything is kept";
        /// When to raise the alarm.
        alerts: Option<Spanned<GroupAlertsTable>> = "table", "none";
    }
}

table! {
    /// `[group]`.
    GroupTable in "groups.d/*.toml" at "[group]" {
        /// Name of the group, unique among all files. Letters, digits, `.`, `_` and `-`, at most
        /// 64.
        name: Spanned<String> = "text", "required";
        /// The partners of the mirroring session, or the one instance. With several, every
        /// device option needs `{agent}`.
        partners: Spanned<Vec<Spanned<String>>> = "list of instance names", "required";
        /// Databases: names, `*` for any text, `-` in front takes out again, and
        /// `USER_DATABASES`, `SYSTEM_DATABASES`, `ALL_DATABASES`.
        databases: Spanned<Vec<Spanned<String>>> = "list of patterns", "required";
        /// The media set that takes the backups.
        media_set: Spanned<String> = "media set name", "required";
        /// The media set that takes log backups, so that a long full never holds them up.
        log_media_set: Value<String> = "media set name", "one beside `media_set`: its name and paths with `-log`";
        /// `vdi`: virtual devices, on the host of the instance. `stage`: files in `stage_dir`, which
        /// the agent takes in; for logins below `sysadmin`, several families on Linux, FILESTREAM.
        source: Value<String> = "choice", "`vdi`";
        /// Folder for `stage`, as the agent sees it. SQL Server's user and the agent's may both
        /// write in it, and the agent may read what SQL Server wrote.
        stage_dir: Value<String> = "path", "required with `stage`";
        /// The same folder as SQL Server sees it.
        stage_dir_server: Value<String> = "path", "`stage_dir`";
        /// `follow`: the agent does by itself what is safe; `dpm`: it asks.
        profile: Value<String> = "choice", "`follow`";
        /// `detect`, `mirroring`, `availability-group` or `standalone`.
        kind: Value<String> = "choice", "`detect`";
    }
}

table! {
    /// `[backup]`.
    BackupTable in "groups.d/*.toml" at "[backup]" {
        /// What bridges a chain that others broke: `differential`, `full` or `refuse`.
        on_broken_chain: Value<String> = "choice", "`differential`";
        /// Which replica of an availability group takes logs: `preferred`, the one that the group
        /// itself prefers, or `primary`. Fulls and differentials are the primary's.
        replica: Value<String> = "choice", "`preferred`";
        /// BLOCKSIZE of the backup: a power of two from 512 to 65536.
        block_size: Value<Quantity> = "size", "the media set's";
        /// MAXTRANSFERSIZE of the backup: a multiple of 64KiB up to 4MiB.
        max_transfer_size: Value<Quantity> = "size", "`1MiB`";
        /// BUFFERCOUNT of the backup, 1 to 1024; at least one per family.
        buffer_count: Value<u32> = "1 to 1024", "by `memory_limit`";
        /// `server`: SQL Server compresses; `none`: it does not.
        compression: Value<String> = "choice", "the instance's default";
        /// How SQL Server compresses: `MS_XPRESS` or `QAT_DEFLATE` (2022), `ZSTD` (2025). Needs
        /// `compression = "server"`.
        compression_algorithm: Value<String> = "choice", "the instance's default";
        /// How hard `ZSTD` tries: `LOW`, `MEDIUM` or `HIGH`.
        compression_level: Value<String> = "choice", "the instance's default";
        /// Encryption by SQL Server (2014, not Express or Web).
        encryption: Option<Spanned<EncryptionTable>> = "table", "not encrypted";
        /// Bytes per second that one backup may take, all families together. With `stage` it holds for
        /// what is taken in: SQL Server writes its files as fast as it can.
        throttle: Value<Quantity> = "size", "unlimited";
    }
}

table! {
    /// `[backup.encryption]`.
    EncryptionTable in "groups.d/*.toml" at "[backup.encryption]" {
        /// `AES_128`, `AES_192`, `AES_256` or `TRIPLE_DES_3KEY`.
        algorithm: Value<String> = "choice", "`AES_256`";
        /// Certificate in `master`.
        certificate: Value<String> = "text", "this or `asymmetric_key` is required";
        /// Asymmetric key in `master`.
        asymmetric_key: Value<String> = "text", "this or `certificate` is required";
    }
}

table! {
    /// `[schedule]`.
    ScheduleTable in "groups.d/*.toml" at "[schedule]" {
        /// Full backups.
        full: Value<String> = "cron, five fields", "never";
        /// Differential backups.
        differential: Value<String> = "cron, five fields", "never";
        /// Log backups.
        log: Value<String> = "cron, five fields", "never";
        /// `local`, `UTC` or a name such as `Europe/Vienna`.
        time_zone: Value<String> = "time zone", "`local`";
        /// Starts are spread over this span.
        stagger: Value<String> = "duration", "`0s`";
        /// After an outage: `run-once` or `skip`.
        missed: Value<String> = "choice", "`run-once`";
        /// How often a failed backup is tried again, 0 to 100.
        retries: Value<u32> = "0 to 100", "`3`";
        /// The pause before that.
        retry_delay: Value<String> = "duration", "`1m`";
        /// Windows in which no backup begins: `"mon-fri 08:00-12:00"`, `"full,differential
        /// 06:00-22:00"`. What is due waits until the window ends.
        blackout: Value<Vec<Spanned<String>>> = "list of windows", "none";
    }
}

table! {
    /// `[failover]`.
    FailoverTable in "groups.d/*.toml" at "[failover]" {
        /// How often roles are asked for, 1s to 1h.
        poll: Value<String> = "duration", "`5s`";
        /// How long without a principal before the alarm.
        no_principal_alert: Value<String> = "duration", "`5m`";
        /// How long the principal's agent may be silent before its partner's raises the alarm; needs a
        /// `[schedule]`.
        no_agent_alert: Value<String> = "duration", "two log intervals";
        /// From a change of roles to the consistency check.
        check_delay: Value<String> = "duration", "`30m`; `0` for availability groups";
        /// A backup that is due before the check: `check` first, or `refuse`.
        before_check: Value<String> = "choice", "`check`; `refuse` in profile `dpm`";
        /// Accept partners that are named by their address.
        allow_ip: Value<bool> = "true or false", "`true`; `false` in profile `dpm`";
        /// A session that appears or goes: `continue` or `alert`.
        on_topology_change: Value<String> = "choice", "`continue`; `alert` in profile `dpm`";
    }
}

table! {
    /// `[check]`.
    CheckTable in "groups.d/*.toml" at "[check]" {
        /// How deep DBCC CHECKDB looks: `physical`, `full` or `none`.
        integrity: Value<String> = "choice", "`physical`; `none` with `source = \"stage\"`";
        /// How old the last integrity check may be, 1h to 3660d.
        max_age: Value<String> = "duration", "`7d`";
        /// How long one integrity check may take, 1m to 30d; then it is cancelled, and has no result.
        budget: Value<String> = "duration", "`2h`";
        /// When the consistency check runs by itself, beside those that follow a switch of roles.
        consistency: Value<String> = "cron, five fields", "never";
        /// Whether a damaged database gets no full and no differential backups; logs go on.
        gate: Value<bool> = "true or false", "`false`";
    }
}

table! {
    /// `[retention]`.
    RetentionTable in "groups.d/*.toml" at "[retention]" {
        /// Keep everything that is needed to restore to any time in this span.
        window: Value<String> = "duration", "none";
        /// Keep the last set of so many days.
        daily: Value<u32> = "0 to 10000", "`0`";
        /// Keep the last set of so many weeks.
        weekly: Value<u32> = "0 to 10000", "`0`";
        /// Keep the last set of so many months.
        monthly: Value<u32> = "0 to 10000", "`0`";
        /// Keep the last set of so many years.
        yearly: Value<u32> = "0 to 10000", "`0`";
        /// When the service drops what may go.
        at: Value<String> = "cron, five fields", "behind every full that it takes";
        /// Largest part of all sets that one run may drop.
        max_drop: Value<String> = "percent", "`25%`";
        /// Whether both partners can read each other's media.
        shared_storage: Value<bool> = "true or false", "`true`";
    }
}

table! {
    /// `[alerts]` of a group.
    GroupAlertsTable in "groups.d/*.toml" at "[alerts]" {
        /// Largest age of the last backup, by kind.
        rpo: Option<Spanned<RpoTable>> = "table", "none";
    }
}

table! {
    /// `rpo` of a group's `[alerts]`.
    RpoTable in "groups.d/*.toml" at "[alerts] rpo" {
        /// Of the last full backup.
        full: Value<String> = "duration", "none";
        /// Of the last differential backup.
        differential: Value<String> = "duration", "none";
        /// Of the last log backup.
        log: Value<String> = "duration", "none";
    }
}
