//! BLAKE3 of a stream and of each of its chunks, in one pass over the bytes.
//!
//! BLAKE3 is a tree: the chaining value of a 4 MiB chunk is an inner node of the tree whose root
//! is what `b3sum` prints. So the root costs nothing beyond the chunks.

use blake3::Hasher;
use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use twinset_domain::chunk::CHUNK;

/// Hashes of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Bytes hashed.
    pub length: u64,
    /// BLAKE3 of all of it, equal to `b3sum`.
    pub root: [u8; 32],
    /// Chaining value of each chunk of 4 MiB.
    pub chunks: Vec<[u8; 32]>,
}

/// Takes a stream in pieces of any size.
pub struct TreeHasher {
    current: Hasher,
    filled: u64,
    length: u64,
    chunks: Vec<[u8; 32]>,
    /// Root of a stream that fits into one chunk.
    single: Option<[u8; 32]>,
}

impl Default for TreeHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl TreeHasher {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            current: Hasher::new(),
            filled: 0,
            length: 0,
            chunks: Vec::new(),
            single: None,
        }
    }

    /// The next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == CHUNK {
                self.close_chunk();
            }
            let room = usize::try_from(CHUNK - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.current.update(now);
            self.filled += now.len() as u64;
            self.length += now.len() as u64;
            bytes = later;
        }
    }

    /// Bytes so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    fn close_chunk(&mut self) {
        if self.chunks.is_empty() {
            self.single = Some(*self.current.finalize().as_bytes());
        }
        self.chunks.push(self.current.finalize_non_root());
        self.current = Hasher::new();
        self.current
            .set_input_offset(self.chunks.len() as u64 * CHUNK);
        self.filled = 0;
    }

    /// The end of the stream.
    #[must_use]
    pub fn finish(mut self) -> Hashes {
        if self.filled > 0 {
            self.close_chunk();
        }
        let root = root(&self.chunks)
            .or(self.single)
            .unwrap_or_else(|| *blake3::hash(&[]).as_bytes());
        Hashes {
            length: self.length,
            root,
            chunks: self.chunks,
        }
    }
}

/// The root above two or more chunks; `None` below that (a single chunk's root is another hash
/// than its chaining value).
#[must_use]
pub fn root(chunks: &[[u8; 32]]) -> Option<[u8; 32]> {
    let (left, right) = halves(chunks)?;
    Some(*merge_subtrees_root(&node(left), &node(right), Mode::Hash).as_bytes())
}

/// BLAKE3 gives the left side the largest power of two of chunks that leaves some to the right.
fn halves(chunks: &[ChainingValue]) -> Option<(&[ChainingValue], &[ChainingValue])> {
    let left = chunks.len().checked_sub(1).filter(|n| *n > 0)?;
    chunks.split_at_checked(1 << left.ilog2())
}

fn node(chunks: &[[u8; 32]]) -> ChainingValue {
    match halves(chunks) {
        Some((left, right)) => merge_subtrees_non_root(&node(left), &node(right), Mode::Hash),
        None => chunks.first().copied().unwrap_or_default(),
    }
}

/// Chaining value of one chunk that begins at `chunk * 4 MiB`; the bytes must not be empty.
#[must_use]
pub fn chunk_hash(chunk: u64, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(chunk * CHUNK);
    hasher.update(bytes);
    hasher.finalize_non_root()
}

#[cfg(test)]
mod tests;
