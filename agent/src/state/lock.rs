//! Locks on a media set: one run at a time writes it, and a repair steps aside for a run.
//!
//! All of them are locks on open files: they end with the process, however it dies.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use twinset_domain::{Fault, code};

use super::{StateDir, fault, os};
use crate::folder;

/// Longest time a run waits for a repair to let go: it does so after each section.
const RUN_WAITS: Duration = Duration::from_secs(3600);
/// Longest time a repair waits for runs before it gives up; it goes on when it is started again.
const REPAIR_WAITS: Duration = Duration::from_secs(24 * 3600);
/// How often a lock is tried while it is waited for.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// How often a run looks who has the lock before it says that another run has it: for half a second,
/// since `status` holds it for the moment of its own look, and a busy host stretches moments.
const LOOKS: u32 = 25;

/// A lock on a media set; let go when dropped.
#[derive(Debug)]
pub struct SetLock {
    _file: File,
    /// Says that it is a repair's; let go behind the lock itself.
    _turn: Option<File>,
}

impl SetLock {
    const fn of(file: File) -> Self {
        Self {
            _file: file,
            _turn: None,
        }
    }
}

/// The right to repair a media set, held from the first step to the last; let go when dropped.
#[derive(Debug)]
pub struct RepairLock {
    _file: File,
}

/// The right to be the one service of a state folder; let go when dropped.
#[derive(Debug)]
pub struct ServiceLock {
    _file: File,
}

/// The right to tell the shared catalog; let go when dropped.
#[derive(Debug)]
pub struct PushLock {
    _file: File,
}

impl StateDir {
    /// Takes the lock on a media set: one run at a time writes it. While a repair has it, waits for
    /// it to let go between two sections.
    ///
    /// # Errors
    /// [`code::STATE_LOCKED`] when another run of this agent has it.
    pub fn lock_media_set(&self, key: &str) -> Result<SetLock, Fault> {
        let (path, file) = self.lock_file(key, "lock")?;
        let (turn, mark) = self.lock_file(key, "turn")?;
        // A repair may let go between the two looks, so they are taken more than once.
        for look in 0..LOOKS {
            if look > 0 {
                std::thread::sleep(TRY_EVERY);
            }
            if try_lock(&path, &file)? {
                return Ok(SetLock::of(file));
            }
            if !try_shared(&turn, &mark)? {
                return self.wait_for_repair(key, &path, file);
            }
            os::unlock(&mark).map_err(|e| fault(&turn, "cannot unlock it", &e))?;
        }
        Err(busy(
            key,
            "another run of this agent works on the media set",
        ))
    }

    /// Whether a run or a repair writes a media set just now. Who begins meanwhile looks more than
    /// once, so that this look costs nobody his turn.
    #[must_use]
    pub fn is_busy(&self, key: &str) -> bool {
        self.lock_file(key, "lock")
            .and_then(|(path, file)| try_shared(&path, &file))
            .is_ok_and(|free| !free)
    }

    fn wait_for_repair(&self, key: &str, path: &Path, file: File) -> Result<SetLock, Fault> {
        // A repair looks at this file before it takes the lock again.
        let (waiting, mark) = self.lock_file(key, "waiting")?;
        mark.lock_shared()
            .map_err(|e| fault(&waiting, "cannot lock it", &e))?;
        if wait(RUN_WAITS, None, || try_lock(path, &file))? {
            return Ok(SetLock::of(file));
        }
        Err(busy(
            key,
            "a repair holds the media set and does not let go",
        ))
    }

    /// Takes the right to repair a media set.
    ///
    /// # Errors
    /// [`code::STATE_LOCKED`] when another repair of it is under way.
    pub fn lock_repair(&self, key: &str) -> Result<RepairLock, Fault> {
        let (path, file) = self.lock_file(key, "repair")?;
        if try_lock(&path, &file)? {
            return Ok(RepairLock { _file: file });
        }
        Err(busy(key, "another repair of the media set is under way"))
    }

    /// The lock on a media set for one turn of a repair: waits for runs that have it or wait for
    /// it.
    ///
    /// # Errors
    /// [`code::CANCELLED`] when `stop` was set meanwhile; [`code::STATE_LOCKED`] after a day.
    pub fn lock_turn(&self, key: &str, stop: &AtomicBool) -> Result<SetLock, Fault> {
        let (waiting, mark) = self.lock_file(key, "waiting")?;
        let (path, file) = self.lock_file(key, "lock")?;
        let (turn, ours) = self.lock_file(key, "turn")?;
        let free = || {
            if !try_lock(&waiting, &mark)? {
                return Ok(false);
            }
            os::unlock(&mark).map_err(|e| fault(&waiting, "cannot unlock it", &e))?;
            // In this order: who finds the lock taken finds out by whom.
            if !try_lock(&turn, &ours)? {
                return Ok(false);
            }
            if try_lock(&path, &file)? {
                return Ok(true);
            }
            os::unlock(&ours).map_err(|e| fault(&turn, "cannot unlock it", &e))?;
            Ok(false)
        };
        if wait(REPAIR_WAITS, Some(stop), free)? {
            return Ok(SetLock {
                _file: file,
                _turn: Some(ours),
            });
        }
        if stop.load(Ordering::Relaxed) {
            let object = format!("media set {key}");
            return Err(
                Fault::new(code::CANCELLED, object, "stopped by the operator")
                    .remedy("repair again when it suits: it goes on where it stopped"),
            );
        }
        Err(busy(
            key,
            "runs of this agent hold the media set all the time",
        ))
    }

    /// Takes the right to be the service of this state folder.
    ///
    /// # Errors
    /// [`code::STATE_LOCKED`] when another service runs.
    pub fn lock_service(&self) -> Result<ServiceLock, Fault> {
        let (path, file) = self.lock_file("service", "service")?;
        if try_lock(&path, &file)? {
            return Ok(ServiceLock { _file: file });
        }
        let message = "the service runs already";
        Err(
            Fault::new(code::STATE_LOCKED, path.display().to_string(), message)
                .remedy("ask it: twinset status, twinset jobs"),
        )
    }

    /// Takes the right to tell the shared catalog; `None` when another process of this agent does.
    ///
    /// # Errors
    /// [`code::STATE_DIR`].
    pub fn lock_push(&self) -> Result<Option<PushLock>, Fault> {
        let (path, file) = self.lock_file("shared", "push")?;
        Ok(try_lock(&path, &file)?.then_some(PushLock { _file: file }))
    }

    fn lock_file(&self, key: &str, ending: &str) -> Result<(PathBuf, File), Fault> {
        let folder = self.path.join("locks");
        folder::make_private(&folder).map_err(|e| fault(&folder, "cannot make it", &e))?;
        let name = format!("{}.{ending}", twinset_domain::name::safe(key));
        let path = folder.join(name);
        let file = os::open_lock(&path).map_err(|e| fault(&path, "cannot open the lock", &e))?;
        Ok((path, file))
    }
}

fn busy(key: &str, message: &str) -> Fault {
    Fault::new(code::STATE_LOCKED, format!("media set {key}"), message)
        .remedy("wait until it has ended; one run at a time writes a media set")
}

fn taken(path: &Path, outcome: Result<(), TryLockError>) -> Result<bool, Fault> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(fault(path, "cannot lock it", &error)),
    }
}

fn try_lock(path: &Path, file: &File) -> Result<bool, Fault> {
    taken(path, file.try_lock())
}

fn try_shared(path: &Path, file: &File) -> Result<bool, Fault> {
    taken(path, file.try_lock_shared())
}

/// Tries until it works; false when the time is over or `stop` was set.
fn wait(
    longest: Duration,
    stop: Option<&AtomicBool>,
    mut attempt: impl FnMut() -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    let until = Instant::now() + longest;
    loop {
        if attempt()? {
            return Ok(true);
        }
        if Instant::now() >= until || stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Ok(false);
        }
        std::thread::sleep(TRY_EVERY);
    }
}
