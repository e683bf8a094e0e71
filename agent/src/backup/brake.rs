//! `[backup] throttle`: how fast a backup may take its bytes.
//!
//! The decision is arithmetic over a time that is handed in; the wait itself is cut into short
//! pieces, so that whoever stops a backup need not wait for it. Nothing is held but the buffers that
//! are lent already: SQL Server, or the file, waits for its answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What may be saved up while nothing came: without it a server that pauses would be slowed twice.
const BURST: Duration = Duration::from_millis(500);
/// Longest wait without a look at whether it is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// The bytes of all families of one backup against one rate.
#[derive(Debug)]
pub(super) struct Brake {
    begun: Instant,
    rate: Option<Rate>,
}

/// So many bytes a second, and until when those that passed are paid for.
#[derive(Debug)]
struct Rate {
    bytes_per_second: u64,
    paid: Mutex<Duration>,
}

impl Rate {
    /// How long bytes that come at `now` must wait behind those before them.
    fn wait(&self, bytes: u64, now: Duration) -> Duration {
        let nanoseconds =
            u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second.max(1));
        let cost = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*paid).max(now.saturating_sub(BURST));
        *paid = from.saturating_add(cost);
        paid.saturating_sub(now)
    }
}

impl Brake {
    /// For a backup that begins now; nothing: as fast as it goes.
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        let rate = bytes_per_second.map(|bytes_per_second| Rate {
            bytes_per_second,
            paid: Mutex::new(Duration::ZERO),
        });
        Self {
            begun: Instant::now(),
            rate,
        }
    }

    /// Waits until so many bytes may pass, or until it is to stop.
    pub(super) fn hold(&self, bytes: u64, stop: &AtomicBool) {
        let Some(rate) = &self.rate else { return };
        let now = self.begun.elapsed();
        let until = now.saturating_add(rate.wait(bytes, now));
        while !stop.load(Ordering::Relaxed) {
            let left = until.saturating_sub(self.begun.elapsed());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(GLANCE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn rate(bytes_per_second: u64) -> Rate {
        Rate {
            bytes_per_second,
            paid: Mutex::new(Duration::ZERO),
        }
    }

    /// Whoever waits as told, and how long a number of buffers then takes.
    fn taken(rate: &Rate, buffers: u32, each: Duration) -> Duration {
        let mut now = Duration::ZERO;
        for _ in 0..buffers {
            now += rate.wait(MIB, now) + each;
        }
        now
    }

    #[test]
    fn a_long_stream_takes_the_time_of_its_rate() {
        let took = taken(&rate(10 * MIB), 600, Duration::ZERO);
        assert_eq!(took, Duration::from_secs(60));
        let slower = taken(&rate(10 * MIB), 600, Duration::from_millis(50));
        assert!(
            slower < Duration::from_secs(61),
            "its own work counts: {slower:?}"
        );
    }

    #[test]
    fn a_pause_saves_up_half_a_second_and_no_more() {
        let rate = rate(MIB);
        assert_eq!(rate.wait(MIB, Duration::ZERO), Duration::from_secs(1));
        let late = Duration::from_secs(3600);
        assert_eq!(rate.wait(MIB, late), Duration::from_millis(500));
        assert_eq!(rate.wait(MIB, late), Duration::from_millis(1500));
    }

    #[test]
    fn families_share_one_rate() {
        let rate = rate(2 * MIB);
        let now = Duration::from_secs(10);
        let waits: Vec<u128> = (0..4).map(|_| rate.wait(MIB, now).as_millis()).collect();
        assert_eq!(waits, [0, 500, 1000, 1500]);
    }

    #[test]
    fn without_a_rate_and_when_stopped_nobody_waits() {
        let (go, stop) = (AtomicBool::new(false), AtomicBool::new(true));
        Brake::new(None).hold(u64::MAX, &go);
        Brake::new(Some(1)).hold(u64::MAX, &stop);
    }
}
