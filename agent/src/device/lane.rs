//! A lane: one thread for one device, a bounded queue, a deadline for each job.
//!
//! The engine never waits on a device itself. A job that runs longer than the deadline is
//! cancelled; when it does not end within a short grace after that, the lane is *lost*: its thread
//! is left behind with what it was lent, everything queued is let go, and all later calls answer at
//! once. A lost lane costs one mirror, not the agent.

mod page;
mod pending;
mod shared;
mod threads;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use twinset_plugin_api::Outcome;

use super::call::{Canceller, Handle};
use super::fault::DeviceFault;
use crate::payload::Lease;
use shared::{Job, Shared};

pub use pending::Pending;
pub use threads::settle;
pub use worker::abandoned_lanes;

/// Bounds of a lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// How long one job may run. Queued jobs do not count before they run.
    pub deadline: Duration,
    /// Jobs that may wait; at least 1.
    pub queue: usize,
}

/// The thread of one device.
pub struct Lane {
    shared: Arc<Shared>,
}

impl Lane {
    /// Gives `handle` a thread of its own. When the system gives no thread, the lane is lost from
    /// the start and says so.
    #[must_use]
    pub fn start(handle: Handle, limits: LaneLimits) -> Self {
        let shared = Arc::new(Shared::new(&handle, limits));
        let name = format!("lane {}", handle.label());
        let worker = Arc::clone(&shared);
        let spawned = thread::Builder::new()
            .name(name)
            .spawn(move || worker::run(&worker, handle));
        match spawned {
            Ok(thread) => threads::remember(thread),
            Err(error) => {
                let text = format!("no thread for the device: {error}");
                shared.lose(shared.fault("start", Outcome::TRANSIENT, text));
            }
        }
        Self { shared }
    }

    /// Queues a job that answers; jobs and writes run in the order they came. Keep it to a few
    /// calls: the deadline holds for the whole job. Waits while the queue is full.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Handle) -> T + Send + 'static,
    ) -> Pending<T> {
        let (tell, hear) = mpsc::sync_channel(1);
        let job = Job::Call(Box::new(move |handle| {
            // Whoever asked may have gone; the job was still done.
            let _ = tell.send(job(handle));
        }));
        let refused = self.shared.push(job).err();
        Pending::new(Arc::clone(&self.shared), hear, refused)
    }

    /// Queues a write of lent bytes to the open section and does not wait for it. The first that
    /// fails becomes the lane's fault; the writes after it are skipped and let go at once. Waits
    /// while the queue is full, which is how a slow device slows its source down.
    pub fn write(&self, lease: Lease) {
        if self.fault().is_none() {
            // A refusal is the lane's fault from then on; the lease is dropped either way.
            let _ = self.shared.push(Job::Write(Arc::new(lease)));
        }
    }

    /// Takes the mirror out of the run for a reason that lies outside this lane: what is queued is
    /// skipped, what is being written does not count. [`Lane::clear_fault`] makes it usable again.
    pub fn give_up(&self, fault: DeviceFault) {
        self.shared.give_up(fault);
    }

    /// Why nothing more is written: the first failed write, or the loss of the lane.
    #[must_use]
    pub fn fault(&self) -> Option<DeviceFault> {
        let state = self.shared.lock();
        state.lost.clone().or_else(|| state.write_fault.clone())
    }

    /// Forgets a failed write, once the section was aborted. The loss of a lane stays.
    pub fn clear_fault(&self) {
        self.shared.lock().write_fault = None;
    }

    /// True when the running job is past its deadline, or the lane is lost.
    #[must_use]
    pub fn stalled(&self) -> bool {
        let state = self.shared.lock();
        let late = |since: Instant| since.elapsed() >= self.shared.limits.deadline;
        state.lost.is_some()
            || state
                .running
                .as_ref()
                .is_some_and(|running| late(running.since))
    }

    /// True when the lane is lost for good.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.shared.lock().lost.is_some()
    }

    /// Jobs and writes that wait or run.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let state = self.shared.lock();
        state.queue.len() + usize::from(state.running.is_some())
    }

    /// Cancels a job that is past its deadline and, when it does not end, declares the lane lost:
    /// what an engine does that found the lane [`Lane::stalled`]. Waits for the grace at most.
    pub fn enforce_deadline(&self) {
        // The fault, if any, is kept as the lane's.
        let _ = self.shared.check_deadline();
    }

    /// Waits until everything queued before has run; the lane's fault, if there is one.
    ///
    /// # Errors
    /// The first failed write since the last [`Lane::clear_fault`], or the loss of the lane.
    pub fn drain(&self) -> Result<(), DeviceFault> {
        self.submit(|_| ()).wait()?;
        self.fault().map_or(Ok(()), Err)
    }

    /// Ends a running call from any thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.shared.canceller.clone()
    }

    /// The name of the device.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.shared.label
    }

    /// Runs what is queued, closes the device on its thread and says how that went.
    ///
    /// # Errors
    /// The fault of the close, or the loss of the lane.
    pub fn close(self) -> Result<(), DeviceFault> {
        self.shared.finish()
    }
}

impl Drop for Lane {
    /// Lets go of what is queued; the thread closes the device when its running job has ended.
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({})", self.shared.label)
    }
}
