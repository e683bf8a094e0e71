//! How a running call is ended from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use twinset_plugin_api::Outcome;
use twinset_plugin_api::v1::DeviceTableV1;

use super::Raw;

/// Ends a running call from any thread. Clones are cheap; after the device is closed it does
/// nothing.
#[derive(Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
}

struct Shared {
    stop: Arc<AtomicBool>,
    late: AtomicBool,
    live: Mutex<Option<(Raw, &'static DeviceTableV1)>>,
}

impl Canceller {
    pub(super) fn new(stop: Arc<AtomicBool>, raw: Raw, table: &'static DeviceTableV1) -> Self {
        let live = Mutex::new(Some((raw, table)));
        Self {
            shared: Arc::new(Shared {
                stop,
                late: AtomicBool::new(false),
                live,
            }),
        }
    }

    /// From here on nobody cancels: the handle is about to be freed.
    pub(super) fn end(&self) {
        self.shared
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Makes the running call, and those after it, end soon with [`Outcome::CANCELLED`].
    pub fn cancel(&self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let live = self
            .shared
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((raw, table)) = *live {
            // SAFETY: not closed, because closing takes this lock first; any thread may cancel.
            unsafe { (table.cancel)(raw.0) };
        }
    }

    /// As [`Canceller::cancel`]; the calls that end say [`Outcome::DEADLINE`].
    pub(in crate::device) fn cancel_late(&self) {
        self.shared.late.store(true, Ordering::SeqCst);
        self.cancel();
    }

    /// True from the cancel to the call that gives the work up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    pub(super) fn outcome(&self) -> Outcome {
        let late = self.shared.late.load(Ordering::SeqCst);
        if late {
            Outcome::DEADLINE
        } else {
            Outcome::CANCELLED
        }
    }

    pub(super) fn clear(&self) {
        self.shared.stop.store(false, Ordering::SeqCst);
        self.shared.late.store(false, Ordering::SeqCst);
    }
}
