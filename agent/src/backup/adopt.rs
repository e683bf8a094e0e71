//! Takes over from other tools: asks the server what they left, and looks which files are there.

use std::collections::BTreeSet;
use std::fs::File;

use twinset_domain::adopt::{Asked, TakeOver, take_over};
use twinset_domain::{Fault, code};

use super::desk::Desk;
use super::guard::{self, Targets};
use crate::sqlserver::{Session, facts, others};

/// How a database goes on, and what is taken in before. Nothing is written, but what was read of
/// the media is remembered.
///
/// # Errors
/// Why server, media or catalog cannot be asked.
pub fn look(
    desk: &mut Desk<'_>,
    targets: &Targets,
    database: &str,
    control: &mut Session,
) -> Result<TakeOver, Fault> {
    let Some(found) = facts::probe_database(control, database)? else {
        let object = format!("database {database}");
        return Err(
            Fault::new(code::SQL_NO_DATABASE, object, "the instance has none of it")
                .remedy("look: twinset instance databases INSTANCE"),
        );
    };
    let source = guard::source(&found, control)?;
    let held = guard::held_here(desk, targets, &found.name, (false, false))?;
    let held: BTreeSet<_> = held.iter().filter_map(|held| held.set).collect();
    let mut theirs = others::backups(control, &found.name)?;
    for set in theirs.iter_mut().filter(|set| set.unreachable.is_none()) {
        // SQL Server and the agent stand on one host: its paths are ours.
        let unread = |file: &String| File::open(file).err().map(|error| error.to_string());
        set.unreachable = set.files.iter().find_map(unread);
    }
    Ok(take_over(&Asked {
        database: &found.name,
        source: &source,
        theirs: &theirs,
        held: &held,
        families: (targets.data.shape.families, targets.logs.shape.families),
    }))
}
