//! How often a receiver is told of one alert that comes and goes.

use serde::Serialize;

use crate::Moment;

/// Messages about one code and object that a receiver is told within [`SPAN`], each by itself.
pub const MANY: usize = 6;
/// Seconds that are looked back upon (an hour).
pub const SPAN: i64 = 3600;
/// Seconds between two messages behind those (ten minutes).
pub const PAUSE: i64 = 600;

/// What becomes of the messages about one code and object that wait for a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Each is told.
    Each,
    /// The newest is told; those before it are left out.
    Newest,
    /// The newest waits; those before it are left out.
    Wait,
}

/// Decides by when the receiver was told of that alert; what lies ahead of `now` was told by a
/// clock that was wrong, and does not count.
#[must_use]
pub fn pace(told: &[Moment], now: Moment) -> Pace {
    let since = |seconds: i64| Moment(now.0.saturating_sub(seconds));
    let lately = told.iter().filter(|at| **at > since(SPAN) && **at <= now);
    let (count, newest) = (lately.clone().count(), lately.max());
    match newest {
        Some(newest) if count >= MANY && *newest > since(PAUSE) => Pace::Wait,
        Some(_) if count >= MANY => Pace::Newest,
        _ => Pace::Each,
    }
}
