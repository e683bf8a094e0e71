//! What a set on media is to those who restore, remember and look.

use twinset_domain::recover::{Piece, Second, SetState};
use twinset_domain::restore::{Candidate, Link, Place};
use twinset_domain::{Shape, Slot};
use twinset_format::card::Card;
use twinset_format::manifest::{Manifest, Source};
use twinset_format::mtf::{Container, SetFacts};

use super::{SetLine, SetOnMedia, names};

/// What the stream tells of a set, and where it is silent, what msdb told.
fn link(stream: &SetFacts, msdb: &SetFacts, copy_only: bool) -> Link {
    Link {
        set: stream.set.or(msdb.set),
        family: stream.family_guid.or(msdb.family_guid),
        fork: stream.recovery_fork.or(msdb.recovery_fork),
        first_fork: stream.first_recovery_fork.or(msdb.first_recovery_fork),
        fork_point: stream.fork_point_lsn.or(msdb.fork_point_lsn),
        first: stream.first_lsn.or(msdb.first_lsn),
        last: stream.last_lsn.or(msdb.last_lsn),
        checkpoint: stream.checkpoint_lsn.or(msdb.checkpoint_lsn),
        database_backup: stream.database_backup_lsn.or(msdb.database_backup_lsn),
        base: stream.differential_base.or(msdb.differential_base),
        base_lsn: stream.differential_base_lsn.or(msdb.differential_base_lsn),
        copy_only: copy_only || stream.copy_only.or(msdb.copy_only) == Some(true),
        bulk: stream.bulk_logged.or(msdb.bulk_logged) == Some(true),
    }
}

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

    /// Per family, the volumes that hold it.
    #[must_use]
    pub fn sources(&self, shape: Shape) -> Vec<Vec<Slot>> {
        let of = |family| {
            let manifest = self.manifests.contains_key(&family);
            let holds = move |piece: &&Piece| piece.slot.family == family && piece.data && manifest;
            self.pieces
                .iter()
                .filter(holds)
                .map(|piece| piece.slot)
                .collect()
        };
        shape.families().map(of).collect()
    }

    /// Zone of the server that took it, in seconds east of UTC, where two clocks saw its start.
    #[must_use]
    pub fn offset(&self) -> Option<i32> {
        let facts = &self.any_manifest()?.facts;
        // An imported file was written at another time than it was taken in.
        let seen = facts.source != Source::Import;
        let started = facts.sets.first().or(self.history())?.started?;
        seen.then(|| started.offset_from(facts.written)).flatten()
    }

    fn history(&self) -> Option<&SetFacts> {
        self.verdict.as_ref()?.history.as_ref()
    }

    /// The form for restore planning; `None` for sets that hold nothing to restore. `offset` is
    /// taken for the server's zone where the set does not tell it.
    #[must_use]
    pub fn candidate(&self, key: &str, shape: Shape, offset: i32) -> Option<Candidate> {
        if !self.is_kept() {
            return None;
        }
        let facts = &self.any_manifest()?.facts;
        let told = match (facts.sets.as_slice(), self.history()) {
            ([], Some(history)) => Some((history, history)),
            ([one], Some(history)) => Some((one, history)),
            ([one], None) => Some((one, one)),
            _ => None,
        };
        let kind = facts.kind.or_else(|| told.and_then(|(_, msdb)| msdb.kind));
        let finished = told.and_then(|(stream, msdb)| stream.finished.or(msdb.finished));
        let zone = self.offset();
        Some(Candidate {
            place: Place {
                media_set: key.to_owned(),
                position: self.position,
            },
            run: facts.run,
            state: self.state,
            database: facts.database.clone(),
            kind,
            at: facts.written,
            finished: finished.and_then(|time| time.at(zone.unwrap_or(offset))),
            offset: zone.unwrap_or(offset),
            offset_is_guessed: zone.is_none(),
            bytes: self.bytes(),
            sets: facts.sets.len(),
            link: told.map(|(stream, msdb)| link(stream, msdb, facts.copy_only)),
            new_branch: facts.new_branch,
            branch: 0,
            container: facts.container == Container::Mssqlbak,
            over_damage: facts.over_damage,
            encryptor: facts
                .asked
                .as_ref()
                .and_then(|asked| asked.encryptor.clone()),
            sources: self.sources(shape),
            mirrors: shape.mirrors,
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
            over_damage: facts.is_some_and(|facts| facts.over_damage),
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
            over_damage: card.over_damage,
            ..self.line()
        }
    }
}
