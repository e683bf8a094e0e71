//! How long one call into the library may wait.
//!
//! The documents say milliseconds, the sample says seconds (facts/vdi.md 1.10). So a call asks for
//! 1 of whatever it is, and only when such calls have twice come back far too soon for a second is
//! the unit taken to be the millisecond, and longer slices are asked for.

use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

/// A call for 1 that returns sooner than this was no second.
const TOO_SOON: Duration = Duration::from_millis(200);
/// Calls that must agree before the unit is believed.
const VOTES: u8 = 2;
/// What is asked for once the unit is known to be the millisecond.
const SLICE_MS: i64 = 50;
/// A slice of milliseconds that takes this long was one of seconds after all.
const TOO_LATE: Duration = Duration::from_secs(5);
/// Pause after a call that did not wait at all, so that a hasty library costs no processor.
const REST: Duration = Duration::from_millis(5);

/// What was learned about the unit so far.
#[derive(Debug, Default)]
pub(super) struct Pace {
    votes: AtomicU8,
}

impl Pace {
    /// What to ask for.
    pub(super) fn slice(&self) -> i64 {
        if self.votes.load(Ordering::Relaxed) >= VOTES {
            SLICE_MS
        } else {
            1
        }
    }

    /// Learns from a call that asked for `slice` and expired after `took`; may rest a little.
    pub(super) fn expired(&self, slice: i64, took: Duration) {
        if slice > 1 && took >= TOO_LATE {
            self.votes.store(0, Ordering::Relaxed);
        } else if slice == 1 && took < TOO_SOON {
            let before = self.votes.load(Ordering::Relaxed);
            self.votes
                .store(before.saturating_add(1), Ordering::Relaxed);
            if before + 1 == VOTES {
                tracing::debug!("the VDI library counts its timeouts in milliseconds");
            }
        } else if slice == 1 {
            self.votes.store(0, Ordering::Relaxed);
        }
        if took < Duration::from_millis(1) {
            thread::sleep(REST);
        }
    }
}

#[cfg(test)]
mod tests;
