//! Windows in which no backup begins.
//!
//! `[KINDS] [DAYS] HH:MM-HH:MM` in local time: `mon-fri 08:00-12:00`, `22:00-04:00` (into the next
//! day; its day is the one on which it begins), `full,differential 06:00-20:00`. What runs already
//! goes on; what is due waits until the window ends and then runs once.

use std::fmt;

use serde::{Serialize, Serializer};

use super::cron::{self, CronError};
use super::zone::{Shown, Zone};
use crate::{BackupKind, Moment};

/// Minutes of a day.
const DAY: u32 = 1440;
/// Windows that follow one another are followed so far: two a day for eight days.
const MAX_FOLLOWED: usize = 16;
/// What it may look like, for remedies.
pub const BLACKOUT_HELP: &str =
    "write days and times, such as \"mon-fri 08:00-12:00\" or \"full 06:00-22:00\"";

/// A window in which no backup begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Blackout {
    text: String,
    /// Kinds that wait.
    kinds: Vec<BackupKind>,
    /// Days on which it begins, a bit each from Sunday.
    weekdays: u64,
    /// First minute of the day.
    from: u32,
    /// Minutes that it lasts, 1 to 1440.
    length: u32,
}

impl Blackout {
    /// Reads a window.
    ///
    /// # Errors
    /// The first fault, with its place and what to write.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let mut words = Vec::new();
        let mut at = 0;
        for word in text.split(' ') {
            if !word.is_empty() {
                words.push((at, word));
            }
            at += word.chars().count() + 1;
        }
        let Some(((at, span), before)) = words.split_last() else {
            return fail(0, "an empty window");
        };
        let (mut kinds, mut weekdays) = (None, None);
        for (at, word) in before {
            if let (None, None, Some(found)) = (&kinds, weekdays, read_kinds(word)) {
                kinds = Some(found);
            } else if weekdays.is_none() {
                weekdays = Some(cron::weekdays(*at, word)?);
            } else {
                return fail(*at, format!("\"{word}\" is too much"));
            }
        }
        let (from, to) = match span.split_once('-') {
            Some((from, to)) => {
                let behind = at + from.chars().count() + 1;
                (read_time(*at, from)?, read_time(behind, to)?)
            }
            None => return fail(*at, format!("\"{span}\" is no span of time")),
        };
        if from == DAY || from == to {
            return fail(*at, format!("the window {span} has no length"));
        }
        let all = || vec![BackupKind::Full, BackupKind::Differential, BackupKind::Log];
        Ok(Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            kinds: kinds.unwrap_or_else(all),
            weekdays: weekdays.unwrap_or(0x7f),
            from,
            length: if to > from {
                to - from
            } else {
                DAY - from + to
            },
        })
    }

    /// Minutes of a week, counted from Sunday 00:00, in which a kind may not begin.
    fn covers(&self, minute: u32) -> bool {
        (0..7)
            .filter(|day| self.weekdays >> day & 1 == 1)
            .any(|day| {
                let begin = day * DAY + self.from;
                (minute + 7 * DAY - begin) % (7 * DAY) < self.length
            })
    }

    /// When the window that lies over a moment ends.
    fn end(&self, zone: &Zone, at: Moment) -> Option<Moment> {
        let (today, second) = zone.shown(at);
        let minute = u32::try_from(second / 60).ok()?;
        let open = |(day, minute): (i64, u32)| {
            let weekday = (day + 4).rem_euclid(7);
            let inside = minute.checked_sub(self.from)? < self.length;
            (inside && self.weekdays >> weekday & 1 == 1).then_some(day)
        };
        let day = open((today, minute)).or_else(|| open((today - 1, minute + DAY)))?;
        let end = self.from + self.length;
        let (day, minute) = (day + i64::from(end / DAY), end % DAY);
        match zone.find(day, minute)? {
            Shown::Once(end) | Shown::Never(end) => Some(end),
            Shown::Twice(first, second) => Some(if first > at { first } else { second }),
        }
    }
}

/// When a kind may begin again, if windows forbid it at a moment. Windows that follow one another
/// count as one, up to a bound.
#[must_use]
pub fn until(windows: &[Blackout], zone: &Zone, kind: BackupKind, at: Moment) -> Option<Moment> {
    let windows: Vec<_> = windows.iter().filter(|w| w.kinds.contains(&kind)).collect();
    let mut free = at;
    for _ in 0..MAX_FOLLOWED {
        let ends = windows.iter().filter_map(|window| window.end(zone, free));
        match ends.filter(|end| *end > free).max() {
            Some(end) => free = end,
            None => break,
        }
    }
    (free > at).then_some(free)
}

/// The first kind for which windows leave no minute of the week.
#[must_use]
pub fn never(windows: &[Blackout]) -> Option<BackupKind> {
    [BackupKind::Full, BackupKind::Differential, BackupKind::Log]
        .into_iter()
        .find(|kind| {
            let covers =
                |window: &Blackout, minute| window.kinds.contains(kind) && window.covers(minute);
            (0..7 * DAY).all(|minute| windows.iter().any(|window| covers(window, minute)))
        })
}

fn read_kinds(word: &str) -> Option<Vec<BackupKind>> {
    let kind = |name: &str| match name {
        "full" => Some(BackupKind::Full),
        "differential" | "diff" => Some(BackupKind::Differential),
        "log" => Some(BackupKind::Log),
        _ => None,
    };
    word.split(',').map(kind).collect()
}

/// Minutes from midnight of `08:00`; `24:00` is the end of the day.
fn read_time(at: usize, text: &str) -> Result<u32, CronError> {
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str| digits(text).then(|| text.parse::<u32>().ok()).flatten();
        let (hour, minute) = (number(hour)?, number(minute)?);
        (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
    };
    match read() {
        Some(minutes) => Ok(minutes),
        None => fail(at, format!("\"{text}\" is no time of day")),
    }
}

fn fail<T>(at: usize, message: impl Into<String>) -> Result<T, CronError> {
    Err(CronError {
        at,
        message: message.into(),
        hint: BLACKOUT_HELP.to_owned(),
    })
}

impl fmt::Display for Blackout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Blackout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
