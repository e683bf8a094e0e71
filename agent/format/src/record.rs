//! Verdicts, voids and what is said of sets and mirrors later: create-only documents, one chain in
//! writing order.

use serde::{Deserialize, Serialize};
use twinset_domain::name::{RecordKind, RecordName};
use twinset_domain::{AgentId, MediaSetId, MirrorNo, Moment, Position, RunId};

use crate::canonical::{self, BLANK_CHECK};
use crate::mtf::SetFacts;
use crate::sign::{self, BLANK_SIGNATURE, PublicKey, Purpose, Signed, Signer};
use crate::{FORMAT, FormatError};

/// Longest record that is read.
pub const MAX_BYTES: u64 = 1 << 20;

/// What happened to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Published: SQL Server and the mirrors named agree.
    Success,
    /// Published, though SQL Server could not write its history row (3009).
    SuccessHistoryMissing,
    /// Void: nothing of it was ever acknowledged.
    Void,
    /// A published set was removed lawfully; its manifests stay.
    Dropped,
    /// The mirrors named may lack this position and all after it.
    OutOfStep,
    /// The mirrors named hold everything again.
    InStep,
    /// The mirrors named were given up for good.
    MirrorDropped,
    /// The media set takes no more sets.
    Closed,
}

impl Outcome {
    /// Which kind of record says it; `None` for a void, which is a section.
    #[must_use]
    pub const fn kind(self) -> Option<RecordKind> {
        match self {
            Self::Success | Self::SuccessHistoryMissing => Some(RecordKind::Verdict),
            Self::Void => None,
            Self::Dropped => Some(RecordKind::Drop),
            Self::OutOfStep => Some(RecordKind::OutOfStep),
            Self::InStep => Some(RecordKind::InStep),
            Self::MirrorDropped => Some(RecordKind::MirrorDropped),
            Self::Closed => Some(RecordKind::Closed),
        }
    }
}

/// A record of the chain: a verdict (the publication of a set), the void that stands in its
/// manifest's place, or what became of sets and mirrors later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    check: String,
    /// Version of the format.
    pub format: u32,
    /// The media set.
    pub media_set: MediaSetId,
    /// Writing order in the media set, from 1.
    pub sequence: u64,
    /// BLAKE3 of the record before it in writing order, as hex; null for the first.
    pub previous: Option<String>,
    /// What it says.
    pub outcome: Outcome,
    /// The set; for what is said of mirrors, the first position that they may lack.
    pub position: Position,
    /// The run that wrote the set; for what is said of mirrors, the run that says it.
    pub run: RunId,
    /// Mirrors that hold the set, or of which something is said.
    pub mirrors: Vec<MirrorNo>,
    /// BLAKE3 of each family's manifest, as hex, in order.
    pub manifests: Vec<String>,
    /// What msdb says of the set, for those facts the stream hides.
    pub history: Option<SetFacts>,
    /// The agent that wrote the record.
    pub agent: AgentId,
    /// When.
    pub written: Moment,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Public half of the key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<PublicKey>,
    /// The signature, as hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// Everything in a record but its check and signature.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The media set.
    pub media_set: MediaSetId,
    /// Writing order.
    pub sequence: u64,
    /// Hash of the record before.
    pub previous: Option<String>,
    /// What it says.
    pub outcome: Outcome,
    /// The set.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// Mirrors that hold it.
    pub mirrors: Vec<MirrorNo>,
    /// Manifest hashes.
    pub manifests: Vec<String>,
    /// What msdb says.
    pub history: Option<SetFacts>,
    /// The writing agent.
    pub agent: AgentId,
    /// When.
    pub written: Moment,
    /// Why, in words.
    pub note: Option<String>,
}

impl Record {
    /// A record of these facts.
    #[must_use]
    pub fn new(draft: Draft) -> Self {
        Self {
            check: BLANK_CHECK.to_owned(),
            format: FORMAT,
            media_set: draft.media_set,
            sequence: draft.sequence,
            previous: draft.previous,
            outcome: draft.outcome,
            position: draft.position,
            run: draft.run,
            mirrors: draft.mirrors,
            manifests: draft.manifests,
            history: draft.history,
            agent: draft.agent,
            written: draft.written,
            note: draft.note,
            signer: None,
            signature: None,
        }
    }

    /// The record, signed where there is a key to sign with.
    #[must_use]
    pub fn signed(mut self, signer: Option<&Signer>) -> Self {
        if let Some(signer) = signer {
            self.signer = Some(signer.public());
            self.signature = Some(BLANK_SIGNATURE.to_owned());
            self.signature = Some(signer.sign(Purpose::Record, &self.digest()));
        }
        self
    }

    /// What its signature is worth.
    #[must_use]
    pub fn signature(&self) -> Signed {
        let (signer, signature) = (self.signer, self.signature.as_deref());
        if signer.is_none() && signature.is_none() {
            return Signed::No;
        }
        sign::judge(Purpose::Record, &self.digest(), signer, signature)
    }

    /// BLAKE3 of its bytes with check and signature as zeros: what is signed.
    fn digest(&self) -> blake3::Hash {
        let mut blank = self.clone();
        blank.check = BLANK_CHECK.to_owned();
        blank.signature = blank.signature.map(|_| BLANK_SIGNATURE.to_owned());
        blake3::hash(&canonical::unchecked(&blank, &[]))
    }

    /// The name it is stored under; `None` for a void.
    #[must_use]
    pub fn name(&self) -> Option<RecordName> {
        Some(RecordName {
            kind: self.outcome.kind()?,
            sequence: self.sequence,
            position: self.position,
            run: self.run,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut record = self.clone();
        record.check = BLANK_CHECK.to_owned();
        canonical::write(&record, &[])
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`FormatError`] when any bit of it is not as it was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "record";
        let (record, tail): (Self, _) = canonical::read(WHAT, bytes)?;
        if !tail.is_empty() {
            let expected = (bytes.len() - tail.len()) as u64;
            return Err(FormatError::Length {
                what: WHAT,
                found: bytes.len() as u64,
                expected,
            });
        }
        if record.format > FORMAT {
            return Err(FormatError::Newer {
                what: WHAT,
                found: record.format,
                known: FORMAT,
            });
        }
        Ok(record)
    }

    /// BLAKE3 of its bytes, as hex: what the next record calls `previous`.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(&self.to_bytes()).to_hex().to_string()
    }
}

#[cfg(test)]
mod tests;
