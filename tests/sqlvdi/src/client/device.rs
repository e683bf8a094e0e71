//! One device as its client sees it: get a command, act, complete it.
#![allow(unsafe_code)]

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex};

use crate::abi::{MAX_DEVICES, VdcCommand, commands, completions, returns};
use crate::buffers::{self, Buffers, quick_sum};
use crate::client::set::{OpenSet, locked};
use crate::control::{Lane, Link, NO_BUFFER, SLOTS, offence, slot};
use crate::os::{self, Mapping};

/// The command structures. The client sees them through a read-only mapping, the library
/// fills them through another one.
pub(crate) struct CommandCells {
    inside: Mapping,
    outside: Mapping,
}

impl CommandCells {
    const COUNT: usize = MAX_DEVICES * SLOTS;

    pub(crate) fn new() -> rustix::io::Result<Self> {
        let length = Self::COUNT * size_of::<VdcCommand>();
        let memory = os::anonymous(length)?;
        let inside = Mapping::new(memory.as_fd(), length, 1, true)?;
        let outside = Mapping::new(memory.as_fd(), length, 1, false)?;
        Ok(Self { inside, outside })
    }

    /// Fills a cell and returns its read-only address.
    fn fill(&self, cell: usize, command: VdcCommand) -> *mut VdcCommand {
        assert!(cell < Self::COUNT, "no such command cell");
        // SAFETY: the cell lies inside the mapping as just checked, is aligned since the
        // mapping starts on a page, and belongs to a command nobody holds.
        unsafe {
            self.inside
                .start()
                .cast::<VdcCommand>()
                .add(cell)
                .write(command)
        };
        // SAFETY: as above; both mappings have the same length.
        unsafe { self.outside.start().cast::<VdcCommand>().add(cell).as_ptr() }
    }

    /// The cell a client's pointer names.
    fn index_of(&self, command: *const VdcCommand) -> Option<usize> {
        let start = self.outside.start().as_ptr().addr();
        let offset = command.addr().checked_sub(start)?;
        let cell = offset / size_of::<VdcCommand>();
        (offset.is_multiple_of(size_of::<VdcCommand>()) && cell < Self::COUNT).then_some(cell)
    }
}

/// What the 8 bytes of a `ClientVirtualDevice` point to.
pub(crate) struct ClientDevice {
    set: Mutex<Option<Arc<OpenSet>>>,
    index: usize,
}

impl ClientDevice {
    pub(crate) fn new(set: Arc<OpenSet>, index: usize) -> Self {
        Self {
            set: Mutex::new(Some(set)),
            index,
        }
    }

    /// Makes every later call answer "not open"; the set was closed.
    pub(crate) fn detach(&self) {
        locked(&self.set).take();
    }

    /// Keeps the set's memory mapped; `None` once the set was closed.
    pub(crate) fn held(&self) -> Option<Arc<OpenSet>> {
        locked(&self.set).clone()
    }

    /// `GetCommand`: the next command in order; `timeout` as for `GetConfiguration`.
    pub(crate) fn get_command(&self, timeout: i64) -> Result<*mut VdcCommand, i32> {
        let set = locked(&self.set).clone().ok_or(returns::NOT_OPEN)?;
        let lane = &set.link.lanes()[self.index];
        let deadline = set.deadline(timeout);
        loop {
            let seen = lane.client_event.load(Acquire);
            if let Some(command) = self.next_command(&set, lane)? {
                return Ok(command);
            }
            set.wait(&lane.client_event, seen, deadline)?;
        }
    }

    fn next_command(&self, set: &OpenSet, lane: &Lane) -> Result<Option<*mut VdcCommand>, i32> {
        let _held = set.link.lock();
        if set.link.is_aborted() {
            return Err(returns::ABORT);
        }
        let ticket = lane.next_out.load(Relaxed);
        if ticket == lane.next_in.load(Relaxed) {
            return if lane.is_closed() {
                Err(returns::CLOSE)
            } else {
                Ok(None)
            };
        }
        let slot = lane.slot(ticket);
        let code = slot.code.load(Relaxed);
        if code == commands::CLEAR_ERROR && lane.delivered.load(Relaxed) > 0 {
            return Ok(None);
        }
        let buffers = set.buffers.get().ok_or(returns::UNEXPECTED)?;
        let buffer = match slot.buffer.load(Relaxed) {
            NO_BUFFER => std::ptr::null_mut(),
            index => buffers.address(index as usize),
        };
        slot.status.store(slot::DELIVERED, Release);
        lane.next_out.store(ticket + 1, Relaxed);
        lane.delivered.fetch_add(1, Relaxed);
        let cell = self.index * SLOTS + (ticket % SLOTS as u64) as usize;
        Ok(Some(set.cells.fill(
            cell,
            VdcCommand {
                command_code: code,
                size: slot.size.load(Relaxed).cast_signed(),
                position: 0,
                buffer,
            },
        )))
    }

    /// `CompleteCommand`: gives a command back with its outcome.
    pub(crate) fn complete(
        &self,
        command: *const VdcCommand,
        code: i32,
        bytes: u64,
        position: i64,
    ) -> i32 {
        let Some(set) = locked(&self.set).clone() else {
            return returns::PROTOCOL;
        };
        let Some(buffers) = set.buffers.get() else {
            return returns::PROTOCOL;
        };
        if set.link.is_aborted() {
            return returns::ABORT;
        }
        let cell = set.cells.index_of(command);
        let Some(cell) = cell.filter(|cell| cell / SLOTS == self.index) else {
            return returns::INVALID;
        };
        let lane = &set.link.lanes()[self.index];
        let slot = lane.slot((cell % SLOTS) as u64);
        if slot.status.load(Acquire) != slot::DELIVERED {
            return returns::INVALID;
        }
        let (offences, sum) = inspect(slot, buffers, bytes);

        let _held = set.link.lock();
        if set.link.is_aborted() {
            return returns::ABORT;
        }
        if slot.status.load(Relaxed) != slot::DELIVERED {
            return returns::INVALID;
        }
        slot.done_code.store(code, Relaxed);
        slot.done_bytes.store(bytes, Relaxed);
        slot.done_position.store(position, Relaxed);
        slot.offences.store(offences, Relaxed);
        slot.sum.store(sum, Relaxed);
        finish(&set.link, slot);
        lane.delivered.fetch_sub(1, Relaxed);
        settle_error_state(&set.link, lane, buffers, slot.code.load(Relaxed), code);
        set.link.tell(&lane.server_event);
        returns::OK
    }
}

/// Looks for offences, and makes the buffer of a write useless to the client. The buffer of
/// a read keeps its bytes for the server; their sum shows whether they change afterwards.
fn inspect(slot: &crate::control::Slot, buffers: &Buffers, bytes: u64) -> (u32, u64) {
    let index = slot.buffer.load(Relaxed);
    if index == NO_BUFFER {
        return (0, 0);
    }
    let (index, size) = (index as usize, u64::from(slot.size.load(Relaxed)));
    let mut offences = 0;
    if bytes > size {
        offences |= offence::TOO_MANY_BYTES;
    }
    if !buffers.guards_hold(index) {
        offences |= offence::GUARD;
    }
    if slot.code.load(Relaxed) == commands::READ {
        let length = usize::try_from(bytes.min(size)).unwrap_or(0);
        return (offences, quick_sum(buffers.data(index, length)));
    }
    buffers.poison(index);
    (offences, 0)
}

/// Marks a command as done; the buffer of a read stays with it until the server has looked.
fn finish(link: &Link, slot: &crate::control::Slot) {
    let index = slot.buffer.load(Relaxed);
    if index != NO_BUFFER && slot.code.load(Relaxed) != commands::READ {
        slot.buffer.store(NO_BUFFER, Relaxed);
        buffers::give_back(link, index as usize);
    }
    slot.status.store(slot::DONE, Release);
}

/// Enters or leaves the error state of facts/vdi.md 3.5. An unknown command refused with
/// "not supported" is no error of the device.
fn settle_error_state(link: &Link, lane: &Lane, buffers: &Buffers, command: i32, code: i32) {
    let is_transfer = matches!(command, commands::READ | commands::WRITE);
    let is_essential = is_transfer
        || matches!(
            command,
            commands::FLUSH | commands::COMPLETE | commands::CLEAR_ERROR
        );
    if code == completions::SUCCESS {
        if command == commands::CLEAR_ERROR {
            lane.io_error.store(0, Relaxed);
        }
        return;
    }
    if code == completions::NOT_SUPPORTED && !is_essential {
        return;
    }
    lane.io_error.store(1, Relaxed);
    let end = lane.next_in.load(Relaxed);
    for ticket in lane.next_out.load(Relaxed)..end {
        let slot = lane.slot(ticket);
        slot.done_code.store(completions::IO_DEVICE, Relaxed);
        slot.done_bytes.store(0, Relaxed);
        let index = slot.buffer.load(Relaxed);
        if index != NO_BUFFER {
            buffers.poison(index as usize);
        }
        slot.sum.store(quick_sum(&[]), Relaxed);
        finish(link, slot);
    }
    lane.next_out.store(end, Relaxed);
}
