//! Reading fields at offsets, with every length checked.

use uuid::Uuid;

use crate::stream::words::{DateTime, Lsn};

/// Length of the common block header.
pub(super) const BLOCK_HEADER: usize = 52;
/// Length of a stream header.
pub(super) const STREAM_HEADER: usize = 22;

/// A structure; a field outside of it reads as `None`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes<const N: usize>(self, at: usize) -> Option<&'a [u8; N]> {
        self.0.get(at..)?.first_chunk()
    }

    pub(super) fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub(super) fn u16(self, at: usize) -> Option<u16> {
        self.bytes(at).map(|b| u16::from_le_bytes(*b))
    }

    pub(super) fn u32(self, at: usize) -> Option<u32> {
        self.bytes(at).map(|b| u32::from_le_bytes(*b))
    }

    pub(super) fn u64(self, at: usize) -> Option<u64> {
        self.bytes(at).map(|b| u64::from_le_bytes(*b))
    }

    pub(super) fn guid(self, at: usize) -> Option<Uuid> {
        self.bytes(at).map(|b| Uuid::from_bytes_le(*b))
    }

    pub(super) fn lsn(self, at: usize) -> Option<Lsn> {
        self.bytes(at).map(Lsn::from_bytes)
    }

    pub(super) fn date(self, at: usize) -> Option<DateTime> {
        self.bytes(at).map(DateTime::from_bytes)
    }

    /// The UTF-16 string a tape address points to; empty if absent.
    pub(super) fn text(self, at: usize) -> Option<String> {
        let (size, place) = (self.u16(at)? as usize, self.u16(at + 2)? as usize);
        if size == 0 {
            return Some(String::new());
        }
        let units = self.0.get(place..place + size)?.as_chunks::<2>().0;
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        Some(
            String::from_utf16_lossy(&units)
                .trim_end_matches('\0')
                .to_owned(),
        )
    }
}
