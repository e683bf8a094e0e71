//! The media header: section 0 of every volume.
//!
//! A TAPE block of the Microsoft Tape Format (specification 1.00a; facts in docs/format.md) that
//! carries our own facts as canonical JSON in a stream `TWIN`, padded to 4096 bytes, and on disk a
//! soft filemark block of 4096 bytes behind it; on tape a real filemark takes its place. It is written once and never changed, so the whole
//! section can be rebuilt from its facts and compared bit by bit.

use serde::{Deserialize, Serialize};
use twinset_domain::{AgentId, FamilyId, FamilyNo, MediaSetId, MirrorNo, Moment, Shape, Slot};

use crate::canonical::{self, BLANK_CHECK, altered, not_ours};
use crate::mtf::{block, fields};
use crate::{FORMAT, FormatError};

const WHAT: &str = "media header";
/// Our vendor id in TAPE blocks: "TW".
pub const VENDOR_ID: u16 = 0x5457;
/// Id of the stream that holds our facts.
pub const STREAM_ID: [u8; 4] = *b"TWIN";
/// Block size of a disk volume's header, and of its soft filemark.
pub const BLOCK: usize = 4096;
/// Bytes of a disk volume's header section.
pub const DISK_BYTES: usize = 2 * BLOCK;
/// Bytes of a tape's header section.
pub const TAPE_BYTES: usize = BLOCK;
/// Longest media name, in UTF-16 units (as SQL Server's MEDIANAME).
pub const MAX_NAME: usize = 128;
/// Longest media description, in UTF-16 units (as SQL Server's MEDIADESCRIPTION).
pub const MAX_DESCRIPTION: usize = 255;
/// Longest name of an agent, in bytes.
pub const MAX_AGENT_NAME: usize = 128;

/// Every fact of the header. Equal on corresponding volumes but for `mirror`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaHeader {
    check: String,
    /// Version of the format.
    pub format: u32,
    /// The media set.
    pub media_set: MediaSetId,
    /// Its name.
    pub name: String,
    /// Its description; empty if none.
    pub description: String,
    /// Whether the description is a media label of other software that was preserved.
    pub is_label: bool,
    /// Families and mirrors of the media set.
    pub shape: Shape,
    /// Family on this volume.
    pub family: FamilyNo,
    /// Id of the family, equal on all mirrors.
    pub family_id: FamilyId,
    /// Mirror this volume belongs to.
    pub mirror: MirrorNo,
    /// Number of the medium in its family, from 1; always 1 on disk.
    pub media_sequence: u32,
    /// Program that formatted it.
    pub software: String,
    /// Its vendor id.
    pub vendor_id: u16,
    /// When it was formatted.
    pub written: Moment,
    /// Block size of the data sections, in bytes.
    pub block_size: u32,
    /// Encoding of the data sections.
    pub encoding: String,
    /// The one agent that writes it.
    pub agent: AgentId,
    /// That agent's name.
    pub agent_name: String,
}

/// What closes the header on the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Disk and object store: a soft filemark block, [`DISK_BYTES`] in all.
    Disk,
    /// Tape: a filemark that is none of these [`TAPE_BYTES`] bytes.
    Tape,
}

/// What all volumes of a media set share.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The media set.
    pub media_set: MediaSetId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its shape.
    pub shape: Shape,
    /// When it is formatted.
    pub written: Moment,
    /// Block size of the data sections.
    pub block_size: u32,
    /// Encoding of the data sections.
    pub encoding: String,
    /// The writing agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
}

impl MediaHeader {
    /// The header of one volume.
    #[must_use]
    pub fn new(draft: &Draft, slot: Slot, family_id: FamilyId) -> Self {
        Self {
            check: BLANK_CHECK.to_owned(),
            format: FORMAT,
            media_set: draft.media_set,
            name: draft.name.clone(),
            description: draft.description.clone(),
            is_label: false,
            shape: draft.shape,
            family: slot.family,
            family_id,
            mirror: slot.mirror,
            media_sequence: 1,
            software: crate::manifest::software(),
            vendor_id: VENDOR_ID,
            written: draft.written,
            block_size: draft.block_size,
            encoding: draft.encoding.clone(),
            agent: draft.agent,
            agent_name: draft.agent_name.clone(),
        }
    }

    /// The header of the medium behind this one in the row of a mirror.
    #[must_use]
    pub fn next(&self, mirror: MirrorNo, written: Moment) -> Self {
        Self {
            mirror,
            media_sequence: self.media_sequence.saturating_add(1),
            software: crate::manifest::software(),
            written,
            ..self.clone()
        }
    }

    /// Its place in the matrix.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        Slot {
            mirror: self.mirror,
            family: self.family,
        }
    }

    /// The section as it stands on a disk volume: [`DISK_BYTES`] bytes.
    ///
    /// # Errors
    /// When a name is too long for the block.
    pub fn to_disk_bytes(&self) -> Result<Vec<u8>, FormatError> {
        self.to_bytes(Form::Disk)
    }

    /// The section as it stands on a volume of this form.
    ///
    /// # Errors
    /// When a name is too long for the block.
    pub fn to_bytes(&self, form: Form) -> Result<Vec<u8>, FormatError> {
        self.check_lengths()?;
        let mut facts = self.clone();
        facts.check = BLANK_CHECK.to_owned();
        let json = serde_json::to_vec(&facts).unwrap_or_default();
        let (mut bytes, json_at) = self.tape_block(&json, form)?;
        if form == Form::Disk {
            bytes.extend(block::soft_filemark(BLOCK));
        }
        let check = blake3::hash(&bytes).to_hex();
        canonical::put_check(&mut bytes, json_at, check.as_str());
        Ok(bytes)
    }

    fn check_lengths(&self) -> Result<(), FormatError> {
        let limits = [
            ("media name", self.name.encode_utf16().count(), MAX_NAME),
            (
                "media description",
                self.description.encode_utf16().count(),
                MAX_DESCRIPTION,
            ),
            ("agent name", self.agent_name.len(), MAX_AGENT_NAME),
        ];
        for (what, found, most) in limits {
            if found > most {
                let (found, expected) = (found as u64, most as u64);
                return Err(FormatError::Length {
                    what,
                    found,
                    expected,
                });
            }
        }
        let texts = [&self.name, &self.description, &self.agent_name];
        if texts.iter().any(|text| text.chars().any(char::is_control)) {
            return Err(not_ours(WHAT, "names must not hold control characters"));
        }
        Ok(())
    }

    /// The TAPE block with its streams, and where the JSON begins in it.
    fn tape_block(&self, json: &[u8], form: Form) -> Result<(Vec<u8>, usize), FormatError> {
        let id = self.family_id.0.as_fields().0;
        let tape = block::TapeBlock {
            family_id: id,
            sequence: u16::try_from(self.media_sequence).unwrap_or(u16::MAX),
            vendor_id: self.vendor_id,
            is_label: self.is_label,
            soft_filemarks: form == Form::Disk,
            date: fields::pack_moment(self.written),
        };
        let mut bytes = tape.to_bytes(&self.name, &self.description, &self.software);
        let json_at = block::push_stream(&mut bytes, STREAM_ID, json);
        if block::push_padding(&mut bytes, BLOCK) {
            Ok((bytes, json_at))
        } else {
            let (found, expected) = (bytes.len() as u64, BLOCK as u64);
            Err(FormatError::Length {
                what: WHAT,
                found,
                expected,
            })
        }
    }

    /// Reads section 0 of a volume, of either form.
    ///
    /// # Errors
    /// [`FormatError`]: not a header of ours, of a newer version, or any bit altered.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.get(..4) != Some(b"TAPE") {
            return Err(not_ours(WHAT, "it does not begin with a TAPE block"));
        }
        let json = block::find_stream(bytes, STREAM_ID)
            .ok_or_else(|| not_ours(WHAT, "the TAPE block has no stream of ours"))?;
        let facts: Self = canonical::parse_line(WHAT, json)?;
        if facts.format > FORMAT {
            return Err(FormatError::Newer {
                what: WHAT,
                found: facts.format,
                known: FORMAT,
            });
        }
        let form = match bytes.len() {
            TAPE_BYTES => Form::Tape,
            DISK_BYTES => Form::Disk,
            found => {
                let (found, expected) = (found as u64, DISK_BYTES as u64);
                return Err(FormatError::Length {
                    what: WHAT,
                    found,
                    expected,
                });
            }
        };
        if facts.to_bytes(form)? != bytes {
            return Err(altered(WHAT, "its bytes are not those its facts lead to"));
        }
        let lawful = facts.shape.is_lawful()
            && (1..=facts.shape.families).contains(&facts.family.0)
            && (1..=facts.shape.mirrors).contains(&facts.mirror.0);
        if lawful {
            Ok(facts)
        } else {
            Err(altered(WHAT, "family or mirror out of range"))
        }
    }
}

#[cfg(test)]
mod tests;
