//! The set as its client sees it: create, configure, open devices, abort, close.

use std::os::fd::AsFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::abi::{MAX_DEVICES, VdConfig, features, returns};
use crate::buffers::{self, Buffers, Geometry};
use crate::client::device::{ClientDevice, CommandCells};
use crate::control::{self, HEARTBEAT, Link, Role, knob, state};
use crate::os;

/// Tries at a name whose previous owner died.
const CREATE_TRIES: usize = 3;

/// Feature mixes of a device, before the optional bits (facts/vdi.md 1.6).
const DEVICE_KINDS: [u32; 5] = [
    0,
    features::REMOVABLE,
    features::LIKE_TAPE,
    features::RANDOM_ACCESS,
    features::RANDOM_ACCESS | features::REMOVABLE,
];
/// Bits that go with any kind of device.
const OPTIONAL_FEATURES: u32 = features::DISCARD
    | features::SNAPSHOT_PREPARE
    | features::ENUM_FROZEN_FILES
    | features::REQUEST_COMPLETE;

/// A set between `Create` and `Close`.
pub(crate) struct OpenSet {
    pub(crate) link: Link,
    pub(crate) cells: CommandCells,
    pub(crate) buffers: OnceLock<Buffers>,
    timeout_unit: Option<Duration>,
    configure_code: i32,
    primary: bool,
}

/// What the 8 bytes of a `ClientVirtualDeviceSet` point to.
#[derive(Default)]
pub(crate) struct ClientSet {
    open: Mutex<Option<Arc<OpenSet>>>,
    /// Devices stay allocated until the set object dies, so that a stale pointer gets an
    /// error and not somebody else's memory.
    devices: Mutex<Vec<Arc<ClientDevice>>>,
}

impl ClientSet {
    fn opened(&self) -> Option<Arc<OpenSet>> {
        locked(&self.open).clone()
    }

    /// `Create`: makes the set known under its name. The configuration is copied.
    pub(crate) fn create(&self, name: &str, config: &VdConfig) -> i32 {
        let mut open = locked(&self.open);
        if open.is_some() {
            return returns::PROTOCOL;
        }
        if !control::is_good_name(name) {
            return returns::INVALID;
        }
        if !is_supported(config) {
            return returns::NOT_SUPPORTED;
        }
        match create_link(name, config.words()) {
            Ok(link) => match OpenSet::over(link, true) {
                Some(set) => {
                    *open = Some(Arc::new(set));
                    returns::OK
                }
                None => returns::MEMORY,
            },
            Err(code) => code,
        }
    }

    /// `OpenInSecondary`: joins a set that another process created.
    pub(crate) fn open_in_secondary(&self, name: &str) -> i32 {
        let mut open = locked(&self.open);
        if open.is_some() || !control::is_good_name(name) {
            return returns::PROTOCOL;
        }
        let joined = os::open_shared(&control::control_name(name))
            .and_then(|fd| Link::join(fd, name, Role::Secondary));
        let Ok(Some(link)) = joined else {
            return returns::PROTOCOL;
        };
        match link.state.load(Acquire) {
            state::ABORTED => return returns::ABORT,
            state::INITIALIZING | state::ACTIVE => {}
            _ => return returns::PROTOCOL,
        }
        match OpenSet::over(link, false) {
            Some(set) if set.map_buffers() => {
                *open = Some(Arc::new(set));
                returns::OK
            }
            _ => returns::MEMORY,
        }
    }

    /// `GetConfiguration`: waits until the server has configured the set. `timeout` counts
    /// milliseconds or seconds as the double is told; negative = for ever.
    pub(crate) fn get_configuration(&self, timeout: i64) -> Result<VdConfig, i32> {
        let set = self.opened().ok_or(returns::NOT_OPEN)?;
        let deadline = set.deadline(timeout);
        loop {
            let seen = set.link.set_event.load(Acquire);
            if set.configure_code != 0 {
                return Err(set.configure_code);
            }
            let now = set.link.state.load(Acquire);
            // The server may have gone on before anybody looked.
            match set.link.configure_code.load(Relaxed) {
                code if code != 0 && now != state::ABORTED => return Err(code),
                _ => {}
            }
            match now {
                state::ABORTED => return Err(returns::ABORT),
                state::CONNECTED | state::CONFIGURABLE => {}
                _ if set.map_buffers() => return Ok(VdConfig::from_words(set.link.granted())),
                _ => return Err(returns::MEMORY),
            }
            set.wait(&set.link.set_event, seen, deadline)?;
        }
    }

    /// `OpenDevice`: one of the devices the server named.
    pub(crate) fn open_device(&self, name: &str) -> Result<Arc<ClientDevice>, i32> {
        let set = self.opened().ok_or(returns::PROTOCOL)?;
        if set.buffers.get().is_none() && !set.link.is_aborted() {
            return Err(returns::PROTOCOL);
        }
        let index = set.claim_device(name)?;
        let device = Arc::new(ClientDevice::new(set, index));
        locked(&self.devices).push(Arc::clone(&device));
        Ok(device)
    }

    /// `SignalAbort`: from any thread, at any time.
    pub(crate) fn signal_abort(&self) -> i32 {
        match self.opened() {
            Some(set) => {
                set.link.abort();
                returns::OK
            }
            None => returns::NOT_OPEN,
        }
    }

    /// `Close`: releases everything; with devices still open it aborts and says so.
    pub(crate) fn close(&self) -> i32 {
        let Some(set) = locked(&self.open).take() else {
            return returns::PROTOCOL;
        };
        let open = !set.link.is_aborted()
            && set
                .link
                .lanes()
                .iter()
                .any(|lane| lane.is_open() && !lane.is_closed());
        if set.primary {
            set.link.abort();
            remove_names(set.link.name());
        }
        for device in locked(&self.devices).iter() {
            device.detach();
        }
        if open && set.primary {
            returns::OPEN
        } else {
            returns::OK
        }
    }

    /// What the death of the process would do on Windows: nothing is said to the server, and the
    /// names go with their last handle.
    pub(crate) fn die(&self) {
        let Some(set) = locked(&self.open).take() else {
            return;
        };
        for device in locked(&self.devices).iter() {
            device.detach();
        }
        os::unlink_shared(&control::control_name(set.link.name()));
    }

    /// `GetBufferHandle`: a number that names a buffer in every process of the set.
    pub(crate) fn buffer_handle(&self, address: *const u8) -> Result<u32, i32> {
        let set = self.opened().ok_or(returns::PROTOCOL)?;
        let buffers = set.buffers.get().ok_or(returns::PROTOCOL)?;
        let index = buffers.index_of(address).ok_or(returns::INVALID)?;
        u32::try_from(index + 1).map_err(|_| returns::UNEXPECTED)
    }

    /// `MapBufferHandle`: the buffer's address in this process.
    pub(crate) fn map_buffer(&self, handle: i32) -> Result<*mut u8, i32> {
        let set = self.opened().ok_or(returns::PROTOCOL)?;
        let buffers = set.buffers.get().ok_or(returns::PROTOCOL)?;
        let count = set.link.buffer_count.load(Relaxed) as usize;
        let index = usize::try_from(handle).unwrap_or(0);
        if index == 0 || index > count {
            return Err(returns::INVALID);
        }
        Ok(buffers.address(index - 1))
    }
}

impl OpenSet {
    fn over(link: Link, primary: bool) -> Option<Self> {
        let timeout_unit = match std::env::var("SQLVDI_DOUBLE_TIMEOUT_UNIT").as_deref() {
            Ok("s") => Some(Duration::from_secs(1)),
            Ok(_) => Some(Duration::from_millis(1)),
            Err(_) => None,
        };
        let configure_code = std::env::var("SQLVDI_DOUBLE_CONFIGURE_CODE")
            .ok()
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let cells = CommandCells::new().ok()?;
        Some(Self {
            link,
            cells,
            buffers: OnceLock::new(),
            timeout_unit,
            configure_code,
            primary,
        })
    }

    /// Maps the data buffers, once the server has made them.
    fn map_buffers(&self) -> bool {
        if self.buffers.get().is_some() {
            return true;
        }
        let config = VdConfig::from_words(self.link.granted());
        let count = self.link.buffer_count.load(Relaxed);
        let Some(geometry) = Geometry::of(&config, count) else {
            return false;
        };
        let mapped = os::open_shared(&control::buffers_name(self.link.name())).and_then(|fd| {
            let (length, _) = os::length_and_named(&fd)?;
            if length < geometry.length() as u64 {
                return Err(rustix::io::Errno::INVAL);
            }
            Buffers::map(fd.as_fd(), geometry, buffers::poisons(&self.link))
        });
        match mapped {
            Ok(buffers) => {
                let _ = self.buffers.set(buffers);
                true
            }
            Err(_) => false,
        }
    }

    fn claim_device(&self, name: &str) -> Result<usize, i32> {
        let (index, all_open) = {
            let _held = self.link.lock();
            match self.link.state.load(Acquire) {
                state::ABORTED => return Err(returns::ABORT),
                state::INITIALIZING | state::ACTIVE | state::TERMINATED => {}
                _ => return Err(returns::PROTOCOL),
            }
            let lanes = self.link.lanes();
            if lanes.iter().all(|lane| lane.is_open()) {
                return Err(returns::OPEN);
            }
            let found = lanes.iter().position(|lane| lane.name() == name);
            let index = found.ok_or(returns::INVALID)?;
            if lanes[index].is_open() {
                return Err(returns::PROTOCOL);
            }
            lanes[index].opened.store(1, Relaxed);
            let all_open = lanes.iter().all(|lane| lane.is_open());
            if all_open && self.link.state.load(Relaxed) == state::INITIALIZING {
                self.link.state.store(state::ACTIVE, Relaxed);
            }
            self.link.tell(&lanes[index].server_event);
            self.link.tell(&self.link.set_event);
            (index, all_open)
        };
        let breaks = self.link.knobs.load(Relaxed) & knob::TWO_DEVICES_ABORT != 0;
        if breaks && all_open && self.link.lanes().len() > 1 {
            self.link.abort();
        }
        Ok(index)
    }

    /// The end of a wait of `timeout` units; `None` = for ever.
    pub(crate) fn deadline(&self, timeout: i64) -> Option<Instant> {
        let units = u32::try_from(timeout).ok()?;
        let unit = self.timeout_unit.unwrap_or_else(|| {
            match self.link.knobs.load(Relaxed) & knob::TIMEOUT_IN_SECONDS {
                0 => Duration::from_millis(1),
                _ => Duration::from_secs(1),
            }
        });
        Instant::now().checked_add(unit.checked_mul(units)?)
    }

    /// Waits for `event` to move on from `seen`; a server that has died aborts the set.
    pub(crate) fn wait(
        &self,
        event: &AtomicU32,
        seen: u32,
        deadline: Option<Instant>,
    ) -> Result<(), i32> {
        let left = match deadline {
            Some(end) => end.saturating_duration_since(Instant::now()),
            None => HEARTBEAT,
        };
        if left.is_zero() {
            return Err(returns::TIMEOUT);
        }
        os::wait_word(event, seen, left.min(HEARTBEAT));
        if event.load(Acquire) == seen && !self.link.server_alive() {
            self.link.abort();
        }
        Ok(())
    }
}

/// Whether the real library would take this configuration.
fn is_supported(config: &VdConfig) -> bool {
    let kind = config.features & !OPTIONAL_FEATURES;
    let alignment = config.alignment;
    (1..=MAX_DEVICES as u32).contains(&config.device_count)
        && DEVICE_KINDS.contains(&kind)
        && (alignment == 0 || (alignment.is_power_of_two() && alignment <= 65536))
        && config.prefix_zone_size <= 65536
}

/// Makes the control object; a name whose owner has died is taken over.
fn create_link(name: &str, asked: [u32; 11]) -> Result<Link, i32> {
    let object = control::control_name(name);
    for _ in 0..CREATE_TRIES {
        match os::create_shared(&object) {
            Ok(fd) => {
                let ours = os::claim(&fd) && os::length_and_named(&fd).is_ok_and(|(_, on)| on);
                if !ours {
                    return Err(returns::PROTOCOL);
                }
                return Link::create(fd, name, asked).map_err(|_| {
                    os::unlink_shared(&object);
                    returns::MEMORY
                });
            }
            Err(rustix::io::Errno::EXIST) => match os::open_shared(&object) {
                Ok(fd) if os::claim(&fd) => os::unlink_shared(&object),
                Ok(_) => return Err(returns::PROTOCOL),
                Err(_) => {}
            },
            Err(rustix::io::Errno::NOSPC | rustix::io::Errno::NOMEM) => {
                return Err(returns::MEMORY);
            }
            Err(_) => return Err(returns::SECURITY),
        }
    }
    Err(returns::PROTOCOL)
}

/// Takes the set's names away; the buffers' only if their server did not live to do it.
fn remove_names(name: &str) {
    os::unlink_shared(&control::control_name(name));
    let buffers = control::buffers_name(name);
    if os::open_shared(&buffers).is_ok_and(|object| os::is_orphan(&object)) {
        os::unlink_shared(&buffers);
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for ClientSet {
    fn drop(&mut self) {
        self.close();
    }
}
