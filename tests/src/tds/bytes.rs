//! A cursor over bytes from outside: every length is checked before it is used.

use std::fmt;

/// The message ended early or holds a value that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed TDS message: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl From<Malformed> for std::io::Error {
    fn from(value: Malformed) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, value)
    }
}

/// Reads little-endian values from a slice, front to back.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        if count > self.rest.len() {
            return Err(Malformed("length beyond the end of the message"));
        }
        let (head, tail) = self.rest.split_at(count);
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Two bytes, big-endian.
    pub fn u16_be(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Four bytes, signed.
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// UTF-16LE text of `units` code units.
    pub fn utf16(&mut self, units: usize) -> Result<String, Malformed> {
        let bytes = units.checked_mul(2).ok_or(Malformed("text too long"))?;
        Ok(utf16(self.take(bytes)?))
    }

    /// B_VARCHAR: u8 count of UTF-16 units, then the text.
    pub fn b_varchar(&mut self) -> Result<String, Malformed> {
        let units = usize::from(self.u8()?);
        self.utf16(units)
    }
}

/// Decodes UTF-16LE; a lone surrogate becomes the replacement character, an odd last byte is left.
#[must_use]
pub fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// Appends UTF-16LE text and says how many units it took.
pub fn put_utf16(out: &mut Vec<u8>, text: &str) -> usize {
    let mut units = 0;
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
        units += 1;
    }
    units
}

/// Appends B_VARCHAR, cut at 255 units.
pub fn put_b_varchar(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    out.push(u8::try_from(units.len()).unwrap_or(u8::MAX));
    units
        .iter()
        .for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
}

/// Appends US_VARCHAR, cut at 4000 units (the longest message SQL Server sends is 2047).
pub fn put_us_varchar(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(4000).collect();
    out.extend_from_slice(&u16::try_from(units.len()).unwrap_or(u16::MAX).to_le_bytes());
    units
        .iter()
        .for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
}
