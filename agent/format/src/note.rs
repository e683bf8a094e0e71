//! The note that closes a part of a section on a full medium: what lies there, and that it goes on.
//!
//! One line of canonical JSON. Nobody needs it while the next medium is there, whose sections the
//! device lists as one row; it is for who finds the medium alone.

use serde::{Deserialize, Serialize};
use twinset_domain::{FamilyNo, MediaSetId, Moment, Position, RunId};

use crate::FormatError;
use crate::canonical::{self, BLANK_CHECK, altered};

const WHAT: &str = "continuation note";

/// What is said of a part that goes on elsewhere. Equal on all mirrors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    check: String,
    /// Version of the format.
    pub format: u32,
    /// The media set.
    pub media_set: MediaSetId,
    /// The backup set.
    pub position: Position,
    /// The run that writes it.
    pub run: RunId,
    /// The family.
    pub family: FamilyNo,
    /// Number of this medium in its family.
    pub media_sequence: u32,
    /// First byte of the data section on this medium.
    pub from: u64,
    /// Behind its last byte. What follows on the medium does not count.
    pub to: u64,
    /// Name of the data section.
    pub data_name: String,
    /// When the run began.
    pub written: Moment,
}

/// A note, but for what the format adds.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The media set.
    pub media_set: MediaSetId,
    /// The backup set.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// The family.
    pub family: FamilyNo,
    /// Number of the medium.
    pub media_sequence: u32,
    /// Its first and last byte of the section.
    pub bytes: std::ops::Range<u64>,
    /// Name of the data section.
    pub data_name: String,
    /// When the run began.
    pub written: Moment,
}

impl Note {
    /// The note.
    #[must_use]
    pub fn new(draft: Draft) -> Self {
        Self {
            check: BLANK_CHECK.to_owned(),
            format: crate::FORMAT,
            media_set: draft.media_set,
            position: draft.position,
            run: draft.run,
            family: draft.family,
            media_sequence: draft.media_sequence,
            from: draft.bytes.start,
            to: draft.bytes.end,
            data_name: draft.data_name,
            written: draft.written,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = self.clone();
        note.check = BLANK_CHECK.to_owned();
        canonical::write(&note, &[])
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`FormatError`] when any bit of it is not as it was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let (note, tail): (Self, _) = canonical::read(WHAT, bytes)?;
        if note.format > crate::FORMAT {
            return Err(FormatError::Newer {
                what: WHAT,
                found: note.format,
                known: crate::FORMAT,
            });
        }
        if tail.is_empty() && note.from <= note.to && note.media_sequence > 0 {
            Ok(note)
        } else {
            Err(altered(WHAT, "its facts do not fit together"))
        }
    }
}

#[cfg(test)]
mod tests;
