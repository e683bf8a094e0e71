//! A virtual device set, from creation to close.

use std::ffi::CString;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use twinset_domain::{Fault, code};

use super::codes::{Vde, feature};
use super::core::{Core, Hold, VdiAborter};
use super::device::VdiDevice;
use super::layout::VdConfig;
use super::platform::{NO_DEVICE, NOT_CREATED, NOT_OPENED, VdiLibrary};

/// Devices of one set at most (3205).
const MAX_DEVICES: u16 = 64;
/// Longest name; the library makes shared memory names from it.
const MAX_NAME: usize = 60;
/// Largest transfer that SQL Server knows, in bytes.
const MAX_TRANSFER: u32 = 4 << 20;
/// The server gives up after two such intervals without any completion, so that a BACKUP does not
/// wait for ever for an agent that died. Far above the worst stall of a store.
const SERVER_TIMEOUT: Duration = Duration::from_secs(3600);

/// What was agreed with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Negotiated {
    /// `VDF_` flags ([`feature`]).
    pub features: u32,
    /// In bytes; every transfer is a multiple of it.
    pub block_size: u32,
    /// In bytes, of one transfer.
    pub max_transfer_size: u32,
    /// In bytes, of all shared buffers together.
    pub buffer_area_size: u32,
}

impl Negotiated {
    /// The server will send Complete after the last Flush.
    #[must_use]
    pub const fn complete_enabled(&self) -> bool {
        self.features & feature::COMPLETE_ENABLED != 0
    }

    /// The server writes (BACKUP) rather than reads (RESTORE).
    #[must_use]
    pub const fn writes(&self) -> bool {
        self.features & feature::WRITE_MEDIA != 0
    }
}

/// Why no configuration came.
#[derive(Debug)]
pub enum NotConfigured {
    /// The caller no longer wanted it: its statement has ended.
    NotWanted,
    /// The server opened the set and aborted it: its statement tells why.
    Aborted(Box<Fault>),
    /// It failed.
    Fault(Box<Fault>),
}

/// A set that was created. Dropping it without [`VdiSet::close`] aborts it.
pub struct VdiSet {
    core: Arc<Core>,
    devices: u16,
    negotiated: Mutex<Option<Negotiated>>,
}

impl std::fmt::Debug for VdiSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VdiSet")
            .field("name", &self.core.name)
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

/// A name for a set, from something unique such as a run id.
#[must_use]
pub fn set_name(unique: impl std::fmt::Display) -> String {
    format!("twinset-{unique}")
}

fn c_name(name: &str) -> Result<CString, Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    CString::new(name)
        .ok()
        .filter(|_| !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(fits))
        .ok_or_else(|| {
            Fault::new(
                code::VDI_CONFIG,
                name,
                "this cannot be the name of a virtual device",
            )
            .remedy("use letters, digits, - and _, at most 60 of them")
        })
}

impl VdiSet {
    /// Creates the set; must be done before the statement is sent.
    ///
    /// `instance` is the bare name of the instance, where the interface tells them apart
    /// (`platform::BY_INSTANCE`); `None` is the default one.
    /// `name` is the name of the first VIRTUAL_DEVICE in the statement. `features` are flags of
    /// [`feature`]: [`feature::REQUEST_COMPLETE`] for BACKUP, [`feature::LIKE_PIPE`] for RESTORE.
    ///
    /// # Errors
    /// `3261` for impossible arguments, `TW4005` when the library refuses.
    pub fn create(
        library: &Arc<VdiLibrary>,
        instance: Option<&str>,
        name: &str,
        devices: u16,
        features: u32,
    ) -> Result<Self, Fault> {
        let raw_name = c_name(name)?;
        if devices == 0 || devices > MAX_DEVICES {
            return Err(Fault::new(
                code::VDI_CONFIG,
                name,
                format!("a virtual device set has 1 to {MAX_DEVICES} devices, not {devices}"),
            )
            .remedy("set families to a number from 1 to 64"));
        }
        let config = VdConfig {
            device_count: u32::from(devices),
            features,
            server_time_out: u32::try_from(SERVER_TIMEOUT.as_millis()).unwrap_or(0),
            ..VdConfig::default()
        };
        let core = Core::create(library, instance, name, &raw_name, &config).map_err(|error| {
            let remedy = if error == Vde::PROTOCOL {
                "another process uses a set of this name; try again"
            } else {
                NOT_CREATED
            };
            session_fault(name, "the virtual device set cannot be created", error).remedy(remedy)
        })?;
        Ok(Self {
            core,
            devices,
            negotiated: Mutex::new(None),
        })
    }

    /// Name of the set and of its first device.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Name of each device, in the order in which they stand in the statement.
    #[must_use]
    pub fn device_names(&self) -> Vec<String> {
        (0..self.devices)
            .map(|i| {
                if i == 0 {
                    self.core.name.clone()
                } else {
                    format!("{}-{i}", self.core.name)
                }
            })
            .collect()
    }

    /// A handle that aborts from any thread.
    #[must_use]
    pub fn aborter(&self) -> VdiAborter {
        VdiAborter(Arc::downgrade(&self.core))
    }

    /// Signals abort; every wait on the set ends, SQL Server fails its statement.
    pub fn abort(&self, why: &str) {
        self.core.abort(why);
    }

    /// Waits until the server has opened and configured the set. `still_wanted` is asked between
    /// short slices and breaks when the statement has ended: it never opens the set then.
    ///
    /// # Errors
    /// [`NotConfigured::NotWanted`], or a fault: `TW4006` after `deadline`, `TW4005` when the server
    /// aborts, or the library fails or agrees to something impossible.
    pub fn configure(
        &self,
        deadline: Duration,
        still_wanted: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Negotiated, NotConfigured> {
        let failed = |fault| NotConfigured::Fault(Box::new(fault));
        let begun = Instant::now();
        loop {
            let slice = self.core.pace.slice();
            let called = Instant::now();
            match self.core.raw.get_configuration(slice) {
                Ok(config) => {
                    let negotiated = self.checked(&config).map_err(failed)?;
                    let mut slot = self
                        .negotiated
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    *slot = Some(negotiated);
                    return Ok(negotiated);
                }
                Err(Vde::TIMEOUT) => self.core.pace.expired(slice, called.elapsed()),
                Err(error) => {
                    let message = "the virtual device set was not configured";
                    let fault = session_fault(self.name(), message, error)
                        .remedy("see SQL Server's error log for the other side of this");
                    return Err(match error {
                        Vde::ABORT => NotConfigured::Aborted(Box::new(fault)),
                        _ => failed(fault),
                    });
                }
            }
            if still_wanted().is_break() {
                return Err(NotConfigured::NotWanted);
            }
            if begun.elapsed() >= deadline {
                return Err(failed(self.not_opened(deadline)));
            }
        }
    }

    fn not_opened(&self, deadline: Duration) -> Fault {
        Fault::new(
            code::VDI_NOT_OPENED,
            self.name(),
            format!("SQL Server did not open the virtual device set within {deadline:?}"),
        )
        .remedy(NOT_OPENED)
    }

    /// Refuses what would let a later length check fail.
    fn checked(&self, config: &VdConfig) -> Result<Negotiated, Fault> {
        let block = config.block_size;
        let transfer = config.max_transfer_size;
        let sound = block.is_power_of_two()
            && (512..=65_536).contains(&block)
            && (block..=MAX_TRANSFER).contains(&transfer);
        if !sound {
            self.core.abort("the negotiated sizes are impossible");
            return Err(Fault::new(
                code::VDI_SESSION,
                self.name(),
                format!("the library agreed to block size {block} and transfer size {transfer}"),
            )
            .remedy("check vdi_library: it does not behave like SQL Server's own"));
        }
        Ok(Negotiated {
            features: config.features,
            block_size: block,
            max_transfer_size: transfer,
            buffer_area_size: config.buffer_area_size,
        })
    }

    /// Opens one device, by its name in the statement, after [`VdiSet::configure`].
    ///
    /// # Errors
    /// `TW4005` when the library refuses, or when the set is not configured.
    pub fn open_device(&self, name: &str) -> Result<VdiDevice, Fault> {
        let raw_name = c_name(name)?;
        let negotiated = *self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(negotiated) = negotiated else {
            return Err(session_fault(
                name,
                "a device is opened before its set was configured",
                Vde::PROTOCOL,
            ));
        };
        let hold = Hold::new(&self.core);
        let raw = self.core.raw.open_device(&raw_name).map_err(|error| {
            session_fault(name, "the virtual device cannot be opened", error).remedy(NO_DEVICE)
        })?;
        Ok(VdiDevice::new(raw, hold, name, negotiated))
    }

    /// Closes the set once every device and every lent buffer has come back.
    ///
    /// # Errors
    /// `TW4005` when some are still out after `limit` (the memory then stays mapped until they
    /// come back), or when the library reports a failure.
    pub fn close(self, limit: Duration) -> Result<(), Fault> {
        if let Err(out) = self.core.wait_let_go(limit) {
            self.core.abort("buffers are still out");
            return Err(Fault::new(
                code::VDI_SESSION,
                self.name(),
                format!("{out} devices or buffers were not given back within {limit:?}"),
            )
            .remedy("restart the service when its stores answer again"));
        }
        self.core.close().map_err(|error| {
            session_fault(
                self.name(),
                "the virtual device set did not close cleanly",
                error,
            )
            .remedy("see SQL Server's error log for the other side of this")
        })
    }
}

pub(super) fn session_fault(object: &str, message: &str, error: Vde) -> Fault {
    let code = match error {
        Vde::MEMORY | Vde::OUT_OF_MEMORY => code::VDI_MEMORY,
        _ => code::VDI_SESSION,
    };
    Fault::new(code, object, message).cause(error)
}
