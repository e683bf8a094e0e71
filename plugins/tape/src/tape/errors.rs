//! The system's numbers as outcomes.

use twinset_plugin_api::{DeviceError, Outcome};

use super::drive::Errno;
use super::os;

/// What one does about a number that needs more than its text.
fn advice(errno: Errno) -> &'static str {
    match errno {
        Errno::IO => "; the tape is identified again before anything else is written to it",
        Errno::NOMEDIUM => "; there is no cartridge in the drive",
        Errno::NXIO | Errno::NODEV => "; the drive does not answer any more",
        _ => "",
    }
}

const fn class(errno: Errno) -> Outcome {
    match errno {
        Errno::NOSPC => Outcome::END_OF_MEDIUM,
        Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::BADF => Outcome::WRITE_PROTECTED,
        Errno::NOMEDIUM | Errno::NOENT => Outcome::NO_MEDIUM,
        Errno::AGAIN | Errno::NOMEM => Outcome::TRANSIENT,
        _ => Outcome::PERMANENT,
    }
}

/// `doing object: reason of the system`.
pub(crate) fn failed(doing: &str, object: &str, errno: Errno) -> DeviceError {
    let text = format!("{doing} {object}: {errno}{}", advice(errno));
    let error = DeviceError::new(class(errno), text);
    match os::code(errno) {
        Some(code) => error.with_os_code(code),
        None => error,
    }
}

/// A state in which the call makes no sense, or a tape that is not as it was left.
pub(crate) fn refused(text: impl Into<String>) -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, text)
}
