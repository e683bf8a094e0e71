//! The system's numbers as outcomes.

use std::io;

use rustix::io::Errno;
use twinset_plugin_api::{DeviceError, Outcome};

fn class(errno: Errno) -> Outcome {
    match errno {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Outcome::END_OF_MEDIUM,
        Errno::ROFS | Errno::ACCESS | Errno::PERM => Outcome::WRITE_PROTECTED,
        Errno::NOENT => Outcome::NOT_FOUND,
        Errno::EXIST | Errno::NOTEMPTY => Outcome::EXISTS,
        // A share that comes and goes, or a host short of something for the moment.
        Errno::STALE
        | Errno::TIMEDOUT
        | Errno::AGAIN
        | Errno::NFILE
        | Errno::MFILE
        | Errno::NOMEM
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH
        | Errno::NETDOWN
        | Errno::HOSTDOWN
        | Errno::CONNRESET => Outcome::TRANSIENT,
        _ => Outcome::PERMANENT,
    }
}

/// `doing object: reason of the system`.
pub(crate) fn failed(doing: &str, object: &str, error: impl Into<io::Error>) -> DeviceError {
    let error = error.into();
    let code = error.raw_os_error().unwrap_or(0);
    let outcome = match Errno::from_io_error(&error) {
        Some(Errno::LOOP | Errno::MLINK) => {
            let text = format!("{doing} {object}: symbolic links in a volume are refused");
            return DeviceError::new(Outcome::PERMANENT, text).with_os_code(code);
        }
        Some(errno) => class(errno),
        None => Outcome::PERMANENT,
    };
    DeviceError::new(outcome, format!("{doing} {object}: {error}")).with_os_code(code)
}

/// A state in which the call makes no sense.
pub(crate) fn misused(text: &str) -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, text)
}
