//! The damage map: what is not as it was written, named so that it can be found and healed.

use std::fmt;

use serde::Serialize;
use twinset_domain::{Position, Slot};

/// What is wrong with a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The bytes are others than those written.
    Altered,
    /// The section or volume is not there.
    Missing,
    /// The device cannot read it.
    Unreadable,
    /// The section ends too early.
    Truncated,
    /// There are bytes behind its end.
    TooLong,
    /// It is sound, but belongs elsewhere.
    Misplaced,
}

/// Which section it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The whole volume.
    Volume,
    /// The media header.
    Header,
    /// Data of a set.
    Data,
    /// Manifest or void of a set.
    Manifest,
    /// A record.
    Record,
}

/// One damaged place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The volume, as messages name it.
    pub volume: String,
    /// Its place in the matrix.
    pub slot: Slot,
    /// The section.
    pub section: Section,
    /// Number of the section, or name of the record.
    pub name: String,
    /// The set, if it belongs to one.
    pub position: Option<Position>,
    /// The chunk in a data section.
    pub chunk: Option<u64>,
    /// First byte.
    pub from: Option<u64>,
    /// Byte behind the last.
    pub to: Option<u64>,
    /// What is wrong.
    pub kind: Kind,
    /// Details, if there are any.
    pub detail: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.volume, self.slot)?;
        match self.section {
            Section::Volume => {}
            Section::Header => f.write_str(", media header")?,
            Section::Record => write!(f, ", record {}", self.name)?,
            Section::Data | Section::Manifest => write!(f, ", section {}", self.name)?,
        }
        if let Some(chunk) = self.chunk {
            write!(f, ", chunk {chunk}")?;
        }
        if let (Some(from), Some(to)) = (self.from, self.to) {
            write!(f, ", bytes {from} to {to}")?;
        }
        let kind = match self.kind {
            Kind::Altered => "altered",
            Kind::Missing => "missing",
            Kind::Unreadable => "unreadable",
            Kind::Truncated => "truncated",
            Kind::TooLong => "too long",
            Kind::Misplaced => "misplaced",
        };
        write!(f, ": {kind}")?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.detail)
        }
    }
}
