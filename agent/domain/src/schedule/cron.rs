//! A cron line: five fields, parsed with the place of every fault.
//!
//! Minute, hour, day of the month, month, weekday. Each is `*`, a number, a range `a-b`, either
//! with a step `/n`, or a list of those with commas. Months and weekdays may be named by their
//! first three letters; Sunday is 0 or 7, and a range of weekdays may run across it (`sat-mon`).
//! When both days are limited, either is enough, as in every cron since 1975.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Moment;

/// Longest line, in characters.
const MAX_TEXT: usize = 256;
/// Days behind which a day that comes at all has come again: the 29th of February stays away for
/// eight years around 1900 and 2100.
pub(super) const HORIZON_DAYS: i64 = 3_300;

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// When something is due, in local time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the day of the month, the weekday is limited.
    limited: (bool, bool),
}

/// Why a text is no cron line, where, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// Characters before the fault.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// One of the five.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names of its numbers, beginning with `first`.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field::plain("minute", 0, 59),
    Field::plain("hour", 0, 23),
    Field::plain("day", 1, 31),
    Field {
        name: "month",
        first: 1,
        last: 12,
        names: &MONTHS,
    },
    // 7 is Sunday too; it is folded into 0 behind the reading.
    Field {
        name: "weekday",
        first: 0,
        last: 7,
        names: &WEEKDAYS,
    },
];

impl Field {
    const fn plain(name: &'static str, first: u32, last: u32) -> Self {
        Self {
            name,
            first,
            last,
            names: &[],
        }
    }

    fn is_weekday(&self) -> bool {
        self.last == 7
    }
}

impl Cron {
    /// Reads a cron line.
    ///
    /// # Errors
    /// The first fault, with its place and what to write.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let words = words(text)?;
        let mut sets = [0_u64; 5];
        for ((set, field), (at, word)) in sets.iter_mut().zip(&FIELDS).zip(&words) {
            *set = read_field(field, *at, word)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let starred = |at: usize| words.get(at).is_some_and(|(_, word)| word.starts_with('*'));
        let cron = Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            minutes,
            hours,
            days,
            months,
            weekdays,
            limited: (!starred(2), !starred(4)),
        };
        // Four hundred years repeat; a day that comes at all comes within the horizon of any.
        if (0..HORIZON_DAYS).any(|day| cron.falls_on(day)) {
            return Ok(cron);
        }
        Err(CronError {
            at: words.get(2).map_or(0, |(at, _)| *at),
            message: "no month has such a day".to_owned(),
            hint: "choose a day that comes, such as 28".to_owned(),
        })
    }

    /// Whether a day, counted from 1970-01-01, has runs.
    #[must_use]
    pub fn falls_on(&self, day: i64) -> bool {
        let (_, month, date) = Moment::date_of(day);
        if self.months >> month & 1 == 0 {
            return false;
        }
        // 1970-01-01 was a Thursday.
        let weekday = self.weekdays >> (day + 4).rem_euclid(7) & 1 == 1;
        let date = self.days >> date & 1 == 1;
        match self.limited {
            (true, true) => date || weekday,
            _ => date && weekday,
        }
    }

    /// Minutes of a day on which it runs, counted from its midnight, in order.
    pub fn minutes(&self) -> impl Iterator<Item = u32> {
        let bits = |set: u64, last: u32| (0..=last).filter(move |at| set >> at & 1 == 1);
        bits(self.hours, 23)
            .flat_map(move |hour| bits(self.minutes, 59).map(move |minute| hour * 60 + minute))
    }

    /// Whether it runs in every hour, so that it means a distance in time and no time of day.
    #[must_use]
    pub const fn is_hourly(&self) -> bool {
        self.hours == (1 << 24) - 1
    }
}

/// The weekdays of a field, a bit each from Sunday; `at` is its place.
pub(super) fn weekdays(at: usize, word: &str) -> Result<u64, CronError> {
    let [.., field] = &FIELDS;
    read_field(field, at, word)
}

/// The five words with their places.
fn words(text: &str) -> Result<Vec<(usize, String)>, CronError> {
    const HINT: &str = "write minute, hour, day, month and weekday, such as \"0 1 * * sun\"";
    let fail = |at: usize, message: String, hint: &str| CronError {
        at,
        message,
        hint: hint.to_owned(),
    };
    if text.chars().count() > MAX_TEXT {
        let message = format!("longer than {MAX_TEXT} characters");
        return Err(fail(MAX_TEXT, message, HINT));
    }
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (at, c) in text.chars().enumerate() {
        match (c.is_whitespace(), inside) {
            (true, _) => inside = false,
            (false, false) => {
                words.push((at, c.to_string()));
                inside = true;
            }
            (false, true) => {
                if let Some((_, word)) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    let nickname = |word: &str| {
        Some(match word {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * sun",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            _ => return None,
        })
    };
    match words.as_slice() {
        [_, _, _, _, _] => Ok(words),
        [(at, word)] if nickname(word).is_some() => {
            let line = nickname(word).unwrap_or_default();
            let message = "nicknames are not known".to_owned();
            Err(fail(*at, message, &format!("write \"{line}\"")))
        }
        [_, _, _, _, _, (at, _), ..] => {
            let message = format!("{} fields, and not five", words.len());
            Err(fail(*at, message, HINT))
        }
        few => {
            let message = format!("{} of five fields", few.len());
            Err(fail(text.chars().count(), message, HINT))
        }
    }
}

/// The numbers of one field, as bits.
fn read_field(field: &Field, at: usize, word: &str) -> Result<u64, CronError> {
    let mut set = 0;
    let mut here = at;
    for part in word.split(',') {
        set |= read_part(field, here, part)?;
        here += part.chars().count() + 1;
    }
    Ok(set)
}

fn read_part(field: &Field, at: usize, part: &str) -> Result<u64, CronError> {
    let fail = |at: usize, message: String, hint: String| Err(CronError { at, message, hint });
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (from, to) = match range.split_once('-') {
        None if range == "*" => (field.first, field.last - u32::from(field.is_weekday())),
        None => {
            let one = read_number(field, at, range)?;
            if let Some(step) = step {
                let hint = format!("write {range}-{}/{step}", field.last);
                return fail(at, format!("a step needs a range, not {range}"), hint);
            }
            (one, one)
        }
        Some((from, to)) => {
            let behind = at + from.chars().count() + 1;
            (
                read_number(field, at, from)?,
                read_number(field, behind, to)?,
            )
        }
    };
    let mut width = 1;
    if let Some(step) = step {
        let place = at + range.chars().count() + 1;
        width = match step.parse() {
            Ok(width) if (1..=field.last).contains(&width) => width,
            _ => {
                let message = format!("\"{step}\" is no step of the {}", field.name);
                return fail(place, message, format!("write 1 to {}", field.last));
            }
        };
    }
    // `fri-sun` reads as 5-0, `sat-mon` as 6-1: weekdays run in a circle.
    let to = if to < from && field.is_weekday() {
        to + 7
    } else {
        to
    };
    if to < from {
        let (first, last) = (field.first, field.last);
        let message = format!("the range {range} runs backwards");
        return fail(at, message, format!("write {from}-{last},{first}-{to}"));
    }
    let width = usize::try_from(width).unwrap_or(1);
    let numbers = (from..=to).step_by(width);
    let fold = |number: u32| {
        if field.is_weekday() {
            number % 7
        } else {
            number
        }
    };
    Ok(numbers.fold(0, |set, number| set | 1 << fold(number)))
}

fn read_number(field: &Field, at: usize, text: &str) -> Result<u32, CronError> {
    let names = field.names.iter();
    if let Some(found) = (field.first..).zip(names).find_map(|(number, name)| {
        let same = name.eq_ignore_ascii_case(text);
        same.then_some(number)
    }) {
        return Ok(found);
    }
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse::<u32>().ok()).flatten();
    if let Some(number) = number.filter(|number| (field.first..=field.last).contains(number)) {
        return Ok(number);
    }
    let named = match field.names {
        [first, .., last] => format!(", or {first} to {last}"),
        _ => String::new(),
    };
    let message = match text {
        "" => format!("nothing where a {} should stand", field.name),
        "?" | "L" | "W" => format!("\"{text}\" is not known here"),
        _ => format!("\"{text}\" is no {}", field.name),
    };
    let hint = format!("write {} to {}{named}, or *", field.first, field.last);
    Err(CronError { at, message, hint })
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
