//! Whether a set continues a database: same origin, right base, no gap, same recovery path.

use uuid::Uuid;

use crate::instance::backup::source::from_lsn;
use crate::instance::model::{Database, DbState};
use crate::instance::transfer::messages::{numbered, out_of_order};
use crate::stream::SetFacts;
use crate::tds::tokens::ServerMessage;

/// Whether this log applies to this database.
pub fn log(database: &Database, set: &SetFacts, strict: bool) -> Result<(), ServerMessage> {
    if database.state != DbState::Restoring && !database.standby {
        return Err(numbered(3117, ""));
    }
    if database.family_guid != set.family_guid {
        return Err(numbered(3154, &database.name));
    }
    let (first, last) = (from_lsn(set.lsns.first), from_lsn(set.lsns.last));
    let position = database.log_end;
    let said = |number, lsn: crate::instance::model::Lsn| {
        out_of_order(number, &lsn.0.to_string(), &position.0.to_string())
    };
    if first > position {
        return Err(said(4305, first));
    }
    if last < position || (strict && last == position) {
        return Err(said(4326, last));
    }
    path(database, set)
}

/// Whether this differential applies to this database.
pub fn differential(database: &Database, set: &SetFacts) -> Result<(), ServerMessage> {
    if database.state != DbState::Restoring && !database.standby {
        return Err(numbered(3117, ""));
    }
    if database.family_guid != set.family_guid {
        return Err(numbered(3154, &database.name));
    }
    if database.base.is_none_or(|base| base.set != set.base_guid) {
        return Err(numbered(3136, ""));
    }
    if from_lsn(set.lsns.last) <= database.log_end {
        return Err(numbered(3120, ""));
    }
    Ok(())
}

/// First and last recovery fork of a set.
#[must_use]
pub fn forks(set: &SetFacts) -> (Uuid, Uuid) {
    let first = match set.first_fork_guid {
        nil if nil.is_nil() => set.fork_guid,
        other => other,
    };
    (first, set.fork_guid)
}

/// The database stands on the set's path, and not past the point where that path forks off.
fn path(database: &Database, set: &SetFacts) -> Result<(), ServerMessage> {
    let (first, last) = forks(set);
    let point = from_lsn(set.fork_point);
    let stands = database.fork_guid;
    let fits = if first == last {
        stands == first
    } else {
        (stands == first && database.log_end <= point)
            || (stands == last && database.log_end >= point)
    };
    if fits {
        Ok(())
    } else {
        Err(numbered(4330, ""))
    }
}
