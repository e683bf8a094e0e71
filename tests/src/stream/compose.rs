//! Writes blocks and streams of the tape format at known places (facts/mtf.md 2-5).

use super::sum::header_sum;
use super::words::DateTime;

/// Length of a stream header.
pub(super) const STREAM_HEADER: usize = 22;
/// Format logical block: what blocks of a set are counted in.
pub(super) const LOGICAL: u64 = 1024;
/// Attribute of a stream that only fills up to a place.
const FILLER: u16 = 0x80;

/// Bytes under composition, beginning at a known offset of the medium.
pub(super) struct Composer {
    pub(super) out: Vec<u8>,
    base: u64,
    /// Where the data set begins, from which its blocks are counted.
    pub(super) set_start: u64,
    physical: u64,
    next_block: u32,
}

impl Composer {
    pub(super) fn new(base: u64, set_start: u64, physical: u32, next_block: u32) -> Self {
        Self {
            out: Vec::new(),
            base,
            set_start,
            physical: physical.into(),
            next_block,
        }
    }

    /// Offset on the medium of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.base + self.out.len() as u64
    }

    /// Control block id the next block of the set will get.
    pub(super) fn next_block(&self) -> u32 {
        self.next_block
    }

    /// A block of the data set: numbered, with its logical address.
    pub(super) fn set_block(&mut self, kind: &[u8; 4], length: usize, body: impl Body) {
        let address = (self.at() - self.set_start) / LOGICAL;
        let number = self.next_block;
        self.next_block += 1;
        self.block(kind, 0, length, address, number, body);
    }

    /// Any block. `length` is that of the header with everything before the first stream; a
    /// filemark of 64 KiB has a zero there, since the field has 16 bits.
    pub(super) fn block(
        &mut self,
        kind: &[u8; 4],
        attributes: u32,
        length: usize,
        address: u64,
        number: u32,
        body: impl Body,
    ) {
        let mut block = vec![0; length];
        block[..4].copy_from_slice(kind);
        put(&mut block, 4, &attributes.to_le_bytes());
        put(&mut block, 8, &(length as u16).to_le_bytes());
        put(&mut block, 10, &[14, 1]);
        put(&mut block, 20, &address.to_le_bytes());
        put(&mut block, 36, &number.to_le_bytes());
        body(&mut block);
        let sum = header_sum(&block[..50]);
        put(&mut block, 50, &sum.to_le_bytes());
        self.out.extend_from_slice(&block);
    }

    /// A soft filemark with the places of the earlier ones, newest first, as many as it has room for.
    pub(super) fn filemark(&mut self, earlier: &[u64]) {
        let length = self.physical as usize;
        let entries = (length as u32 - 72) / 8;
        self.block(b"SFMB", 0x8000_0000, length, 0, 0, |block: &mut [u8]| {
            let used = entries.min(earlier.len() as u32);
            put(block, 52, &entries.to_le_bytes());
            put(block, 56, &used.to_le_bytes());
            put(block, 60, &72u32.to_le_bytes());
            for (index, place) in earlier.iter().rev().take(used as usize).enumerate() {
                put(block, 72 + 8 * index, &place.to_le_bytes());
            }
        });
    }

    /// A stream header; the data follows from elsewhere.
    pub(super) fn stream_header(&mut self, id: &[u8; 4], attributes: u16, length: u64) {
        let fill = self.at().next_multiple_of(4) - self.at();
        self.out.resize(self.out.len() + fill as usize, 0);
        let mut header = [0; STREAM_HEADER];
        header[..4].copy_from_slice(id);
        put(&mut header, 6, &attributes.to_le_bytes());
        put(&mut header, 8, &length.to_le_bytes());
        let sum = header_sum(&header[..20]);
        put(&mut header, 20, &sum.to_le_bytes());
        self.out.extend_from_slice(&header);
    }

    /// A stream with its data.
    pub(super) fn stream(&mut self, id: &[u8; 4], attributes: u16, data: &[u8]) {
        self.stream_header(id, attributes, data.len() as u64);
        self.out.extend_from_slice(data);
    }

    /// A stream of zeros that ends where the next logical block of the set begins.
    pub(super) fn pad_logical(&mut self) {
        self.pad(b"SPAD", 0, LOGICAL, self.set_start, 0);
    }

    /// A stream of zeros that ends on a logical and on a physical block, counted from
    /// `origin`.
    pub(super) fn pad_physical(&mut self, id: &[u8; 4], origin: u64) {
        self.pad(id, 0, LOGICAL.max(self.physical), origin, 0);
    }

    /// Fills up so that the data of the next stream, two bytes after its header, begins on a
    /// physical block.
    pub(super) fn pad_before_data(&mut self) {
        let before = STREAM_HEADER as u64 + 2;
        self.pad(
            b"APAD",
            FILLER,
            LOGICAL.max(self.physical),
            self.set_start,
            before,
        );
    }

    fn pad(&mut self, id: &[u8; 4], attributes: u16, unit: u64, origin: u64, behind: u64) {
        let data = self.at().next_multiple_of(4) + STREAM_HEADER as u64;
        let end = (data + behind - origin).next_multiple_of(unit) + origin - behind;
        self.stream(id, attributes, &vec![0; (end - data) as usize]);
    }
}

/// Fills in a block's fields; gets the whole block.
pub(super) trait Body: FnOnce(&mut [u8]) {}
impl<F: FnOnce(&mut [u8])> Body for F {}

/// Stores bytes at an offset of a block.
pub(super) fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Stores a date.
pub(super) fn put_date(block: &mut [u8], at: usize, date: DateTime) {
    put(block, at, &date.to_bytes());
}

/// Strings behind the fixed part of a structure, and the addresses that point to them.
pub(super) struct Strings {
    pub(super) bytes: Vec<u8>,
    from: usize,
}

impl Strings {
    /// Strings that begin `from` bytes into the structure.
    pub(super) fn new(from: usize) -> Self {
        Self {
            bytes: Vec::new(),
            from,
        }
    }

    /// Adds a UTF-16 string and returns its tape address; of an empty one only the place.
    pub(super) fn add(&mut self, text: &str) -> [u8; 4] {
        let place = self.from + self.bytes.len();
        self.bytes
            .extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let size = self.from + self.bytes.len() - place;
        let place = if size == 0 { 0 } else { place };
        let ([a, b], [c, d]) = ((size as u16).to_le_bytes(), (place as u16).to_le_bytes());
        [a, b, c, d]
    }
}
