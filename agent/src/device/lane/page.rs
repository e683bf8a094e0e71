//! A lane at the end of a medium: it is parked until whoever writes has turned the page.

use std::sync::Arc;
use std::sync::mpsc;

use super::shared::Job;
use super::{Lane, Pending};
use crate::device::call::Handle;
use crate::payload::Lease;

impl Lane {
    /// Whether the device goes on on further media.
    #[must_use]
    pub fn spans(&self) -> bool {
        self.shared.spans
    }

    /// A section begins: bytes are counted from here.
    pub fn count_from(&self, taken: u64) {
        self.shared.lock().taken = taken;
    }

    /// Bytes of the open section that the device took.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.shared.lock().taken
    }

    /// Whether a write met the end of a medium.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.shared.lock().parked.is_some()
    }

    /// Whether nothing moves any more: everything is written, or the lane is parked or out.
    #[must_use]
    pub fn rests(&self) -> bool {
        let state = self.shared.lock();
        let out = state.lost.is_some() || state.write_fault.is_some();
        let waits = state.queue.is_empty() || state.parked.is_some();
        out || (waits && state.urgent.is_empty() && state.running.is_none())
    }

    /// Waits a moment, or until something moves.
    pub fn wait_moved(&self) {
        self.shared.wait_a_moment();
    }

    /// Tries to write what is left on the same medium: most have some room behind their warning.
    pub fn press_on(&self) {
        let mut state = self.shared.lock();
        if let Some(parked) = state.parked.take() {
            let rest = parked.rest.map(|rest| Job::Write(Arc::new(rest)));
            if let Some(rest) = rest {
                state.queue.push_front(rest);
            }
        }
        drop(state);
        self.shared.wake();
    }

    /// Takes out what the device did not take, in order. The lane stays parked.
    #[must_use]
    pub fn take_held(&self) -> Vec<Lease> {
        let mut state = self.shared.lock();
        let rest = state.parked.as_mut().and_then(|parked| parked.rest.take());
        let mut calls = std::collections::VecDeque::new();
        let mut held: Vec<Lease> = rest.into_iter().filter(|rest| !rest.is_empty()).collect();
        for job in std::mem::take(&mut state.queue) {
            match job {
                Job::Write(lease) => held.push((*lease).clone()),
                call @ Job::Call(_) => calls.push_back(call),
            }
        }
        state.queue = calls;
        held
    }

    /// The page was turned: so many bytes of the section lie on the media so far.
    pub fn go_on(&self, taken: u64) {
        let mut state = self.shared.lock();
        let parked = state.parked.take();
        state.taken = taken;
        drop(state);
        drop(parked);
        self.shared.wake();
    }

    /// Runs a job before everything that is queued, also while the lane is parked.
    pub fn submit_first<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Handle) -> T + Send + 'static,
    ) -> Pending<T> {
        let (tell, hear) = mpsc::sync_channel(1);
        let job = Job::Call(Box::new(move |handle| {
            // Whoever asked may have gone; the job was still done.
            let _ = tell.send(job(handle));
        }));
        let refused = self.shared.push_first(job).err();
        Pending::new(Arc::clone(&self.shared), hear, refused)
    }
}
