//! Labels: one block of [`SIZE`] bytes in front of every small tape file, behind the media header,
//! and in a tape file of its own behind each data section. Pure.
//!
//! `twinset-tape-1 <BLAKE3 of the JSON> <JSON>`, then a line end and spaces. A label names the tape
//! and the tape file that it stands in, so that what an earlier life of the tape left behind the end
//! of data, or a drive repeats from its buffer, is never taken for one.

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Bytes of a label, and of its block.
pub(crate) const SIZE: usize = 1024;
const MAGIC: &str = "twinset-tape-1";

/// What a tape file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The tape itself; stands in tape file 0.
    Volume,
    /// The tape was given free: it holds nothing.
    Free,
    /// The section of even number that follows in this tape file.
    Section,
    /// The record that follows.
    Record,
    /// Names the data section in the tape file `data`.
    Data,
    /// A record of this name is no more.
    Gone,
    /// The tape file `data` holds nothing: work that was given up. Its own file, where it could be
    /// written over.
    Gap,
    /// Ends this tape: its last section goes on on the next one of the row. The note follows.
    Next,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// Unlike that of any other tape, or of an earlier life of this one.
    pub(crate) tape: String,
    /// The tape file that it stands in.
    pub(crate) file: u32,
    /// What it says.
    pub(crate) kind: Kind,
    /// Key of the volume that the tape belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) volume: String,
    /// Place of the tape in its row, from 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) sequence: u32,
    /// Bytes of every data block but the last of a section.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) block: u32,
    /// Section number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u64>,
    /// Name of section or record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// Run that wrote the section, as hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) run: String,
    /// Bytes of content: of the small file that follows, or of the data named.
    #[serde(default)]
    pub(crate) length: u64,
    /// Byte of the section with which the data named begins; above 0 on a further tape of the row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) from: u64,
    /// Of [`Kind::Next`]: byte of the section behind the last that counts on this tape.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) to: u64,
    /// Bytes that the data named have behind those that count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) over: u64,
    /// Of [`Kind::Next`]: what the next tape is called in its label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) next: String,
    /// Of [`Kind::Next`]: the cartridge that was chosen for it; nothing where hands choose.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cartridge: String,
    /// Of [`Kind::Next`]: BLAKE3 of the header that the next tape was to get, as hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) header: String,
    /// Of [`Kind::Volume`]: bytes that follow it: what lies on the tapes before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) row: u64,
    /// The tape file spoken of; none for an empty data section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<u32>,
    /// BLAKE3 of the content that follows, as hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) hash: String,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Label {
    /// A label of a tape and tape file that says nothing else yet.
    pub(crate) fn new(tape: &str, file: u32, kind: Kind) -> Self {
        Self {
            tape: tape.to_owned(),
            file,
            kind,
            volume: String::new(),
            sequence: 0,
            block: 0,
            index: None,
            name: String::new(),
            run: String::new(),
            length: 0,
            from: 0,
            to: 0,
            over: 0,
            next: String::new(),
            cartridge: String::new(),
            header: String::new(),
            row: 0,
            data: None,
            hash: String::new(),
        }
    }

    /// Bytes that follow it in its tape file.
    pub(crate) fn content_length(&self) -> u64 {
        match self.kind {
            Kind::Section | Kind::Record | Kind::Next => self.length,
            _ => 0,
        }
    }

    /// The block; `None` when names are too long for it.
    pub(crate) fn to_block(&self) -> Option<Vec<u8>> {
        let json = serde_json::to_string(self).ok()?;
        let check = blake3::hash(json.as_bytes()).to_hex();
        let mut block = format!("{MAGIC} {check} {json}\n").into_bytes();
        if block.len() > SIZE {
            return None;
        }
        block.resize(SIZE, b' ');
        Some(block)
    }

    /// Reads a block; `None` for all that is not exactly a label.
    pub(crate) fn parse(block: &[u8]) -> Option<Self> {
        if block.len() != SIZE {
            return None;
        }
        let text = std::str::from_utf8(block).ok()?;
        let (line, fill) = text.split_once('\n')?;
        let (check, json) = line
            .strip_prefix(MAGIC)?
            .strip_prefix(' ')?
            .split_once(' ')?;
        let sound = blake3::hash(json.as_bytes()).to_hex().as_str() == check
            && fill.bytes().all(|byte| byte == b' ');
        sound.then(|| serde_json::from_str(json).ok())?
    }
}

/// Sixteen bytes as hex.
pub(crate) fn hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}
