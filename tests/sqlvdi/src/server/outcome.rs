//! What became of commands: outcomes and the offences seen with them.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::buffers::Violations;
use crate::control::{Slot, offence};

/// Names a queued command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// Outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The command, a `VDC_*` number.
    pub command: i32,
    /// The client's completion code, a Win32 number; 0 = done.
    pub code: i32,
    /// Bytes the command asked to transfer.
    pub size: u32,
    /// Bytes the client says it transferred.
    pub bytes_transferred: u64,
    /// The client's position; meaningful for position commands only.
    pub position: i64,
    /// Bytes read; empty for other commands and after [`super::ServerDevice::wait_with`].
    pub data: Vec<u8>,
    /// From queueing to the moment the outcome was looked at.
    pub elapsed: Duration,
    /// Offences of the client at this command.
    pub violations: Violations,
}

/// Offences of a whole set.
#[derive(Default)]
pub(super) struct Counters {
    guards: AtomicU32,
    late_writes: AtomicU32,
    too_many_bytes: AtomicU32,
}

impl Counters {
    pub(super) fn add(&self, found: &Violations) {
        self.guards.fetch_add(found.guards, Relaxed);
        self.late_writes.fetch_add(found.late_writes, Relaxed);
        self.too_many_bytes.fetch_add(found.too_many_bytes, Relaxed);
    }

    pub(super) fn violations(&self) -> Violations {
        Violations {
            guards: self.guards.load(Relaxed),
            late_writes: self.late_writes.load(Relaxed),
            too_many_bytes: self.too_many_bytes.load(Relaxed),
        }
    }
}

impl Completion {
    /// What a done slot says; `queued` is when its command was queued.
    pub(super) fn of(slot: &Slot, queued: Instant) -> Self {
        let offences = slot.offences.load(Relaxed);
        Self {
            command: slot.code.load(Relaxed),
            code: slot.done_code.load(Relaxed),
            size: slot.size.load(Relaxed),
            bytes_transferred: slot.done_bytes.load(Relaxed),
            position: slot.done_position.load(Relaxed),
            data: Vec::new(),
            elapsed: queued.elapsed(),
            violations: Violations {
                guards: u32::from(offences & offence::GUARD != 0),
                late_writes: 0,
                too_many_bytes: u32::from(offences & offence::TOO_MANY_BYTES != 0),
            },
        }
    }
}
