//! Tables of the catalog, and how they are opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 7;
/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// What leads from each version to the next; a new file takes them all.
const STEPS: [&str; 7] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH];

const FIRST: &str = "
    CREATE TABLE media_set (
        key       TEXT PRIMARY KEY,
        id        TEXT NOT NULL,
        highest   INTEGER NOT NULL,
        sequence  INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE run (
        run       TEXT PRIMARY KEY,
        media_set TEXT NOT NULL,
        position  INTEGER NOT NULL,
        database  TEXT NOT NULL,
        what      TEXT NOT NULL,
        state     TEXT NOT NULL,
        started   INTEGER NOT NULL,
        ended     INTEGER,
        bytes     INTEGER NOT NULL DEFAULT 0,
        note      TEXT
    ) STRICT;
    CREATE INDEX run_by_set ON run (media_set, started);
";

/// What lies on the media, as it was last read there; and when the clock was agreed to be right.
const SECOND: &str = "
    CREATE TABLE backup_set (
        key       TEXT NOT NULL,
        media_set TEXT NOT NULL,
        position  INTEGER NOT NULL,
        state     TEXT NOT NULL,
        run       TEXT,
        database  TEXT,
        kind      TEXT,
        bytes     INTEGER NOT NULL,
        written   INTEGER,
        facts     TEXT NOT NULL,
        PRIMARY KEY (key, position)
    ) STRICT;
    CREATE TABLE clock (
        key       TEXT PRIMARY KEY,
        at        INTEGER NOT NULL,
        position  INTEGER NOT NULL
    ) STRICT;
";

/// Backups of others that were found to put restore points at risk.
const THIRD: &str = "
    CREATE TABLE foreign_backup (
        media_set TEXT NOT NULL,
        database  TEXT NOT NULL,
        found     TEXT NOT NULL,
        seen      INTEGER NOT NULL,
        facts     TEXT NOT NULL,
        PRIMARY KEY (media_set, database, found)
    ) STRICT;
";

/// Alerts with their history, what is to be told of them and to whom it was told; ways to find the
/// last runs of one database among those of years.
const FOURTH: &str = "
    CREATE TABLE alert (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        code      TEXT NOT NULL,
        object    TEXT NOT NULL,
        severity  TEXT NOT NULL,
        message   TEXT NOT NULL,
        remedy    TEXT NOT NULL,
        scope     TEXT,
        database  TEXT,
        first     INTEGER NOT NULL,
        last      INTEGER NOT NULL,
        times     INTEGER NOT NULL,
        resolved  INTEGER,
        by_hand   INTEGER NOT NULL DEFAULT 0,
        note      TEXT
    ) STRICT;
    CREATE UNIQUE INDEX alert_open ON alert (code, object) WHERE resolved IS NULL;
    CREATE INDEX alert_resolved ON alert (resolved);
    CREATE TABLE alert_event (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        at        INTEGER NOT NULL,
        body      TEXT NOT NULL
    ) STRICT;
    CREATE TABLE alert_delivery (
        event     INTEGER NOT NULL REFERENCES alert_event (id) ON DELETE CASCADE,
        channel   TEXT NOT NULL,
        state     TEXT NOT NULL,
        tries     INTEGER NOT NULL,
        next      INTEGER NOT NULL,
        error     TEXT,
        PRIMARY KEY (event, channel)
    ) STRICT;
    CREATE INDEX run_by_database ON run (media_set, database, what, started);
    CREATE INDEX set_by_run ON backup_set (run);
    CREATE INDEX set_by_database ON backup_set (key, database, kind, written);
";

/// The state of each protected database, and what became of it.
const FIFTH: &str = "
    CREATE TABLE protection (
        scope     TEXT NOT NULL,
        database  TEXT NOT NULL,
        record    TEXT NOT NULL,
        at        INTEGER NOT NULL,
        PRIMARY KEY (scope, database)
    ) STRICT;
    CREATE TABLE timeline (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        at        INTEGER NOT NULL,
        scope     TEXT NOT NULL,
        database  TEXT NOT NULL,
        text      TEXT NOT NULL
    ) STRICT;
";

/// Integrity checks of each database, on each instance.
const SIXTH: &str = "
    CREATE TABLE integrity (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        database  TEXT NOT NULL COLLATE NOCASE,
        instance  TEXT NOT NULL,
        depth     TEXT NOT NULL,
        word      TEXT NOT NULL,
        began     INTEGER NOT NULL,
        ended     INTEGER NOT NULL,
        outcome   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX integrity_by_database ON integrity (database, instance);
";

/// What waits for the shared catalog. `shared` has one row: `epoch` is the highest that was begun,
/// `open` says whether changes are written down in it, `tag` belongs to `acked`.
const SEVENTH: &str = "
    CREATE TABLE outbox (
        number    INTEGER PRIMARY KEY,
        at        INTEGER NOT NULL,
        tag       TEXT NOT NULL,
        body      TEXT NOT NULL
    ) STRICT;
    CREATE TABLE shared (
        one       INTEGER PRIMARY KEY CHECK (one = 1),
        epoch     INTEGER NOT NULL,
        open      INTEGER NOT NULL,
        newest    INTEGER NOT NULL,
        acked     INTEGER NOT NULL,
        tag       TEXT NOT NULL,
        tries     TEXT
    ) STRICT;
    INSERT INTO shared (one, epoch, open, newest, acked, tag)
    VALUES (1, 0, 0, 0, 0, '00000000-0000-0000-0000-000000000000');
";

/// Opens the file with durable transactions, making the tables at first use.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is committed is durable in the log beside the file. To copy it into the file at the end of
    // each command would wait for the disk twice more; it is copied when the log has 1,000 pages.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A transaction that reads first and writes then would fail when another process wrote between.
    connection.set_transaction_behavior(rusqlite::TransactionBehavior::Immediate);
    // Who only reads must not wait for one who writes.
    if version(&connection)? < VERSION {
        build(&mut connection)?;
    }
    match version(&connection)? {
        newer if newer > VERSION => Err(too_new(newer)),
        _ => Ok(connection),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that are missing. Immediate: of two first starts, one makes the tables and the
/// other waits for it.
fn build(connection: &mut Connection) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&change)?;
    if (0..VERSION).contains(&found) {
        for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION)?;
    }
    change.commit()
}

/// A connection to tables of this release as they are; `None` where they are older.
pub(super) fn known(connection: Connection) -> rusqlite::Result<Option<Connection>> {
    connection.busy_timeout(BUSY)?;
    match version(&connection)? {
        VERSION => Ok(Some(connection)),
        older if older < VERSION => Ok(None),
        newer => Err(too_new(newer)),
    }
}

fn too_new(found: i64) -> rusqlite::Error {
    let message = format!("the catalog has version {found}, this agent knows up to {VERSION}");
    rusqlite::Error::ToSqlConversionFailure(message.into())
}
