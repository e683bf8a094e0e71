//! What all families of a run share.

use twinset_domain::wrapping::Wrapping;
use twinset_domain::{AgentId, BackupKind, MediaSetId, Moment, Position, RunId, Shape, name};
use twinset_format::manifest::{Circumstances, Source};
use twinset_format::sign::Signer;

use super::encoding::Recipe;

/// What all families of a run share.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// The media set.
    pub media_set: MediaSetId,
    /// Its shape.
    pub shape: Shape,
    /// Where the set goes.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// Where the bytes come from.
    pub source: Source,
    /// The database.
    pub database: String,
    /// Kind, as it was asked for or read.
    pub kind: Option<BackupKind>,
    /// BLOCKSIZE asked for.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE asked for.
    pub max_transfer_size: Option<u32>,
    /// The writing agent.
    pub agent: AgentId,
    /// When the run began.
    pub started: Moment,
    /// How it is taken.
    pub circumstances: Circumstances,
    /// What signs the manifests.
    pub signer: Option<Signer>,
    /// How the bytes are stored.
    pub recipe: Recipe,
    /// Key of the media set in the configuration, for messages.
    pub label: String,
    /// A set that is kept, and how it is wrapped.
    pub beside: Option<(Position, Wrapping)>,
}

impl RunFacts {
    /// Name of the data sections.
    #[must_use]
    pub fn data_name(&self) -> String {
        let name = name::data_section(&self.database, self.kind, self.started);
        name + self.recipe.ending()
    }
}
