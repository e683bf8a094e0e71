//! One virtual device: commands come, are lent out, come back, are completed.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::codes::{Order, Vde, Win32};
use super::core::Hold;
use super::layout::VdcCommand;
use super::platform::RawDevice;
use super::set::Negotiated;
use crate::payload::{Lease, Owner};

/// One device of a set, used by one thread. Dropping it before the server has closed it aborts
/// the set, so that nobody waits for answers that will not come.
pub struct VdiDevice {
    raw: RawDevice,
    hold: Hold,
    name: String,
    negotiated: Negotiated,
    ended: bool,
}

impl std::fmt::Debug for VdiDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VdiDevice")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What waiting for a command brought.
pub(super) enum Next {
    Command(Command),
    /// Nothing yet.
    Nothing,
    /// The server is done with this device.
    Closed,
    /// Somebody signalled abort.
    Aborted,
    /// Something the interface does not foresee.
    Failed(String),
}

impl VdiDevice {
    pub(super) fn new(raw: RawDevice, hold: Hold, name: &str, negotiated: Negotiated) -> Self {
        Self {
            raw,
            hold,
            name: name.to_owned(),
            negotiated,
            ended: false,
        }
    }

    /// Its name in the statement.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its set agreed with the server.
    #[must_use]
    pub fn negotiated(&self) -> Negotiated {
        self.negotiated
    }

    /// Looks for a command without waiting.
    pub(super) fn look(&mut self) -> Next {
        self.get(0)
    }

    /// Waits a short slice for a command.
    pub(super) fn wait(&mut self) -> Next {
        let slice = self.hold.core().pace.slice();
        let called = Instant::now();
        let next = self.get(slice);
        if matches!(next, Next::Nothing) {
            self.hold.core().pace.expired(slice, called.elapsed());
        }
        next
    }

    fn get(&mut self, slice: i64) -> Next {
        match self.raw.get_command(slice) {
            Ok((raw, command)) => self.checked(raw, &command),
            Err(Vde::TIMEOUT) => Next::Nothing,
            Err(Vde::CLOSE) => {
                self.ended = true;
                Next::Closed
            }
            Err(Vde::ABORT) => {
                self.ended = true;
                Next::Aborted
            }
            Err(error) => Next::Failed(format!("GetCommand: {error}")),
        }
    }

    /// The other process wrote these numbers; nothing is believed.
    fn checked(&self, raw: NonNull<VdcCommand>, command: &VdcCommand) -> Next {
        let order = Order::from_code(command.code);
        let moves = matches!(order, Order::Read | Order::Write);
        let size = if moves {
            usize::try_from(command.size).ok()
        } else {
            Some(0)
        };
        let limit = self.negotiated.max_transfer_size as usize;
        match size {
            Some(size) if size <= limit && (size == 0 || !command.buffer.is_null()) => {
                Next::Command(Command {
                    raw,
                    order,
                    size,
                    buffer: command.buffer,
                })
            }
            _ => Next::Failed(format!(
                "{order:?} of {} bytes at {:?}, the limit is {limit}",
                command.size, command.buffer
            )),
        }
    }

    /// Answers a command. Taking it by value proves that nobody has its buffer any more.
    pub(super) fn complete(
        &mut self,
        command: Command,
        code: Win32,
        bytes: usize,
    ) -> Result<(), Vde> {
        let result = self.raw.complete_command(command.raw, code.0, bytes as u64);
        if result == Err(Vde::ABORT) {
            self.ended = true;
        }
        result
    }

    /// Lends a command's buffer out; the bell rings when it is back.
    pub(super) fn lend(&self, command: Command, bell: &Arc<Bell>) -> (Lease, Lent) {
        let back = Arc::new(AtomicBool::new(false));
        let returned = Arc::clone(&back);
        let owner = Borrowed {
            back: returned,
            bell: Arc::clone(bell),
            _hold: Hold::new(self.hold.core()),
        };
        // SAFETY: the buffer holds `size` bytes (checked against what was negotiated) and belongs
        // to us from GetCommand to CompleteCommand. `Lent` gives the command out for completion
        // only after the owner was told of the return, and its hold keeps the set from being
        // closed, and so the memory from being unmapped, until the owner is dropped.
        let lease = unsafe { Lease::lend(command.buffer, command.size, owner) };
        (lease, Lent { command, back })
    }

    /// Ends the whole set; nothing more is expected of this device.
    pub(super) fn abort(&mut self, why: &str) {
        self.ended = true;
        self.hold.core().abort(why);
    }
}

impl Drop for VdiDevice {
    fn drop(&mut self) {
        if !self.ended {
            self.hold.core().abort("a device was given up");
        }
    }
}

/// A command that waits for its answer, with its buffer.
#[derive(Debug)]
pub(super) struct Command {
    raw: NonNull<VdcCommand>,
    pub(super) order: Order,
    size: usize,
    buffer: *mut u8,
}

impl Command {
    /// Bytes to write or to read.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The buffer to be filled.
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        if self.size == 0 {
            return &mut [];
        }
        // SAFETY: the buffer is not null and holds `size` bytes (checked); it is ours alone until
        // the command is completed, which takes `self` by value and so ends this borrow.
        unsafe { std::slice::from_raw_parts_mut(self.buffer, self.size) }
    }
}

/// SQL Server's buffer while it is lent to the mirrors.
struct Borrowed {
    back: Arc<AtomicBool>,
    bell: Arc<Bell>,
    _hold: Hold,
}

impl Owner for Borrowed {
    fn returned(&mut self, _waived: bool) {
        // Every reader that counts is done with the bytes before anybody may see this flag.
        self.back.store(true, Ordering::Release);
        self.bell.ring();
    }
}

/// A command whose buffer is lent out.
#[derive(Debug)]
pub(super) struct Lent {
    command: Command,
    back: Arc<AtomicBool>,
}

impl Lent {
    /// True when the last clone of the lease is gone.
    pub(super) fn is_back(&self) -> bool {
        self.back.load(Ordering::Acquire)
    }

    /// The command, once the last clone of the lease is gone.
    pub(super) fn take(self) -> Result<Command, Self> {
        if self.is_back() {
            Ok(self.command)
        } else {
            Err(self)
        }
    }
}

/// Wakes the device's thread when a lease comes back.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    wake: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Waits until it rings, or rang since the last wait, at most `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .wake
            .wait_timeout_while(rung, limit, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}
