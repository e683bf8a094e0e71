//! Blocks and streams of the Microsoft Tape Format: writing ours, reading anybody's headers.

use super::fields::{array, u16_at, u64_at, xor16};

/// Length of the common block header; its checksum covers the bytes before 50.
pub const HEADER: usize = 52;
/// Length of a stream header; its checksum covers the bytes before 20.
pub const STREAM_HEADER: usize = 22;
/// Fixed part of a TAPE block.
const TAPE_FIXED: usize = 94;
/// Format logical block size we write (SQL Server writes the same).
const LOGICAL_BLOCK: u16 = 1024;
/// Operating system id "Unix": the one of the specification that promises least.
const OS_ID: u8 = 28;
/// String type UTF-16LE.
const UTF16: u8 = 2;

/// Facts of a TAPE block that we write.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapeBlock {
    /// Media family id.
    pub family_id: u32,
    /// Media sequence number.
    pub sequence: u16,
    /// Software vendor id.
    pub vendor_id: u16,
    /// Whether the description is a media label.
    pub is_label: bool,
    /// Whether soft filemarks are in use, as on disk.
    pub soft_filemarks: bool,
    /// Media date as MTF_DATE_TIME.
    pub date: [u8; 5],
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn align4(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Writes the checksum of the block header that begins at `start`.
fn put_header_checksum(bytes: &mut [u8], start: usize) {
    let sum = bytes.get(start..start + 50).map_or(0, xor16);
    put(bytes, start + 50, &sum.to_le_bytes());
}

impl TapeBlock {
    /// The block up to where its first stream begins.
    #[must_use]
    pub fn to_bytes(&self, name: &str, description: &str, software: &str) -> Vec<u8> {
        let mut bytes = vec![0; TAPE_FIXED];
        put(&mut bytes, 0, b"TAPE");
        put(&mut bytes, 10, &[OS_ID, 0]);
        put(&mut bytes, 48, &[UTF16]);
        put(&mut bytes, 52, &self.family_id.to_le_bytes());
        // Bit 0: soft filemarks in use.
        let attributes = u32::from(self.soft_filemarks) | u32::from(self.is_label) << 1;
        put(&mut bytes, 56, &attributes.to_le_bytes());
        put(&mut bytes, 60, &self.sequence.to_le_bytes());
        // Soft filemark block: 8 x 512 bytes.
        let size: u16 = if self.soft_filemarks { 8 } else { 0 };
        put(&mut bytes, 64, &size.to_le_bytes());
        for (at, text) in [(68, name), (72, description), (80, software)] {
            put_string(&mut bytes, at, text);
        }
        put(&mut bytes, 84, &LOGICAL_BLOCK.to_le_bytes());
        put(&mut bytes, 86, &self.vendor_id.to_le_bytes());
        put(&mut bytes, 88, &self.date);
        put(&mut bytes, 93, &[1]); // MTF major version
        align4(&mut bytes);
        let first_event = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        put(&mut bytes, 8, &first_event.to_le_bytes());
        put_header_checksum(&mut bytes, 0);
        bytes
    }
}

/// Appends a string and writes its tape address.
fn put_string(bytes: &mut Vec<u8>, at: usize, text: &str) {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (Ok(size), Ok(offset)) = (u16::try_from(units.len()), u16::try_from(bytes.len())) else {
        return;
    };
    if size > 0 {
        put(bytes, at, &size.to_le_bytes());
        put(bytes, at + 2, &offset.to_le_bytes());
        bytes.extend(units);
    }
}

/// Appends a stream and says where its data begins.
pub fn push_stream(bytes: &mut Vec<u8>, id: [u8; 4], data: &[u8]) -> usize {
    align4(bytes);
    let start = bytes.len();
    bytes.resize(start + STREAM_HEADER, 0);
    put(bytes, start, &id);
    put(bytes, start + 8, &(data.len() as u64).to_le_bytes());
    let sum = bytes.get(start..start + 20).map_or(0, xor16);
    put(bytes, start + 20, &sum.to_le_bytes());
    bytes.extend_from_slice(data);
    start + STREAM_HEADER
}

/// Ends a block with a SPAD stream that fills it to `size`; false when it does not fit.
pub fn push_padding(bytes: &mut Vec<u8>, size: usize) -> bool {
    align4(bytes);
    let Some(fill) = size.checked_sub(bytes.len() + STREAM_HEADER) else {
        return false;
    };
    push_stream(bytes, *b"SPAD", &vec![0; fill]);
    bytes.len() == size
}

/// A soft filemark block in spec form: no entries used, control block id 1, one physical block
/// from the start of the medium.
#[must_use]
pub fn soft_filemark(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    put(&mut bytes, 0, b"SFMB");
    put(
        &mut bytes,
        8,
        &u16::try_from(size).unwrap_or(u16::MAX).to_le_bytes(),
    );
    put(&mut bytes, 10, &[OS_ID, 0]);
    put(&mut bytes, 20, &1_u64.to_le_bytes());
    put(&mut bytes, 36, &1_u32.to_le_bytes());
    put(&mut bytes, 48, &[UTF16]);
    let entries = u32::try_from(size.saturating_sub(60) / 4).unwrap_or(0);
    put(&mut bytes, 52, &entries.to_le_bytes());
    put_header_checksum(&mut bytes, 0);
    bytes
}

/// A common block header whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Four letters.
    pub kind: [u8; 4],
    /// Offset of the first stream, from the start of the block.
    pub first_event: u16,
}

impl BlockHeader {
    /// `None` when the checksum is wrong or the bytes end.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let sound = u16_at(bytes, 50)? == xor16(bytes.get(..50)?);
        let header = Self {
            kind: array(bytes, 0)?,
            first_event: u16_at(bytes, 8)?,
        };
        // A filemark has no streams; one of 64 KiB does not fit the field and has a zero there.
        let mark = &header.kind == b"SFMB";
        (sound && (mark || usize::from(header.first_event) >= HEADER)).then_some(header)
    }
}

/// A stream header whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHeader {
    /// Four letters.
    pub id: [u8; 4],
    /// Media attributes; bit 8 (SQL Server's): a checksum stream follows.
    pub attributes: u16,
    /// Bytes of data, without header and fill.
    pub length: u64,
}

impl StreamHeader {
    /// `None` when the checksum is wrong or the bytes end.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let sound = u16_at(bytes, 20)? == xor16(bytes.get(..20)?);
        let header = Self {
            id: array(bytes, 0)?,
            attributes: u16_at(bytes, 6)?,
            length: u64_at(bytes, 8)?,
        };
        sound.then_some(header)
    }
}

/// Data of the first stream with this id in the block at the start of `bytes`.
#[must_use]
pub fn find_stream(bytes: &[u8], id: [u8; 4]) -> Option<&[u8]> {
    let mut at = usize::from(BlockHeader::parse(bytes)?.first_event);
    loop {
        at = at.next_multiple_of(4);
        let header = StreamHeader::parse(bytes.get(at..)?)?;
        let data = at + STREAM_HEADER;
        let end = data.checked_add(usize::try_from(header.length).ok()?)?;
        if header.id == id {
            return bytes.get(data..end);
        }
        if header.id == *b"SPAD" || end > bytes.len() {
            return None;
        }
        at = end;
    }
}
