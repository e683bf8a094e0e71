//! 13: the optional ways to misbehave.

use std::time::{Duration, Instant};

use sqlvdi::abi::{VdConfig, commands, features, returns};
use sqlvdi::server::{Knobs, ServerError, ServerSet};

use crate::harness::*;

#[test]
fn two_devices_may_be_made_to_abort() {
    let (set, name) = Set::created(2);
    let knobs = Knobs {
        two_devices_abort: true,
        ..quick_knobs()
    };
    let mut server = ServerSet::open_with(&name, knobs).unwrap();
    server.configure(negotiated(&name, 2)).unwrap();
    set.configuration(0).unwrap();
    let device = set.open(&name).unwrap();
    let _ = set.open(&format!("{name}-1"));
    assert_eq!(device.get(-1), Err(returns::ABORT));
    assert_eq!(server.device(1).err(), Some(ServerError::Aborted));
}

#[test]
fn random_access_may_be_made_to_abort_in_the_middle() {
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        features: features::RANDOM_ACCESS,
        ..Default::default()
    };
    let knobs = Knobs {
        random_access_abort: Some(2),
        ..quick_knobs()
    };
    let mut session = Session::with(config, knobs, negotiated(&name, 1));
    for _ in 0..2 {
        session.ends[0].write(|_| 512).unwrap();
    }
    assert_eq!(session.ends[0].write(|_| 512), Err(ServerError::Aborted));
    assert_eq!(session.devices[0].get(-1), Err(returns::ABORT));
}

#[test]
fn the_configuration_may_fail_with_a_code_nobody_lists() {
    let (set, name) = Set::created(1);
    let knobs = Knobs {
        configure_code: -42,
        ..quick_knobs()
    };
    let _server = ServerSet::open_with(&name, knobs).unwrap();
    assert_eq!(set.configuration(-1), Err(-42));
}

#[test]
fn commands_may_be_slow_in_coming() {
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        ..Default::default()
    };
    let knobs = Knobs {
        idle_gap: Duration::from_millis(120),
        ..quick_knobs()
    };
    let mut session = Session::with(config, knobs, negotiated(&name, 1));
    let begun = Instant::now();
    session.ends[0].command(commands::FLUSH).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[test]
fn poison_may_be_switched_off() {
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        ..Default::default()
    };
    let knobs = Knobs {
        poison: false,
        ..quick_knobs()
    };
    let mut session = Session::with(config, knobs, negotiated(&name, 1));
    session.ends[0]
        .write(|room| {
            room.fill(4);
            512
        })
        .unwrap();
    let (at, command) = session.devices[0].next().unwrap();
    session.devices[0].complete(at, 0, 512);
    assert_eq!(data(&command)[0], 4);
    assert!(session.server.violations().is_clean());
}

#[test]
fn a_library_can_be_made_that_lacks_one_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("libsqlvdi.so");
    let missing = "_ZN22ClientVirtualDeviceSet11SignalAbortEv";
    sqlvdi::without_symbol(&library_path(), &copy, missing).unwrap();
    // SAFETY: our own library; it is only asked for symbols.
    let library = unsafe { libloading::Library::new(&copy) }.unwrap();
    for symbol in SYMBOLS {
        // SAFETY: the symbol is not called.
        let found = unsafe { library.get::<unsafe extern "C" fn()>(symbol.as_bytes()) };
        assert_eq!(found.is_ok(), *symbol != missing, "{symbol}");
    }
    assert!(sqlvdi::without_symbol(&library_path(), &copy, "nobody_has_this").is_err());
}
