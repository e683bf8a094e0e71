//! The answer of a job that was queued.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::shared::Shared;
use crate::device::DeviceFault;

/// An answer that is still to come. Dropping it does not stop the job.
#[must_use = "a job's failure is only known to who waits for it"]
pub struct Pending<T> {
    shared: Arc<Shared>,
    hear: Receiver<T>,
    refused: Option<DeviceFault>,
}

impl<T> Pending<T> {
    pub(super) fn new(
        shared: Arc<Shared>,
        hear: Receiver<T>,
        refused: Option<DeviceFault>,
    ) -> Self {
        Self {
            shared,
            hear,
            refused,
        }
    }

    /// Waits for the answer, no longer than the lane's deadline allows each job before it and this
    /// one.
    ///
    /// # Errors
    /// The loss of the lane ([`crate::device::Outcome::DEADLINE`]). The job's own failure is in
    /// `T`; a call that ended because the deadline cancelled it says `DEADLINE` too.
    pub fn wait(self) -> Result<T, DeviceFault> {
        if let Some(fault) = self.refused {
            return Err(fault);
        }
        loop {
            match self.hear.recv_timeout(self.shared.patience()) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(self.shared.why_gone()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(fault) = self.shared.check_deadline() {
                // It may have answered in its last moment.
                return self.hear.try_recv().map_err(|_| fault);
            }
        }
    }
}
