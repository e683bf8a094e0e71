//! A client on tiberius, which knows nothing of the double's insides, for what statements answer.

use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::wire::{self, Seen};
use super::{Lab, Scene, TempDir};

/// Two instances that know each other's backups by their files alone.
const SCENE: &str = r#"
[[instances]]
name = "SQL-A"
encryption = "not-supported"
seed = 1
certificates = [{ name = "BackupCert" }, { name = "OldCert", expires = "2020-01-01" }]
logins = [
    { name = "twinset", password = "Secret-1", sysadmin = true },
    { name = "reader", password = "Reader-1" },
    { name = "definer", password = "Definer-1", view_any_definition = true },
    { name = "watcher", password = "Watcher-1", view_server_state = true },
    { name = "keeper", password = "Keeper-1", backup_operator = true },
    { name = "operator", password = "Operator-1", alter_any_connection = true },
]
databases = [
    { name = "Payroll", size = 1048576 },
    { name = "Other", size = 65536 },
    { name = "Streams", size = 65536, filestream = true },
    { name = "Simple", recovery = "SIMPLE", size = 65536 },
    { name = "Bulk", recovery = "BULK_LOGGED", size = 65536 },
    { name = "Small", log_limit = 2, size = 65536 },
    { name = "Broken", state = "SUSPECT", size = 65536 },
    { name = "Torn", size = 4194304, bad_pages = [[1, 77]] },
]
[[instances]]
name = "SQL-B"
encryption = "not-supported"
seed = 2
logins = [{ name = "twinset", password = "Secret-1", sysadmin = true }]
"#;

/// Two running instances with a folder for disk backups.
pub(super) struct Pair {
    pub(super) lab: Lab,
    pub(super) folder: TempDir,
}

impl Pair {
    pub(super) fn start() -> Self {
        let scene: Scene = toml::from_str(SCENE).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&scene, folder.path()).unwrap();
        Self { lab, folder }
    }

    /// A session on an instance.
    pub(super) fn sql(&self, instance: usize) -> Sql {
        self.sql_as(instance, "twinset", "Secret-1")
    }

    /// A session of a login.
    pub(super) fn sql_as(&self, instance: usize, user: &str, password: &str) -> Sql {
        Sql::login(self.lab.instances[instance].port, user, password)
    }

    /// Moves the clock of an instance on.
    pub(super) fn wait(&self, seconds: i64) {
        self.lab.instances[0].instance.clock.advance(seconds);
    }
}

/// A session: rows by tiberius, numbers of messages in their order from the wire.
pub(super) struct Sql {
    runtime: Runtime,
    client: Client<Compat<TcpStream>>,
    raw: wire::Client,
}

impl Sql {
    /// A session on any double without TLS.
    pub(super) fn login(port: u16, user: &str, password: &str) -> Self {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(port);
        config.encryption(EncryptionLevel::NotSupported);
        config.authentication(AuthMethod::sql_server(user, password));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            Client::connect(config, socket.compat_write())
                .await
                .unwrap()
        });
        Self {
            runtime,
            client,
            raw: wire::Client::login_as(port, user, password),
        }
    }

    /// The rows of the first result set, cells as text; or SQL Server's first error.
    pub(super) fn try_rows(&mut self, sql: &str) -> Result<Vec<Vec<String>>, u32> {
        let Self {
            runtime, client, ..
        } = self;
        let answer = runtime.block_on(async {
            let stream = client.simple_query(sql).await?;
            stream.into_first_result().await
        });
        match answer {
            Ok(rows) => Ok(rows.into_iter().map(cells).collect()),
            Err(tiberius::error::Error::Server(error)) => Err(error.code()),
            Err(other) => panic!("{sql}: {other}"),
        }
    }

    /// The rows of the first result set, cells as text.
    #[track_caller]
    pub(super) fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        self.try_rows(sql)
            .unwrap_or_else(|error| panic!("{sql}: error {error}"))
    }

    /// The one cell of the one row.
    #[track_caller]
    pub(super) fn cell(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1], "{sql}");
        rows[0][0].clone()
    }

    /// Names of the columns and one row by them.
    pub(super) fn named(&mut self, sql: &str) -> Vec<(String, String)> {
        let Self {
            runtime, client, ..
        } = self;
        let rows = runtime.block_on(async {
            let stream = client.simple_query(sql).await.unwrap();
            stream.into_first_result().await.unwrap()
        });
        let row = rows.into_iter().next().unwrap();
        let names: Vec<String> = row.columns().iter().map(|c| c.name().to_owned()).collect();
        names.into_iter().zip(cells(row)).collect()
    }

    /// Numbers of all messages of statements without rows, in order.
    pub(super) fn numbers(&mut self, sql: &str) -> Vec<i32> {
        self.raw.batch(sql);
        let seen = self.raw.tokens().into_iter();
        seen.filter_map(|seen| match seen {
            Seen::Error(number) | Seen::Info(number) => Some(number),
            _ => None,
        })
        .collect()
    }

    /// The statement succeeds, with 3014 last where it is a BACKUP or RESTORE.
    #[track_caller]
    pub(super) fn works(&mut self, sql: &str) {
        self.raw.batch(sql);
        let seen = self.raw.tokens();
        let failed = seen.iter().any(|seen| match seen {
            Seen::Error(_) => true,
            Seen::Done(status, _) => status & 2 != 0,
            _ => false,
        });
        assert!(!failed, "{sql}: {seen:?}");
        let moves = ["BACKUP", "RESTORE DATABASE", "RESTORE LOG"]
            .iter()
            .any(|verb| sql.starts_with(verb));
        assert_eq!(moves, seen.contains(&Seen::Info(3014)), "{sql}: {seen:?}");
    }

    /// The statement fails with this number first and 3013 last.
    #[track_caller]
    pub(super) fn fails(&mut self, sql: &str, number: i32) {
        assert_eq!(self.numbers(sql), [number, 3013], "{sql}");
    }

    /// The notes in a database's ledger.
    #[track_caller]
    pub(super) fn ledger(&mut self, database: &str) -> String {
        let rows = self.rows(&format!(
            "SELECT note FROM {database}.dbo.ledger ORDER BY id"
        ));
        rows.concat().join(" ")
    }

    /// Writes notes to a database, one transaction each.
    #[track_caller]
    pub(super) fn write(&mut self, database: &str, notes: &[&str]) {
        for note in notes {
            self.works(&format!(
                "INSERT INTO {database}.dbo.ledger VALUES ('{note}')"
            ));
        }
    }

    /// state_desc
    pub(super) fn state(&mut self, database: &str) -> String {
        self.cell(&format!(
            "SELECT state_desc FROM sys.databases WHERE name = '{database}'"
        ))
    }
}

fn cells(row: tiberius::Row) -> Vec<String> {
    row.into_iter().map(|cell| text(&cell)).collect()
}

fn text(cell: &ColumnData<'static>) -> String {
    let shown = match cell {
        ColumnData::U8(v) => v.map(|v| v.to_string()),
        ColumnData::I16(v) => v.map(|v| v.to_string()),
        ColumnData::I32(v) => v.map(|v| v.to_string()),
        ColumnData::I64(v) => v.map(|v| v.to_string()),
        ColumnData::F32(v) => v.map(|v| v.to_string()),
        ColumnData::F64(v) => v.map(|v| v.to_string()),
        ColumnData::Bit(v) => v.map(|v| u8::from(v).to_string()),
        ColumnData::String(v) => v.as_ref().map(ToString::to_string),
        ColumnData::Guid(v) => v.map(|v| v.to_string()),
        ColumnData::Numeric(v) => v.map(|v| v.value().to_string()),
        ColumnData::Binary(v) => v.as_ref().map(|v| format!("{v:02x?}")),
        // Days and ticks: enough to tell two apart and to see a NULL.
        ColumnData::DateTime(v) => {
            v.map(|at| format!("{}.{:08}", at.days(), at.seconds_fragments()))
        }
        other => panic!("{other:?}"),
    };
    shown.unwrap_or_else(|| "NULL".to_owned())
}
