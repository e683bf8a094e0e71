//! The only reader of the time of day. Everything that decides takes a moment as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use twinset_domain::Moment;

/// Now, in whole seconds of UTC.
#[must_use]
pub fn now() -> Moment {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    };
    Moment(seconds)
}
