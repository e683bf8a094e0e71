//! The bytes of a set that was read to its end, held against those that were sent.

use std::sync::Arc;

use uuid::Uuid;

use super::judge;
use crate::instance::Instance;
use crate::instance::transfer::Plan;
use crate::stream::StreamFacts;

/// Sets that are remembered as read; of more, the oldest go.
const MAX_RECEIVED: usize = 10_000;

/// A family that RESTORE read to its end.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Received {
    /// Into which database; empty when it was only verified.
    pub database: String,
    /// Its backup set.
    pub set: Option<Uuid>,
    /// Number of the family, from 1.
    pub family: u16,
    /// Bytes read.
    pub bytes: u64,
    /// The instance that sent this set; `None` when no instance of this lab did.
    pub sent_by: Option<String>,
    /// BLAKE3 of the bytes read.
    pub blake3: String,
    /// Whether it is that of the bytes sent.
    pub same: bool,
}

/// Whether the families hold what was sent, as far as an instance of this lab sent them. Takes
/// locks: hold none.
pub fn as_sent(instance: &Instance, plan: &Plan, facts: &[StreamFacts]) -> bool {
    let read: Vec<Received> = facts
        .iter()
        .map(|family| received(instance, plan, family))
        .collect();
    let same = read.iter().all(|one| one.sent_by.is_none() || one.same);
    let mut state = instance.state();
    state.received.extend(read);
    let over = state.received.len().saturating_sub(MAX_RECEIVED);
    state.received.drain(..over);
    same
}

fn received(instance: &Instance, plan: &Plan, family: &StreamFacts) -> Received {
    let chosen = judge::chosen(plan, family);
    let set = chosen.map(|set| set.set_guid);
    let sent = set.and_then(|set| sender(instance, set, family.family));
    let read = chosen.map(|set| set.blake3);
    Received {
        database: plan.database.clone(),
        set,
        family: family.family,
        bytes: family.length,
        same: sent.as_ref().is_some_and(|(_, hash)| Some(*hash) == read),
        sent_by: sent.map(|(name, _)| name),
        blake3: blake3::Hash::from_bytes(family.blake3).to_hex().to_string(),
    }
}

/// Who sent this family, and its hash: this instance, or a partner of its network.
fn sender(instance: &Instance, set: Uuid, family: u16) -> Option<(String, [u8; 32])> {
    somewhere(instance, |one| {
        let hash = one.state().sent.get(&(set, family)).copied()?;
        Some((one.server_name().to_owned(), hash))
    })
}

/// Damaged pages of the data in the set that is read, as far as an instance of this lab sent it.
/// Takes locks: hold none.
#[must_use]
pub fn damage_of(instance: &Instance, plan: &Plan, facts: &[StreamFacts]) -> Vec<(i32, i64)> {
    let set = facts.first().and_then(|family| judge::chosen(plan, family));
    let known = |set: Uuid| somewhere(instance, |one| one.state().damaged.get(&set).cloned());
    set.and_then(|set| known(set.set_guid)).unwrap_or_default()
}

/// What this instance knows, or a partner of its network.
fn somewhere<T>(instance: &Instance, of: impl Fn(&Instance) -> Option<T>) -> Option<T> {
    let network = instance.network();
    let others = network.iter().flat_map(|network| network.instances());
    of(instance).or_else(|| others.map(Arc::as_ref).find_map(of))
}
