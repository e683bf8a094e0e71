//! What the catalog is told of sets: as the media tell it, so that it can be read from them again.

use twinset_domain::recover::SetState;
use twinset_domain::{Fault, MediaSetId, Position};
use twinset_format::card::Card;
use twinset_format::record::Record;

use super::desk::Desk;
use crate::catalog::RunEnd;
use crate::media::inventory::SetOnMedia;
use crate::media::writer::{RunFacts, Sealed};

/// Remembers a set that a run has sealed, and how the run ended.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub(super) fn sealed(
    desk: &mut Desk<'_>,
    place: (&str, MediaSetId),
    (facts, end): (&RunFacts, &RunEnd<'_>),
    families: &[Sealed],
    verdict: Option<&Record>,
) -> Result<(), Fault> {
    let state = match verdict {
        Some(_) => SetState::Published,
        None => SetState::Unconfirmed,
    };
    let manifests = families.iter().map(|sealed| &sealed.manifest);
    let card = Card::new(facts.position, state, manifests, verdict, None);
    desk.catalog.end_with((facts.run, end), place, &card)
}

/// Remembers that nothing at a position was ever acknowledged.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub(super) fn void(
    desk: &mut Desk<'_>,
    (key, id): (&str, MediaSetId),
    position: Position,
) -> Result<(), Fault> {
    let card = Card::new(position, SetState::Void, None, None, None);
    desk.catalog.remember(key, id, &[card])
}

/// Remembers all that was read of a media set.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub fn read(
    desk: &mut Desk<'_>,
    (key, id): (&str, MediaSetId),
    sets: &[SetOnMedia],
) -> Result<(), Fault> {
    let cards: Vec<Card> = sets.iter().filter_map(SetOnMedia::card).collect();
    desk.catalog.remember(key, id, &cards)
}
