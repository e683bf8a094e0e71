//! Removes what retention lets go: a drop record first, durable on every volume, then the data.
//! Manifests and records stay, so that a lawful removal can be told from any other.

use std::sync::Arc;

use twinset_domain::{AgentId, Fault, MediaSetId, Moment, Position, code};
use twinset_format::record;
use twinset_plugin_api::{Capabilities, Outcome};

use super::inventory::SetOnMedia;
use super::matrix::Matrix;
use super::publish::{self, Chain, Statement};
use super::volume::Volume;

/// What a removal works with.
pub struct Removal<'a> {
    /// The volumes, opened for writing.
    pub matrix: &'a Matrix,
    /// The media set.
    pub media_set: MediaSetId,
    /// Who removes.
    pub agent: AgentId,
    /// Now.
    pub now: Moment,
    /// End of the chain of records.
    pub chain: Chain,
}

/// Single sets can be removed from every volume.
///
/// # Errors
/// [`code::CANNOT_REMOVE`], naming the first device that cannot.
pub fn can_remove(matrix: &Matrix) -> Result<(), Fault> {
    let cannot =
        |volume: &&Arc<Volume>| volume.description.capabilities & Capabilities::RANDOM_REMOVE == 0;
    matrix.volumes().find(cannot).map_or(Ok(()), |volume| {
        let message = "the device cannot remove single backup sets";
        Err(Fault::new(code::CANNOT_REMOVE, volume.place(), message)
            .cause("it says so of itself: it has no capability to remove sections at random")
            .remedy("format the media anew when all their sets have expired"))
    })
}

/// Until when the storage of any volume refuses to remove a set's data, if it does.
///
/// # Errors
/// The first device's that could not say.
pub fn locked(matrix: &Matrix, position: Position, now: Moment) -> Result<Option<Moment>, Fault> {
    let index = position.data_section();
    let mut until = None;
    for volume in matrix.volumes() {
        match volume.call(move |handle| handle.inspect_section(index)) {
            Ok(told) => until = until.max(told.locked_until),
            // What is not there is not locked; what is damaged is told by whoever reads it.
            Err(fault) if matches!(fault.outcome, Outcome::NOT_FOUND | Outcome::PERMANENT) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    let until = until.map(|until| match until {
        i64::MAX => Moment(until),
        other => Moment(other / 1000),
    });
    Ok(until.filter(|until| *until > now))
}

impl Removal<'_> {
    /// Says of a published set that it goes, and why. Durable on every volume when it returns;
    /// from then on nobody may restore it.
    ///
    /// # Errors
    /// The first device's; `media recover` or the next run writes the record where it is missing.
    pub fn say(&mut self, set: &SetOnMedia, why: String) -> Result<(), Fault> {
        let Some(verdict) = &set.verdict else {
            let object = format!("position {}", set.position);
            let message = "only published sets are dropped";
            return Err(Fault::new(code::INTERNAL, object, message));
        };
        let statement = Statement {
            media_set: self.media_set,
            outcome: record::Outcome::Dropped,
            position: set.position,
            run: verdict.run,
            manifests: verdict.manifests.clone(),
            history: None,
            agent: self.agent,
            written: self.now,
            note: Some(why),
        };
        let volumes: Vec<Arc<Volume>> = self.matrix.volumes().cloned().collect();
        publish::publish(&mut self.chain, &volumes, &statement).map(drop)
    }

    /// Removes the data of a set whose drop record stands on every volume. Gives the bytes that
    /// became free over all volumes.
    ///
    /// # Errors
    /// The first device's; `media recover` or the next run goes on.
    pub fn remove(&self, set: &SetOnMedia) -> Result<u64, Fault> {
        let mut freed = 0;
        for piece in set.pieces.iter().filter(|piece| piece.data) {
            let Some(volume) = self.matrix.volume(piece.slot) else {
                continue;
            };
            volume.remove_section(set.position.data_section())?;
            let manifest = set.manifests.get(&piece.slot.family);
            freed += manifest.map_or(0, |manifest| manifest.facts.stored_length);
        }
        Ok(freed)
    }
}
