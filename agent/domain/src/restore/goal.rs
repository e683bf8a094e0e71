//! The point that is wanted, as it is typed and as SQL Server is told it.

use std::fmt;

use serde::Serialize;

use super::Place;
use crate::{LocalTime, Lsn, Moment};

/// Which point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Everything that the sets hold.
    #[default]
    Latest,
    /// Everything that was committed before this.
    Time(Moment),
    /// Up to this record, with it.
    Lsn(Lsn),
    /// A marked transaction.
    Mark(Mark),
    /// Exactly to the end of this set.
    Set(Place),
}

/// A transaction that was begun WITH MARK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Stop before it, not behind it.
    pub before: bool,
    /// The first one at or after this; without it the first one that the sets hold.
    pub after: Option<Moment>,
}

impl Goal {
    /// Reads `latest`, a time, `lsn:NUMBER` (or `VLF:BLOCK:SLOT` in hexadecimal digits, as
    /// `fn_dblog` prints it), `mark:NAME` or `before-mark:NAME`. `zone` tells how far east of UTC
    /// a time without an offset is meant.
    ///
    /// # Errors
    /// What would be understood.
    pub fn parse(text: &str, zone: &dyn Fn(LocalTime) -> Option<i32>) -> Result<Self, String> {
        let mark = |name: &str, before| {
            let length = name.encode_utf16().count();
            // A mark is named as a transaction is: at most 128 characters, and some.
            let lawful = (1..=128).contains(&length) && !name.chars().any(char::is_control);
            lawful
                .then(|| {
                    Self::Mark(Mark {
                        name: name.to_owned(),
                        before,
                        after: None,
                    })
                })
                .ok_or_else(|| "a mark has a name of 1 to 128 characters".to_owned())
        };
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Some(name) = text.strip_prefix("mark:") {
            return mark(name, false);
        }
        if let Some(name) = text.strip_prefix("before-mark:") {
            return mark(name, true);
        }
        if let Some(number) = text.strip_prefix("lsn:") {
            return lsn(number).map(Self::Lsn);
        }
        if let Ok(number) = lsn(text) {
            return Ok(Self::Lsn(number));
        }
        Moment::in_zone(text, zone).map(Self::Time).ok_or_else(|| {
            "write a time as 2026-11-21T03:15:00Z or ...+01:00, lsn:NUMBER, mark:NAME, \
             before-mark:NAME, or latest"
                .to_owned()
        })
    }
}

/// A number of 25 digits at most, or three hexadecimal parts.
fn lsn(text: &str) -> Result<Lsn, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let hex = |text: &str, digits: usize| {
        let lawful = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        lawful.then(|| u32::from_str_radix(text, 16).ok()).flatten()
    };
    if let [vlf, block, slot] = parts.as_slice()
        && let (Some(vlf), Some(block), Some(slot)) = (hex(vlf, 8), hex(block, 8), hex(slot, 4))
    {
        return Ok(Lsn::from_parts(
            vlf,
            block,
            u16::try_from(slot).unwrap_or(u16::MAX),
        ));
    }
    text.parse()
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("the latest point"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Lsn(lsn) => write!(f, "LSN {lsn}"),
            Self::Mark(mark) => {
                let side = if mark.before { "before mark" } else { "mark" };
                write!(f, "{side} {}", mark.name)?;
                mark.after
                    .map_or(Ok(()), |after| write!(f, " at or after {after}"))
            }
            Self::Set(place) => write!(f, "the end of {place}"),
        }
    }
}

/// What RESTORE LOG is told of the point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// STOPAT: the clock of the server that took the logs.
    At(LocalTime),
    /// STOPATMARK = 'lsn:...'.
    Lsn(Lsn),
    /// STOPATMARK or STOPBEFOREMARK with a name.
    Mark {
        /// The mark.
        name: String,
        /// STOPBEFOREMARK.
        before: bool,
        /// AFTER, by the clock of the server that took the logs.
        after: Option<LocalTime>,
    },
}
