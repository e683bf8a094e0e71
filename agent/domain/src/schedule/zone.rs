//! A time zone as a value, and what its clocks show.
//!
//! Nothing is read here: the rules of the zone come in as [`jiff::tz::TimeZone`], from the zone
//! database of the system, which the agent's configuration opens.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Serialize, Serializer};

use crate::{LocalTime, Moment};

/// Seconds of a day of 24 hours.
const DAY: i64 = 86_400;

/// A time zone with its name in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// The moments at which clocks show a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Once.
    Once(Moment),
    /// Never: clocks are put forward across it, to what they show at this moment.
    Never(Moment),
    /// Twice: clocks are put back.
    Twice(Moment, Moment),
}

impl Zone {
    /// A zone by its rules.
    #[must_use]
    pub fn new(name: impl Into<String>, rules: TimeZone) -> Self {
        Self {
            name: name.into(),
            rules,
        }
    }

    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        Self::new("UTC", TimeZone::UTC)
    }

    /// Its name in the configuration: `local`, `UTC`, `Europe/Vienna`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at a moment; 0 where the calendar of the rules ends.
    #[must_use]
    pub fn offset(&self, at: Moment) -> i32 {
        Timestamp::from_second(at.0).map_or(0, |at| self.rules.to_offset(at).seconds())
    }

    /// Seconds east of UTC while clocks show a time: the first time, where they show it twice; by
    /// the clocks behind the change, where they skip it. `None` where the calendar ends.
    #[must_use]
    pub fn offset_shown(&self, time: LocalTime) -> Option<i32> {
        let (hour, minute, second) = time.time;
        let day = time.at(0)?.day();
        let civil = civil(day, u32::from(hour) * 60 + u32::from(minute))?;
        let shown = civil.with().second(i8::try_from(second).ok()?).build();
        let at = self.rules.to_ambiguous_timestamp(shown.ok()?).compatible();
        Some(self.rules.to_offset(at.ok()?).seconds())
    }

    /// The day, counted from 1970-01-01, and the second of it that clocks show at a moment.
    pub(super) fn shown(&self, at: Moment) -> (i64, i64) {
        let local = at.0.saturating_add(self.offset(at).into());
        (local.div_euclid(DAY), local.rem_euclid(DAY))
    }

    /// When clocks show a minute of a day; `None` where the calendar ends.
    pub(super) fn find(&self, day: i64, minute: u32) -> Option<Shown> {
        let civil = civil(day, minute)?;
        let at = |offset: Offset| {
            let at = offset.to_timestamp(civil).ok()?;
            Some(Moment(at.as_second()))
        };
        Some(match self.rules.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => Shown::Once(at(offset)?),
            AmbiguousOffset::Fold { before, after } => Shown::Twice(at(before)?, at(after)?),
            AmbiguousOffset::Gap { before, .. } => {
                // By the old rules the minute lies at or behind the change.
                let behind = Timestamp::from_second(at(before)?.0.checked_add(1)?).ok()?;
                let change = self.rules.preceding(behind).next()?;
                Shown::Never(Moment(change.timestamp().as_second()))
            }
        })
    }

    /// The offset that holds from the first to the last minute of a day, if it is one.
    pub(super) fn steady(&self, day: i64) -> Option<i32> {
        let Shown::Once(begin) = self.find(day, 0)? else {
            return None;
        };
        let from = Timestamp::from_second(begin.0).ok()?;
        let offset = self.rules.to_offset(from).seconds();
        let change = self.rules.following(from).next();
        // Clocks that are put back behind midnight show the end of this day twice.
        let end = begin.0.checked_add(2 * DAY)?;
        let steady = change.is_none_or(|change| change.timestamp().as_second() >= end);
        steady.then_some(offset)
    }

    /// What clocks show at a moment: `2026-11-22 01:00`.
    #[must_use]
    pub fn text(&self, at: Moment) -> String {
        let text = at.local(self.offset(at)).to_string().replace('T', " ");
        match text.strip_suffix(":00") {
            Some(minutes) => minutes.to_owned(),
            None => text,
        }
    }
}

fn civil(day: i64, minute: u32) -> Option<DateTime> {
    let (year, month, date) = Moment::date_of(day);
    let date = Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(date).ok()?,
    );
    let (hour, minute) = (minute / 60, minute % 60);
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
    Some(date.ok()?.to_datetime(time.ok()?))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}
