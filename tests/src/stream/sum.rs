//! The backup checksum of SQL Server (facts/mtf.md 6.6) and the 16-bit sums of headers.

/// Bytes folded to one word.
const SECTOR: usize = 512;

/// Running backup checksum over data without its two leading bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct BackupSum {
    sum: u32,
    part: Vec<u8>,
}

impl BackupSum {
    /// Adds bytes, cut anywhere.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        if !self.part.is_empty() {
            let take = bytes.len().min(SECTOR - self.part.len());
            self.part.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.part.len() < SECTOR {
                return;
            }
            self.sum = self.sum.rotate_left(1) ^ fold(&self.part);
            self.part.clear();
        }
        let sectors = bytes.chunks_exact(SECTOR);
        self.part.extend_from_slice(sectors.remainder());
        for sector in sectors {
            self.sum = self.sum.rotate_left(1) ^ fold(sector);
        }
    }

    /// The sum of everything added; an unfinished sector counts as filled with zeros.
    pub(super) fn value(&self) -> u32 {
        if self.part.is_empty() {
            return self.sum;
        }
        let mut last = self.part.clone();
        last.resize(SECTOR, 0);
        self.sum.rotate_left(1) ^ fold(&last)
    }
}

/// Xor of a sector's 32-bit words.
fn fold(sector: &[u8]) -> u32 {
    let mut lanes = [0u64; 8];
    for round in sector.as_chunks::<64>().0 {
        for (lane, word) in lanes.iter_mut().zip(round.as_chunks::<8>().0) {
            *lane ^= u64::from_le_bytes(*word);
        }
    }
    let all = lanes.iter().fold(0, |all, lane| all ^ lane);
    (all ^ (all >> 32)) as u32
}

/// Xor of 16-bit words, as header checksums are made.
pub(super) fn header_sum(bytes: &[u8]) -> u16 {
    let words = bytes.as_chunks::<2>().0;
    words
        .iter()
        .fold(0, |sum, word| sum ^ u16::from_le_bytes(*word))
}
