//! The control object: everything both processes must agree upon, in shared memory.
//!
//! It consists of atomics only, so a process that dies or misbehaves can spoil the talk but
//! not the memory of the other. All changes are made under one lock that both processes
//! share ([`Link::lock`]); waiting is done on event words.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Result;

use crate::abi::MAX_DEVICES;
use crate::abi::completions::OPERATION_ABORTED;
use crate::os::{self, Mapping};

/// Commands one device may hold, delivered or not, before their slots are used again.
pub(crate) const SLOTS: usize = 64;
/// Longest set or device name in bytes.
pub(crate) const MAX_NAME: usize = 200;
/// Most data buffers in a set.
pub(crate) const MAX_BUFFERS: usize = 1024;
/// Says "no buffer" in a slot.
pub(crate) const NO_BUFFER: u32 = u32::MAX;
/// How often a waiter looks whether the other process still lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(50);
/// A lock held longer than this by a secondary client counts as lost.
const LOCK_PATIENCE: u32 = 100;

const MAGIC: u64 = 0x5457_5344_4456_4c51;
const CONTENDED: u32 = 1 << 31;

/// States of the set (facts/vdi.md 3.1); 0 is an object not yet filled in.
pub(crate) mod state {
    pub(crate) const CONNECTED: u32 = 1;
    pub(crate) const CONFIGURABLE: u32 = 2;
    pub(crate) const INITIALIZING: u32 = 3;
    pub(crate) const ACTIVE: u32 = 4;
    pub(crate) const TERMINATED: u32 = 5;
    pub(crate) const ABORTED: u32 = 6;
}

/// States of one command slot.
pub(crate) mod slot {
    pub(crate) const EMPTY: u32 = 0;
    pub(crate) const PENDING: u32 = 1;
    pub(crate) const DELIVERED: u32 = 2;
    pub(crate) const DONE: u32 = 3;
}

/// Switches a server sets for the client library, in [`Control::knobs`].
pub(crate) mod knob {
    pub(crate) const TIMEOUT_IN_SECONDS: u32 = 1;
    pub(crate) const TWO_DEVICES_ABORT: u32 = 2;
    pub(crate) const NO_POISON: u32 = 4;
}

/// Offences the client library noticed at one command, in [`Slot::offences`].
pub(crate) mod offence {
    pub(crate) const GUARD: u32 = 1;
    pub(crate) const TOO_MANY_BYTES: u32 = 2;
}

/// One command on its way.
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) status: AtomicU32,
    pub(crate) code: AtomicI32,
    pub(crate) size: AtomicU32,
    pub(crate) buffer: AtomicU32,
    pub(crate) done_code: AtomicI32,
    pub(crate) offences: AtomicU32,
    pub(crate) done_bytes: AtomicU64,
    pub(crate) done_position: AtomicI64,
    pub(crate) sum: AtomicU64,
}

/// One device and its queue. Tickets count from 0; ticket `t` lives in slot `t % SLOTS`.
#[repr(C)]
pub(crate) struct Lane {
    pub(crate) opened: AtomicU32,
    pub(crate) closed: AtomicU32,
    pub(crate) io_error: AtomicU32,
    pub(crate) client_event: AtomicU32,
    pub(crate) server_event: AtomicU32,
    pub(crate) delivered: AtomicU32,
    pub(crate) next_in: AtomicU64,
    pub(crate) next_out: AtomicU64,
    name: SharedText,
    slots: [Slot; SLOTS],
}

impl Lane {
    pub(crate) fn slot(&self, ticket: u64) -> &Slot {
        &self.slots[(ticket % SLOTS as u64) as usize]
    }

    pub(crate) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    pub(crate) fn name(&self) -> String {
        self.name.get()
    }

    pub(crate) fn set_name(&self, name: &str) {
        self.name.set(name);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened.load(Relaxed) != 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed) != 0
    }
}

#[repr(C)]
struct SharedText {
    length: AtomicU32,
    bytes: [AtomicU8; MAX_NAME],
}

impl SharedText {
    fn get(&self) -> String {
        let length = (self.length.load(Relaxed) as usize).min(MAX_NAME);
        let bytes: Vec<u8> = self.bytes[..length]
            .iter()
            .map(|b| b.load(Relaxed))
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn set(&self, text: &str) {
        let length = text.len().min(MAX_NAME);
        for (cell, byte) in self.bytes.iter().zip(text.bytes()) {
            cell.store(byte, Relaxed);
        }
        self.length.store(length as u32, Relaxed);
    }
}

/// The whole object.
#[repr(C)]
pub(crate) struct Control {
    magic: AtomicU64,
    lock: AtomicU32,
    pub(crate) state: AtomicU32,
    pub(crate) set_event: AtomicU32,
    pub(crate) pool_event: AtomicU32,
    pub(crate) knobs: AtomicU32,
    pub(crate) configure_code: AtomicI32,
    pub(crate) aborted_by: AtomicU32,
    pub(crate) late_writes: AtomicU32,
    pub(crate) depth: AtomicU32,
    pub(crate) buffer_count: AtomicU32,
    asked: [AtomicU32; 11],
    granted: [AtomicU32; 11],
    pub(crate) free: [AtomicU64; MAX_BUFFERS / 64],
    lanes: [Lane; MAX_DEVICES],
}

impl Control {
    pub(crate) fn lanes(&self) -> &[Lane] {
        let count = (self.asked[0].load(Relaxed) as usize).min(MAX_DEVICES);
        &self.lanes[..count]
    }

    pub(crate) fn asked(&self) -> [u32; 11] {
        std::array::from_fn(|i| self.asked[i].load(Relaxed))
    }

    pub(crate) fn granted(&self) -> [u32; 11] {
        std::array::from_fn(|i| self.granted[i].load(Relaxed))
    }

    pub(crate) fn set_granted(&self, words: [u32; 11]) {
        for (cell, word) in self.granted.iter().zip(words) {
            cell.store(word, Relaxed);
        }
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.state.load(Acquire) == state::ABORTED
    }
}

/// Who speaks through a [`Link`]; the number stands in the lock word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Role {
    Client = 1,
    Server = 2,
    Secondary = 3,
}

/// One process's end of the control object.
pub(crate) struct Link {
    map: Mapping,
    own: OwnedFd,
    role: Role,
    name: String,
    server_object: Mutex<Option<OwnedFd>>,
}

/// Name of the control object of a set, made and locked by the client.
pub(crate) fn control_name(set: &str) -> String {
    format!("/Host_{set}_SQLVDIMemoryName_0")
}

/// Name of the buffer object of a set, made and locked by the server.
pub(crate) fn buffers_name(set: &str) -> String {
    format!("/Host_{set}_SQLVDIMemoryName_1")
}

/// Whether a set name can name shared memory: neither empty, nor long, nor with a slash.
pub(crate) fn is_good_name(set: &str) -> bool {
    !set.is_empty() && set.len() <= MAX_NAME && !set.contains(['/', '\\', '\0'])
}

impl Link {
    /// Makes the object's memory and fills in what the client asks for.
    pub(crate) fn create(own: OwnedFd, name: &str, asked: [u32; 11]) -> Result<Self> {
        os::reserve(&own, size_of::<Control>())?;
        let link = Self::over(own, name, Role::Client)?;
        for (cell, word) in link.asked.iter().zip(asked) {
            cell.store(word, Relaxed);
        }
        link.state.store(state::CONNECTED, Relaxed);
        link.magic.store(MAGIC, Release);
        Ok(link)
    }

    /// Joins an object that a client has made; `None` if it is not one.
    pub(crate) fn join(own: OwnedFd, name: &str, role: Role) -> Result<Option<Self>> {
        let (length, _) = os::length_and_named(&own)?;
        if length != size_of::<Control>() as u64 {
            return Ok(None);
        }
        let link = Self::over(own, name, role)?;
        Ok((link.magic.load(Acquire) == MAGIC).then_some(link))
    }

    fn over(own: OwnedFd, name: &str, role: Role) -> Result<Self> {
        let map = Mapping::new(own.as_fd(), size_of::<Control>(), 1, true)?;
        Ok(Self {
            map,
            own,
            role,
            name: name.to_owned(),
            server_object: Mutex::new(None),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the lock that both processes share.
    pub(crate) fn lock(&self) -> Held<'_> {
        let me = self.role as u32;
        let word = &self.lock;
        let mut waits = 0;
        let mut mine = me;
        loop {
            let Err(held) = word.compare_exchange(0, mine, Acquire, Relaxed) else {
                return Held(self);
            };
            mine = me | CONTENDED;
            let marked = held | CONTENDED;
            if held == marked
                || word
                    .compare_exchange(held, marked, Relaxed, Relaxed)
                    .is_ok()
            {
                os::wait_word(word, marked, HEARTBEAT);
                waits += 1;
                let holder = held & !CONTENDED;
                if self.is_lost(holder, waits)
                    && word
                        .compare_exchange(marked, mine, Acquire, Relaxed)
                        .is_ok()
                {
                    return Held(self);
                }
            }
        }
    }

    /// Whether the holder of the lock can no longer give it back.
    fn is_lost(&self, holder: u32, waits: u32) -> bool {
        if holder == self.role as u32 && self.role != Role::Secondary {
            return false;
        }
        if holder == Role::Secondary as u32 {
            return waits > LOCK_PATIENCE;
        }
        match self.role {
            Role::Server => os::is_orphan(&self.own),
            Role::Secondary if holder == Role::Client as u32 => os::is_orphan(&self.own),
            _ => !self.server_alive(),
        }
    }

    /// False once the process that created the set has died or closed it.
    pub(crate) fn client_alive(&self) -> bool {
        self.role == Role::Client || !os::is_orphan(&self.own)
    }

    /// False once a server that had opened the set is gone.
    pub(crate) fn server_alive(&self) -> bool {
        let state = self.state.load(Acquire);
        if matches!(state, state::CONNECTED | state::TERMINATED | state::ABORTED) {
            return true;
        }
        let mut object = self
            .server_object
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if object.is_none() {
            *object = os::open_shared(&buffers_name(&self.name)).ok();
        }
        object.as_ref().is_some_and(|fd| !os::is_orphan(fd))
    }

    /// Ends the set for both sides: every command not completed ends with 995, every waiter
    /// wakes. A set that has ended already stays as it is.
    pub(crate) fn abort(&self) {
        let _held = self.lock();
        if self.state.load(Relaxed) >= state::TERMINATED {
            return;
        }
        self.state.store(state::ABORTED, Release);
        self.aborted_by.store(self.role as u32, Relaxed);
        for lane in self.lanes() {
            for slot in lane.slots() {
                let status = slot.status.load(Relaxed);
                if matches!(status, slot::PENDING | slot::DELIVERED) {
                    slot.done_code.store(OPERATION_ABORTED, Relaxed);
                    slot.done_bytes.store(0, Relaxed);
                    slot.status.store(slot::DONE, Release);
                }
            }
            self.tell(&lane.client_event);
            self.tell(&lane.server_event);
        }
        self.tell(&self.set_event);
        self.tell(&self.pool_event);
    }

    /// Says that something changed to all who wait on `event`.
    pub(crate) fn tell(&self, event: &AtomicU32) {
        event.fetch_add(1, Release);
        os::wake_word(event, i32::MAX.cast_unsigned());
    }
}

impl Deref for Link {
    type Target = Control;

    fn deref(&self) -> &Control {
        // SAFETY: the mapping is as long as a Control, lives as long as self, is aligned to
        // a page, and a Control is valid for any bytes since it holds nothing but atomics.
        unsafe { self.map.start().cast::<Control>().as_ref() }
    }
}

/// The shared lock, held until dropped.
pub(crate) struct Held<'a>(&'a Link);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.0.lock.swap(0, Release) & CONTENDED != 0 {
            os::wake_word(&self.0.lock, 1);
        }
    }
}
