//! The lane's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use twinset_plugin_api::Outcome;

use super::shared::{Job, Parked, Running, Shared, State};
use crate::device::DeviceFault;
use crate::device::call::Handle;
use crate::payload::Lease;

/// Threads that were left behind in a call and have not come back.
static ABANDONED: AtomicUsize = AtomicUsize::new(0);

/// How many lane threads are left behind in a call of a plugin now.
#[must_use]
pub fn abandoned_lanes() -> usize {
    ABANDONED.load(Ordering::Relaxed)
}

/// Counts the thread as left behind and keeps its device closed until it comes back. Under the
/// state's lock, so that a thread that comes back at this moment sees it.
pub(super) fn abandon(shared: &Shared, _state: &mut State) {
    ABANDONED.fetch_add(1, Ordering::Relaxed);
    shared.plugin.bar(&shared.label);
}

/// Runs jobs until the lane is closed or lost, then closes the device.
pub(super) fn run(shared: &Shared, mut handle: Handle) {
    while let Some(job) = next(shared) {
        perform(shared, &mut handle, job);
        let mut state = shared.lock();
        state.running = None;
        drop(state);
        shared.moved.notify_all();
    }
    // The close may hang as any call; it runs under the same deadline.
    begin(&mut shared.lock(), None);
    let closed = handle.close();
    let mut state = shared.lock();
    state.running = None;
    state.ended = Some(closed);
    if state
        .lost
        .as_ref()
        .is_some_and(|fault| fault.outcome == Outcome::DEADLINE)
    {
        ABANDONED.fetch_sub(1, Ordering::Relaxed);
        shared.plugin.unbar(&shared.label);
        tracing::info!(
            device = shared.label,
            "a thread that was left behind came back"
        );
    }
    drop(state);
    shared.moved.notify_all();
}

fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    loop {
        if state.lost.is_some() {
            return None;
        }
        let parked = state.parked.is_some();
        if parked && state.closing {
            let parked = state.parked.take();
            state.write_fault = state
                .write_fault
                .take()
                .or(parked.as_ref().map(|p| p.fault.clone()));
            drop(state);
            drop(parked);
            state = shared.lock();
            continue;
        }
        let mut job = state.urgent.pop_front();
        if job.is_none() && !parked {
            job = state.queue.pop_front();
        }
        if let Some(job) = job {
            let lease = match &job {
                Job::Write(lease) => Some(Arc::clone(lease)),
                Job::Call(_) => None,
            };
            begin(&mut state, lease);
            drop(state);
            shared.moved.notify_all();
            return Some(job);
        }
        if state.closing {
            return None;
        }
        state = shared
            .work
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// Counts what the device took; the end of a medium parks a lane whose device goes on elsewhere.
fn take_in(shared: &Shared, lease: &Lease, written: Result<(), DeviceFault>) {
    let mut state = shared.lock();
    match written {
        Ok(()) => state.taken += lease.len() as u64,
        Err(fault) if shared.spans && fault.outcome == Outcome::END_OF_MEDIUM => {
            state.taken += fault.accepted;
            let accepted = usize::try_from(fault.accepted).unwrap_or(usize::MAX);
            let rest = lease.part(accepted..lease.len());
            // One that was given up meanwhile needs no rest.
            if state.write_fault.is_none() {
                state.parked = Some(Parked { rest, fault });
            }
        }
        Err(fault) => {
            state.write_fault.get_or_insert(fault);
        }
    }
}

fn begin(state: &mut State, lease: Option<Arc<Lease>>) {
    state.started += 1;
    state.running = Some(Running {
        since: Instant::now(),
        number: state.started,
        lease,
    });
}

fn perform(shared: &Shared, handle: &mut Handle, job: Job) {
    match job {
        Job::Write(lease) => {
            let skip = shared.lock().write_fault.is_some();
            if !skip {
                let written = handle.write(&lease);
                take_in(shared, &lease, written);
            }
            // The lease goes here, before the job counts as ended.
            let running = shared.lock().running.as_mut().and_then(|r| r.lease.take());
            drop(running);
            drop(lease);
        }
        Job::Call(job) => {
            // A panic here is the agent's own; it must not leave waiters without an answer.
            if catch_unwind(AssertUnwindSafe(|| job(handle))).is_err() {
                let text = "a job of the agent panicked on this lane";
                shared.lose(shared.fault("lane", Outcome::PERMANENT, text));
            }
        }
    }
}
