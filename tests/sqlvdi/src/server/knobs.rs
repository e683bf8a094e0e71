//! How the double misbehaves on demand (facts/vdi.md 7.1, 12 and 13).

use std::env;
use std::time::Duration;

/// Chosen behaviour of one set. [`Knobs::from_environment`] is what `ServerSet::open` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// The client's timeouts count seconds, not milliseconds
    /// (`SQLVDI_DOUBLE_TIMEOUT_UNIT=s`).
    pub timeout_in_seconds: bool,
    /// A set of several devices aborts once all are open
    /// (`SQLVDI_DOUBLE_TWO_DEVICES=abort`).
    pub two_devices_abort: bool,
    /// Random access sets abort after this many commands on a device
    /// (`SQLVDI_DOUBLE_RANDOM_ABORT=N`).
    pub random_access_abort: Option<u64>,
    /// Whether VDC_Complete is granted to who asks for it (`SQLVDI_DOUBLE_COMPLETE=off`).
    pub complete_enabled: bool,
    /// Whether a dead client ends the statement at once; else only a `serverTimeOut` or an
    /// abort does (`SQLVDI_DOUBLE_DEATH=hang`).
    pub notice_client_death: bool,
    /// Whether buffers are filled with rubbish while nobody may use them
    /// (`SQLVDI_DOUBLE_POISON=off`, for benchmarks).
    pub poison: bool,
    /// GetConfiguration answers this code and nothing else happens; 0 = off.
    pub configure_code: i32,
    /// Pause before each command, in which the client waits
    /// (`SQLVDI_DOUBLE_IDLE_MS=N`).
    pub idle_gap: Duration,
    /// Commands a device may have outstanding.
    pub depth: u32,
    /// How long [`super::ServerSet::device`] waits for the client to open the device.
    pub open_wait: Duration,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            timeout_in_seconds: false,
            two_devices_abort: false,
            random_access_abort: None,
            complete_enabled: true,
            notice_client_death: true,
            poison: true,
            configure_code: 0,
            idle_gap: Duration::ZERO,
            depth: 4,
            open_wait: Duration::from_secs(60),
        }
    }
}

impl Knobs {
    /// The defaults, changed by the `SQLVDI_DOUBLE_*` variables of this process.
    #[must_use]
    pub fn from_environment() -> Self {
        let number = |name: &str| value(name)?.parse::<u64>().ok();
        Self {
            timeout_in_seconds: is("SQLVDI_DOUBLE_TIMEOUT_UNIT", "s"),
            two_devices_abort: is("SQLVDI_DOUBLE_TWO_DEVICES", "abort"),
            random_access_abort: number("SQLVDI_DOUBLE_RANDOM_ABORT"),
            complete_enabled: !is("SQLVDI_DOUBLE_COMPLETE", "off"),
            notice_client_death: !is("SQLVDI_DOUBLE_DEATH", "hang"),
            poison: !is("SQLVDI_DOUBLE_POISON", "off"),
            idle_gap: Duration::from_millis(number("SQLVDI_DOUBLE_IDLE_MS").unwrap_or(0)),
            ..Self::default()
        }
    }
}

fn value(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn is(name: &str, wanted: &str) -> bool {
    value(name).as_deref() == Some(wanted)
}
