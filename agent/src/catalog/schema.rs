//! Tables of the catalog, and how they are opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 3;
/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// What leads from each version to the next; a new file takes them all.
const STEPS: [&str; 3] = [FIRST, SECOND, THIRD];

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

/// Opens the file with durable transactions, making the tables at first use.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Immediate: of two first starts, one makes the tables and the other waits for it.
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if (0..VERSION).contains(&found) {
        for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION)?;
    }
    change.commit()?;
    if found > VERSION {
        let message = format!("the catalog has version {found}, this agent knows up to {VERSION}");
        return Err(rusqlite::Error::ToSqlConversionFailure(message.into()));
    }
    Ok(connection)
}
