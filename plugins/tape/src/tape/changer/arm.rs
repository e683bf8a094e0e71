//! Moves cartridges: by the program `mtx`, under a deadline, one user of the arm at a time.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use twinset_plugin_api::{DeviceError, Host, Outcome};

use super::super::errors::refused;
use super::super::os;
use super::super::program::{Program, wait};
use super::inventory::Inventory;
use super::{By, stacks};

#[cfg(test)]
mod tests;

/// Longest time that one move may take: a large library, two arms in each other's way.
const MOVE_MAX: Duration = Duration::from_secs(600);
/// Longest time that the inventory may take; after a door was open it is read anew.
const STATUS_MAX: Duration = Duration::from_secs(600);
/// Between two looks at a lock.
const LOOK: Duration = Duration::from_millis(20);

/// An arm that nobody else moves, as long as this lives.
pub(crate) struct Arm<'a> {
    by: &'a By,
    host: &'a Host,
    /// Its lock; the system lets it go when this process and the program that it started have ended.
    lock: File,
}

impl<'a> Arm<'a> {
    /// Waits until nobody else moves the arm: the lock lies on the changer's node, or the folder.
    pub(crate) fn take(by: &'a By, host: &'a Host) -> Result<Self, DeviceError> {
        let path = name(by);
        let fail = |error: &dyn std::fmt::Display| {
            let text = format!("the library {}: {error}", path.display());
            DeviceError::new(Outcome::NO_MEDIUM, text)
        };
        let lock = os::open_node(path).map_err(|error| fail(&error))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < MOVE_MAX => {
                    wait(host, LOOK)?;
                }
                Err(TryLockError::WouldBlock) => {
                    let text = format!("the arm of {} is held by others", path.display());
                    return Err(DeviceError::new(Outcome::TRANSIENT, text));
                }
                Err(TryLockError::Error(error)) => return Err(fail(&error)),
            }
        }
        Ok(Self { by, host, lock })
    }

    /// What lies where, now.
    pub(crate) fn inventory(&self) -> Result<Inventory, DeviceError> {
        match self.by {
            By::Stacks(folder) => stacks::inventory(folder),
            By::Mtx { node, .. } => {
                let printed = self.run(&["status"], STATUS_MAX)?;
                super::mtx::parse(&printed).map_err(|why| {
                    let shown = node.display();
                    refused(format!("the library {shown}: mtx status is odd: {why}"))
                })
            }
        }
    }

    /// From a slot into a drive.
    pub(crate) fn load(&self, slot: u32, drive: u32) -> Result<(), DeviceError> {
        match self.by {
            By::Stacks(folder) => stacks::load(folder, slot, drive),
            By::Mtx { .. } => self.move_one("load", slot, drive),
        }
    }

    /// From a drive into a slot.
    pub(crate) fn unload(&self, slot: u32, drive: u32) -> Result<(), DeviceError> {
        match self.by {
            By::Stacks(folder) => stacks::unload(folder, drive),
            By::Mtx { .. } => self.move_one("unload", slot, drive),
        }
    }

    fn move_one(&self, verb: &str, slot: u32, drive: u32) -> Result<(), DeviceError> {
        self.run(&[verb, &slot.to_string(), &drive.to_string()], MOVE_MAX)
            .map(drop)
    }

    /// Runs `mtx -f NODE ...`.
    fn run(&self, line: &[&str], longest: Duration) -> Result<String, DeviceError> {
        let By::Mtx { program, node } = self.by else {
            return Err(refused("no program moves this arm"));
        };
        let mut words = vec![OsStr::new("-f"), node.as_os_str()];
        words.extend(line.iter().map(OsStr::new));
        // It reads nothing; the lock that it is given stays while it moves the arm, even where this
        // process is killed meanwhile.
        let lock = self
            .lock
            .try_clone()
            .map_err(|error| refused(error.to_string()))?;
        let printed = mtx(program).run(&words, Stdio::from(lock), (longest, self.host))?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }
}

/// The program that moves arms.
pub(crate) fn mtx(path: &Path) -> Program<'_> {
    Program {
        path,
        key: "mtx",
        package: "mtx",
    }
}

/// What a library is known by: the changer's node, or the folder.
pub(super) fn name(by: &By) -> &Path {
    match by {
        By::Mtx { node, .. } => node,
        By::Stacks(folder) => folder,
    }
}
