//! One step of a repair, as it is printed and done.

use std::fmt;

use serde::Serialize;

use crate::{Position, Slot};

/// One step on one volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The volume.
    pub slot: Slot,
    /// What is done to it.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What is done to a volume. `replace`: something damaged stands in the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "deed", rename_all = "kebab-case")]
pub enum Deed {
    /// Write the media header, built from a twin's.
    PutHeader {
        /// Something damaged stands there.
        replace: bool,
    },
    /// Copy a data section that is missing.
    PutData {
        /// The set.
        position: Position,
    },
    /// Write a data section anew: sound chunks from itself, these from twins.
    RewriteData {
        /// The set.
        position: Position,
        /// Chunks that a twin has sound; empty where only bytes behind the end go.
        chunks: Vec<u64>,
    },
    /// Copy a manifest.
    PutManifest {
        /// The set.
        position: Position,
        /// Something damaged stands there.
        replace: bool,
    },
    /// Copy a void.
    PutVoid {
        /// The position.
        position: Position,
        /// Something damaged stands there.
        replace: bool,
    },
    /// Remove data of a void, or of a set that was removed lawfully.
    RemoveData {
        /// The position.
        position: Position,
        /// The set was removed lawfully: its drop record goes first.
        dropped: bool,
    },
    /// Copy a record.
    PutRecord {
        /// Its name.
        name: String,
        /// Its place in the writing order.
        sequence: u64,
        /// Something damaged stands there.
        replace: bool,
    },
    /// Remove a record that contradicts the mirrors in step.
    RemoveRecord {
        /// Its name.
        name: String,
    },
}

/// When a step is taken. The lock of the media set is let go between two turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Media headers: without one a volume is nobody's.
    Headers,
    /// The sections of one position: data, then manifest, or the void, then data away.
    Set(Position),
    /// Records, in writing order: a mirror's tail says no more than what lies before it.
    Records,
    /// Data of sets that were removed lawfully: behind the record that says so.
    Leavings,
}

impl Deed {
    /// When it is done.
    #[must_use]
    pub const fn turn(&self) -> Turn {
        match self {
            Self::PutHeader { .. } => Turn::Headers,
            Self::PutData { position }
            | Self::RewriteData { position, .. }
            | Self::PutManifest { position, .. }
            | Self::PutVoid { position, .. }
            | Self::RemoveData {
                position,
                dropped: false,
            } => Turn::Set(*position),
            Self::PutRecord { .. } | Self::RemoveRecord { .. } => Turn::Records,
            Self::RemoveData { dropped: true, .. } => Turn::Leavings,
        }
    }
}

/// `copy` or `replace`.
const fn verb(replace: bool) -> &'static str {
    if replace { "replace" } else { "copy" }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.slot)?;
        match &self.deed {
            Deed::PutHeader { replace: true } => f.write_str("replace the media header"),
            Deed::PutHeader { replace: false } => f.write_str("write the media header"),
            Deed::PutData { position } => write!(f, "copy the data of position {position}"),
            Deed::RewriteData { position, chunks } if chunks.is_empty() => {
                write!(f, "cut the data of position {position} to its length")
            }
            Deed::RewriteData { position, chunks } => {
                let list: Vec<String> = chunks.iter().map(u64::to_string).collect();
                let word = if list.len() == 1 { "chunk" } else { "chunks" };
                let list = list.join(", ");
                write!(f, "heal the data of position {position}: {word} {list}")
            }
            Deed::PutManifest { position, replace } => {
                write!(f, "{} the manifest of position {position}", verb(*replace))
            }
            Deed::PutVoid { position, replace } => {
                write!(f, "{} the void of position {position}", verb(*replace))
            }
            Deed::RemoveData { position, dropped } => {
                let why = if *dropped { "expired" } else { "void" };
                write!(f, "remove the data of position {position}: it is {why}")
            }
            Deed::PutRecord { name, replace, .. } => {
                write!(f, "{} the record {name}", verb(*replace))
            }
            Deed::RemoveRecord { name } => {
                write!(f, "remove the record {name}, which the others do not have")
            }
        }
    }
}
