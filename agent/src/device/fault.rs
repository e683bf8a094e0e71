//! What went wrong at a device: for the engine by class, for people as a [`Fault`].

use std::error::Error;
use std::fmt;

use twinset_domain::{Fault, code};
use twinset_plugin_api::{DeviceError, Outcome};

use super::os;

#[cfg(test)]
mod tests;

/// A failed call of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFault {
    /// Name of the device in the configuration: `mirror 1 family 2`, or what the caller chose.
    pub device: String,
    /// The call, as the border names it.
    pub call: &'static str,
    /// Its class decides what happens next.
    pub outcome: Outcome,
    /// The plugin's sentence; for [`Outcome::LOCKED`] the holder as `agent TAB host`.
    pub text: String,
    /// The operating system's number, 0 when there is none.
    pub os_code: i32,
    /// For [`Outcome::END_OF_MEDIUM`]: bytes of the failed call that were taken.
    pub accepted: u64,
}

impl DeviceFault {
    /// A fault that the agent itself finds.
    pub(super) fn new(
        device: &str,
        call: &'static str,
        outcome: Outcome,
        text: impl Into<String>,
    ) -> Self {
        let (device, text) = (device.to_owned(), text.into());
        Self {
            device,
            call,
            outcome,
            text,
            os_code: 0,
            accepted: 0,
        }
    }

    /// A fault that the plugin told.
    pub(super) fn told(device: &str, call: &'static str, error: DeviceError) -> Self {
        Self {
            device: device.to_owned(),
            call,
            outcome: error.outcome,
            text: error.text,
            os_code: error.os_code,
            accepted: error.accepted,
        }
    }

    /// The medium is full: end of medium, or the system's own numbers for it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.outcome == Outcome::END_OF_MEDIUM || os::is_disk_full(self.os_code)
    }

    /// Trying the same call again later may work.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.outcome == Outcome::TRANSIENT
    }

    fn said(&self) -> String {
        if self.text.is_empty() {
            self.outcome.text().to_owned()
        } else {
            self.text.clone()
        }
    }

    fn holder(&self) -> String {
        match self.text.split_once('\t') {
            Some((agent, host)) => format!("agent {agent} on host {host}"),
            None if self.text.is_empty() => "another process".to_owned(),
            None => self.text.clone(),
        }
    }

    fn fault(&self) -> Fault {
        let fault = |code, message: String, remedy: &str| {
            Fault::new(code, self.device.clone(), message).remedy(remedy)
        };
        let said = self.said();
        if self.is_full() {
            return fault(
                code::MEDIUM_FULL,
                format!("the medium is full: {said}"),
                "make room on the volume or widen it, then run the backup again",
            );
        }
        match self.outcome {
            Outcome::LOCKED => fault(
                code::LOCKED,
                format!("the volume is held by {}", self.holder()),
                "wait until the holder has finished; one agent writes a volume at a time",
            ),
            Outcome::PANICKED => fault(
                code::PLUGIN_PANICKED,
                format!("the plugin panicked in {}: {said}", self.call),
                "report this text to the plugin's vendor; the other mirrors are not affected",
            ),
            Outcome::BAD_OPTION => fault(
                code::DEVICE_OPTION,
                format!("the plugin refuses an option: {said}"),
                "correct `options` of this device in the configuration",
            ),
            Outcome::NO_MEDIUM => fault(
                code::NO_VOLUME,
                format!("no volume: {said}"),
                "mount the share or put the tape in; only `media format` makes a new volume",
            ),
            Outcome::WRONG_MEDIUM => fault(
                code::WRONG_MEDIA_SET,
                format!("the volume is not part of this media set: {said}"),
                "give the device its own volume back, or correct the device's options",
            ),
            Outcome::DEADLINE => fault(
                code::DEVICE_DEADLINE,
                said,
                "look at the device and its connection; restart the service if it stays lost",
            ),
            Outcome::CANCELLED => fault(
                code::CANCELLED,
                format!("{} was cancelled", self.call),
                "start it again",
            ),
            _ => self.other(said),
        }
    }

    fn other(&self, said: String) -> Fault {
        let message = format!("{} failed: {said}", self.call);
        let (code, remedy) = match self.outcome {
            Outcome::EXISTS => (
                code::POSITION_TAKEN,
                "look at the volume with `twinset media show`; nothing was overwritten",
            ),
            Outcome::WRITE_PROTECTED => (
                code::DEVICE,
                "let the agent's user write there, or take the write protection off",
            ),
            Outcome::NEEDS_OPERATOR => (code::DEVICE, "do what the device asks for, then go on"),
            Outcome::TRANSIENT => (code::DEVICE, "try again; if it stays, look at the device"),
            Outcome::NOT_SUPPORTED => (code::DEVICE, "use a device that can do this"),
            Outcome::NOT_FOUND => (
                code::DEVICE,
                "look at the volume with `twinset media verify`; it was changed",
            ),
            _ => (
                code::DEVICE,
                "look at the device and the system's log, then run it again",
            ),
        };
        let fault = Fault::new(code, self.device.clone(), message).remedy(remedy);
        if self.os_code == 0 {
            return fault;
        }
        fault.cause(std::io::Error::from_raw_os_error(self.os_code))
    }
}

impl fmt::Display for DeviceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.device, self.call, self.outcome)?;
        match self.outcome {
            Outcome::LOCKED => write!(f, " by {}", self.holder()),
            _ if self.text.is_empty() => Ok(()),
            _ => write!(f, ": {}", self.text),
        }
    }
}

impl Error for DeviceFault {}

impl From<DeviceFault> for Fault {
    fn from(fault: DeviceFault) -> Self {
        fault.fault()
    }
}
