//! Restoring over a database that is there: never one in a session (P11), never another one, and
//! never one whose log holds what was not backed up, unless that was said.

use twinset_domain::restore::Plan;
use twinset_domain::{BackupKind, Fault, code};

use super::holdings::Holdings;
use super::run::Order;
use crate::sqlserver::Session;
use crate::sqlserver::facts::{self, DAMAGED, DatabaseFacts};

/// Databases of the instance itself: master, tempdb, model, msdb.
const SYSTEM: i64 = 4;
/// sys.databases.state of one that is being restored, as the tail of the log leaves it.
const RESTORING: i64 = 1;

/// What becomes of the log of a database that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Its tail must be held.
    Held,
    /// What was not backed up of it is given up.
    GivenUp,
}

/// May the plan take the place of this database?
pub(super) fn allowed(
    holdings: &Holdings,
    order: &Order<'_>,
    plan: &Plan,
    there: &DatabaseFacts,
    how: Replace,
) -> Result<(), Fault> {
    let object = format!("{}, database {}", order.settings.name, there.name);
    let exists = |message: &str| Fault::new(code::RESTORE_EXISTS, &object, message);
    let aside = "restore under a new name: --as NAME";
    if there.database_id <= SYSTEM || there.source_database_id.is_some() {
        let message = "databases of the instance itself, and snapshots, are not replaced";
        return Err(exists(message).remedy(aside));
    }
    let other = plan.family.zip(there.family_guid);
    if other.is_some_and(|(ours, theirs)| ours != theirs) {
        return Err(
            exists("it is another database than the one that was backed up")
                .cause("SQL Server says so with error 3154")
                .remedy(aside),
        );
    }
    let held = there.state == RESTORING
        || (DAMAGED.contains(&there.state) && newest_is_tail(holdings, order));
    if how == Replace::GivenUp || held {
        return Ok(());
    }
    let fault = exists("the tail of its log is not backed up: restoring over it would lose that")
        .cause("SQL Server says so with error 3159");
    if there.recovery_model.eq_ignore_ascii_case("SIMPLE") {
        let message = "in the simple recovery model there is no tail";
        return Err(fault.cause(message).remedy(format!(
            "--no-tail gives up what was written since the last backup; or {aside}"
        )));
    }
    Err(fault.remedy(format!(
        "first: twinset backup {} --kind tail --database {} --yes; or --no-tail, which gives up \
         what was never backed up",
        order.group, there.name
    )))
}

/// Whether the newest set that is held of the database is the tail of its log.
fn newest_is_tail(holdings: &Holdings, order: &Order<'_>) -> bool {
    let ours = holdings
        .candidates
        .iter()
        .filter(|set| set.database.eq_ignore_ascii_case(&order.wanted.database));
    let newest = ours.max_by_key(|set| set.ended());
    newest.is_some_and(|set| {
        set.kind == Some(BackupKind::Log)
            && holdings.facts(&set.place).is_ok_and(|facts| facts.tail)
    })
}

/// Where the files of the database lie now, by logical name.
pub(super) fn places(control: &mut Session, name: &str) -> Result<Vec<(String, String)>, Fault> {
    match facts::probe_database(control, name)? {
        Some(there) => facts::file_places(control, there.database_id),
        None => Ok(Vec::new()),
    }
}
