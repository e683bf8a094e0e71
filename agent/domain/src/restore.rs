//! What to restore, from where: a value that can be printed before anything moves.

use serde::Serialize;

use crate::recover::SetState;
use crate::{BackupKind, Fault, Moment, Position, RunId, Slot, code};

/// A set that could be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Where it is.
    pub position: Position,
    /// The run that wrote it.
    pub run: RunId,
    /// Published or unconfirmed.
    pub state: SetState,
    /// Database it came from.
    pub database: String,
    /// Its kind, if the stream told.
    pub kind: Option<BackupKind>,
    /// When it was written.
    pub at: Moment,
    /// Bytes of all families.
    pub bytes: u64,
    /// Per family, the volumes that hold it, in the order they are asked.
    pub sources: Vec<Vec<Slot>>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The database as it was called at backup.
    pub database: String,
    /// A position, or the latest published full.
    pub position: Option<Position>,
}

/// Chooses the set.
///
/// # Errors
/// [`code::NO_RESTORE_POINT`] or [`code::SET_MISSING`]; [`code::LOST`] when a family has no volume.
pub fn choose(wanted: &Wanted, candidates: &[Candidate]) -> Result<Candidate, Fault> {
    let object = format!("database {}", wanted.database);
    let chosen = match wanted.position {
        Some(position) => candidates
            .iter()
            .find(|c| c.position == position)
            .ok_or_else(|| no_such_position(&object, position))?,
        None => candidates
            .iter()
            .filter(|c| c.state == SetState::Published && c.kind == Some(BackupKind::Full))
            .filter(|c| c.database.eq_ignore_ascii_case(&wanted.database))
            .max_by_key(|c| c.position)
            .ok_or_else(|| {
                Fault::new(
                    code::NO_RESTORE_POINT,
                    &object,
                    "no published full backup of it",
                )
                .remedy("look: twinset media show SET; name another set with --position N")
            })?,
    };
    if !chosen.database.eq_ignore_ascii_case(&wanted.database) {
        let message = format!(
            "position {} holds database {}",
            chosen.position, chosen.database
        );
        return Err(Fault::new(code::SET_MISSING, object, message)
            .remedy("name the database that the set was taken from"));
    }
    if chosen.kind.is_some_and(|kind| kind != BackupKind::Full) {
        let message = format!("position {} is no full backup", chosen.position);
        return Err(Fault::new(code::SET_TYPE, object, message)
            .remedy("this release restores full backups; name one with --position N"));
    }
    if let Some(family) = chosen.sources.iter().position(Vec::is_empty) {
        let message = format!(
            "family {} of position {} is on no mirror",
            family + 1,
            chosen.position
        );
        return Err(Fault::new(code::LOST, object, message)
            .remedy("bring a missing volume back, or choose an earlier set"));
    }
    Ok(chosen.clone())
}

fn no_such_position(object: &str, position: Position) -> Fault {
    Fault::new(
        code::SET_MISSING,
        object,
        format!("no backup set at position {position}"),
    )
    .remedy("look: twinset media show SET")
}
