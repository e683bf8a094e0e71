//! Moves cartridges: by the program `mtx`, under a deadline, one user of the arm at a time.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use twinset_plugin_api::{DeviceError, Host, Outcome};

use super::super::errors::refused;
use super::super::os;
use super::inventory::Inventory;
use super::{By, mtx, stacks};

#[cfg(test)]
mod tests;

/// Longest time that one move may take: a large library, two arms in each other's way.
const MOVE_MAX: Duration = Duration::from_secs(600);
/// Longest time that the inventory may take; after a door was open it is read anew.
const STATUS_MAX: Duration = Duration::from_secs(600);
/// Between two looks at a program that runs, and at a lock.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of what a program prints that are read; a library of 10,000 slots needs less than 1 MiB.
const PRINTED_MAX: u64 = 4 << 20;
/// Bytes of a program's complaint that are told.
const COMPLAINT_MAX: usize = 300;

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
                mtx::parse(&printed).map_err(|why| {
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

    /// Runs `mtx -f NODE ...`: no shell, nothing to read, an end in any case.
    fn run(&self, line: &[&str], longest: Duration) -> Result<String, DeviceError> {
        let By::Mtx { program, node } = self.by else {
            return Err(refused("no program moves this arm"));
        };
        let shown = format!("mtx -f {} {}", node.display(), line.join(" "));
        let mut command = Command::new(program);
        command.arg("-f").arg(node).args(line).env_clear();
        // It reads nothing; the lock that it is given stays while it moves the arm, even where this
        // process is killed meanwhile.
        let lock = self
            .lock
            .try_clone()
            .map_err(|error| refused(error.to_string()))?;
        command.env("LC_ALL", "C").stdin(Stdio::from(lock));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let text = format!(
                "{}: {error}; install mtx, or name it: `mtx`",
                program.display()
            );
            DeviceError::new(Outcome::PERMANENT, text)
        })?;
        let printed = child.stdout.take().map(listen);
        let complaint = child.stderr.take().map(listen);
        let status = match self.end_of(&mut child, longest) {
            Ok(status) => status,
            Err(error) => {
                // What it began the library ends by itself; it is asked again before the next move.
                let _ = child.kill();
                let _ = child.wait();
                let text = format!("{shown}: {}", error.text);
                return Err(DeviceError::new(error.outcome, text));
            }
        };
        let heard = |thread: Option<thread::JoinHandle<String>>| {
            thread
                .and_then(|thread| thread.join().ok())
                .unwrap_or_default()
        };
        let (printed, complaint) = (heard(printed), heard(complaint));
        if status.success() {
            return Ok(printed);
        }
        let said = complaint.trim().replace(['\n', '\r'], "; ");
        let said: String = said.chars().filter(|c| !c.is_control()).collect();
        let said: String = said.chars().take(COMPLAINT_MAX).collect();
        let text = format!("{shown}: {status}: {said}");
        Err(DeviceError::new(Outcome::PERMANENT, text))
    }

    fn end_of(
        &self,
        child: &mut Child,
        longest: Duration,
    ) -> Result<std::process::ExitStatus, DeviceError> {
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if begun.elapsed() >= longest => {
                    let text = format!("it had not ended after {} s", longest.as_secs());
                    return Err(DeviceError::new(Outcome::TRANSIENT, text));
                }
                Ok(None) => wait(self.host, LOOK)?,
                Err(error) => return Err(refused(error.to_string())),
            }
        }
    }
}

/// Reads what a program prints, as much as is of use; the rest is read and let go.
fn listen(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.by_ref().take(PRINTED_MAX).read_to_end(&mut text);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// A nap, unless the agent wants the call to end.
pub(super) fn wait(host: &Host, time: Duration) -> Result<(), DeviceError> {
    if host.should_stop() {
        let text = "the agent asked to stop";
        return Err(DeviceError::new(Outcome::CANCELLED, text));
    }
    thread::sleep(time);
    Ok(())
}

/// What a library is known by: the changer's node, or the folder.
pub(super) fn name(by: &By) -> &Path {
    match by {
        By::Mtx { node, .. } => node,
        By::Stacks(folder) => folder,
    }
}
