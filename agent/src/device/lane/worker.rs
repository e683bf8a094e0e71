//! The lane's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use twinset_plugin_api::Outcome;

use super::shared::{Job, Running, Shared, State};
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
        if let Some(job) = state.queue.pop_front() {
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
            if !skip && let Err(fault) = handle.write(&lease) {
                shared.lock().write_fault.get_or_insert(fault);
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
