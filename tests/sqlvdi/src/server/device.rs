//! One device as the server sees it: queue commands, wait for their outcome, close.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use crate::abi::{VdConfig, commands, features};
use crate::buffers::{self, Buffers, Violations, quick_sum};
use crate::control::{HEARTBEAT, Lane, NO_BUFFER, slot, state};
use crate::os;
use crate::server::ServerError;
use crate::server::outcome::{Completion, Ticket};
use crate::server::set::Shared;

/// Outcomes a device keeps for callers that have not waited yet.
const MAX_UNCLAIMED: usize = 4096;
/// No wait on a client lasts longer, whatever the knobs say.
const WAIT_CEILING: Duration = Duration::from_secs(3600);

/// One device; may be sent to a thread of its own. Dropping it without
/// [`ServerDevice::close`] aborts the set.
pub struct ServerDevice {
    shared: Arc<Shared>,
    index: usize,
    queued_at: BTreeMap<u64, Instant>,
    unclaimed: BTreeMap<u64, Completion>,
    progress: Instant,
    sent: u64,
    closed: bool,
}

impl ServerDevice {
    pub(super) fn new(shared: Arc<Shared>, index: usize) -> Self {
        Self {
            shared,
            index,
            queued_at: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            progress: Instant::now(),
            sent: 0,
            closed: false,
        }
    }

    fn lane(&self) -> &Lane {
        &self.shared.link.lanes()[self.index]
    }

    fn buffers(&self) -> Result<&Buffers, ServerError> {
        self.shared.buffers.get().ok_or(ServerError::Protocol)
    }

    fn granted(&self) -> VdConfig {
        VdConfig::from_words(self.shared.link.granted())
    }

    /// Takes a free buffer, lets `fill` put bytes into it and queues a write of as many
    /// bytes as `fill` returns, a multiple of the block size.
    ///
    /// # Errors
    /// [`ServerError::Invalid`] for a wrong number of bytes, [`ServerError::IoDevice`] in
    /// the error state, [`ServerError::Aborted`], [`ServerError::Busy`].
    pub fn write(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) -> Result<Ticket, ServerError> {
        self.make_room(false)?;
        let buffer = self.take_buffer()?;
        let length = fill(self.buffers()?.data_mut(buffer));
        if !self.is_transfer(length) {
            self.return_buffer(buffer)?;
            return Err(ServerError::Invalid);
        }
        self.queue(commands::WRITE, length as u32, Some(buffer))
    }

    /// Queues a read of `size` bytes, a multiple of the block size.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub fn read(&mut self, size: usize) -> Result<Ticket, ServerError> {
        if !self.is_transfer(size) {
            return Err(ServerError::Invalid);
        }
        self.make_room(false)?;
        let buffer = self.take_buffer()?;
        self.queue(commands::READ, size as u32, Some(buffer))
    }

    /// Queues a command without data: Flush, Complete, ClearError, or any other number.
    ///
    /// # Errors
    /// As for [`Self::write`]; ClearError is allowed in the error state.
    pub fn command(&mut self, code: i32) -> Result<Ticket, ServerError> {
        self.make_room(code == commands::CLEAR_ERROR)?;
        self.queue(code, 0, None)
    }

    /// Waits until the client has completed the command.
    ///
    /// # Errors
    /// [`ServerError::Aborted`] (995) if one side aborted or the client died,
    /// [`ServerError::Invalid`] for a ticket already waited for.
    pub fn wait(&mut self, ticket: Ticket) -> Result<Completion, ServerError> {
        self.await_done(ticket)?;
        match self.unclaimed.remove(&ticket.0) {
            Some(done) => Ok(done),
            None => self
                .harvest(ticket.0, |bytes| bytes.to_vec())
                .map(|(mut done, data)| {
                    done.data = data;
                    done
                }),
        }
    }

    /// As [`Self::wait`], but lends the bytes of a read instead of copying them.
    ///
    /// # Errors
    /// As for [`Self::wait`].
    pub fn wait_with<T>(
        &mut self,
        ticket: Ticket,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<(Completion, T), ServerError> {
        self.await_done(ticket)?;
        match self.unclaimed.remove(&ticket.0) {
            Some(mut done) => {
                let seen = look(&done.data);
                done.data = Vec::new();
                Ok((done, seen))
            }
            None => self.harvest(ticket.0, look),
        }
    }

    /// Waits for what is outstanding and closes the device: the client's next GetCommand
    /// answers CLOSE. When all devices are closed the set has ended normally.
    pub fn close(mut self) {
        while let Some((&ticket, _)) = self.queued_at.first_key_value() {
            if self.await_done(Ticket(ticket)).is_err() || self.stash(ticket).is_err() {
                return;
            }
        }
        self.closed = true;
        let link = &self.shared.link;
        let _held = link.lock();
        if link.is_aborted() {
            return;
        }
        self.lane().closed.store(1, Relaxed);
        if link.lanes().iter().all(Lane::is_closed) {
            link.state.store(state::TERMINATED, Release);
            link.tell(&link.set_event);
        }
        link.tell(&self.lane().client_event);
    }

    fn is_transfer(&self, length: usize) -> bool {
        let granted = self.granted();
        length > 0
            && length <= granted.max_transfer_size as usize
            && length.is_multiple_of(granted.block_size as usize)
    }

    /// Waits until the queue takes another command.
    fn make_room(&mut self, in_error: bool) -> Result<(), ServerError> {
        self.misbehave()?;
        let depth = self.shared.link.depth.load(Relaxed).max(1) as usize;
        while self.queued_at.len() >= depth {
            let Some((&oldest, _)) = self.queued_at.first_key_value() else {
                break;
            };
            self.await_done(Ticket(oldest))?;
            self.stash(oldest)?;
        }
        if self.lane().io_error.load(Acquire) != 0 && !in_error {
            return Err(ServerError::IoDevice);
        }
        Ok(())
    }

    /// The unpleasant habits chosen by the knobs.
    fn misbehave(&mut self) -> Result<(), ServerError> {
        let random_access = self.granted().features & features::RANDOM_ACCESS != 0;
        let limit = self.shared.knobs.random_access_abort;
        if random_access && limit.is_some_and(|commands| self.sent >= commands) {
            self.shared.link.abort();
        }
        let end = Instant::now() + self.shared.knobs.idle_gap;
        loop {
            let seen = self.lane().server_event.load(Acquire);
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            os::wait_word(&self.lane().server_event, seen, left.min(HEARTBEAT));
        }
    }

    /// Fails if the set is aborted, which a dead client causes.
    fn check(&self) -> Result<(), ServerError> {
        if self.shared.link.is_aborted() {
            return Err(ServerError::Aborted);
        }
        Ok(())
    }

    fn take_buffer(&mut self) -> Result<usize, ServerError> {
        let begun = Instant::now();
        loop {
            let seen = self.shared.link.pool_event.load(Acquire);
            self.check()?;
            let taken = {
                let _held = self.shared.link.lock();
                buffers::take(&self.shared.link)
            };
            let Some(index) = taken else {
                self.pause(&self.shared.link.pool_event, seen, begun)?;
                continue;
            };
            if !self.buffers()?.is_poisoned(index) {
                self.shared.counters.add(&Violations {
                    late_writes: 1,
                    ..Default::default()
                });
            }
            return Ok(index);
        }
    }

    fn return_buffer(&self, index: usize) -> Result<(), ServerError> {
        self.buffers()?.poison(index);
        let _held = self.shared.link.lock();
        buffers::give_back(&self.shared.link, index);
        Ok(())
    }

    fn queue(
        &mut self,
        code: i32,
        size: u32,
        buffer: Option<usize>,
    ) -> Result<Ticket, ServerError> {
        let link = &self.shared.link;
        let lane = &link.lanes()[self.index];
        let _held = link.lock();
        let ticket = lane.next_in.load(Relaxed);
        let slot = lane.slot(ticket);
        let refused = if link.is_aborted() {
            Some(ServerError::Aborted)
        } else if lane.io_error.load(Relaxed) != 0 && code != commands::CLEAR_ERROR {
            Some(ServerError::IoDevice)
        } else if slot.status.load(Relaxed) != slot::EMPTY {
            Some(ServerError::Busy)
        } else {
            None
        };
        if let Some(error) = refused {
            if let (Some(index), Some(area)) = (buffer, self.shared.buffers.get()) {
                area.poison(index);
                buffers::give_back(link, index);
            }
            return Err(error);
        }
        slot.code.store(code, Relaxed);
        slot.size.store(size, Relaxed);
        slot.buffer
            .store(buffer.map_or(NO_BUFFER, |index| index as u32), Relaxed);
        slot.offences.store(0, Relaxed);
        slot.status.store(slot::PENDING, Release);
        lane.next_in.store(ticket + 1, Relaxed);
        link.tell(&lane.client_event);
        let now = Instant::now();
        if self.queued_at.is_empty() {
            self.progress = now;
        }
        self.queued_at.insert(ticket, now);
        self.sent += 1;
        Ok(Ticket(ticket))
    }

    /// Waits until the slot of an outstanding ticket is done.
    fn await_done(&mut self, ticket: Ticket) -> Result<(), ServerError> {
        if self.unclaimed.contains_key(&ticket.0) {
            return Ok(());
        }
        if !self.queued_at.contains_key(&ticket.0) {
            return Err(ServerError::Invalid);
        }
        let begun = Instant::now();
        loop {
            let seen = self.lane().server_event.load(Acquire);
            self.check()?;
            if self.lane().slot(ticket.0).status.load(Acquire) == slot::DONE {
                self.progress = Instant::now();
                return Ok(());
            }
            self.pause(&self.lane().server_event, seen, begun)?;
        }
    }

    /// One heartbeat of waiting on the client: notices its death, and a stall beyond two of
    /// its `serverTimeOut`.
    fn pause(&self, event: &AtomicU32, seen: u32, begun: Instant) -> Result<(), ServerError> {
        os::wait_word(event, seen, HEARTBEAT);
        if event.load(Acquire) != seen {
            return Ok(());
        }
        self.shared.watch_client();
        let patience = match self.granted().server_time_out {
            0 => WAIT_CEILING,
            interval => Duration::from_millis(u64::from(interval)) * 2,
        };
        if self.progress.max(begun).elapsed() > patience {
            self.shared.link.abort();
        }
        self.check()
    }

    /// Takes an outcome out of its slot and keeps it, so that the slot is free.
    fn stash(&mut self, ticket: u64) -> Result<(), ServerError> {
        if self.unclaimed.len() >= MAX_UNCLAIMED {
            return Err(ServerError::Busy);
        }
        let (mut done, data) = self.harvest(ticket, |bytes| bytes.to_vec())?;
        done.data = data;
        self.unclaimed.insert(ticket, done);
        Ok(())
    }

    /// Empties a slot that is done; `look` sees the bytes of a read while they are there.
    fn harvest<T>(
        &mut self,
        ticket: u64,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<(Completion, T), ServerError> {
        let queued = self.queued_at.remove(&ticket).ok_or(ServerError::Invalid)?;
        let slot = self.lane().slot(ticket);
        let mut done = Completion::of(slot, queued);
        let seen = match slot.buffer.load(Relaxed) {
            NO_BUFFER => look(&[]),
            index => {
                let area = self.buffers()?;
                let length = done.bytes_transferred.min(u64::from(done.size)) as usize;
                let bytes = area.data(index as usize, length);
                if quick_sum(bytes) != slot.sum.load(Relaxed) {
                    done.violations.late_writes += 1;
                }
                look(bytes)
            }
        };
        if let Some(index) = Some(slot.buffer.load(Relaxed)).filter(|&index| index != NO_BUFFER) {
            self.return_buffer(index as usize)?;
        }
        slot.buffer.store(NO_BUFFER, Relaxed);
        slot.status.store(slot::EMPTY, Release);
        self.shared.counters.add(&done.violations);
        Ok((done, seen))
    }
}

impl Drop for ServerDevice {
    fn drop(&mut self) {
        if !self.closed {
            self.shared.link.abort();
        }
    }
}
