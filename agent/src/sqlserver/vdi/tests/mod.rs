//! The client side against the double of the library, whose server side runs in a thread here.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod backup;
mod failures;
mod library;
mod mirrors;
mod restore;
mod set;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlvdi::server::{Knobs, Negotiated as Wanted, ServerDevice, ServerError, ServerSet};

use super::{VdiDevice, VdiLibrary, VdiSet, feature};

/// Nothing here takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn library_path() -> PathBuf {
    sqlvdi::locate().expect("the double of libsqlvdi.so was built as a dependency")
}

pub(super) fn library() -> Arc<VdiLibrary> {
    VdiLibrary::load(&library_path()).unwrap()
}

pub(super) fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    super::set_name(format!("{}-{n}", std::process::id()))
}

pub(super) fn go_on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn wanted(names: Vec<String>, backup: bool) -> Wanted {
    let direction = if backup {
        feature::WRITE_MEDIA
    } else {
        feature::READ_MEDIA
    };
    Wanted {
        features: direction | feature::COMPLETE_ENABLED,
        block_size: 4096,
        max_transfer_size: 65536,
        buffer_count: 0,
        device_names: names,
    }
}

/// The server's thread: opens the set, configures it, runs `script` with its first device.
pub(super) fn serve<T: Send + 'static>(
    set: &VdiSet,
    backup: bool,
    knobs: Knobs,
    script: impl FnOnce(&ServerSet, ServerDevice) -> T + Send + 'static,
) -> JoinHandle<T> {
    let names = set.device_names();
    std::thread::spawn(move || {
        let mut server = ServerSet::open_with(&names[0], knobs).unwrap();
        server.configure(wanted(names, backup)).unwrap();
        let device = server.device(0).unwrap();
        script(&server, device)
    })
}

/// A set with one device, opened on both sides.
pub(super) fn session<T: Send + 'static>(
    backup: bool,
    knobs: Knobs,
    script: impl FnOnce(&ServerSet, ServerDevice) -> T + Send + 'static,
) -> (VdiSet, VdiDevice, JoinHandle<T>) {
    let features = if backup {
        feature::REQUEST_COMPLETE
    } else {
        feature::LIKE_PIPE
    };
    let set = VdiSet::create(&library(), None, &unique_name(), 1, features).unwrap();
    let server = serve(&set, backup, knobs, script);
    set.configure(LIMIT, &mut go_on).unwrap();
    let device = set.open_device(set.name()).unwrap();
    (set, device, server)
}

/// Waits for something that another thread brings about.
pub(super) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LIMIT, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A command of the server's, waited for; its completion code.
pub(super) fn ask(device: &mut ServerDevice, code: i32) -> Result<i32, ServerError> {
    let ticket = device.command(code)?;
    device.wait(ticket).map(|done| done.code)
}
