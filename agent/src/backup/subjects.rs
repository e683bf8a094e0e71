//! Sets on media in the form that retention judges.

use std::collections::BTreeMap;

use twinset_domain::recover::{Second, SetState};
use twinset_domain::retention::{Part, Place, Subject};
use twinset_domain::{BackupKind, Moment, Shape};
use twinset_format::mtf::SetFacts;

use crate::media::inventory::SetOnMedia;

/// Who speaks for the sets of a media set.
pub struct Scope<'a> {
    /// Key of the media set.
    pub key: &'a str,
    /// The policies that speak for a database, by number.
    pub speaks: &'a dyn Fn(&str) -> Vec<usize>,
    /// Mirrors that must hold a set of a kind before it counts.
    pub least: &'a dyn Fn(Option<BackupKind>) -> u8,
}

/// Every set of a media set, as retention sees it.
#[must_use]
pub fn subjects(scope: &Scope<'_>, shape: Shape, sets: &[SetOnMedia]) -> Vec<Subject> {
    sets.iter().map(|set| subject(scope, shape, set)).collect()
}

fn subject(scope: &Scope<'_>, shape: Shape, set: &SetOnMedia) -> Subject {
    let facts = set.any_manifest().map(|manifest| &manifest.facts);
    let history = set
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.history.as_ref());
    let began = facts.map(|facts| facts.written);
    let published = set.verdict.as_ref().map(|verdict| verdict.written);
    let told = facts.map_or(&[][..], |facts| facts.sets.as_slice());
    let parts: Vec<Part> = match (told, history) {
        ([], Some(history)) => vec![part(history, history)],
        ([one], Some(history)) => vec![part(one, history)],
        (several, _) => several.iter().map(|one| part(one, one)).collect(),
    };
    let kind = facts.and_then(|facts| facts.kind).or_else(|| history?.kind);
    let database = facts.map(|facts| facts.database.clone());
    Subject {
        place: Place {
            media_set: scope.key.to_owned(),
            position: set.position,
        },
        state: set.state,
        policies: database.as_deref().map_or_else(Vec::new, scope.speaks),
        database,
        kind,
        parts,
        new_branch: facts.is_some_and(|facts| facts.new_branch),
        began: began.or(published).unwrap_or(Moment(0)),
        ended: published.or(began).unwrap_or(Moment(0)),
        bytes: set.bytes(),
        mirrors: whole_mirrors(shape, set),
        least: (scope.least)(kind),
    }
}

/// What the stream tells of a set, and where it is silent, what msdb told.
fn part(stream: &SetFacts, msdb: &SetFacts) -> Part {
    Part {
        kind: stream.kind.or(msdb.kind),
        set: stream.set.or(msdb.set),
        base: stream.differential_base.or(msdb.differential_base),
        copy_only: stream.copy_only.or(msdb.copy_only) == Some(true),
        family: stream.family_guid.or(msdb.family_guid),
        fork: stream.recovery_fork.or(msdb.recovery_fork),
        first_fork: stream.first_recovery_fork.or(msdb.first_recovery_fork),
        fork_point: stream.fork_point_lsn.or(msdb.fork_point_lsn),
        first: stream.first_lsn.or(msdb.first_lsn),
        last: stream.last_lsn.or(msdb.last_lsn),
        checkpoint: stream.checkpoint_lsn.or(msdb.checkpoint_lsn),
        base_checkpoint: stream.differential_base_lsn.or(msdb.differential_base_lsn),
    }
}

/// Mirrors on which data and manifest of every family lie.
pub(super) fn whole_mirrors(shape: Shape, set: &SetOnMedia) -> u8 {
    let mut families: BTreeMap<u8, u16> = BTreeMap::new();
    let whole = set
        .pieces
        .iter()
        .filter(|piece| piece.data && piece.second == Second::Manifest);
    for piece in whole {
        *families.entry(piece.slot.mirror.0).or_default() += 1;
    }
    let whole = families.values().filter(|count| **count == shape.families);
    u8::try_from(whole.count()).unwrap_or(u8::MAX)
}

/// Whether a set's data should be gone and is not.
#[must_use]
pub fn is_half_dropped(set: &SetOnMedia) -> bool {
    set.state == SetState::Dropped && set.pieces.iter().any(|piece| piece.data)
}
