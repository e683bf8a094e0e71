//! Log sequence numbers, as SQL Server prints them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A log sequence number in its `numeric(25,0)` form: `vlf * 10^15 + block * 10^5 + slot`.
///
/// Text form on media: decimal digits in a string, since JSON readers lose digits above 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u128);

/// Largest value of numeric(25,0).
const LIMIT: u128 = 10_u128.pow(25);

impl Lsn {
    /// From the three parts that stand in media and pages.
    #[must_use]
    pub const fn from_parts(vlf: u32, block: u32, slot: u16) -> Self {
        Self(vlf as u128 * 10_u128.pow(15) + block as u128 * 10_u128.pow(5) + slot as u128)
    }

    /// From a number that SQL Server gave; `None` when it is no LSN.
    #[must_use]
    pub fn from_number(number: i128) -> Option<Self> {
        u128::try_from(number).ok().filter(|n| *n < LIMIT).map(Self)
    }

    /// Zero stands for "none" in headers.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Lsn {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u128>()
            .ok()
            .filter(|n| digits && *n < LIMIT)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no log sequence number"))
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
