//! The manifest: what a data section is, how long it is, and its hashes.
//!
//! One line of canonical JSON (see [`crate::canonical`]), a line feed, then 32 bytes for each
//! 4 MiB chunk of the data section: its BLAKE3 chaining value.

use serde::{Deserialize, Serialize};
use twinset_domain::{
    AgentId, BackupKind, FamilyNo, MediaSetId, Moment, Position, RunId, Shape, chunk,
};

use crate::canonical::{self, BLANK_CHECK, altered};
use crate::mtf::{Container, SetFacts};
use crate::sign::{self, BLANK_SIGNATURE, PublicKey, Purpose, Signed, Signer};
use crate::tree::{self, Hashes};
use crate::{FORMAT, FormatError};

mod circumstances;

pub use circumstances::{Asked, Circumstances, Mirroring};

const WHAT: &str = "manifest";
/// Longest manifest that is read: hashes of a 16 TiB section and a long list of sets.
pub const MAX_BYTES: u64 = 160 << 20;

/// Where the bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The Virtual Device Interface.
    Vdi,
    /// Existing native backup files.
    Import,
    /// Files of a stage folder that SQL Server wrote for this backup.
    Stage,
}

/// The JSON part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    check: String,
    /// Version of the format.
    pub format: u32,
    /// The media set it lies on.
    pub media_set: MediaSetId,
    /// Place in the media set.
    pub position: Position,
    /// The run that wrote it. Two sections are twins only under one run.
    pub run: RunId,
    /// This family.
    pub family: FamilyNo,
    /// Of how many families and mirrors.
    pub shape: Shape,
    /// Where the bytes came from.
    pub source: Source,
    /// The database whose replica it belongs to.
    pub database: String,
    /// What is in it, unless it cannot be told (a container that hides its facts).
    pub kind: Option<BackupKind>,
    /// How the data section is wrapped.
    pub container: Container,
    /// The SQL Server backup sets in the section, in order (`FILE = n` of RESTORE).
    pub sets: Vec<SetFacts>,
    /// Name the data section was given, without its number.
    pub data_name: String,
    /// BLOCKSIZE of the backup, in bytes.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE of the backup, in bytes.
    pub max_transfer_size: Option<u32>,
    /// Encoding of the data section.
    pub encoding: String,
    /// How hard the encoding tried; nothing for `raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_parameters: Option<Parameters>,
    /// Bytes before encoding.
    pub plain_length: u64,
    /// Bytes on the medium.
    pub stored_length: u64,
    /// BLAKE3 of the bytes before encoding.
    pub plain_blake3: String,
    /// BLAKE3 of the bytes on the medium; `b3sum` prints the same.
    pub stored_blake3: String,
    /// Bytes in a chunk.
    pub chunk_size: u64,
    /// The agent that wrote it.
    pub agent: AgentId,
    /// Its version.
    pub software: String,
    /// When the section was begun.
    pub written: Moment,
    /// How the data section lies on several media, in order; nothing where one holds it whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Taken WITH COPY_ONLY: it leaves no trace in its source.
    #[serde(default, skip_serializing_if = "is_false")]
    pub copy_only: bool,
    /// The stream did not end where a backup set ends, though it shows its structure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
    /// The tail of a log: what ran behind it needs a restore first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tail: bool,
    /// The first full behind a mark: the machine had been rolled back. Nothing written before it
    /// may be joined with what comes behind it, though log sequence numbers seem to fit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub new_branch: bool,
    /// The database was known to be damaged: taken WITH CONTINUE_AFTER_ERROR.
    #[serde(default, skip_serializing_if = "is_false")]
    pub over_damage: bool,
    /// The mirroring session that the database was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Mirroring>,
    /// What SQL Server was asked to do to the bytes; nothing where its own default decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Public half of the key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<PublicKey>,
    /// The signature, as hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// What one medium holds of a data section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Number of the medium in its family.
    pub media_sequence: u32,
    /// Bytes of the section on it.
    pub length: u64,
}

/// What is usual is left out, so that documents written before the field was known stay as they
/// are.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

/// Parameters of an encoding. Nobody needs them to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Level of zstd.
    pub zstd_level: u8,
}

/// What an encoding made of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Its name: `zstd`, `age` or `zstd+age`.
    pub encoding: String,
    /// Its parameters, if it has any.
    pub parameters: Option<Parameters>,
    /// Bytes before it.
    pub plain_length: u64,
    /// BLAKE3 of the bytes before it.
    pub plain_blake3: [u8; 32],
}

/// A manifest with its chunk hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The JSON part.
    pub facts: Facts,
    /// Chaining value of each chunk.
    pub chunks: Vec<[u8; 32]>,
}

/// What the writer says of a data section, but for its hashes.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The media set.
    pub media_set: MediaSetId,
    /// Place in it.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// The family.
    pub family: FamilyNo,
    /// Shape of the media set.
    pub shape: Shape,
    /// Where the bytes came from.
    pub source: Source,
    /// The database.
    pub database: String,
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// How the stream is wrapped.
    pub container: Container,
    /// The sets inside.
    pub sets: Vec<SetFacts>,
    /// Name of the data section.
    pub data_name: String,
    /// BLOCKSIZE.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE.
    pub max_transfer_size: Option<u32>,
    /// The writing agent.
    pub agent: AgentId,
    /// When.
    pub written: Moment,
    /// How it was taken.
    pub circumstances: Circumstances,
    /// What each medium holds, where there are several.
    pub parts: Vec<Part>,
    /// The stream did not end where a backup set ends.
    pub incomplete: bool,
}

impl Manifest {
    /// The manifest of a section that was written as it came (`raw`), with these hashes.
    #[must_use]
    pub fn raw(draft: Draft, hashes: Hashes) -> Self {
        let plain = Encoded {
            encoding: "raw".to_owned(),
            parameters: None,
            plain_length: hashes.length,
            plain_blake3: hashes.root,
        };
        Self::encoded(draft, plain, hashes)
    }

    /// The manifest of an encoded section; the hashes are those of the stored bytes.
    #[must_use]
    pub fn encoded(draft: Draft, plain: Encoded, hashes: Hashes) -> Self {
        Self {
            facts: Facts {
                check: BLANK_CHECK.to_owned(),
                format: FORMAT,
                media_set: draft.media_set,
                position: draft.position,
                run: draft.run,
                family: draft.family,
                shape: draft.shape,
                source: draft.source,
                database: draft.database,
                kind: draft.kind,
                container: draft.container,
                sets: draft.sets,
                data_name: draft.data_name,
                block_size: draft.block_size,
                max_transfer_size: draft.max_transfer_size,
                encoding: plain.encoding,
                encoding_parameters: plain.parameters,
                plain_length: plain.plain_length,
                stored_length: hashes.length,
                plain_blake3: canonical::hex(&plain.plain_blake3),
                stored_blake3: canonical::hex(&hashes.root),
                chunk_size: chunk::CHUNK,
                agent: draft.agent,
                software: software(),
                written: draft.written,
                parts: draft.parts,
                copy_only: draft.circumstances.copy_only,
                incomplete: draft.incomplete,
                tail: draft.circumstances.tail,
                new_branch: draft.circumstances.new_branch,
                over_damage: draft.circumstances.over_damage,
                mirroring: draft.circumstances.mirroring,
                asked: draft.circumstances.asked,
                signer: None,
                signature: None,
            },
            chunks: hashes.chunks,
        }
    }

    /// The manifest, signed where there is a key to sign with.
    #[must_use]
    pub fn signed(mut self, signer: Option<&Signer>) -> Self {
        if let Some(signer) = signer {
            self.facts.signer = Some(signer.public());
            self.facts.signature = Some(BLANK_SIGNATURE.to_owned());
            self.facts.signature = Some(signer.sign(Purpose::Manifest, &self.digest()));
        }
        self
    }

    /// What its signature is worth.
    #[must_use]
    pub fn signature(&self) -> Signed {
        let (signer, signature) = (self.facts.signer, self.facts.signature.as_deref());
        if signer.is_none() && signature.is_none() {
            return Signed::No;
        }
        sign::judge(Purpose::Manifest, &self.digest(), signer, signature)
    }

    /// BLAKE3 of its bytes with check and signature as zeros: what is signed.
    fn digest(&self) -> blake3::Hash {
        let mut blank = self.facts.clone();
        blank.check = BLANK_CHECK.to_owned();
        blank.signature = blank.signature.map(|_| BLANK_SIGNATURE.to_owned());
        blake3::hash(&canonical::unchecked(&blank, self.chunks.as_flattened()))
    }

    /// The section's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut facts = self.facts.clone();
        facts.check = BLANK_CHECK.to_owned();
        canonical::write(&facts, self.chunks.as_flattened())
    }

    /// Reads a manifest section.
    ///
    /// # Errors
    /// [`FormatError`] when any bit of it is not as it was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let (facts, tail): (Facts, _) = canonical::read(WHAT, bytes)?;
        if facts.format > FORMAT {
            return Err(FormatError::Newer {
                what: WHAT,
                found: facts.format,
                known: FORMAT,
            });
        }
        let expected = chunk::count(facts.stored_length).checked_mul(32);
        if expected != Some(tail.len() as u64) {
            let expected = expected.unwrap_or(u64::MAX);
            return Err(FormatError::Length {
                what: WHAT,
                found: tail.len() as u64,
                expected,
            });
        }
        let (chunks, _) = tail.as_chunks::<32>();
        let manifest = Self {
            facts,
            chunks: chunks.to_vec(),
        };
        manifest.consistent()?;
        Ok(manifest)
    }

    fn consistent(&self) -> Result<(), FormatError> {
        let facts = &self.facts;
        let root = tree::root(&self.chunks).map(|root| canonical::hex(&root));
        if root.is_some_and(|root| root != facts.stored_blake3) {
            return Err(altered(
                WHAT,
                "the chunk hashes do not lead to the section's hash",
            ));
        }
        let parts = facts.parts.iter().map(|part| u128::from(part.length));
        if !facts.parts.is_empty() && parts.sum::<u128>() != u128::from(facts.stored_length) {
            return Err(altered(WHAT, "the parts are not as long as the section"));
        }
        let lawful = facts.shape.is_lawful()
            && (1..=facts.shape.families).contains(&facts.family.0)
            && facts.chunk_size == chunk::CHUNK;
        if lawful {
            Ok(())
        } else {
            Err(altered(WHAT, "families or chunk size out of range"))
        }
    }

    /// BLAKE3 of the whole section, as hex: what the verdict record names.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(&self.to_bytes()).to_hex().to_string()
    }
}

/// Name and version of what writes.
#[must_use]
pub fn software() -> String {
    concat!("Twinset ", env!("CARGO_PKG_VERSION")).to_owned()
}

#[cfg(test)]
mod tests;
