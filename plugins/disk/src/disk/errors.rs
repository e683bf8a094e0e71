//! The system's numbers as outcomes.

use std::io;

use twinset_plugin_api::{DeviceError, Outcome};

use super::os;

/// `doing object: reason of the system`.
pub(crate) fn failed(doing: &str, object: &str, error: impl Into<io::Error>) -> DeviceError {
    let error = error.into();
    let code = error.raw_os_error().unwrap_or(0);
    if os::met_link(&error) {
        let text = format!("{doing} {object}: symbolic links in a volume are refused");
        return DeviceError::new(Outcome::PERMANENT, text).with_os_code(code);
    }
    DeviceError::new(os::outcome(&error), format!("{doing} {object}: {error}")).with_os_code(code)
}

/// A state in which the call makes no sense.
pub(crate) fn misused(text: &str) -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, text)
}
