//! Tells the service manager how the service stands: systemd's `Type=notify` and its watchdog, or
//! whoever runs the service under another manager.

use std::sync::OnceLock;

use super::os;

/// How the service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It looks and answers.
    Ready,
    /// It still does: the watchdog's question, asked at every turn of the loop.
    Alive,
    /// It takes nothing new.
    Stopping,
}

/// Who is told, besides the system's own way.
static LISTENER: OnceLock<fn(Stands)> = OnceLock::new();

/// Tells `listener` too, from now on. A second one is not heard.
pub fn through(listener: fn(Stands)) {
    // The first holds.
    let _ = LISTENER.set(listener);
}

pub(super) fn tell(stands: Stands) {
    os::tell_manager(stands);
    if let Some(listener) = LISTENER.get() {
        listener(stands);
    }
}
