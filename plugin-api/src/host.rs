//! What the agent offers a plugin while a device is open.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::v1::{self, HostServicesV1, TextV1};

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed.
    Error,
    /// An operator should look at it.
    Warn,
    /// Worth a line.
    Info,
    /// For those who look for a fault.
    Debug,
}

impl Level {
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Error => v1::LOG_ERROR,
            Self::Warn => v1::LOG_WARN,
            Self::Info => v1::LOG_INFO,
            Self::Debug => v1::LOG_DEBUG,
        }
    }
}

/// The agent's services for one opened device. Clones are cheap and may go to other threads; after
/// the device is closed they do nothing.
#[derive(Clone)]
pub struct Host {
    services: HostServicesV1,
    cancelled: Arc<AtomicBool>,
}

impl Host {
    pub(crate) fn new(services: HostServicesV1, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            services,
            cancelled,
        }
    }

    /// A host that drops every line and never asks to stop: for a vendor's own unit tests.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(SILENT, Arc::default())
    }

    /// Writes one line to the agent's log, which adds the device's name.
    pub fn log(&self, level: Level, text: &str) {
        // SAFETY: the function is the host's and stays valid for ever; the text is lent for the
        // length of the call.
        unsafe { (self.services.log)(self.services.key, level.number(), TextV1::lend(text)) }
    }

    /// Milliseconds since 1970-01-01 UTC by the agent's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        // SAFETY: the function is the host's and stays valid for ever.
        unsafe { (self.services.now)(self.services.key) }
    }

    /// True when the call that runs should end soon with [`crate::Outcome::CANCELLED`]. Long calls
    /// look at it at least once a second. `abort_section` and `unmount` need not look.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        // SAFETY: as in `now`.
        self.cancelled.load(Ordering::Relaxed)
            || unsafe { (self.services.should_stop)(self.services.key) } != 0
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.services.key)
    }
}

unsafe extern "C" fn silent_log(_: u64, _: u32, _: TextV1) {}

unsafe extern "C" fn silent_number(_: u64) -> i64 {
    0
}

unsafe extern "C" fn silent_flag(_: u64) -> u32 {
    0
}

const SILENT: HostServicesV1 = HostServicesV1 {
    size: size_of::<HostServicesV1>() as u32,
    revision: v1::REVISION,
    key: 0,
    log: silent_log,
    now: silent_number,
    should_stop: silent_flag,
};
