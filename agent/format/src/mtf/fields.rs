//! Numbers, times and strings at offsets of a block. Every read is checked against its end.

use twinset_domain::{LocalTime, Lsn, Moment};
use uuid::Uuid;

/// `N` bytes at an offset.
#[must_use]
pub fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// One byte.
#[must_use]
pub fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Little-endian, 2 bytes.
#[must_use]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// Little-endian, 4 bytes.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Little-endian, 8 bytes.
#[must_use]
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// A GUID in Microsoft's byte order; `None` for all zeros.
#[must_use]
pub fn guid_at(bytes: &[u8], at: usize) -> Option<Uuid> {
    array(bytes, at)
        .map(Uuid::from_bytes_le)
        .filter(|guid| !guid.is_nil())
}

/// An LSN of 10 bytes: u32 file, u32 block, u16 slot; `None` for zero.
#[must_use]
pub fn lsn_at(bytes: &[u8], at: usize) -> Option<Lsn> {
    let lsn = Lsn::from_parts(
        u32_at(bytes, at)?,
        u32_at(bytes, at + 4)?,
        u16_at(bytes, at + 8)?,
    );
    (!lsn.is_zero()).then_some(lsn)
}

/// MTF_DATE_TIME: 40 bits, most significant first: year 14, month 4, day 5, hour 5, minute 6,
/// second 6, in the writer's own zone. `None` when unknown (all zero) or no date.
#[must_use]
pub fn time_at(bytes: &[u8], at: usize) -> Option<LocalTime> {
    let [a, b, c, d, e] = array::<5>(bytes, at)?;
    let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
    let field = |shift: u32, width: u32| (bits >> shift) & ((1 << width) - 1);
    let byte = |shift, width| u8::try_from(field(shift, width)).unwrap_or(u8::MAX);
    let time = LocalTime {
        year: u16::try_from(field(26, 14)).ok()?,
        month: byte(22, 4),
        day: byte(17, 5),
        time: (byte(12, 5), byte(6, 6), byte(0, 6)),
    };
    let (h, m, s) = time.time;
    let lawful = (1..=12).contains(&time.month) && (1..=31).contains(&time.day);
    (lawful && h < 24 && m < 60 && s < 60).then_some(time)
}

/// A moment as MTF_DATE_TIME in UTC.
#[must_use]
pub fn pack_moment(moment: Moment) -> [u8; 5] {
    let text = moment.to_string();
    let number = |from: usize, to: usize| {
        text.get(from..to)
            .and_then(|t| t.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let bits = number(0, 4) << 26
        | number(5, 7) << 22
        | number(8, 10) << 17
        | number(11, 13) << 12
        | number(14, 16) << 6
        | number(17, 19);
    let [_, _, _, packed @ ..] = bits.to_be_bytes();
    packed
}

/// The UTF-16 string that a tape address (u16 size in bytes, u16 offset in `base`) points to.
/// Trailing NULs are left off. `None` when absent or outside.
#[must_use]
pub fn string_at(base: &[u8], at: usize) -> Option<String> {
    let size = usize::from(u16_at(base, at)?);
    let offset = usize::from(u16_at(base, at + 2)?);
    let bytes = base
        .get(offset..offset.checked_add(size)?)
        .filter(|b| !b.is_empty())?;
    let (units, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16_lossy(&units);
    Some(text.trim_end_matches('\0').to_owned())
}

/// Header checksum of the specification: exclusive or of 16-bit words.
#[must_use]
pub fn xor16(bytes: &[u8]) -> u16 {
    let (words, _) = bytes.as_chunks::<2>();
    words
        .iter()
        .fold(0, |sum, word| sum ^ u16::from_le_bytes(*word))
}
