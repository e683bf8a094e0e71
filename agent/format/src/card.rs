//! What an agent remembers of a set: everything that its manifests and records tell, but for the
//! hashes of chunks. Made from the media alone, so that it can be made again at any time.

use serde::{Deserialize, Serialize};
use twinset_domain::recover::SetState;
use twinset_domain::{BackupKind, FamilyNo, MirrorNo, Moment, Position, RunId};

use crate::manifest::{Manifest, Mirroring, is_false};
use crate::mtf::SetFacts;
use crate::record::Record;

/// A set as the media told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its position.
    pub position: Position,
    /// Its state.
    pub state: SetState,
    /// The run that wrote it.
    pub run: Option<RunId>,
    /// The database whose replica it belongs to.
    pub database: Option<String>,
    /// Its kind, if the stream or msdb told.
    pub kind: Option<BackupKind>,
    /// When it was begun.
    pub written: Option<Moment>,
    /// When it was published.
    pub published: Option<Moment>,
    /// Its families.
    pub families: Vec<Family>,
    /// Mirrors that held it when it was published.
    pub mirrors: Vec<MirrorNo>,
    /// SQL Server's sets inside: GUIDs, LSNs.
    pub sets: Vec<SetFacts>,
    /// What msdb said of it.
    pub history: Option<SetFacts>,
    /// Writing order of its verdict.
    pub verdict: Option<u64>,
    /// Writing order of its drop record.
    pub drop: Option<u64>,
    /// Taken WITH COPY_ONLY.
    #[serde(default, skip_serializing_if = "is_false")]
    pub copy_only: bool,
    /// The tail of a log.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tail: bool,
    /// Nothing before it may be joined with what comes behind it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub new_branch: bool,
    /// The database was known to be damaged.
    #[serde(default, skip_serializing_if = "is_false")]
    pub over_damage: bool,
    /// The mirroring session that the database was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Mirroring>,
}

/// One family of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Which one.
    pub family: FamilyNo,
    /// Bytes before the encoding.
    pub plain_length: u64,
    /// Bytes on the medium.
    pub stored_length: u64,
    /// BLAKE3 of the stored data section, as hex.
    pub stored_blake3: String,
    /// BLAKE3 of the manifest section, as hex.
    pub manifest: String,
}

impl Card {
    /// From what was read of a set, or written. Voids have nothing to tell but their state.
    #[must_use]
    pub fn new<'a>(
        position: Position,
        state: SetState,
        manifests: impl IntoIterator<Item = &'a Manifest>,
        verdict: Option<&Record>,
        drop: Option<&Record>,
    ) -> Self {
        let void = state == SetState::Void;
        let manifests = manifests.into_iter().filter(|_| !void);
        let manifests: Vec<&Manifest> = manifests.collect();
        let first = manifests.first().map(|manifest| &manifest.facts);
        let history = verdict.and_then(|verdict| verdict.history.clone());
        let family = |manifest: &&Manifest| Family {
            family: manifest.facts.family,
            plain_length: manifest.facts.plain_length,
            stored_length: manifest.facts.stored_length,
            stored_blake3: manifest.facts.stored_blake3.clone(),
            manifest: manifest.hash(),
        };
        Self {
            position,
            state,
            run: first
                .map(|facts| facts.run)
                .or_else(|| verdict.map(|verdict| verdict.run)),
            database: first.map(|facts| facts.database.clone()),
            kind: first
                .and_then(|facts| facts.kind)
                .or_else(|| history.as_ref()?.kind),
            written: first.map(|facts| facts.written),
            published: verdict.map(|verdict| verdict.written),
            families: manifests.iter().map(family).collect(),
            mirrors: verdict.map_or_else(Vec::new, |verdict| verdict.mirrors.clone()),
            sets: first.map_or_else(Vec::new, |facts| facts.sets.clone()),
            history,
            verdict: verdict.map(|verdict| verdict.sequence),
            drop: drop.map(|drop| drop.sequence),
            copy_only: first.is_some_and(|facts| facts.copy_only),
            tail: first.is_some_and(|facts| facts.tail),
            new_branch: first.is_some_and(|facts| facts.new_branch),
            over_damage: first.is_some_and(|facts| facts.over_damage),
            mirroring: first.and_then(|facts| facts.mirroring),
        }
    }

    /// Bytes on the medium over all families.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.families
            .iter()
            .map(|family| family.stored_length)
            .sum()
    }

    /// Whether a set in this state stays as it is, so that it is worth remembering.
    #[must_use]
    pub const fn is_settled(state: SetState) -> bool {
        !matches!(state, SetState::Unsealed | SetState::Empty)
    }
}
