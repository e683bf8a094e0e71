//! A limit on bytes per second, for all devices of one store in a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Bytes that may go at once after a quiet time: what a part and a half of a second of it are.
const BURST: Duration = Duration::from_millis(500);

/// Bytes per second, shared by everything that goes to one store.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: u64,
    /// When all that was let go so far has gone, at this rate.
    next: Mutex<Option<Instant>>,
}

static PACES: Mutex<BTreeMap<(String, u64), Arc<Pace>>> = Mutex::new(BTreeMap::new());

impl Pace {
    /// The pace of a store, the same for all who ask with the same rate.
    pub(crate) fn of(store: &str, rate: u64) -> Arc<Self> {
        let mut paces = PACES.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry((store.to_owned(), rate));
        Arc::clone(pace.or_insert_with(|| Arc::new(Self::new(rate))))
    }

    const fn new(rate: u64) -> Self {
        Self {
            rate,
            next: Mutex::new(None),
        }
    }

    /// How long so many bytes must wait that come now; they are counted.
    fn wait(&self, bytes: u64, now: Instant) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let from = next.map_or(earliest, |next| next.max(earliest));
        *next = Some(from + takes);
        from.saturating_duration_since(now)
    }

    /// Waits until so many bytes may go.
    pub(crate) async fn take(&self, bytes: u64) {
        let pause = self.wait(bytes, Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}
