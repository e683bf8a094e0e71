//! A volume that lies on several media, before a device that a person feeds: a read that needs
//! another medium waits for it, as a run does that writes.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use twinset_plugin_api::Outcome;

use super::matrix::Matrix;
use super::volume::Volume;
use super::writer::{Onlooker, Watch};
use crate::device::DeviceFault;

/// Between two tries while an operator is awaited.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Who is told what a read waits for, and who may end the wait.
#[derive(Clone)]
pub struct Patience {
    /// Told.
    pub onlooker: Arc<dyn Onlooker>,
    /// Set when the operator wants the command to stop.
    pub stop: &'static AtomicBool,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patience")
    }
}

/// What a volume knows of waiting.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    patience: OnceLock<Patience>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The wish that was told last.
    told: String,
    /// Nobody came: the volume is not waited for again.
    in_vain: bool,
}

impl Waiting {
    /// Whoever is awaited for this fault, if anybody is. Each wish is told once.
    fn of(&self, volume: &Volume, fault: &DeviceFault, begun: Instant) -> Option<&Patience> {
        let patience = self.patience.get()?;
        if fault.outcome != Outcome::NEEDS_OPERATOR {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.in_vain |= begun.elapsed() >= volume.medium_wait;
        if state.in_vain {
            return None;
        }
        if state.told != fault.text {
            patience.onlooker.operator(&volume.place(), &fault.text);
            state.told.clone_from(&fault.text);
        }
        Some(patience)
    }
}

impl Matrix {
    /// From now on reads wait for media that a person has to bring, up to each volume's
    /// `medium_wait` since the read began. Without it they end with what the device asks for.
    pub fn wait_with(&self, patience: &Patience) {
        for volume in self.volumes() {
            // Whoever was told first is told on.
            let _ = volume.waiting.patience.set(patience.clone());
        }
    }
}

/// Waits a moment, where somebody is awaited for any of these; false where trying again is of no
/// use.
pub(super) fn wait(asking: &[(&Volume, &DeviceFault)], begun: Instant) -> bool {
    let awaited = asking
        .iter()
        .filter_map(|(volume, fault)| volume.waiting.of(volume, fault, begun));
    // All of them are told.
    let awaited: Vec<&Patience> = awaited.collect();
    let Some(patience) = awaited.first() else {
        return false;
    };
    let watch = Watch {
        progress: &*patience.onlooker,
        stop: patience.stop,
    };
    watch.pause(ASK_AGAIN).is_ok()
}

/// Does a read again until the medium that it needs is there, or nobody is awaited any more.
pub(super) fn patiently<T>(
    volume: &Volume,
    mut read: impl FnMut() -> Result<T, DeviceFault>,
) -> Result<T, DeviceFault> {
    let begun = Instant::now();
    loop {
        match read() {
            Err(fault) if wait(&[(volume, &fault)], begun) => {}
            other => return other,
        }
    }
}
