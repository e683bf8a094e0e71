//! Who looks on while a family is written.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::{Fault, code};

/// Longest nap between two looks at the wish to stop.
const LOOK: Duration = Duration::from_millis(100);

/// The operator stopped the run.
#[must_use]
pub fn cancelled() -> Fault {
    Fault::new(code::CANCELLED, "backup", "stopped by the operator")
        .remedy("nothing of it was published; start it again when it suits")
}

/// Is told what happens, and asked for what the engine cannot do by itself.
pub trait Onlooker: Send + Sync {
    /// Something worth a line of its own.
    fn note(&self, text: &str);
    /// A device waits for the operator, who has to do what `wish` says.
    fn operator(&self, device: &str, wish: &str);
}

/// Who looks on, and who may end the wait.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told.
    pub progress: &'a dyn Onlooker,
    /// Set when the operator wants the run to stop.
    pub stop: &'a AtomicBool,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({})", self.stop.load(Ordering::Relaxed))
    }
}

impl Watch<'_> {
    /// Waits, unless the run is to stop.
    ///
    /// # Errors
    /// [`code::CANCELLED`].
    pub(in crate::media) fn pause(&self, time: Duration) -> Result<(), Fault> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.stop.load(Ordering::Relaxed) {
                return Err(cancelled());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}
