//! Tells the service manager how the service stands (systemd's `Type=notify` and its watchdog).

use sd_notify::NotifyState;

/// It looks and answers.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It still does: the watchdog's question, asked at every turn of the loop.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// It takes nothing new.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    // Without a service manager there is nobody to tell.
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
