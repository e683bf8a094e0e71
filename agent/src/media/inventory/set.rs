//! What a set on media is to those who restore, remember and look.

use twinset_domain::Shape;
use twinset_domain::recover::{Piece, Second, SetState};
use twinset_domain::restore::Candidate;
use twinset_format::card::Card;
use twinset_format::manifest::Manifest;

use super::{SetLine, SetOnMedia, names};

impl SetOnMedia {
    /// Whether it must stay readable: published, or possibly acknowledged.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        matches!(self.state, SetState::Published | SetState::Unconfirmed)
    }

    /// Whether the verdict, if there is one, names this manifest by its hash.
    #[must_use]
    pub fn is_named(&self, manifest: &Manifest, shape: Shape) -> bool {
        names(self.verdict.as_ref(), manifest, shape)
    }

    /// Any manifest: those of other families say the same of the set.
    #[must_use]
    pub fn any_manifest(&self) -> Option<&Manifest> {
        self.manifests.values().next()
    }

    /// The form for restore planning; `None` for sets that hold nothing to restore.
    #[must_use]
    pub fn candidate(&self, shape: Shape) -> Option<Candidate> {
        if !self.is_kept() {
            return None;
        }
        let facts = &self.any_manifest()?.facts;
        let sources = shape.families().map(|family| {
            let manifest = self.manifests.contains_key(&family);
            let holds = |piece: &&Piece| piece.slot.family == family && piece.data && manifest;
            self.pieces
                .iter()
                .filter(holds)
                .map(|piece| piece.slot)
                .collect()
        });
        Some(Candidate {
            position: self.position,
            run: facts.run,
            state: self.state,
            database: facts.database.clone(),
            kind: facts.kind,
            at: facts.written,
            bytes: self.bytes(),
            sources: sources.collect(),
        })
    }

    /// Bytes over all families that have a manifest.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.manifests
            .values()
            .map(|manifest| manifest.facts.stored_length)
            .sum()
    }

    /// The form for people.
    #[must_use]
    pub fn line(&self) -> SetLine {
        let facts = self.any_manifest().map(|manifest| &manifest.facts);
        let first = facts.and_then(|facts| facts.sets.first());
        let whole = |p: &&Piece| p.data && p.second == Second::Manifest;
        SetLine {
            position: self.position,
            state: self.state,
            database: facts.map(|facts| facts.database.clone()),
            kind: facts.and_then(|facts| facts.kind),
            written: facts.map(|facts| facts.written),
            bytes: self.bytes(),
            set: first.and_then(|set| set.set).map(|guid| guid.to_string()),
            sets: facts.map_or(0, |facts| facts.sets.len()),
            volumes: self.pieces.iter().filter(whole).count(),
            run: facts.map(|facts| facts.run),
        }
    }

    /// The form in which it is remembered; `None` while it is not settled.
    #[must_use]
    pub fn card(&self) -> Option<Card> {
        let (verdict, drop) = (self.verdict.as_ref(), self.drop.as_ref());
        let manifests = self.manifests.values();
        Card::is_settled(self.state)
            .then(|| Card::new(self.position, self.state, manifests, verdict, drop))
    }

    /// The form for people of a set of which only names were read.
    #[must_use]
    pub fn line_by(&self, card: &Card) -> SetLine {
        let first = card.sets.first();
        SetLine {
            database: card.database.clone(),
            kind: card.kind,
            written: card.written,
            bytes: card.bytes(),
            set: first.and_then(|set| set.set).map(|guid| guid.to_string()),
            sets: card.sets.len(),
            run: card.run,
            ..self.line()
        }
    }
}
