//! What an agent remembers of a media set, as its catalog does.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use twinset_domain::chain::Held;
use twinset_domain::recover::SetState;
use twinset_domain::retention::Accepted;
use twinset_domain::schedule::{Attempt, FUTURE, Past};
use twinset_domain::{BackupKind, Moment, Position, RunId};

use super::media::{Manifest, MediaSet, Read};
use super::set::lsn;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunState {
    Reserved,
    Published,
    Unconfirmed,
    Failed,
}

/// A run whose intent was written down.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) run: RunId,
    pub(crate) position: u64,
    pub(crate) kind: BackupKind,
    pub(crate) started: Moment,
    pub(crate) ended: Option<Moment>,
    pub(crate) state: RunState,
    pub(crate) copy_only: bool,
}

/// A set as the media told of it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) state: SetState,
    pub(crate) manifest: Option<Rc<Manifest>>,
    /// Mirrors that held it when it was published.
    pub(crate) mirrors: usize,
}

/// One media set, as it is remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// Highest position and writing order; nothing before the media set was met.
    pub(crate) known: Option<(u64, u64)>,
    pub(crate) cards: BTreeMap<u64, Card>,
    pub(crate) runs: Vec<Run>,
    pub(crate) accepted: Option<Accepted>,
}

impl Remembered {
    pub(crate) fn attach(&mut self, highest: u64, sequence: u64) {
        let (old, order) = self.known.unwrap_or((0, 0));
        self.known = Some((old.max(highest), order.max(sequence)));
    }

    pub(crate) fn settled(&self) -> BTreeSet<u64> {
        let ended = |run: &&Run| matches!(run.state, RunState::Published | RunState::Unconfirmed);
        let kept = |card: &Card| {
            use SetState::{Dropped, Published, Unconfirmed};
            matches!(card.state, Published | Unconfirmed | Dropped)
        };
        let runs = self.runs.iter().filter(ended).map(|run| run.position);
        let cards = self.cards.iter().filter(|(_, card)| kept(card));
        runs.chain(cards.map(|(position, _)| *position)).collect()
    }

    pub(crate) fn end(&mut self, run: RunId, state: RunState, at: Moment) {
        if let Some(found) = self.runs.iter_mut().find(|known| known.run == run) {
            (found.state, found.ended) = (state, Some(at));
        }
    }

    /// The ends of dead runs, as the media tell them now.
    pub(crate) fn settle_runs(&mut self, sets: &[Read], now: Moment) {
        for run in &mut self.runs {
            if run.state != RunState::Reserved {
                continue;
            }
            let set = sets.iter().find(|set| set.position == run.position);
            run.state = match set.map(|set| set.state) {
                Some(SetState::Published | SetState::Dropped) => RunState::Published,
                Some(SetState::Unconfirmed) => RunState::Unconfirmed,
                _ => RunState::Failed,
            };
            run.ended = Some(now);
        }
    }

    pub(crate) fn remember(&mut self, sets: &[Read]) {
        for set in sets {
            self.cards.insert(set.position, card(set));
        }
    }

    /// What ran of a kind: runs of this agent, and sets that lie on the media.
    pub(crate) fn past(&self, kind: BackupKind, now: Moment) -> Past {
        let horizon = Moment(now.0.saturating_add(FUTURE));
        let regular = |run: &&Run| run.kind == kind && !run.copy_only && run.started <= horizon;
        let runs = self.runs.iter().filter(regular).map(|run| Attempt {
            started: run.started,
            ended: run.ended,
            succeeded: matches!(run.state, RunState::Published | RunState::Unconfirmed),
        });
        let held = self.cards.values().filter_map(|card| {
            use SetState::{Dropped, Published, Unconfirmed};
            let manifest = card.manifest.as_ref()?;
            let counts = manifest.set.kind == kind
                && !manifest.set.copy_only
                && matches!(card.state, Published | Unconfirmed | Dropped)
                && manifest.written <= horizon;
            counts.then_some(Attempt {
                started: manifest.written,
                ended: None,
                succeeded: true,
            })
        });
        Past::of(runs.chain(held), now)
    }

    /// The sets as the chain guard sees them; what is not known is read from the media.
    pub(crate) fn held(&mut self, media: &MediaSet, look: bool) -> Vec<Held> {
        let highest = self.known.map_or(0, |(highest, _)| highest);
        let mut cards = self.cards.clone();
        if look || self.known.is_none() || (cards.len() as u64) < highest {
            let whole = media.volumes.iter().all(|volume| volume.there);
            for set in media.read() {
                let known = cards.get(&set.position);
                if known.is_none_or(|known| known.state != set.state) {
                    let new = card(&set);
                    if whole && self.known.is_some() {
                        self.cards.insert(set.position, new.clone());
                    }
                    cards.insert(set.position, new);
                } else if whole
                    && !set.pieces.iter().any(|piece| piece.data)
                    && let Some(card) = cards.get_mut(&set.position)
                {
                    card.mirrors = 0;
                }
            }
        }
        held_of(media, &cards)
    }
}

/// The sets of another agent, read from its media.
pub(crate) fn others(media: &MediaSet) -> Option<Vec<Held>> {
    if !media.volumes.iter().any(|volume| volume.there) {
        return None;
    }
    let sets = media.read();
    let cards = sets.iter().map(|set| (set.position, card(set))).collect();
    Some(held_of(media, &cards))
}

fn card(set: &Read) -> Card {
    let verdict = set.verdict.as_ref();
    Card {
        state: set.state,
        manifest: set.manifest.clone().filter(|_| set.state != SetState::Void),
        mirrors: verdict.map_or(0, |verdict| verdict.mirrors),
    }
}

fn held_of(media: &MediaSet, cards: &BTreeMap<u64, Card>) -> Vec<Held> {
    let held = |(position, card): (&u64, &Card)| {
        let confirmed = match card.state {
            SetState::Published => true,
            SetState::Unconfirmed => false,
            _ => return None,
        };
        let manifest = card.manifest.as_ref()?;
        let set = &manifest.set;
        let least = usize::from(media.min.of(set.kind));
        Some(Held {
            media_set: media.key.clone(),
            position: Position::new(*position)?,
            kind: set.kind,
            set: Some(set.guid),
            copy_only: set.copy_only,
            first: Some(lsn(set.first)),
            last: Some(lsn(set.last)),
            base: set.base.map(|(guid, _)| guid),
            family: Some(super::set::FAMILY),
            fork: Some(set.fork),
            written: manifest.written,
            new_branch: manifest.new_branch,
            confirmed,
            sound: !confirmed || card.mirrors >= least,
        })
    };
    cards.iter().filter_map(held).collect()
}
