//! The tables of `agent.toml`.

use serde::Deserialize;
use toml::Spanned;

use super::{Named, Quantity, Value, table};

table! {
    /// The whole of `agent.toml`.
    AgentFile in "agent.toml" at "" {
        /// This agent.
        agent: Option<AgentTable> = "table", "all defaults";
        /// Device plugins by name.
        plugins: Named<PluginTable> = "tables by name", "none";
        /// SQL Server instances by name, those of the partners too.
        instances: Named<InstanceTable> = "tables by name", "none";
        /// Media sets by name.
        media_sets: Named<MediaSetTable> = "tables by name", "none";
        /// What holds for every restore.
        restore: Option<RestoreTable> = "table", "all defaults";
        /// Where alerts go.
        alerts: Option<AlertsTable> = "table", "log only";
        /// The view of all agents in PostgreSQL.
        shared_catalog: Option<Spanned<SharedTable>> = "table", "none";
    }
}

table! {
    /// `[agent]`.
    AgentTable in "agent.toml" at "[agent]" {
        /// Name of this agent, written into the headers of its media and put in place of
        /// `{agent}`. Letters, digits, `.`, `_` and `-`, at most 64.
        name: Value<String> = "text", "the host's short name";
        /// The instances that run on this host.
        serves: Value<Vec<Spanned<String>>> = "list of instance names",
            "the only instance, else those whose host is this host";
        /// Folder for the agent's identity, catalog and locks.
        state_dir: Value<String> = "path",
            "`/var/lib/twinset`, on Windows `C:\\ProgramData\\Twinset\\state`";
        /// Folder with one file per protection group; every `*.toml` in it is read.
        groups_dir: Value<String> = "path", "`groups.d`";
        /// Upper bound of all buffers together, 32MiB to 64GiB. The service gives each of its
        /// `max_parallel` runs an equal part.
        memory_limit: Value<Quantity> = "size", "`256MiB`";
        /// How many backups and checks the service runs at once, 1 to 64. One place is kept free
        /// for log backups and checks.
        max_parallel: Value<u32> = "1 to 64", "`4`";
        /// Where `twinset run` serves metrics for Prometheus and a read-only status page, by
        /// plain HTTP.
        metrics: Value<String> = "address:port", "not served";
        /// `metrics` may name an address that other hosts reach: everybody who does reads names
        /// of databases and messages of alerts.
        metrics_remote: Value<bool> = "true or false", "`false`";
        /// File with the private key that signs every manifest and record; others must not be
        /// able to read it. `twinset key make` writes one.
        signing_key_file: Value<String> = "path", "nothing is signed";
    }
}

table! {
    /// `[plugins.NAME]`.
    PluginTable in "agent.toml" at "[plugins.NAME]" {
        /// The plugin's file.
        path: Spanned<String> = "path", "required";
        /// SHA-256 of the file; a file with another one is refused.
        sha256: Value<String> = "64 hexadecimal digits", "not checked";
        /// Where the plugin runs: `in-process`. (`process` is not in this release.)
        isolation: Value<String> = "choice", "`in-process`";
    }
}

table! {
    /// `[instances.NAME]`.
    InstanceTable in "agent.toml" at "[instances.NAME]" {
        /// Host name or address of the server.
        host: Spanned<String> = "text", "required";
        /// TCP port; goes without `instance`.
        port: Value<u16> = "1 to 65535", "`1433` without `instance`";
        /// Named instance, looked up through SQL Server Browser; goes without `port`.
        instance: Value<String> = "text", "the default instance";
        /// `sql`, a login of SQL Server; or, for agents on Windows, `windows`: the account of
        /// Windows that `user` names, or the one that the agent runs under, where neither `user`
        /// nor a password is given.
        auth: Value<String> = "choice", "`sql`";
        /// Login name; of an account of Windows `DOMAIN\user`.
        user: Value<String> = "text", "required for `auth = \"sql\"`";
        /// File that holds the password alone; others must not be able to read it.
        password_file: Value<String> = "path", "exactly one of the three";
        /// Environment variable that holds the password.
        password_env: Value<String> = "text", "exactly one of the three";
        /// systemd credential that holds the password.
        password_credential: Value<String> = "text", "exactly one of the three";
        /// `strict` (TDS 8), `required`, `login-only` or `off`.
        encrypt: Value<String> = "choice", "`required`";
        /// Certificates (PEM) of the authority that signed the server's certificate.
        ca_file: Value<String> = "path", "the system's authorities";
        /// Name expected in the server's certificate.
        server_name: Value<String> = "text", "`host`";
        /// Accept any certificate and any name. For a laboratory; goes without `ca_file` and
        /// `server_name`.
        trust_server_certificate: Value<bool> = "true or false", "`false`";
        /// How long a connection may take to open, 1s to 10m.
        connect_timeout: Value<String> = "duration", "`15s`";
        /// How long a run goes on trying while the server cannot be reached, up to 1h; `0s` tries
        /// once.
        connect_retry: Value<String> = "duration", "`10s`";
        /// How long a short statement may take, 1s to 1h: facts, history, progress.
        query_timeout: Value<String> = "duration", "`30s`";
        /// How long SQL Server may take to open the virtual devices of a statement, 1s to 24h: it
        /// may wait for locks, or behind another backup.
        open_timeout: Value<String> = "duration", "`5m`";
        /// How long BACKUP may work on after its last device has closed, 1s to 24h; then it is
        /// cancelled, and its set stays unconfirmed.
        finish_timeout: Value<String> = "duration", "`5m`";
        /// Name of the agent that serves this instance, where it is not this one: it stands for
        /// `{agent}` when that agent's media are read.
        agent: Value<String> = "text", "the instance's name";
        /// SQL Server's Virtual Device Interface library on this host. Windows has one for all
        /// instances, which its registry names; there this is not asked.
        vdi_library: Value<String> = "path", "`/opt/mssql/lib/libsqlvdi.so`";
    }
}

table! {
    /// `[media_sets.NAME]`.
    MediaSetTable in "agent.toml" at "[media_sets.NAME]" {
        /// The media name in every header, at most 128 characters.
        name: Value<String> = "text", "the set's key";
        /// The media description in every header, at most 255 characters.
        description: Value<String> = "text", "empty";
        /// Stripes of every backup, 1 to 64, fixed when the set is formatted; every mirror has
        /// that many devices.
        families: Value<u8> = "1 to 64", "devices of the first mirror";
        /// `raw` (as SQL Server wrote it) or `zstd`, fixed when the set is formatted.
        encoding: Value<String> = "choice", "`raw`";
        /// How hard zstd tries: 1 (fast) to 19 (small, and up to 100 MiB of memory for each
        /// family).
        zstd_level: Value<u8> = "1 to 19", "`3`";
        /// Threads that compress one family.
        zstd_threads: Value<u8> = "1 to 16", "`1`";
        /// Encryption of what is stored, fixed when the set is formatted.
        age: Option<Spanned<Age>> = "table", "not encrypted";
        /// Block size of the media, a power of two from 512 to 65536, fixed when the set is
        /// formatted.
        block_size: Value<Quantity> = "size", "`4096`";
        /// Mirrors that must hold a backup for it to succeed, 1 to the number of mirrors.
        min_mirrors: Value<u8> = "1 to 4", "all mirrors";
        /// The same for full backups.
        min_mirrors_full: Value<u8> = "1 to 4", "`min_mirrors`";
        /// The same for differential backups.
        min_mirrors_diff: Value<u8> = "1 to 4", "`min_mirrors`";
        /// The same for log backups.
        min_mirrors_log: Value<u8> = "1 to 4", "`min_mirrors`";
        /// `auto`: a run brings a mirror that is out of step and answers again back, once its own
        /// set is published; `manual`: it only says so, and `media repair` does.
        repair: Value<String> = "choice", "`auto`";
        /// What it costs when a GiB leaves the object stores of the set, a number and a currency
        /// like `0.09 USD`: `media verify` then says what a full read will cost.
        egress_price: Value<String> = "text", "cost is not told";
        /// How long one device call may take before the device counts as lost, 1s to 24h.
        device_deadline: Value<String> = "duration", "`60s`";
        /// How long a run or a read waits for the operator to put the medium in, up to 7d; `0s`: not
        /// at all. Of devices that go on on further media alone.
        medium_wait: Value<String> = "duration", "`1h`";
        /// Short form for one family on the plugin named `disk`: one folder per mirror. Goes
        /// without `mirrors`.
        disk_mirrors: Value<Vec<Spanned<String>>> = "list of paths", "none";
        /// One table per mirror, 1 to 4.
        mirrors: Option<Vec<Spanned<MirrorTable>>> = "array of tables", "required";
    }
}

table! {
    /// `[media_sets.NAME.age]`.
    Age in "agent.toml" at "[media_sets.NAME.age]" {
        /// Public keys (`age1...`) of those who may read the set, 1 to 64.
        recipients: Value<Vec<Spanned<String>>> = "list of text", "one of the two";
        /// File that holds a passphrase alone, instead of recipients; it writes and reads.
        passphrase_file: Value<String> = "path", "one of the two";
        /// File that holds the private keys (`AGE-SECRET-KEY-1...`, one in a line). Only reading
        /// needs it: a host that only writes can do without.
        identity_file: Value<String> = "path", "none";
    }
}

table! {
    /// `[[media_sets.NAME.mirrors]]`.
    MirrorTable in "agent.toml" at "[[media_sets.NAME.mirrors]]" {
        /// One device per family, in the order of the families.
        devices: Spanned<Vec<Spanned<DeviceTable>>> = "list of tables", "required";
    }
}

table! {
    /// One device of a mirror.
    DeviceTable in "agent.toml" at "devices = [{ ... }]" {
        /// Name of the plugin that reaches the device.
        plugin: Spanned<String> = "plugin name", "required";
        /// What the plugin wants to know; the plugin checks it. `{agent}` and `{database}` are
        /// replaced in every text, `{{` and `}}` stand for braces, and a relative `path` starts
        /// at this file.
        options: Option<Spanned<toml::Table>> = "table", "empty";
    }
}

table! {
    /// `[restore]`.
    RestoreTable in "agent.toml" at "[restore]" {
        /// Folder for families that must wait for a drive (`media spool`); needs `[plugins.disk]`.
        spool_dir: Value<String> = "path", "none";
    }
}

table! {
    /// `[alerts]`.
    AlertsTable in "agent.toml" at "[alerts]" {
        /// Address that gets every alert as JSON, by POST. Certificates are checked.
        webhook: Value<String> = "URL", "none";
        /// File that holds the address alone, where the address is a secret; others must not be
        /// able to read it. Goes without `webhook`.
        webhook_file: Value<String> = "path", "none";
        /// File that holds a token alone, sent as `Authorization: Bearer`; others must not be able
        /// to read it.
        webhook_token_file: Value<String> = "path", "none";
        /// Certificates (PEM) of the authority that signed the receiver's certificate.
        webhook_ca_file: Value<String> = "path", "the system's authorities";
        /// Program with its whole path, and arguments; the alert comes as JSON on its standard
        /// input.
        command: Value<Vec<String>> = "list of text", "none";
        /// How long a receiver may take, 1s to 2m.
        timeout: Value<String> = "duration", "`10s`";
        /// Mail.
        smtp: Option<Spanned<SmtpTable>> = "table", "none";
    }
}

table! {
    /// `[alerts.smtp]`.
    SmtpTable in "agent.toml" at "[alerts.smtp]" {
        /// Mail server.
        host: Spanned<String> = "text", "required";
        /// Its port.
        port: Value<u16> = "1 to 65535", "`587`; `465` with `tls`, `25` with `off`";
        /// `starttls`: TLS before anything else is said, or nothing is sent; `tls`: from the first
        /// byte; `off`. Certificates are checked.
        encrypt: Value<String> = "choice", "`starttls`";
        /// Login at the mail server.
        user: Value<String> = "text", "none";
        /// File that holds its password alone; others must not be able to read it.
        password_file: Value<String> = "path", "one of the two with `user`";
        /// systemd credential that holds its password.
        password_credential: Value<String> = "text", "one of the two with `user`";
        /// Certificates (PEM) of the authority that signed the server's certificate.
        ca_file: Value<String> = "path", "the system's authorities";
        /// Sender: `dba@example.com`, or `Name <dba@example.com>`.
        from: Spanned<String> = "mail address", "required";
        /// Receivers, at most 100.
        to: Spanned<Vec<Spanned<String>>> = "list of mail addresses", "required";
    }
}

table! {
    /// `[shared_catalog]`.
    SharedTable in "agent.toml" at "[shared_catalog]" {
        /// Host name or address of the PostgreSQL server.
        host: Spanned<String> = "text", "required";
        /// Its port.
        port: Value<u16> = "1 to 65535", "`5432`";
        /// Name of the database.
        database: Value<String> = "text", "`twinset`";
        /// Role that the agent logs in as; each agent may have its own.
        user: Spanned<String> = "text", "required";
        /// File that holds the password alone; others must not be able to read it.
        password_file: Value<String> = "path", "exactly one of the three";
        /// Environment variable that holds the password.
        password_env: Value<String> = "text", "exactly one of the three";
        /// systemd credential that holds the password.
        password_credential: Value<String> = "text", "exactly one of the three";
        /// `required`: TLS with a certificate that is checked; `off`: for a server on this host
        /// alone.
        encrypt: Value<String> = "choice", "`required`";
        /// Certificates (PEM) of the authority that signed the server's certificate.
        ca_file: Value<String> = "path", "the system's authorities";
        /// Name expected in the server's certificate.
        server_name: Value<String> = "text", "`host`";
        /// How long a connection, or one answer, may take, 1s to 5m.
        timeout: Value<String> = "duration", "`15s`";
        /// How long the server may be away before an alert is raised, up to 30d.
        alert_after: Value<String> = "duration", "`24h`";
    }
}
