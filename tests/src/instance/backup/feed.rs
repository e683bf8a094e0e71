//! One device's bytes while they are sent: generated, hidden in a container, or of a real file.

use std::fs::File;
use std::io::{self, Read};

use crate::instance::transfer::lane::Sizes;
use crate::stream::{Container, GeneratedStream, StreamCheck};

/// One family's bytes.
pub enum Source {
    /// Generated.
    Generated(Box<GeneratedStream>),
    /// The same inside a container.
    Hidden(Box<Hidden>),
    /// A real file with its length and what was read of it.
    File(File, u64, u64),
}

/// A stream that a container hides.
pub struct Hidden {
    /// The plain stream.
    pub(super) stream: GeneratedStream,
    /// What hides it.
    pub(super) container: Container,
    /// Bytes sent.
    pub(super) sent: u64,
    /// Plain bytes that the container holds already; its head is then written, too.
    pub(super) behind: Option<u64>,
}

impl Hidden {
    const fn head(&self) -> u64 {
        match self.behind {
            None => self.container.head as u64,
            Some(_) => 0,
        }
    }

    /// The next bytes of the container with its stream.
    fn fill(&mut self, room: &mut [u8]) -> io::Result<()> {
        let head = self.container.to_bytes();
        let head = head.get(..self.head() as usize).unwrap_or_default();
        let start = usize::try_from(self.sent).unwrap_or(usize::MAX);
        let start = start.min(head.len());
        let of_head = (head.len() - start).min(room.len());
        room[..of_head].copy_from_slice(&head[start..start + of_head]);
        self.sent += room.len() as u64;
        let at = self.behind.unwrap_or(0) + self.stream.position();
        let rest = &mut room[of_head..];
        if self.stream.fill(rest) != rest.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.container.apply(at, rest);
        Ok(())
    }
}

impl Source {
    /// Bytes in all.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Generated(stream) => stream.total_length(),
            Self::Hidden(hidden) => hidden.stream.total_length() + hidden.head(),
            Self::File(_, total, _) => *total,
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Generated(stream) => stream.position(),
            Self::Hidden(hidden) => hidden.sent,
            Self::File(.., position) => *position,
        }
    }

    /// Size of write number `write`: small blocks of headers first, then transfers that are mostly
    /// full, as SQL Server has them. `None` at the end.
    #[must_use]
    pub fn next_size(&self, write: u32, sizes: Sizes) -> Option<usize> {
        let (block, transfer) = (sizes.block as usize, sizes.transfer as usize);
        let left = usize::try_from(self.total() - self.position()).unwrap_or(usize::MAX);
        let wish = match write {
            0 => block * 2,
            1 => block * 5,
            n if n % 7 == 3 => (transfer / 2 / block * block).max(block),
            n if n % 11 == 5 => transfer - block.min(transfer / 2),
            _ => transfer,
        };
        let size = wish.min(left).min(transfer);
        (size > 0).then_some(size)
    }

    /// The next bytes; exactly as many as there is room.
    pub fn fill(&mut self, room: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Generated(stream) => match stream.fill(room) {
                filled if filled == room.len() => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            },
            Self::Hidden(hidden) => hidden.fill(room),
            Self::File(file, _, position) => {
                file.read_exact(room)?;
                *position += room.len() as u64;
                Ok(())
            }
        }
    }
}

/// One device's bytes, and how they come.
pub struct Feed {
    pub(super) source: Source,
    pub(super) rounds: bool,
    /// A checker that saw what stands before on the medium.
    pub(super) known: Option<StreamCheck>,
}

impl Feed {
    /// Whether a Flush comes in the middle, as with FILESTREAM data.
    #[must_use]
    pub const fn flushes_between(&self) -> bool {
        self.rounds
    }
}

impl std::ops::Deref for Feed {
    type Target = Source;
    fn deref(&self) -> &Source {
        &self.source
    }
}

impl std::ops::DerefMut for Feed {
    fn deref_mut(&mut self) -> &mut Source {
        &mut self.source
    }
}
