//! Bytes on media. Nothing in this crate opens or reads a file: bytes come in, values go out.
//!
//! * [`header`]: the media header, section 0 of every volume, a TAPE block of the Microsoft Tape
//!   Format with our facts in a stream of its own;
//! * [`manifest`]: what stands behind each data section, with the hashes;
//! * [`note`]: what closes a part of a data section that goes on on the next medium;
//! * [`record`]: verdicts and voids, chained in writing order;
//! * [`sign`]: who wrote a manifest or record, proved with a public key alone;
//! * [`tree`]: BLAKE3 of a stream and of its chunks in one pass;
//! * [`mtf`]: the reader of what SQL Server writes, fed while the bytes pass by.
//!
//! Every document carries a BLAKE3 of itself. No length from outside is believed before it was
//! compared with what is there.

pub mod canonical;
pub mod card;
pub mod header;
pub mod manifest;
pub mod mtf;
pub mod note;
pub mod record;
pub mod sign;
pub mod tree;

/// Version of everything this crate writes. Older ones stay readable for ever.
pub const FORMAT: u32 = 1;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// They end too early, or go on too long.
    #[error("{what} has {found} bytes, {expected} expected")]
    Length {
        /// The document.
        what: &'static str,
        /// Bytes there.
        found: u64,
        /// Bytes that should be there.
        expected: u64,
    },
    /// They are of another kind.
    #[error("no {what}: {why}")]
    NotOurs {
        /// The document.
        what: &'static str,
        /// What speaks against it.
        why: String,
    },
    /// They were written by a newer version.
    #[error("{what} has format {found}, this version reads up to {known}")]
    Newer {
        /// The document.
        what: &'static str,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// They were altered.
    #[error("{what} was altered: {why}")]
    Altered {
        /// The document.
        what: &'static str,
        /// How it shows.
        why: String,
    },
}
