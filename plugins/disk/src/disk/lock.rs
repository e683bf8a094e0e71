//! The exclusive lock of a volume: the system holds it for an open file; it ends with the process.
//!
//! The file says who holds it: `agent TAB host`. What the lock is, is said in `os`.

use std::fs::File;
use std::io::{Read, Seek, Write};

use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::failed;
use super::names::{self, LOCK};
use super::os::{self, Folder};

/// Times that a lock file may be replaced under our hands before we give up.
const ATTEMPTS: usize = 8;
/// Longest holder that is read, in bytes.
const HOLDER_MAX: u64 = 1024;

/// The lock; dropping lets go of it.
#[derive(Debug)]
pub(crate) struct Lock {
    // Held for its lock alone.
    _file: File,
}

impl Lock {
    /// Takes the lock for `agent` of `host`.
    pub(crate) fn take(folder: &Folder, agent: &str, host: &str) -> Result<Self, DeviceError> {
        for _ in 0..ATTEMPTS {
            let mut file = folder
                .read_write(LOCK)
                .map_err(|errno| failed("open", LOCK, errno))?;
            match os::try_lock(&file) {
                Ok(true) => {}
                Ok(false) => return Err(locked(&mut file)),
                Err(error) => return Err(failed("lock", LOCK, error)),
            }
            // Somebody may have put another lock file in its place between the two calls.
            if os::is_same_file(folder, LOCK, &file).unwrap_or(false) {
                return Self::sign(file, agent, host);
            }
        }
        let text = "the lock file is replaced again and again";
        Err(DeviceError::new(Outcome::TRANSIENT, text))
    }

    /// Puts a lock file of our own in the place of one whose holder is known to be dead, for
    /// instance a host whose NFS lock outlived it.
    pub(crate) fn take_over(
        folder: &Folder,
        agent: &str,
        host: &str,
        mark: &[u8; 16],
    ) -> Result<Self, DeviceError> {
        match Self::take(folder, agent, host) {
            Err(error) if error.outcome == Outcome::LOCKED => {}
            other => return other,
        }
        let work = names::record_work_file(mark);
        let file = folder
            .create(&work)
            .map_err(|errno| failed("create", &work, errno))?;
        match os::try_lock(&file) {
            Ok(true) => {}
            Ok(false) => return Err(DeviceError::new(Outcome::LOCKED, "")),
            Err(error) => return Err(failed("lock", &work, error)),
        }
        folder
            .replace(&work, LOCK)
            .map_err(|errno| failed("replace", LOCK, errno))?;
        Self::sign(file, agent, host)
    }

    fn sign(mut file: File, agent: &str, host: &str) -> Result<Self, DeviceError> {
        let holder = format!("{}\t{}\n", plain(agent), plain(host));
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|error| failed("write", LOCK, error))?;
        Ok(Self { _file: file })
    }
}

/// Tabs and line ends would break the form of the holder.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn locked(file: &mut File) -> DeviceError {
    let mut holder = String::new();
    // Who holds it is a comfort; that it is held is known.
    let _ = file.take(HOLDER_MAX).read_to_string(&mut holder);
    DeviceError::new(Outcome::LOCKED, holder.lines().next().unwrap_or_default())
}
