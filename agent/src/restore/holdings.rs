//! Everything that is held of a database: its media sets, opened for reading, and the sets in them.

use twinset_domain::restore::{Candidate, Place, number_branches};
use twinset_domain::{AgentId, Fault, Moment, code};
use twinset_format::manifest::Facts;

use super::open::{DamageMap, OpenSet};
use crate::media::encoding::decoder::PlainReader;
use crate::media::holds::Hold;
use crate::media::patience::Patience;

/// One media set.
pub struct Shelf {
    /// Its key.
    pub key: String,
    /// Its volumes and sets.
    pub open: OpenSet,
}

/// The media sets of a group: one, or one for data and one for logs; and those of its partners'
/// agents.
pub struct Holdings {
    shelves: Vec<Shelf>,
    /// Why media sets of other agents could not be opened.
    pub unread: Vec<Fault>,
    /// Every set that could be restored.
    pub candidates: Vec<Candidate>,
    /// Why a media set beside the first could not be opened at all: what it holds is not known.
    pub closed: Vec<Fault>,
}

impl Holdings {
    /// From now on reads wait for media that a person has to bring.
    pub fn wait_with(&self, patience: &Patience) {
        for shelf in &self.shelves {
            shelf.open.matrix.wait_with(patience);
        }
    }

    /// Of these media sets. `zone`, in seconds east of UTC, is taken for the servers' zone where no
    /// set tells it; without it that of the newest set that does.
    #[must_use]
    pub fn new(shelves: Vec<Shelf>, zone: Option<i32>) -> Self {
        let sets = || shelves.iter().flat_map(|shelf| &shelf.open.sets);
        let told =
            sets().filter_map(|set| Some((set.any_manifest()?.facts.written, set.offset()?)));
        let newest = told.max_by_key(|(written, _)| *written);
        let zone = zone.or(newest.map(|(_, offset)| offset)).unwrap_or(0);
        let of = |shelf: &Shelf| {
            let (key, shape) = (shelf.key.clone(), shelf.open.matrix.shape);
            let sets = shelf.open.sets.iter();
            sets.filter_map(move |set| set.candidate(&key, shape, zone))
                .collect::<Vec<_>>()
        };
        let mut candidates: Vec<Candidate> = shelves.iter().flat_map(of).collect();
        number_branches(&mut candidates);
        Self {
            shelves,
            unread: Vec::new(),
            candidates,
            closed: Vec::new(),
        }
    }

    /// Media sets, that of the data first.
    pub fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.shelves.iter()
    }

    /// Volumes that do not answer, and why.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let volumes = self.shelves.iter().flat_map(|shelf| shelf.open.missing());
        let closed = self.closed.iter().chain(&self.unread);
        let sets = closed.map(|fault| format!("{}: {}", fault.object, fault.message));
        volumes.chain(sets).collect()
    }

    /// Keeps everything while it is read.
    #[must_use]
    pub fn hold(&self, agent: AgentId, now: fn() -> Moment) -> Vec<Hold> {
        let take = |shelf: &Shelf| Hold::take(&shelf.open.matrix, agent, now);
        self.shelves.iter().map(take).collect()
    }

    fn shelf(&self, place: &Place) -> Result<&Shelf, Fault> {
        let found = self
            .shelves
            .iter()
            .find(|shelf| shelf.key == place.media_set);
        found.ok_or_else(|| no_set(place))
    }

    /// What the manifests say of a set.
    ///
    /// # Errors
    /// [`code::SET_MISSING`].
    pub fn facts(&self, place: &Place) -> Result<&Facts, Fault> {
        let manifest = self.shelf(place)?.open.manifest(place.position);
        manifest
            .map(|manifest| &manifest.facts)
            .ok_or_else(|| no_set(place))
    }

    /// One reader for each family, as SQL Server wrote it. Every key was proved when this returns.
    ///
    /// # Errors
    /// As [`OpenSet::plain_readers`].
    pub fn readers(&self, place: &Place) -> Result<Vec<PlainReader>, Fault> {
        self.shelf(place)?.open.plain_readers(place.position)
    }
}

fn no_set(place: &Place) -> Fault {
    Fault::new(
        code::SET_MISSING,
        place.to_string(),
        "there is no backup set",
    )
    .remedy("look: twinset media show")
}

impl DamageMap {
    /// Adds what reading another set came to.
    pub fn join(&mut self, other: Self) {
        self.damage.extend(other.damage);
        self.substituted += other.substituted;
        for (slot, chunks) in other.read_from {
            match self.read_from.iter_mut().find(|(known, _)| *known == slot) {
                Some((_, known)) => *known += chunks,
                None => self.read_from.push((slot, chunks)),
            }
        }
    }
}
