//! Which rights the login of a session holds.

use twinset_domain::Fault;
use twinset_domain::grants::{Grant, Right, quoted};

use super::rows::Param;
use super::session::Session;

const SERVER: &str = "\
SELECT IS_SRVROLEMEMBER(N'sysadmin') AS sysadmin,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS state,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER PERFORMANCE STATE') AS performance,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS definition,
       HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY CONNECTION') AS connection,
       HAS_PERMS_BY_NAME(NULL, NULL, N'CREATE ANY DATABASE') AS creator";

const TABLE: &str = "SELECT HAS_PERMS_BY_NAME(@P1, N'OBJECT', N'SELECT') AS held";

const DATABASE: &str = "\
SELECT HAS_DBACCESS(@P1) AS enters,
       HAS_PERMS_BY_NAME(@P2, N'DATABASE', N'BACKUP DATABASE') AS backs_up,
       HAS_PERMS_BY_NAME(@P2, N'DATABASE', N'CONTROL') AS owns";

/// Those of `grants` that the session's login does not hold. Asked by effect, so a greater right
/// counts for a lesser one.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn missing(session: &mut Session, grants: &[Grant]) -> Result<Vec<Grant>, Fault> {
    let rows = session.query(SERVER, &[])?;
    let server = rows.one()?;
    let flag = |column: &str| Ok::<bool, Fault>(server.int(column)? == Some(1));
    let mut lacking = Vec::new();
    for grant in grants {
        let held = match &grant.right {
            // It is in use.
            Right::Login => true,
            Right::Sysadmin => flag("sysadmin")?,
            Right::DbCreator => flag("creator")?,
            // The second is NULL before 2022, which does not know it.
            Right::ServerState => flag("state")? || flag("performance")?,
            Right::AnyDefinition => flag("definition")?,
            Right::AnyConnection => flag("connection")?,
            Right::History(table) => {
                let name = format!("msdb.dbo.{table}");
                let rows = session.query(TABLE, &[Param::Text(&name)])?;
                rows.one()?.int("held")? == Some(1)
            }
            Right::BackupOperator(database) => in_database(session, database, "backs_up")?,
            Right::Owner(database) => in_database(session, database, "owns")?,
        };
        if !held {
            lacking.push(grant.clone());
        }
    }
    Ok(lacking)
}

fn in_database(session: &mut Session, database: &str, column: &str) -> Result<bool, Fault> {
    let name = quoted(database);
    let params = [Param::Text(database), Param::Text(&name)];
    let rows = session.query(DATABASE, &params)?;
    let row = rows.one()?;
    Ok(row.int("enters")? == Some(1) && row.int(column)? == Some(1))
}
