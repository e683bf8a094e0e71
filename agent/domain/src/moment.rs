//! Points in time as plain values. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whole seconds since 1970-01-01 UTC. Text form: `2026-11-21T01:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

/// Year, month and day of a day number counted from 1970-01-01 (proleptic Gregorian calendar).
fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = u32::try_from(doy - (153 * mp + 2) / 5 + 1).unwrap_or(1);
    let month = u32::try_from(if mp < 10 { mp + 3 } else { mp - 9 }).unwrap_or(1);
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

impl Moment {
    /// Its day, counted from 1970-01-01 UTC.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400)
    }

    /// Year, month and day of the month of a day counted from 1970-01-01.
    #[must_use]
    pub fn date_of(day: i64) -> (i64, u32, u32) {
        civil(day)
    }

    /// The day, counted from 1970-01-01, on which a year begins.
    #[must_use]
    pub const fn new_year(year: i64) -> i64 {
        days_from_civil(year, 1, 1)
    }

    /// The form in file names: `20261121T010000Z`.
    #[must_use]
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }

    /// Reads the form in file names.
    #[must_use]
    pub fn from_compact(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize| text.get(from..to);
        let (date, time) = text.split_once('T').filter(|_| text.len() == 16)?;
        let day = format!("{}-{}-{}", date.get(..4)?, date.get(4..6)?, date.get(6..8)?);
        let clock = format!("{}:{}:{}", time.get(..2)?, part(11, 13)?, part(13, 15)?);
        format!("{day}T{clock}Z").parse().ok()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        let s = self.0.rem_euclid(86_400);
        let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

impl FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || -> Option<Self> {
            let bytes = text.as_bytes();
            let shape = bytes.len() == 20
                && bytes.iter().enumerate().all(|(i, b)| match i {
                    4 | 7 => *b == b'-',
                    10 => *b == b'T',
                    13 | 16 => *b == b':',
                    19 => *b == b'Z',
                    _ => b.is_ascii_digit(),
                });
            let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
            if !shape {
                return None;
            }
            let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
            let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
            Some(Self(days * 86_400 + seconds)).filter(|m| m.to_string() == text)
        };
        parse().ok_or_else(|| format!("{text:?} is no time of the form 2026-11-21T01:00:00Z"))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A moment in the writer's own zone, as SQL Server stamps it on media: no zone is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    /// Year, 0 to 16383.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month.
    pub day: u8,
    /// Hour, minute, second.
    pub time: (u8, u8, u8),
}

/// Largest distance of a zone from UTC, in seconds (14 hours).
const MAX_OFFSET: i64 = 14 * 3600;
/// Zones are whole quarters of an hour away from UTC.
const QUARTER: i64 = 900;
/// How far apart two clocks may be that looked at one moment, in seconds.
const SAME_MOMENT: i64 = 300;

impl LocalTime {
    /// The moment, where the writer's zone is so many seconds east of UTC; `None` for a date that
    /// is none.
    #[must_use]
    pub fn at(self, offset: i32) -> Option<Moment> {
        let (h, m, s) = self.time;
        let (year, month, day) = (self.year.into(), self.month.into(), self.day.into());
        let days = days_from_civil(year, month, day);
        let lawful = civil(days) == (year, self.month.into(), self.day.into());
        let seconds = i64::from(h) * 3600 + i64::from(m) * 60 + i64::from(s);
        (lawful && h < 24 && m < 60 && s < 60)
            .then(|| Moment(days * 86_400 + seconds - i64::from(offset)))
    }

    /// How many seconds east of UTC the writer's zone is, told by one moment that two clocks saw:
    /// the writer's (`self`) and ours. `None` when they differ by more than a zone can explain.
    #[must_use]
    pub fn offset_from(self, ours: Moment) -> Option<i32> {
        let apart = self.at(0)?.0 - ours.0;
        let quarters = (apart + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        let lawful = quarters.abs() <= MAX_OFFSET && (apart - quarters).abs() <= SAME_MOMENT;
        i32::try_from(quarters).ok().filter(|_| lawful)
    }

    /// Reads `2026-11-21T03:15:00` or `2026-11-21 03:15[:00]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shape = |pattern: &str| {
            text.len() == pattern.len()
                && text.bytes().zip(pattern.bytes()).all(|(b, p)| match p {
                    b'9' => b.is_ascii_digit(),
                    b'T' => b == b'T' || b == b' ',
                    _ => b == p,
                })
        };
        if !shape("9999-99-99T99:99:99") && !shape("9999-99-99T99:99") {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
        let second = if text.len() > 16 { number(17, 19)? } else { 0 };
        let read = Self {
            year: text.get(..4)?.parse().ok()?,
            month: number(5, 7)?,
            day: number(8, 10)?,
            time: (number(11, 13)?, number(14, 16)?, second),
        };
        read.at(0).map(|_| read)
    }
}

impl Moment {
    /// What a clock shows whose zone is so many seconds east of UTC.
    #[must_use]
    pub fn local(self, offset: i32) -> LocalTime {
        let shown = self.0.saturating_add(offset.into());
        let (year, month, day) = civil(shown.div_euclid(86_400));
        let second = shown.rem_euclid(86_400);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        LocalTime {
            year: u16::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
            time: (
                part(second / 3600),
                part(second / 60 % 60),
                part(second % 60),
            ),
        }
    }

    /// Reads a time with an offset (`...Z`, `...+01:00`); `zone` says how far east of UTC one
    /// without it is meant. `None` when the text is no time, or `zone` does not know.
    #[must_use]
    pub fn in_zone(text: &str, zone: &dyn Fn(LocalTime) -> Option<i32>) -> Option<Self> {
        if let Some(plain) = text.strip_suffix('Z') {
            return LocalTime::parse(plain)?.at(0);
        }
        let (plain, offset) = match text
            .len()
            .checked_sub(6)
            .map(|at| text.split_at_checked(at))
        {
            Some(Some((plain, offset))) if offset.starts_with(['+', '-']) && plain.len() > 10 => {
                (plain, Some(offset_of(offset)?))
            }
            _ => (text, None),
        };
        let local = LocalTime::parse(plain)?;
        local.at(offset.map_or_else(|| zone(local), Some)?)
    }
}

/// Reads `+01:00`.
#[must_use]
pub fn offset_of(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    (minutes < 60 && i64::from(seconds) <= MAX_OFFSET).then_some(sign * seconds)
}

/// An offset as people write it: `+01:00`.
#[must_use]
pub fn offset_text(offset: i32) -> String {
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (h, m, s) = self.time;
        write!(
            f,
            "{:04}-{:02}-{:02}T{h:02}:{m:02}:{s:02}",
            self.year, self.month, self.day
        )
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse().ok());
        let byte = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse().ok());
        let time = || {
            let time = (byte(11, 13)?, byte(14, 16)?, byte(17, 19)?);
            Some(Self {
                year: number(0, 4)?,
                month: byte(5, 7)?,
                day: byte(8, 10)?,
                time,
            })
        };
        time()
            .filter(|t| t.to_string() == text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no local time")))
    }
}
