//! The tables of the shared catalog, in the schema `twinset`.
//!
//! Each agent's rows bear its id and the epoch that told them. What is the same for all, a set of
//! SQL Server, has one row however many agents tell of it: its GUID is its key, and `family` ties
//! the sets of one replica together, whatever servers are called.

use tokio_postgres::{Client, Error};
use twinset_domain::{Fault, code};

/// Version of the tables that this release reads and writes.
pub const VERSION: i32 = 1;

/// What leads from each version to the next; an empty schema takes them all.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];

/// What is printed in front of the tables.
const HEAD: &str = "\
-- Tables of Twinset's shared catalog, for a database that its agents may not change by themselves.
-- Run it as their owner: twinset catalog schema | psql --set ON_ERROR_STOP=1 --single-transaction
CREATE SCHEMA IF NOT EXISTS twinset;

";

/// What is printed behind the tables.
const TAIL: &str = "
-- What the role of an agent needs, here twinset_agent:
-- GRANT USAGE ON SCHEMA twinset TO twinset_agent;
-- GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA twinset TO twinset_agent;
";

/// Everything that makes the tables, as SQL.
#[must_use]
pub fn script() -> String {
    let version = format!("INSERT INTO twinset.version (version) VALUES ({VERSION});\n");
    [HEAD, &STEPS.concat(), &version, TAIL].concat()
}

/// The version of the tables that are there.
pub(super) async fn version(client: &Client) -> Result<Option<i32>, Error> {
    let sql = "SELECT pg_catalog.to_regclass('twinset.version') IS NOT NULL";
    if !client.query_one(sql, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let found = client
        .query_opt("SELECT version FROM twinset.version", &[])
        .await?;
    found.map(|row| row.try_get(0)).transpose()
}

/// Whether tables of this version are ready; false when they are to be made or brought up to date.
///
/// # Errors
/// [`code::SHARED_SCHEMA`] when they are a newer release's.
pub fn judge(object: &str, found: Option<i32>) -> Result<bool, Fault> {
    match found {
        Some(newer) if newer > VERSION => {
            let message =
                format!("its tables have version {newer}, this agent knows up to {VERSION}");
            Err(Fault::new(code::SHARED_SCHEMA, object, message).remedy(
                "bring this agent to the release of the others; until then it keeps what it has \
                 to tell, and backups go on",
            ))
        }
        found => Ok(found == Some(VERSION)),
    }
}

/// Takes the steps that are missing, one agent at a time.
pub(super) async fn build(client: &mut Client) -> Result<(), Error> {
    /// Any number, the same in all agents: "twinset".
    const LOCK: i64 = 0x0074_7769_6e73_6574;
    let change = client.transaction().await?;
    change
        .execute("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let found = version(change.client()).await?;
    let made = change
        .query_one(
            "SELECT pg_catalog.to_regnamespace('twinset') IS NOT NULL",
            &[],
        )
        .await?;
    // An administrator may have made the schema alone, for a role that may make tables in it.
    if !made.try_get::<_, bool>(0)? {
        change.batch_execute("CREATE SCHEMA twinset").await?;
    }
    let from = usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(from) {
        change.batch_execute(step).await?;
    }
    if found.is_none_or(|found| found < VERSION) {
        change.execute("DELETE FROM twinset.version", &[]).await?;
        change
            .execute(
                "INSERT INTO twinset.version (version) VALUES ($1)",
                &[&VERSION],
            )
            .await?;
    }
    change.commit().await
}

/// The agent may not make them.
pub(super) fn no_right(object: &str, found: Option<i32>, error: &Error) -> Fault {
    let message = match found {
        None => "its tables are missing, and this agent may not make them".to_owned(),
        Some(older) => format!(
            "its tables have version {older}, and this agent may not bring them to {VERSION}"
        ),
    };
    let said = error
        .as_db_error()
        .map_or_else(|| error.to_string(), |said| said.message().to_owned());
    Fault::new(code::SHARED_SCHEMA, object, message)
        .cause(said)
        .remedy(
            "have an administrator of the database run what this prints: twinset catalog schema",
        )
}
