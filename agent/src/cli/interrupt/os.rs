//! How each system asks a process to stop.

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for Ctrl-C, Ctrl-Break, the console's end, or the system's. The service manager's stop
/// comes another way.
#[cfg(windows)]
pub(super) async fn stop_signal() {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (Ok(mut interrupt), Ok(mut broken), Ok(mut closed), Ok(mut down)) =
        (ctrl_c(), ctrl_break(), ctrl_close(), ctrl_shutdown())
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = broken.recv() => {}
        _ = closed.recv() => {}
        _ = down.recv() => {}
    }
}

/// Ends without any clean-up: what is left is set right by recover.
pub(super) fn end_at_once() {
    std::process::abort();
}
