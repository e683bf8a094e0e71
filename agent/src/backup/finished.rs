//! What a run that published came to.

use serde::Serialize;
use twinset_domain::{
    BackupKind, Fault, MediaSetId, MirrorNo, Moment, Position, RunId, Shape, code,
};
use twinset_format::manifest::Manifest;

use crate::media::writer::Sealed;

/// What a successful run came to.
#[derive(Debug, Serialize)]
pub struct Finished {
    /// Media set.
    pub media_set: MediaSetId,
    /// Where the set is.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// The database.
    pub database: String,
    /// Its kind, if known.
    pub kind: Option<BackupKind>,
    /// GUID of SQL Server's set, if the stream told.
    pub set: Option<String>,
    /// Bytes that SQL Server wrote, over all families.
    pub bytes: u64,
    /// Bytes on one mirror, over all families.
    pub stored_bytes: u64,
    /// Families and mirrors of the media set.
    pub shape: Shape,
    /// Mirrors that hold the set.
    pub mirrors: Vec<MirrorNo>,
    /// Mirrors that do not, and why; empty unless the set is degraded.
    pub lost: Vec<LostMirror>,
    /// When the run began.
    pub started: Moment,
    /// When it was published.
    pub published: Moment,
    /// Worth telling.
    pub notes: Vec<String>,
}

/// A mirror that does not hold a set.
#[derive(Clone, Debug, Serialize)]
pub struct LostMirror {
    /// Which one.
    pub mirror: MirrorNo,
    /// Why.
    pub why: String,
}

impl Finished {
    /// The set lies on fewer mirrors than the media set has: said loudly, with its own exit code.
    #[must_use]
    pub fn degraded(&self, media_set: &str) -> Option<Fault> {
        if self.lost.is_empty() {
            return None;
        }
        let object = format!("{}, position {}", self.database, self.position);
        let message = format!(
            "published on {} of {} mirrors",
            self.mirrors.len(),
            self.shape.mirrors
        );
        let causes = self
            .lost
            .iter()
            .map(|lost| format!("{}: {}", lost.mirror, lost.why));
        let fault = causes.fold(
            Fault::new(code::DEGRADED, object, message),
            |fault, cause| fault.cause(cause),
        );
        Some(fault.remedy(format!(
            "the next runs go on without it; bring it back by: twinset media repair {media_set}"
        )))
    }
}

/// Bytes that SQL Server wrote, over all families.
pub(super) fn bytes(sealed: &[Sealed]) -> u64 {
    let plain = |sealed: &Sealed| sealed.manifest.facts.plain_length;
    sealed.iter().map(plain).sum()
}

/// Bytes on one mirror, over all families.
pub(super) fn stored_bytes(sealed: &[Sealed]) -> u64 {
    let stored = |sealed: &Sealed| sealed.manifest.facts.stored_length;
    sealed.iter().map(stored).sum()
}

/// GUID of the first set of SQL Server in a section.
pub(super) fn set_guid(manifest: &Manifest) -> Option<String> {
    Some(manifest.facts.sets.first()?.set?.to_string())
}
