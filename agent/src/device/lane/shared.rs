//! What the lane's thread and its users share, and how a deadline is enforced.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use twinset_plugin_api::Outcome;

use super::{LaneLimits, worker};
use crate::device::call::{Canceller, Handle};
use crate::device::{DeviceFault, PluginFile};
use crate::payload::Lease;

/// How long a cancelled job may take to end before its lane is lost; never more than a deadline.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at a lane that is not busy with one long job.
const LOOK: Duration = Duration::from_millis(20);

pub(super) enum Job {
    Write(Arc<Lease>),
    Call(Box<dyn FnOnce(&mut Handle) + Send>),
}

pub(super) struct Running {
    pub(super) since: Instant,
    pub(super) number: u64,
    /// What it writes from.
    pub(super) lease: Option<Arc<Lease>>,
}

/// A lane at the end of a medium: what is queued waits until the page is turned.
pub(super) struct Parked {
    /// What the device did not take of the write.
    pub(super) rest: Option<Lease>,
    pub(super) fault: DeviceFault,
}

/// What a lane lets go of, to be dropped outside its lock: giving a lease back runs its owner's
/// code.
#[derive(Default)]
pub(super) struct LetGo {
    _jobs: VecDeque<Job>,
    _parked: Option<Parked>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Job>,
    pub(super) running: Option<Running>,
    pub(super) started: u64,
    pub(super) write_fault: Option<DeviceFault>,
    /// The write that met the end of a medium, of a device that spans.
    pub(super) parked: Option<Parked>,
    /// Jobs that run while the lane is parked too, before all others.
    pub(super) urgent: VecDeque<Job>,
    /// Bytes of the open section that the device took.
    pub(super) taken: u64,
    pub(super) lost: Option<DeviceFault>,
    pub(super) closing: bool,
    /// How the close went, once the thread has ended.
    pub(super) ended: Option<Result<(), DeviceFault>>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// There is something to do.
    pub(super) work: Condvar,
    /// A job began, ended, or the lane changed.
    pub(super) moved: Condvar,
    pub(super) limits: LaneLimits,
    pub(super) label: String,
    pub(super) canceller: Canceller,
    pub(super) plugin: Arc<PluginFile>,
    /// The end of a medium parks the lane.
    pub(super) spans: bool,
}

impl Shared {
    pub(super) fn new(handle: &Handle, limits: LaneLimits) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            moved: Condvar::new(),
            limits: LaneLimits {
                queue: limits.queue.max(1),
                ..limits
            },
            label: handle.label().to_owned(),
            canceller: handle.canceller(),
            plugin: Arc::clone(handle.plugin()),
            spans: handle.spans(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault(
        &self,
        call: &'static str,
        outcome: Outcome,
        text: impl Into<String>,
    ) -> DeviceFault {
        DeviceFault::new(&self.label, call, outcome, text)
    }

    /// Queues a job, waiting for room; while it waits it enforces the deadline of what runs.
    pub(super) fn push(&self, job: Job) -> Result<(), DeviceFault> {
        let mut job = Some(job);
        loop {
            {
                let mut state = self.lock();
                if let Some(lost) = &state.lost {
                    return Err(lost.clone());
                }
                if state.closing {
                    return Err(self.fault("submit", Outcome::PERMANENT, "the lane is closing"));
                }
                // A parked lane moves only when its page is turned, by who waits here.
                if state.queue.len() < self.limits.queue || state.parked.is_some() {
                    state.queue.extend(job.take());
                    self.work.notify_one();
                    return Ok(());
                }
                self.wait_moved(state);
            }
            self.check_deadline()?;
        }
    }

    /// Queues a job before all others. Whoever queues one waits for it before the next.
    pub(super) fn push_first(&self, job: Job) -> Result<(), DeviceFault> {
        let mut state = self.lock();
        if let Some(lost) = &state.lost {
            return Err(lost.clone());
        }
        state.urgent.push_back(job);
        self.work.notify_one();
        Ok(())
    }

    /// Waits until something moves, a short while at most.
    pub(super) fn wait_a_moment(&self) {
        drop(self.moved.wait_timeout(self.lock(), LOOK));
    }

    /// How long a waiter may sleep before it looks at the deadline.
    pub(super) fn patience(&self) -> Duration {
        self.patience_of(&self.lock())
    }

    fn patience_of(&self, state: &State) -> Duration {
        match &state.running {
            Some(running) => self
                .limits
                .deadline
                .saturating_sub(running.since.elapsed())
                .max(LOOK / 4),
            None => LOOK,
        }
    }

    fn wait_moved(&self, state: MutexGuard<'_, State>) {
        let patience = self.patience_of(&state);
        drop(self.moved.wait_timeout(state, patience));
    }

    /// Cancels a job past its deadline, gives it a grace, then gives the lane up.
    pub(super) fn check_deadline(&self) -> Result<(), DeviceFault> {
        let late = {
            let state = self.lock();
            if let Some(lost) = &state.lost {
                return Err(lost.clone());
            }
            match &state.running {
                Some(running) if running.since.elapsed() >= self.limits.deadline => running.number,
                _ => return Ok(()),
            }
        };
        self.cancel();
        let end = Instant::now() + GRACE.min(self.limits.deadline);
        let mut state = self.lock();
        loop {
            if let Some(lost) = &state.lost {
                return Err(lost.clone());
            }
            if state
                .running
                .as_ref()
                .is_none_or(|running| running.number != late)
            {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.moved.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let text = format!(
            "the device did not answer within {:?}",
            self.limits.deadline
        );
        let fault = self.fault("lane", Outcome::DEADLINE, text);
        worker::abandon(self, &mut state);
        let running = state.running.as_ref().and_then(|r| r.lease.clone());
        let queued = lose_in(&mut state, fault.clone());
        drop(state);
        self.wake();
        drop(queued);
        // Nothing more comes of this lane: whoever lent the bytes need not wait for it.
        if let Some(lease) = running {
            lease.waive();
        }
        tracing::error!(device = self.label, "{fault}; its thread is left behind");
        Err(fault)
    }

    /// Cancels on a thread of its own: a plugin that hangs may hang in `cancel` as well.
    fn cancel(&self) {
        let canceller = self.canceller.clone();
        let name = format!("cancel {}", self.label);
        let spawned = thread::Builder::new()
            .name(name)
            .spawn(move || canceller.cancel_late());
        if let Err(error) = spawned {
            tracing::warn!(
                device = self.label,
                "no thread to cancel the device: {error}"
            );
        }
    }

    /// Takes the mirror out of the run: nothing queued is written any more, and what is being
    /// written does not count. The lane itself stays usable.
    pub(super) fn give_up(&self, fault: DeviceFault) {
        let mut state = self.lock();
        state.write_fault.get_or_insert(fault);
        let running = state.running.as_ref().and_then(|r| r.lease.clone());
        let parked = state.parked.take();
        drop(state);
        drop(parked);
        self.wake();
        if let Some(lease) = running {
            lease.waive();
        }
    }

    /// Gives the lane up for good.
    pub(super) fn lose(&self, fault: DeviceFault) {
        let queued = lose_in(&mut self.lock(), fault);
        self.wake();
        drop(queued);
    }

    pub(super) fn wake(&self) {
        self.work.notify_all();
        self.moved.notify_all();
    }

    /// Why a job went without an answer.
    pub(super) fn why_gone(&self) -> DeviceFault {
        let lost = self.lock().lost.clone();
        lost.unwrap_or_else(|| self.fault("lane", Outcome::CANCELLED, "the lane was closed"))
    }

    /// Runs the queue to its end and waits for the close.
    pub(super) fn finish(&self) -> Result<(), DeviceFault> {
        self.lock().closing = true;
        self.wake();
        loop {
            {
                let state = self.lock();
                if let Some(ended) = &state.ended {
                    return ended.clone();
                }
                self.wait_moved(state);
            }
            self.check_deadline()?;
        }
    }

    /// Lets go of the queue without waiting.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.closing = true;
        let let_go = let_go(&mut state);
        drop(state);
        self.wake();
        drop(let_go);
    }
}

fn let_go(state: &mut State) -> LetGo {
    let mut jobs = std::mem::take(&mut state.queue);
    jobs.append(&mut state.urgent);
    LetGo {
        _jobs: jobs,
        _parked: state.parked.take(),
    }
}

/// Marks the lane as lost.
fn lose_in(state: &mut State, fault: DeviceFault) -> LetGo {
    state.lost.get_or_insert(fault);
    let_go(state)
}
