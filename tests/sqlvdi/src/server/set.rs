//! The set as the server sees it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Instant;

use crate::abi::{VdConfig, features};
use crate::buffers::{Buffers, Geometry, Violations};
use crate::control::{self, HEARTBEAT, Link, MAX_BUFFERS, Role, SLOTS, knob, state};
use crate::os;
use crate::server::device::ServerDevice;
use crate::server::outcome::Counters;
use crate::server::{Knobs, ServerError};

/// Smallest and largest block size in bytes.
const BLOCK_SIZES: std::ops::RangeInclusive<u32> = 512..=65536;
/// MAXTRANSFERSIZE is a multiple of this.
const TRANSFER_UNIT: u32 = 65536;
/// Largest MAXTRANSFERSIZE in bytes.
const MAX_TRANSFER: u32 = 4 << 20;
/// The depth that every server reports.
const REPORTED_DEPTH: u32 = 4;

/// What the server decides for the session.
#[derive(Clone, Debug)]
pub struct Negotiated {
    /// `WRITE_MEDIA` or `READ_MEDIA`, and `COMPLETE_ENABLED` if it is to be granted. It is
    /// granted only to a client that asked, and if the knob allows it.
    pub features: u32,
    /// BLOCKSIZE in bytes: a power of two, 512 to 65536.
    pub block_size: u32,
    /// MAXTRANSFERSIZE in bytes: a multiple of 64 KiB up to 4 MiB.
    pub max_transfer_size: u32,
    /// BUFFERCOUNT for all devices together; 0 = as many as the queues need.
    pub buffer_count: u32,
    /// Names of the statement's devices in order; the first is the set's own.
    pub device_names: Vec<String>,
}

/// Where a set stands (facts/vdi.md 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetState {
    /// Created by the client.
    Connected,
    /// Opened by the server.
    Configurable,
    /// Configured; devices may be opened.
    Initializing,
    /// All devices are open.
    Active,
    /// All devices were closed by the server.
    Terminated,
    /// Aborted by one side.
    Aborted,
}

/// One set, opened by the server. Dropping it without closing all devices aborts the set.
pub struct ServerSet {
    shared: Arc<Shared>,
    object: OwnedFd,
}

/// What the set and its devices have in common.
pub(super) struct Shared {
    pub(super) link: Link,
    pub(super) buffers: std::sync::OnceLock<Buffers>,
    pub(super) knobs: Knobs,
    pub(super) counters: Counters,
}

impl ServerSet {
    /// Opens the set a living client created under exactly this name, with the behaviour
    /// chosen by the environment.
    ///
    /// # Errors
    /// [`ServerError::Invalid`] if there is none (0x80770006 in message 3201).
    pub fn open(name: &str) -> Result<Self, ServerError> {
        Self::open_with(name, Knobs::from_environment())
    }

    /// Opens a set with a chosen behaviour.
    ///
    /// # Errors
    /// [`ServerError::Invalid`] for an unknown name, [`ServerError::Protocol`] if another
    /// server has opened it, [`ServerError::Memory`] if shared memory is full.
    pub fn open_with(name: &str, knobs: Knobs) -> Result<Self, ServerError> {
        if !control::is_good_name(name) {
            return Err(ServerError::Invalid);
        }
        let own = os::open_shared(&control::control_name(name));
        let own = own.map_err(|_| ServerError::Invalid)?;
        if os::is_orphan(&own) {
            return Err(ServerError::Invalid);
        }
        let link = Link::join(own, name, Role::Server).map_err(|_| ServerError::Memory)?;
        let link = link.ok_or(ServerError::Invalid)?;
        let object = {
            let _held = link.lock();
            match link.state.load(Relaxed) {
                state::CONNECTED => {}
                state::ABORTED => return Err(ServerError::Invalid),
                _ => return Err(ServerError::Protocol),
            }
            let object_name = control::buffers_name(name);
            os::unlink_shared(&object_name);
            let object = os::create_shared(&object_name).map_err(|_| ServerError::Memory)?;
            if !os::claim(&object) {
                return Err(ServerError::Protocol);
            }
            store_knobs(&link, &knobs);
            link.state.store(state::CONFIGURABLE, Release);
            link.tell(&link.set_event);
            object
        };
        let shared = Arc::new(Shared {
            link,
            buffers: std::sync::OnceLock::new(),
            knobs,
            counters: Counters::default(),
        });
        Ok(Self { shared, object })
    }

    /// What the client asked for.
    #[must_use]
    pub fn client_config(&self) -> VdConfig {
        VdConfig::from_words(self.shared.link.asked())
    }

    /// What was agreed, once [`Self::configure`] has succeeded.
    #[must_use]
    pub fn granted_config(&self) -> VdConfig {
        VdConfig::from_words(self.shared.link.granted())
    }

    /// Fixes the configuration; the client's GetConfiguration returns.
    ///
    /// # Errors
    /// [`ServerError::NotSupported`] if statement and client do not fit (message 3261),
    /// [`ServerError::Memory`] if the buffers do not fit into shared memory,
    /// [`ServerError::Aborted`], or [`ServerError::Protocol`] if called twice.
    pub fn configure(&mut self, wanted: Negotiated) -> Result<(), ServerError> {
        let shared = &self.shared;
        if shared.link.is_aborted() {
            return Err(ServerError::Aborted);
        }
        if self.state() != SetState::Configurable {
            return Err(ServerError::Protocol);
        }
        let client = self.client_config();
        let granted = negotiate(&client, &wanted, &shared.knobs, shared.link.name())?;
        let count = buffer_count(wanted.buffer_count, client.device_count, &shared.knobs);
        let geometry = Geometry::of(&granted, count).ok_or(ServerError::Memory)?;
        let buffers = os::reserve(&self.object, geometry.length())
            .and_then(|()| Buffers::map(self.object.as_fd(), geometry, shared.knobs.poison))
            .map_err(|_| ServerError::Memory)?;
        buffers.prepare();
        let _ = shared.buffers.set(buffers);

        let link = &shared.link;
        let _held = link.lock();
        if link.is_aborted() {
            return Err(ServerError::Aborted);
        }
        let mut words = granted.words();
        words[10] = geometry.length() as u32;
        link.set_granted(words);
        link.depth
            .store(shared.knobs.depth.clamp(1, SLOTS as u32 / 2), Relaxed);
        link.buffer_count.store(count, Relaxed);
        for index in 0..count as usize {
            let word = &link.free[index / 64];
            word.store(word.load(Relaxed) | 1 << (index % 64), Relaxed);
        }
        for (lane, name) in link.lanes().iter().zip(&wanted.device_names) {
            lane.set_name(name);
        }
        link.state.store(state::INITIALIZING, Release);
        link.tell(&link.set_event);
        Ok(())
    }

    /// Device `index`, counted from 0 in the order of the names. Waits until the client has
    /// opened it, at most as long as the knob `open_wait`.
    ///
    /// # Errors
    /// [`ServerError::Aborted`], [`ServerError::Timeout`]; [`ServerError::Invalid`] if there
    /// is no such device, [`ServerError::Protocol`] before [`Self::configure`].
    pub fn device(&self, index: usize) -> Result<ServerDevice, ServerError> {
        let link = &self.shared.link;
        let lane = link.lanes().get(index).ok_or(ServerError::Invalid)?;
        if self.shared.buffers.get().is_none() {
            return Err(ServerError::Protocol);
        }
        let end = Instant::now() + self.shared.knobs.open_wait;
        loop {
            let seen = lane.server_event.load(Acquire);
            if link.is_aborted() {
                return Err(ServerError::Aborted);
            }
            if lane.is_open() {
                return Ok(ServerDevice::new(Arc::clone(&self.shared), index));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ServerError::Timeout);
            }
            self.shared.watch_client();
            os::wait_word(&lane.server_event, seen, left.min(HEARTBEAT));
        }
    }

    /// Aborts the set from the server's side: the client's waits end with ABORT at once.
    pub fn abort(&self) {
        self.shared.link.abort();
    }

    /// False once the client that created the set has died or closed it.
    #[must_use]
    pub fn client_alive(&self) -> bool {
        self.shared.link.client_alive()
    }

    /// Where the set stands.
    #[must_use]
    pub fn state(&self) -> SetState {
        match self.shared.link.state.load(Acquire) {
            state::CONNECTED => SetState::Connected,
            state::CONFIGURABLE => SetState::Configurable,
            state::INITIALIZING => SetState::Initializing,
            state::ACTIVE => SetState::Active,
            state::TERMINATED => SetState::Terminated,
            _ => SetState::Aborted,
        }
    }

    /// True if the set ended by the client's SignalAbort or its Close with open devices.
    #[must_use]
    pub fn aborted_by_client(&self) -> bool {
        let by = self.shared.link.aborted_by.load(Relaxed);
        by == Role::Client as u32 || by == Role::Secondary as u32
    }

    /// Offences of the client noticed so far.
    #[must_use]
    pub fn violations(&self) -> Violations {
        self.shared.counters.violations()
    }
}

impl Shared {
    /// Aborts the set when its client is gone, unless told to play blind.
    pub(super) fn watch_client(&self) {
        if self.knobs.notice_client_death && !self.link.client_alive() {
            self.link.abort();
        }
    }
}

impl Drop for ServerSet {
    fn drop(&mut self) {
        let link = &self.shared.link;
        link.abort();
        os::unlink_shared(&control::buffers_name(link.name()));
        if !link.client_alive() {
            os::unlink_shared(&control::control_name(link.name()));
        }
    }
}

fn store_knobs(link: &Link, knobs: &Knobs) {
    let mut bits = 0;
    for (on, bit) in [
        (knobs.timeout_in_seconds, knob::TIMEOUT_IN_SECONDS),
        (knobs.two_devices_abort, knob::TWO_DEVICES_ABORT),
        (!knobs.poison, knob::NO_POISON),
    ] {
        bits |= if on { bit } else { 0 };
    }
    link.knobs.store(bits, Relaxed);
    link.configure_code.store(knobs.configure_code, Relaxed);
}

/// The configuration both sides get, or why there is none.
fn negotiate(
    client: &VdConfig,
    wanted: &Negotiated,
    knobs: &Knobs,
    set: &str,
) -> Result<VdConfig, ServerError> {
    let direction = wanted.features & (features::WRITE_MEDIA | features::READ_MEDIA);
    let alignment = if client.alignment == 0 {
        wanted.block_size
    } else {
        client.alignment
    };
    let names = &wanted.device_names;
    let distinct = (1..names.len()).all(|i| !names[..i].contains(&names[i]));
    let fits = direction.is_power_of_two()
        && wanted.block_size.is_power_of_two()
        && BLOCK_SIZES.contains(&wanted.block_size)
        && alignment >= wanted.block_size
        && wanted.max_transfer_size > 0
        && wanted.max_transfer_size.is_multiple_of(TRANSFER_UNIT)
        && wanted.max_transfer_size <= MAX_TRANSFER
        && wanted.buffer_count as usize <= MAX_BUFFERS
        && names.len() == client.device_count as usize
        && names.iter().all(|name| name.len() <= control::MAX_NAME)
        && names.first().is_some_and(|first| first == set)
        && distinct;
    if !fits {
        return Err(ServerError::NotSupported);
    }
    let asked = client.features & features::REQUEST_COMPLETE != 0 && knobs.complete_enabled;
    let complete = if asked {
        wanted.features & features::COMPLETE_ENABLED
    } else {
        0
    };
    Ok(VdConfig {
        features: client.features | direction | complete,
        block_size: wanted.block_size,
        max_io_depth: REPORTED_DEPTH,
        max_transfer_size: wanted.max_transfer_size,
        ..*client
    })
}

/// At least one buffer per device; by default what full queues hold and one to fill.
fn buffer_count(wanted: u32, devices: u32, knobs: &Knobs) -> u32 {
    match wanted {
        0 => (devices * (knobs.depth + 1)).min(MAX_BUFFERS as u32),
        count => count.max(devices),
    }
}
