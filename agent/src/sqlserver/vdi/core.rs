//! What keeps a set's memory alive: the set itself, its devices, and every buffer that is out.

use std::ffi::CString;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::codes::Vde;
use super::layout::VdConfig;
use super::pace::Pace;
use super::platform::{RawSet, VdiLibrary};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    Closed,
}

/// What devices and leases hold on to. Closing waits until nobody does.
pub(super) struct Core {
    pub(super) name: String,
    pub(super) raw: RawSet,
    life: Mutex<Life>,
    holds: Mutex<usize>,
    let_go: Condvar,
    pub(super) pace: Pace,
}

impl Core {
    pub(super) fn create(
        library: &Arc<VdiLibrary>,
        instance: Option<&str>,
        name: &str,
        raw_name: &CString,
        config: &VdConfig,
    ) -> Result<Arc<Self>, Vde> {
        let raw = RawSet::new(library)?;
        raw.create(instance, raw_name, config)?;
        Ok(Arc::new(Self {
            name: name.to_owned(),
            raw,
            life: Mutex::new(Life::Open),
            holds: Mutex::new(0),
            let_go: Condvar::new(),
            pace: Pace::default(),
        }))
    }

    /// Waits until no device and no buffer is out; else says how many are after `limit`.
    pub(super) fn wait_let_go(&self, limit: Duration) -> Result<(), usize> {
        let begun = Instant::now();
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        while *holds > 0 {
            let left = limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(*holds);
            }
            (holds, _) = self
                .let_go
                .wait_timeout(holds, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    pub(super) fn abort(&self, why: &str) {
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        if *life != Life::Open {
            return;
        }
        tracing::info!(set = self.name, why, "signalling abort");
        if let Err(error) = self.raw.signal_abort() {
            tracing::warn!(set = self.name, %error, "the abort could not be signalled");
        }
    }

    pub(super) fn close(&self) -> Result<(), Vde> {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        if *life != Life::Open {
            return Ok(());
        }
        // Whatever it answers, the set's resources are gone (facts/vdi.md 1.8).
        *life = Life::Closed;
        self.raw.close()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // Nobody holds a device or a lease any more: each has a reference to this.
        self.abort("the set was dropped");
        if let Err(error) = self.close() {
            tracing::debug!(set = self.name, %error, "closing an abandoned set");
        }
    }
}

/// Keeps the set's memory mapped; one for every device and every lent buffer.
pub(super) struct Hold(Arc<Core>);

impl Hold {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        *core.holds.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(core))
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = self.0.holds.lock().unwrap_or_else(PoisonError::into_inner);
        *holds = holds.saturating_sub(1);
        self.0.let_go.notify_all();
    }
}

/// Signals abort from any thread, as long as the set lives.
#[derive(Clone)]
pub struct VdiAborter(pub(super) Weak<Core>);

impl VdiAborter {
    /// Wakes every wait on the set; `why` goes to the log. Harmless when repeated.
    pub fn abort(&self, why: &str) {
        if let Some(core) = self.0.upgrade() {
            core.abort(why);
        }
    }
}

impl std::fmt::Debug for VdiAborter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VdiAborter")
    }
}
