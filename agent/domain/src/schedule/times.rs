//! The moments of a cron line in a time zone.
//!
//! A time that clocks skip comes once, at the first moment behind the gap. A time that they show
//! twice comes once, the first time; only a line that runs in every hour means a distance and no
//! time of day, and runs in both: log backups must not pause for an hour in autumn.

use super::cron::{Cron, HORIZON_DAYS};
use super::zone::{Shown, Zone};
use crate::Moment;

/// Moments of a day, in order, each once. A day of clocks that are put back to before midnight
/// keeps what belongs to it.
fn of_day(cron: &Cron, zone: &Zone, day: i64) -> Vec<Moment> {
    if !cron.falls_on(day) {
        return Vec::new();
    }
    if let Some(offset) = zone.steady(day) {
        let midnight = day * 86_400 - i64::from(offset);
        let moments = cron.minutes().map(|minute| i64::from(minute) * 60);
        return moments.map(|at| Moment(midnight + at)).collect();
    }
    let mut moments = Vec::new();
    for minute in cron.minutes() {
        match zone.find(day, minute) {
            Some(Shown::Once(at)) => moments.push(at),
            Some(Shown::Never(behind)) => moments.push(behind),
            Some(Shown::Twice(first, second)) => {
                moments.push(first);
                if cron.is_hourly() {
                    moments.push(second);
                }
            }
            None => {}
        }
    }
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// The last moment of a line at or before another; `None` where none lies within nine years.
#[must_use]
pub fn last_until(cron: &Cron, zone: &Zone, at: Moment) -> Option<Moment> {
    let (today, _) = zone.shown(at);
    // From tomorrow: where a day is skipped, its moments lie on the next.
    let days = (0..=HORIZON_DAYS).map(|back| today + 1 - back);
    days.flat_map(|day| of_day(cron, zone, day).into_iter().rev())
        .find(|moment| *moment <= at)
}

/// The first moment of a line behind another; `None` where none lies within nine years.
#[must_use]
pub fn next_after(cron: &Cron, zone: &Zone, at: Moment) -> Option<Moment> {
    behind(cron, zone, at).next()
}

/// The moments of a line behind another, in order, each once, within nine years.
pub fn behind(cron: &Cron, zone: &Zone, at: Moment) -> impl Iterator<Item = Moment> {
    let (today, _) = zone.shown(at);
    let days = (0..=HORIZON_DAYS).map(move |on| today - 1 + on);
    let mut last = at;
    days.flat_map(|day| of_day(cron, zone, day))
        .filter(move |moment| {
            let is_new = *moment > last;
            last = last.max(*moment);
            is_new
        })
}

#[cfg(test)]
mod tests;
