//! `[schedule]`: cron lines, the time zone they mean, windows in which nothing begins.

use std::ops::Range;
use std::time::Duration;

use jiff::tz::{self, TimeZone};
use toml::Spanned;
use twinset_domain::schedule::{Blackout, Cron, CronError, Missed, Rules, Zone, never};

use super::Times;
use crate::config::checked::{Check, Note};
use crate::config::hint::nearest;
use crate::config::raw::{ScheduleTable, Value};

/// Most tries after a failed backup.
const MAX_RETRIES: u32 = 100;
/// Most windows of a group.
const MAX_WINDOWS: usize = 100;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Judges the table.
pub(super) fn schedule(
    check: &mut Check<'_>,
    raw: Option<&Spanned<ScheduleTable>>,
) -> Option<Rules> {
    let raw = raw?;
    let raw = raw.get_ref();
    let missed = [("run-once", Missed::RunOnce), ("skip", Missed::Skip)];
    let zero = Duration::ZERO;
    let stagger = check.duration(&raw.stagger, "stagger", zero..=DAY, zero);
    let delay = check.duration(&raw.retry_delay, "retry_delay", SECOND..=DAY, MINUTE);
    let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    Some(Rules {
        full: cron(check, &raw.full, "full"),
        differential: cron(check, &raw.differential, "differential"),
        log: cron(check, &raw.log, "log"),
        zone: zone(check, &raw.time_zone),
        stagger: seconds(stagger),
        missed: check.choice(&raw.missed, "missed", &missed, Missed::RunOnce),
        retries: check.number(&raw.retries, "retries", 0..=MAX_RETRIES, 3),
        retry_delay: seconds(delay),
        blackout: blackout(check, &raw.blackout),
    })
}

/// A line of another table, in the zone of the schedule.
pub(super) fn times(
    check: &mut Check<'_>,
    value: &Value<String>,
    key: &str,
    schedule: Option<&Rules>,
) -> Option<Times> {
    let cron = cron(check, value, key)?;
    let zone = match schedule {
        Some(rules) => rules.zone.clone(),
        None => zone(check, &None),
    };
    Some(Times { cron, zone })
}

fn cron(check: &mut Check<'_>, value: &Value<String>, key: &str) -> Option<Cron> {
    let value = value.as_ref()?;
    match Cron::parse(value.get_ref()) {
        Ok(cron) => Some(cron),
        Err(error) => {
            say(check, value, &format!("`{key}` is no cron line"), error);
            None
        }
    }
}

fn blackout(check: &mut Check<'_>, value: &Value<Vec<Spanned<String>>>) -> Vec<Blackout> {
    let Some(value) = value else {
        return Vec::new();
    };
    let list = value.get_ref();
    if list.len() > MAX_WINDOWS {
        let message = format!("`blackout` has {} windows", list.len());
        check.bad(
            &value.span(),
            message,
            format!("keep at most {MAX_WINDOWS}"),
        );
        return Vec::new();
    }
    let mut windows = Vec::new();
    for one in list {
        match Blackout::parse(one.get_ref()) {
            Ok(window) => windows.push(window),
            Err(error) => say(check, one, "`blackout` holds no window", error),
        }
    }
    if let Some(kind) = never(&windows) {
        let message = format!("`blackout` leaves no minute of the week for {kind} backups");
        let remedy = "shorten a window, or leave the kind out of the schedule";
        check.bad(&value.span(), message, remedy);
    }
    windows
}

/// A fault inside a text, at its own column.
fn say(check: &mut Check<'_>, value: &Spanned<String>, what: &str, error: CronError) {
    let span = inside(check, value, error.at);
    check.bad(&span, format!("{what}: {error}"), error.hint);
}

/// The place of a character of a text. A text with escapes is pointed at as a whole.
fn inside(check: &Check<'_>, value: &Spanned<String>, at: usize) -> Range<usize> {
    let (span, text) = (value.span(), value.get_ref());
    let plain = check.file.text().get(span.start + 1..);
    if !plain.is_some_and(|source| source.starts_with(text.as_str())) {
        return span;
    }
    let bytes = text.char_indices().nth(at);
    let start = span.start + 1 + bytes.map_or(text.len(), |(byte, _)| byte);
    start..start.max(span.end)
}

/// The zone with its rules, from the zone database of the system.
fn zone(check: &mut Check<'_>, value: &Value<String>) -> Zone {
    let name = value.as_ref().map_or("local", |value| value.get_ref());
    if name == "local" {
        return match TimeZone::try_system() {
            Ok(rules) => Zone::new(name, rules),
            Err(error) => {
                // A host without a zone of its own runs on UTC, as every program there does.
                let span = value.as_ref().map_or(0..0, Spanned::span);
                check.notes.push(Note {
                    place: check.file.place(&span),
                    text: format!("this host's time zone cannot be read, UTC is meant: {error}"),
                });
                Zone::new(name, TimeZone::UTC)
            }
        };
    }
    if name == "UTC" {
        return Zone::utc();
    }
    match TimeZone::get(name) {
        Ok(rules) => Zone::new(name, rules),
        Err(_) => {
            let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
            let near = nearest(name, known.iter().map(String::as_str));
            let remedy = match near {
                _ if known.is_empty() => {
                    "install the zone database of the system (tzdata), or write \"UTC\"".to_owned()
                }
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "write \"local\", \"UTC\" or a name such as Europe/Vienna".to_owned(),
            };
            if let Some(value) = value {
                let message = format!("no time zone \"{name}\" is known here");
                check.bad(&value.span(), message, remedy);
            }
            Zone::utc()
        }
    }
}
