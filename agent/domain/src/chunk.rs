//! The grid of chunks over a data section: the unit of hashing, substitution and repair.

use std::ops::Range;

/// Bytes in a chunk: 4 MiB. The last chunk of a section is short.
pub const CHUNK: u64 = 4 << 20;

/// Chunks in a section of so many bytes.
#[must_use]
pub const fn count(length: u64) -> u64 {
    length.div_ceil(CHUNK)
}

/// Byte range of a chunk, or `None` behind the end.
#[must_use]
pub fn range(chunk: u64, length: u64) -> Option<Range<u64>> {
    let start = chunk.checked_mul(CHUNK)?;
    (start < length).then(|| start..length.min(start.saturating_add(CHUNK)))
}
