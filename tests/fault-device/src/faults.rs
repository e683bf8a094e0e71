//! Which faults are planted.

use std::path::PathBuf;

use serde::Deserialize;
use twinset_plugin_api::{DeviceError, Outcome};

/// The options of a device that goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Faults {
    /// The folder, as for the disk plugin.
    pub(crate) path: String,
    /// Writes of a section fail from this byte on; what comes before is taken.
    #[serde(default)]
    pub(crate) fail_write_at: Option<u64>,
    /// The system's number of planted failures: 28 (disk full) or 5 (input/output error).
    #[serde(default = "disk_full")]
    pub(crate) errno: i32,
    /// This call fails.
    #[serde(default)]
    pub(crate) fail_call: Option<String>,
    /// With this class instead of the one that belongs to `errno`.
    #[serde(default)]
    pub(crate) outcome: Option<u32>,
    /// This call panics.
    #[serde(default)]
    pub(crate) panic_in: Option<String>,
    /// This call hangs for `hang_ms` milliseconds before it goes on.
    #[serde(default)]
    pub(crate) hang_in: Option<String>,
    /// How long.
    #[serde(default)]
    pub(crate) hang_ms: u64,
    /// The hang ends when this file is there.
    #[serde(default)]
    pub(crate) hang_until: Option<PathBuf>,
    /// The hang ends when the agent cancels.
    #[serde(default)]
    pub(crate) heed_cancel: bool,
    /// Every write takes so many microseconds longer.
    #[serde(default)]
    pub(crate) slow_write_us: u64,
    /// Reads give at most so many bytes.
    #[serde(default)]
    pub(crate) short: Option<usize>,
    /// The byte at this offset of a section is read with all bits flipped.
    #[serde(default)]
    pub(crate) flip_read_at: Option<u64>,
    /// Faults concern this section alone.
    #[serde(default)]
    pub(crate) only_index: Option<u64>,
    /// The call goes well so many times before its fault begins.
    #[serde(default)]
    pub(crate) after: u64,
    /// The data of backups are counted and thrown away: for measuring alone.
    #[serde(default)]
    pub(crate) discard: bool,
    /// The fault comes so many times and then no more.
    #[serde(default = "always")]
    pub(crate) times: u64,
}

fn disk_full() -> i32 {
    28
}

fn always() -> u64 {
    u64::MAX
}

/// Reads the options.
pub(crate) fn parse(options: &str) -> Result<Faults, DeviceError> {
    serde_json::from_str(options)
        .map_err(|error| DeviceError::new(Outcome::BAD_OPTION, format!("options: {error}")))
}

impl Faults {
    /// The planted failure.
    pub(crate) fn failure(&self, call: &str) -> DeviceError {
        let outcome = match self.outcome {
            Some(outcome) => Outcome(outcome),
            None if self.errno == disk_full() => Outcome::END_OF_MEDIUM,
            None => Outcome::PERMANENT,
        };
        let reason = std::io::Error::from_raw_os_error(self.errno);
        DeviceError::new(outcome, format!("{call}: planted fault: {reason}"))
            .with_os_code(self.errno)
    }
}
