//! The one reader of time in the test world. Server-local time is UTC plus a settable offset.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::moment::Moment;

/// The instance's clock.
#[derive(Debug, Default)]
pub struct Clock {
    offset_seconds: AtomicI64,
}

impl Clock {
    /// Now, as the server sees it.
    #[must_use]
    pub fn now(&self) -> Moment {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
        let moved = seconds.saturating_add(self.offset_seconds.load(Ordering::Relaxed));
        // 1970-01-01 stands for a clock outside the calendar.
        Moment::from_unix(moved, since.subsec_nanos()).unwrap_or(Moment::EPOCH)
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        self.offset_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}
