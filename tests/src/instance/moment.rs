//! A point of local server time, and the calendar arithmetic that the wire forms need.

const NANOS_PER_DAY: u64 = 86_400_000_000_000;
/// Days from 0001-01-01 to 1900-01-01.
const DAYS_TO_1900: i64 = 693_595;
/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_162;
/// Days from 0001-01-01 to 9999-12-31.
const LAST_DAY: i64 = 3_652_058;

/// Days since 0001-01-01 and nanoseconds of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    days: u32,
    nanos: u64,
}

impl Moment {
    /// 1970-01-01.
    pub const EPOCH: Self = Self {
        days: DAYS_TO_1970 as u32,
        nanos: 0,
    };

    /// From days since year one; `None` outside years 1 to 9999 or beyond the end of a day.
    #[must_use]
    pub fn from_year_one(days: u32, nanos: u64) -> Option<Self> {
        (i64::from(days) <= LAST_DAY && nanos < NANOS_PER_DAY).then_some(Self { days, nanos })
    }

    /// From the two parts of a datetime value.
    #[must_use]
    pub fn from_1900(days: i32, ticks: u32) -> Option<Self> {
        let days = u32::try_from(i64::from(days) + DAYS_TO_1900).ok()?;
        // The server shows ticks as milliseconds ending in 0, 3 or 7.
        Self::from_year_one(days, (u64::from(ticks) * 10 + 1) / 3 * 1_000_000)
    }

    /// From seconds since 1970.
    #[must_use]
    pub fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        let days = u32::try_from(seconds.div_euclid(86_400) + DAYS_TO_1970).ok()?;
        let of_day = u64::try_from(seconds.rem_euclid(86_400)).ok()?;
        Self::from_year_one(days, of_day * 1_000_000_000 + u64::from(nanos))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        (i64::from(self.days) - DAYS_TO_1970) * 86_400 + (self.nanos / 1_000_000_000) as i64
    }

    /// From calendar parts.
    #[must_use]
    pub fn from_parts(date: (u32, u32, u32), time: (u32, u32, u32), nanos: u32) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second) = time;
        let inside = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && nanos < 1_000_000_000;
        if !inside {
            return None;
        }
        let before = year - 1;
        let mut days = before * 365 + before / 4 - before / 100 + before / 400;
        days += (1..month)
            .map(|earlier| days_in(year, earlier))
            .sum::<u32>()
            + day
            - 1;
        let seconds = u64::from(hour * 3600 + minute * 60 + second);
        Self::from_year_one(days, seconds * 1_000_000_000 + u64::from(nanos))
    }

    /// Year, month, day.
    #[must_use]
    pub fn date(self) -> (u32, u32, u32) {
        // Civil-from-days, after the well-known era arithmetic, with March as first month.
        let shifted = u64::from(self.days) + 306;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        (year as u32, month as u32, day as u32)
    }

    /// Hour, minute, second.
    #[must_use]
    pub const fn time(self) -> (u32, u32, u32) {
        let seconds = (self.nanos / 1_000_000_000) as u32;
        (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// Nanoseconds since midnight.
    #[must_use]
    pub const fn nanos_of_day(self) -> u64 {
        self.nanos
    }

    /// Days since year one.
    #[must_use]
    pub const fn days_since_year_one(self) -> u32 {
        self.days
    }

    /// Days since 1900-01-01.
    #[must_use]
    pub const fn days_since_1900(self) -> i32 {
        (self.days as i64 - DAYS_TO_1900) as i32
    }

    /// 1/300 seconds since midnight, rounded to the nearest as SQL Server does.
    #[must_use]
    pub const fn ticks_300(self) -> u32 {
        let ticks = (self.nanos * 3 + 5_000_000) / 10_000_000;
        if ticks >= 25_920_000 {
            25_919_999
        } else {
            ticks as u32
        }
    }

    /// `2026-11-21 01:02:03.004`, which sorts as time does.
    #[must_use]
    pub fn to_iso(self) -> String {
        let ((y, mo, d), (h, mi, s)) = (self.date(), self.time());
        let millis = self.nanos / 1_000_000 % 1_000;
        format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{millis:03}")
    }

    /// Reads `2026-11-21`, `20261121`, with an optional time after a space or `T`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('Z');
        let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
        let digits: String = date.chars().filter(char::is_ascii_digit).collect();
        if digits.len() != 8 || !matches!(date.len(), 8 | 10) {
            return None;
        }
        let date = (
            digits[..4].parse().ok()?,
            digits[4..6].parse().ok()?,
            digits[6..].parse().ok()?,
        );
        if time.is_empty() {
            return Self::from_parts(date, (0, 0, 0), 0);
        }
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        let mut parts = clock.split(':').map(str::parse::<u32>);
        let hour = parts.next()?.ok()?;
        let minute = parts.next()?.ok()?;
        let second = parts.next().transpose().ok()?.unwrap_or(0);
        let nanos = match fraction.len() {
            0 => 0,
            n @ 1..=9 => fraction.parse::<u32>().ok()? * 10_u32.pow(9 - n as u32),
            _ => return None,
        };
        Self::from_parts(date, (hour, minute, second), nanos)
    }

    /// Later by so many seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let nanos = (self.nanos % 1_000_000_000) as u32;
        Self::from_unix(self.to_unix().saturating_add(seconds), nanos).unwrap_or(self)
    }
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests;
