//! What the agents of the other partners hold of the chain.

use twinset_domain::chain::{Decision, Held, Reason};
use twinset_domain::recover::SetState;
use twinset_domain::schedule::KINDS;
use twinset_domain::{BackupKind, Fault, code};
use twinset_format::card::Card;
use twinset_plugin_api::Access;

use super::{Guarded, Targets, held_of};
use crate::backup::desk::{Desk, Target};
use crate::media::inventory::{self, SetOnMedia};
use crate::media::matrix::Matrix;

/// What is missing here may be held by the partner's agent.
pub(super) const fn continues_elsewhere(decision: &Decision) -> bool {
    matches!(
        decision.reason,
        Reason::Gap { .. } | Reason::OtherFork { .. } | Reason::BaseNotHeld { .. }
    )
}

/// The sets of a database that another agent wrote.
pub(super) fn others_sets(
    desk: &mut Desk<'_>,
    target: &Target,
    database: &str,
) -> Result<Vec<Held>, Fault> {
    let matrix = Matrix::open(
        &target.places,
        target.shape,
        desk.state.agent,
        Access::Read,
        None,
    )?;
    let Some(id) = matrix.media_set else {
        let object = format!("media set {}", target.key);
        return Err(Fault::new(code::NO_VOLUME, object, "no volume answers"));
    };
    let sets = inventory::read(&matrix);
    let cards: Vec<Card> = sets.iter().filter_map(SetOnMedia::card).collect();
    let newest = newest_of_each(&cards, database);
    desk.catalog.remember(&target.key, id, &newest)?;
    Ok(held_of(target, &cards, database))
}

/// The newest published set of each kind: when the partner's agent took them is when they are due
/// again, and how old they are, on whichever host the next ones are taken.
fn newest_of_each(cards: &[Card], database: &str) -> Vec<Card> {
    let of = |kind: BackupKind| {
        let cards = cards.iter().filter(|card| {
            let named = card.database.as_deref();
            card.state == SetState::Published
                && card.kind == Some(kind)
                && !card.copy_only
                && named.is_some_and(|name| name.eq_ignore_ascii_case(database))
        });
        cards.max_by_key(|card| (card.written, card.position))
    };
    KINDS.into_iter().filter_map(of).cloned().collect()
}

impl Guarded {
    /// The chain goes on from what another partner's agent wrote.
    pub(in crate::backup) fn follows_other(&self, targets: &Targets) -> bool {
        let mut others = targets.others.iter();
        others.any(|other| Some(&other.key) == self.newest.as_ref())
    }
}

/// Where the newest log record lies that is held.
pub(super) fn newest(held: &[Held]) -> Option<String> {
    let confirmed = held.iter().filter(|held| held.confirmed && !held.copy_only);
    let newest = confirmed.max_by_key(|held| (held.last, held.written))?;
    Some(newest.media_set.clone())
}
