//! Ctrl-C and the service manager's stop become a flag that long work looks at.

mod os;

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The flag. From the first call on, the first signal sets it and the second ends the process as
/// it would have without us.
pub(super) fn flag() -> &'static AtomicBool {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let listen = || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
            else {
                return;
            };
            runtime.block_on(async {
                os::stop_signal().await;
                STOP.store(true, Ordering::Relaxed);
                os::stop_signal().await;
                os::end_at_once();
            });
        };
        // Without a listener a signal ends the process, and the next run recovers.
        let _ = std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen);
    });
    by_request()
}

/// The flag, without listening to signals: somebody else sets it.
pub(super) fn by_request() -> &'static AtomicBool {
    &STOP
}

/// The flag is set too when standard input is closed: whoever started this process wants it to
/// stop, or has died.
pub(super) fn when_unattended() {
    let listen = || {
        let mut rest = [0_u8; 64];
        // What is written there means nothing.
        while std::io::Read::read(&mut std::io::stdin(), &mut rest).is_ok_and(|read| read > 0) {}
        flag();
        STOP.store(true, Ordering::Relaxed);
    };
    // Without a thread it runs to its end.
    let _ = std::thread::Builder::new()
        .name("attended".to_owned())
        .spawn(listen);
}
