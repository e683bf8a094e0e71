//! How far a set rolls its database, worked out before anything changes.

use super::chain::forks;
use super::stop::{self, Log, Reach};
use crate::instance::backup::flags;
use crate::instance::backup::source::{from_lsn, from_stream};
use crate::instance::ledger::{self, Write};
use crate::instance::model::{Database, DiffBase, Lsn, RecoveryModel};
use crate::instance::transfer::Plan;
use crate::instance::transfer::messages::numbered;
use crate::stream::{Kind, SetFacts};
use crate::tds::tokens::ServerMessage;

/// How far a set rolls its database, and what is then in it.
#[derive(Default)]
pub struct Rolled {
    /// Position behind the last record; `None` for sets that tell nothing.
    pub to: Option<Lsn>,
    /// Everything that is in the database then.
    pub writes: Vec<Write>,
    /// Recovery model of the database that was backed up.
    pub recovery: Option<RecoveryModel>,
    /// Why the database must stay restoring, as an information.
    pub note: Option<i32>,
}

/// Works out what a set brings, without changing anything.
pub fn roll(
    plan: &Plan,
    set: &SetFacts,
    known: Option<&Database>,
) -> Result<Rolled, ServerMessage> {
    let stop = stop::of(plan)?;
    let (last, finished) = (from_lsn(set.lsns.last), from_stream(set.finished));
    let content = ledger::decode(&set.log);
    let model = content.as_ref();
    let recovery = model.and_then(|content| RecoveryModel::named(&content.recovery));
    let writes = content.map(|content| content.writes).unwrap_or_default();
    let mut rolled = Rolled {
        to: Some(last),
        writes,
        recovery,
        note: None,
    };
    let log = set.kind == Some(Kind::Log);
    let Some(database) = known.filter(|_| log) else {
        if let Some(stop) = &stop {
            simple(rolled.recovery)?;
            stop.allows_data(last, finished)?;
        }
        return Ok(rolled);
    };
    let from = database.log_end;
    rolled.writes.retain(|write| write.lsn >= from);
    if let Some(stop) = &stop {
        simple(Some(database.recovery))?;
        let seen = Log {
            from,
            last,
            writes: &rolled.writes,
            finished,
        };
        match stop.reach(seen, database.rolled_to)? {
            Reach::Short(note) => rolled.note = Some(note),
            Reach::Stopped(_) if set.flags & flags::BULK != 0 => {
                return Err(numbered(4341, ""));
            }
            Reach::Stopped(at) => {
                rolled.to = Some(at.max(from));
                rolled.writes.retain(|write| write.lsn < at);
            }
        }
    }
    let mut all = database.writes.clone();
    all.append(&mut rolled.writes);
    rolled.writes = all;
    Ok(rolled)
}

/// A stop point needs a log.
fn simple(model: Option<RecoveryModel>) -> Result<(), ServerMessage> {
    if model == Some(RecoveryModel::Simple) {
        return Err(numbered(3145, ""));
    }
    Ok(())
}

/// What the set says about the database's identity, position and content.
pub fn take_over(database: &mut Database, set: &SetFacts, rolled: &Rolled) {
    let position = rolled.to.unwrap_or_else(|| from_lsn(set.lsns.last));
    let (first, last) = forks(set);
    // A log that stops before its fork leaves the database on the old path.
    let spans = first != last;
    database.fork_guid = match spans && position <= from_lsn(set.fork_point) {
        true => first,
        false => last,
    };
    database.first_fork_guid = database.fork_guid;
    database.fork_point = None;
    database.log_end = position;
    database.family_guid = set.family_guid;
    database.rolled_to = from_stream(set.finished).or(database.rolled_to);
    database.writes.clone_from(&rolled.writes);
    if let Some(model) = rolled.recovery {
        database.recovery = model;
    }
    if set.kind == Some(Kind::Full) {
        let at = from_stream(set.finished);
        let checkpoint = from_lsn(set.lsns.checkpoint);
        database.full_checkpoint = Some(checkpoint);
        database.last_log_backup = None;
        database.truncated_to = None;
        database.released.clear();
        let counts = set.flags & flags::COPY_ONLY == 0;
        database.base = at.filter(|_| counts).map(|at| DiffBase {
            lsn: checkpoint,
            set: set.set_guid,
            at,
        });
    }
}
