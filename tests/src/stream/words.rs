//! Small values both halves speak of: kinds, log sequence numbers, dates.

use std::fmt;

/// Kind of a backup set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The whole database.
    Full,
    /// What changed since the last full backup.
    Differential,
    /// The transaction log.
    Log,
}

impl Kind {
    /// The letter in the configuration record and in msdb.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Full => 'D',
            Self::Differential => 'I',
            Self::Log => 'L',
        }
    }

    /// The kind a letter stands for.
    #[must_use]
    pub fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            b'D' => Some(Self::Full),
            b'I' => Some(Self::Differential),
            b'L' => Some(Self::Log),
            _ => None,
        }
    }
}

/// A log sequence number: virtual log file, block in it, record in the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn {
    /// Sequence number of the virtual log file.
    pub file: u32,
    /// Offset of the block in units of 512 bytes.
    pub block: u32,
    /// Number of the record.
    pub slot: u16,
}

impl Lsn {
    /// The ten bytes of the stream.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&self.file.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.block.to_le_bytes());
        bytes[8..].copy_from_slice(&self.slot.to_le_bytes());
        bytes
    }

    /// From the ten bytes of the stream.
    #[must_use]
    pub fn from_bytes(b: &[u8; 10]) -> Self {
        Self {
            file: u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            block: u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
            slot: u16::from_le_bytes([b[8], b[9]]),
        }
    }

    /// As `numeric(25, 0)`, the form of msdb and of RESTORE HEADERONLY.
    #[must_use]
    pub fn to_numeric(self) -> u128 {
        u128::from(self.file) * 1_000_000_000_000_000
            + u128::from(self.block) * 100_000
            + u128::from(self.slot)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_numeric())
    }
}

/// A moment in the writer's local time, to the second; all zero = unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Year, up to 16383.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl DateTime {
    /// The five bytes of the stream, most significant bit first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 5] {
        let field = |value: u8, mask: u8, shift: u32| u64::from(value & mask) << shift;
        let bits = (u64::from(self.year & 0x3fff) << 26)
            | field(self.month, 0xf, 22)
            | field(self.day, 0x1f, 17)
            | field(self.hour, 0x1f, 12)
            | field(self.minute, 0x3f, 6)
            | field(self.second, 0x3f, 0);
        let b = bits.to_be_bytes();
        [b[3], b[4], b[5], b[6], b[7]]
    }

    /// From the five bytes of the stream.
    #[must_use]
    pub fn from_bytes(b: &[u8; 5]) -> Self {
        let bits = u64::from_be_bytes([0, 0, 0, b[0], b[1], b[2], b[3], b[4]]);
        let field = |shift: u32, mask: u64| ((bits >> shift) & mask) as u8;
        Self {
            year: (bits >> 26) as u16,
            month: field(22, 0xf),
            day: field(17, 0x1f),
            hour: field(12, 0x1f),
            minute: field(6, 0x3f),
            second: field(0, 0x3f),
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )
    }
}
