//! How backup sets are wrapped, by us or by SQL Server, and which may share a media set.
//!
//! As on SQL Server, compressed and uncompressed sets never mix (3098), nor encrypted and plain
//! ones (3095). Twinset compresses and encrypts itself too; who did it makes no difference.

use std::fmt;

use crate::{Fault, Position, code};

/// Whether something was done to the bytes of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was not.
    No,
    /// The media set's encoding did it.
    ByEncoding,
    /// SQL Server did it.
    ByServer,
    /// Nobody can tell.
    Unknown,
}

/// How SQL Server wrapped a stream, as far as its first bytes and the order tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Plain.
    Plain,
    /// Compressed by SQL Server, not encrypted: it was ordered so.
    Compressed,
    /// Encrypted by SQL Server, not compressed: it was ordered so.
    Encrypted,
    /// Both compressed and encrypted by SQL Server: it was ordered so.
    Both,
    /// Encrypted by SQL Server, whose own default decides whether it is compressed too.
    PerhapsBoth,
    /// Compressed or encrypted by SQL Server, or both: it counts as compressed, as nearly all are.
    Packed,
    /// Not known.
    Unknown,
}

/// What was done to the bytes of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapping {
    /// Compressed?
    pub compressed: Done,
    /// Encrypted?
    pub encrypted: Done,
}

/// The name of an encoding.
#[must_use]
pub const fn encoding(compressed: bool, encrypted: bool) -> &'static str {
    match (compressed, encrypted) {
        (false, false) => "raw",
        (true, false) => "zstd",
        (false, true) => "age",
        (true, true) => "zstd+age",
    }
}

impl Wrapping {
    /// Of a set stored under this encoding.
    #[must_use]
    pub fn of(encoding: &str, container: Container) -> Self {
        let has = |word: &str| encoding.split('+').any(|part| part == word);
        let server = match container {
            Container::Plain => (Done::No, Done::No),
            Container::Compressed => (Done::ByServer, Done::No),
            Container::Encrypted => (Done::No, Done::ByServer),
            Container::Both => (Done::ByServer, Done::ByServer),
            Container::PerhapsBoth => (Done::Unknown, Done::ByServer),
            Container::Packed => (Done::ByServer, Done::Unknown),
            Container::Unknown => (Done::Unknown, Done::Unknown),
        };
        Self {
            compressed: if has("zstd") {
                Done::ByEncoding
            } else {
                server.0
            },
            encrypted: if has("age") {
                Done::ByEncoding
            } else {
                server.1
            },
        }
    }
}

/// Two answers that must not stand in one media set.
const fn mixes(kept: Done, new: Done) -> bool {
    match (kept, new) {
        (Done::Unknown, _) | (_, Done::Unknown) => false,
        (Done::No, other) | (other, Done::No) => !matches!(other, Done::No),
        _ => false,
    }
}

/// Whether a set may join those that are kept; `kept` is any one of them, since all are alike.
///
/// # Errors
/// [`code::COMPRESSION_MIX`] and [`code::ENCRYPTION_MIX`], naming both sides.
pub fn may_join(
    media_set: &str,
    (position, kept): (Position, Wrapping),
    new: Wrapping,
) -> Result<(), Fault> {
    let rows = [
        (
            code::COMPRESSION_MIX,
            "compressed",
            kept.compressed,
            new.compressed,
        ),
        (
            code::ENCRYPTION_MIX,
            "encrypted",
            kept.encrypted,
            new.encrypted,
        ),
    ];
    for (code, word, kept, new) in rows {
        if mixes(kept, new) {
            let (old, now) = (Side(kept, word), Side(new, word));
            let message = format!("the set would be {now}, and those on the media are {old}");
            return Err(Fault::new(code, format!("media set {media_set}"), message)
                .cause(format!("the set at position {position} is {old}"))
                .remedy("use a media set of its own for it: configure one and format it"));
        }
    }
    Ok(())
}

/// Whether the configured encoding is the one that the media were formatted for.
///
/// # Errors
/// As [`may_join`].
pub fn same_encoding(media_set: &str, formatted: &str, configured: &str) -> Result<(), Fault> {
    if formatted == configured {
        return Ok(());
    }
    let has = |encoding: &str| encoding.split('+').any(|part| part == "zstd");
    let code = if has(formatted) == has(configured) {
        code::ENCRYPTION_MIX
    } else {
        code::COMPRESSION_MIX
    };
    let message = format!("the media were formatted for {formatted}, configured is {configured}");
    Err(Fault::new(code, format!("media set {media_set}"), message)
        .cause("the encoding is fixed when a media set is formatted")
        .remedy("set the encoding back, or configure another media set with paths of its own"))
}

/// One side in words: `compressed (by SQL Server)`, `not compressed`.
struct Side(Done, &'static str);

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Done::No => write!(f, "not {}", self.1),
            Done::ByEncoding => write!(f, "{} (by the media set's encoding)", self.1),
            Done::ByServer => write!(f, "{} (by SQL Server)", self.1),
            Done::Unknown => write!(f, "perhaps {}", self.1),
        }
    }
}
