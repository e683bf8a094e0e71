//! What the device threads of one statement share: progress, the wish to stop, the meeting points.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::grammar::Plan;
use crate::instance::faults::Faults;
use crate::instance::mirroring::knobs::How;
use crate::instance::session::Session;
use crate::instance::{Instance, Progress};

/// How often waits look up.
const BEAT: Duration = Duration::from_millis(100);

/// One word of a device thread to the statement's thread.
#[derive(Debug)]
pub enum Event {
    /// A device thread ended.
    Ended,
}

#[derive(Debug, Default)]
struct Inner {
    stop: bool,
    lost: bool,
    arrived: usize,
    events: VecDeque<Event>,
}

/// A switch of roles once so many bytes have passed.
#[derive(Debug)]
pub struct Switch {
    instance: Arc<Instance>,
    database: String,
    how: How,
    after_bytes: u64,
    fallen: AtomicBool,
}

impl Switch {
    /// What the knob asks for.
    #[must_use]
    pub fn of(session: &Session, plan: &Plan) -> Option<Self> {
        let wanted = session.instance.faults().mirroring.switch?;
        Some(Self {
            instance: Arc::clone(&session.instance),
            database: plan.database.clone(),
            how: wanted.how,
            after_bytes: wanted.after_bytes?,
            fallen: AtomicBool::new(false),
        })
    }

    /// Whether it came to pass just now, and took the database from its backup.
    fn falls(&self, bytes: u64) -> bool {
        if bytes < self.after_bytes || self.fallen.swap(true, Ordering::SeqCst) {
            return false;
        }
        let network = self.instance.network();
        let struck =
            network.is_some_and(|network| network.strike(&self.instance, &self.database, self.how));
        let state = self.instance.state();
        let thrown_out = state
            .database(&self.database)
            .is_some_and(|found| !found.is_busy());
        struck && thrown_out
    }
}

/// Shared by the threads of one statement.
#[derive(Debug)]
pub struct Together {
    inner: Mutex<Inner>,
    bell: Condvar,
    devices: usize,
    /// Bytes through all devices.
    pub progress: Arc<Progress>,
    /// A damaged page of the database ends the statement.
    pub damaged: bool,
    /// A switch of roles in the middle.
    pub switch: Option<Switch>,
    /// The knobs of this statement.
    pub faults: Arc<Faults>,
    begun: Instant,
}

impl Together {
    /// For so many device threads.
    #[must_use]
    pub fn new(devices: usize, progress: Arc<Progress>, faults: Arc<Faults>) -> Self {
        let inner = Mutex::default();
        let begun = Instant::now();
        Self {
            inner,
            bell: Condvar::new(),
            devices,
            progress,
            damaged: false,
            switch: None,
            faults,
            begun,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Device threads in all.
    #[must_use]
    pub const fn devices(&self) -> usize {
        self.devices
    }

    /// All threads shall end soon.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.bell.notify_all();
    }

    /// Whether to end.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.lock().stop
    }

    /// A thread's end.
    pub fn ended(&self) {
        self.lock().events.push_back(Event::Ended);
        self.bell.notify_all();
    }

    /// The statement's thread: the next event, or `None` after a beat.
    pub fn next_event(&self) -> Option<Event> {
        let mut inner = self.lock();
        if inner.events.is_empty() && !inner.lost {
            let waited = self.bell.wait_timeout(inner, BEAT);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.events.pop_front()
    }

    /// Waits until every device thread has come here; `false` when one of them stopped all.
    pub fn meet(&self) -> bool {
        self.gather(self.devices)
    }

    /// The same for a second meeting.
    pub fn meet_again(&self) -> bool {
        self.gather(self.devices * 2)
    }

    fn gather(&self, expected: usize) -> bool {
        let mut inner = self.lock();
        inner.arrived += 1;
        self.bell.notify_all();
        while inner.arrived < expected && !inner.stop {
            let waited = self.bell.wait_timeout(inner, BEAT);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !inner.stop
    }

    /// Whether the connection shall be cut now.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.lock().lost
    }

    /// The connection is cut; where the statement does not run on, it stops before more data goes.
    fn lose(&self) {
        let mut inner = self.lock();
        inner.lost = true;
        self.bell.notify_all();
        while !inner.stop && !self.faults.lost_client_goes_on {
            let waited = self.bell.wait_timeout(inner, BEAT);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// No more data goes: somebody else ends the statement.
    fn hold(&self) {
        let mut inner = self.lock();
        self.bell.notify_all();
        while !inner.stop {
            let waited = self.bell.wait_timeout(inner, BEAT);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Counts bytes and holds back to the configured rate. Returns all bytes so far.
    pub fn count(&self, bytes: u64) -> u64 {
        let all = self.progress.add(bytes);
        let passed = |limit: Option<u64>| limit.is_some_and(|limit| all >= limit);
        if passed(self.faults.die_after_bytes) {
            std::process::abort();
        }
        if passed(self.faults.lose_client_after_bytes) {
            self.lose();
        }
        if self.switch.as_ref().is_some_and(|switch| switch.falls(all)) {
            self.hold();
        }
        if let Some(rate) = self.faults.bytes_per_second.filter(|rate| *rate > 0) {
            let due = self.begun + Duration::from_secs_f64(all as f64 / rate as f64);
            let mut inner = self.lock();
            while !inner.stop {
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                let waited = self.bell.wait_timeout(inner, left.min(BEAT));
                inner = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        all
    }
}
