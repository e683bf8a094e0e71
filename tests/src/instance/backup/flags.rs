//! The flags of a backup set (facts: sqlserver.md 4.2, column 30).

use super::check::is_tail;
use crate::instance::model::{Database, DbState};
use crate::instance::transfer::Plan;
use crate::stream::Kind;

/// Holds minimally logged changes.
pub const BULK: u32 = 1;
/// The database is read-only.
pub const READ_ONLY: u32 = 4;
/// The data was damaged when it was backed up.
pub const DAMAGED: u32 = 32;
/// The tail of the log.
pub const TAIL: u32 = 64;
/// Metadata could not be read; the log content is complete.
pub const INCOMPLETE: u32 = 128;
/// NORECOVERY: the database was left restoring.
pub const NO_RECOVERY: u32 = 256;
/// COPY_ONLY.
pub const COPY_ONLY: u32 = 1024;

/// Whether the set stands outside the chain: COPY_ONLY, or a log WITH NO_TRUNCATE alone.
#[must_use]
pub fn is_copy_only(plan: &Plan, kind: Kind) -> bool {
    let copy = plan.has("COPY_ONLY") || plan.has("NO_TRUNCATE");
    copy && kind != Kind::Differential && !(kind == Kind::Log && is_tail(plan))
}

/// The flags of a backup of `database`.
#[must_use]
pub fn bits(plan: &Plan, database: &Database, kind: Kind) -> u32 {
    let log = kind == Kind::Log;
    let bulk = log && database.bulk_changes;
    // Without CHECKSUM nobody looks at the pages.
    let looks = plan.has("CHECKSUM") && plan.has("CONTINUE_AFTER_ERROR");
    let damaged = !log && looks && !database.bad_pages.is_empty();
    let cut_off = log && database.state != DbState::Online;
    [
        (bulk, BULK),
        (database.read_only, READ_ONLY),
        (damaged, DAMAGED),
        (is_tail(plan), TAIL),
        (cut_off, INCOMPLETE),
        (is_tail(plan) && plan.has("NORECOVERY"), NO_RECOVERY),
        (is_copy_only(plan, kind), COPY_ONLY),
    ]
    .into_iter()
    .filter(|(is_set, _)| *is_set)
    .fold(0, |all, (_, bit)| all | bit)
}
