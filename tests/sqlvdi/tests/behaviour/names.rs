//! 2, 3, 4: names, configuration, and opening devices.

use std::thread;
use std::time::{Duration, Instant};

use sqlvdi::abi::{VdConfig, features, returns};
use sqlvdi::server::{Knobs, Negotiated, ServerError, ServerSet, SetState};

use crate::harness::*;

#[test]
fn the_configuration_is_copied_at_create() {
    let (set, name) = (Set::new(), fresh_name());
    let config = VdConfig {
        device_count: 3,
        server_time_out: 9,
        ..Default::default()
    };
    let mut given = Box::new(config);
    assert_eq!(set.create(&name, &given), 0);
    *given = VdConfig::default();
    drop(std::hint::black_box(given));
    let server = ServerSet::open(&name).unwrap();
    assert_eq!(server.client_config(), config);
}

#[test]
fn a_name_that_lives_cannot_be_created_again() {
    let (_set, name) = Set::created(1);
    let other = Set::new();
    assert_eq!(
        other.create(
            &name,
            &VdConfig {
                device_count: 1,
                ..Default::default()
            }
        ),
        returns::PROTOCOL
    );
}

#[test]
fn names_that_shared_memory_cannot_have_are_invalid() {
    let set = Set::new();
    for name in ["", "a/b", "a\\b", &"x".repeat(201)] {
        let config = VdConfig {
            device_count: 1,
            ..Default::default()
        };
        assert_eq!(set.create(name, &config), returns::INVALID, "{name}");
    }
}

#[test]
fn a_server_finds_a_set_by_its_exact_name_only() {
    let (_set, name) = Set::created(1);
    for wrong in [
        format!("{name}x"),
        name.to_uppercase(),
        format!("{{{name}}}"),
        String::new(),
    ] {
        let refused = ServerSet::open(&wrong).err();
        assert_eq!(refused, Some(ServerError::Invalid), "{wrong}");
    }
    assert_eq!(ServerError::Invalid.code(), 0x8077_0006_u32.cast_signed());
    let _server = ServerSet::open(&name).unwrap();
    assert_eq!(ServerSet::open(&name).err(), Some(ServerError::Protocol));
}

#[test]
fn get_configuration_polls_and_times_out_in_milliseconds() {
    let (set, name) = Set::created(1);
    let begun = Instant::now();
    assert_eq!(set.configuration(0), Err(returns::TIMEOUT));
    assert_eq!(set.configuration(120), Err(returns::TIMEOUT));
    assert!((120..5000).contains(&begun.elapsed().as_millis()));
    let _server = ServerSet::open(&name).unwrap();
    assert_eq!(set.configuration(20), Err(returns::TIMEOUT));
}

#[test]
fn get_configuration_times_out_in_seconds_when_told_so() {
    let (set, name) = Set::created(1);
    let knobs = Knobs {
        timeout_in_seconds: true,
        ..quick_knobs()
    };
    let _server = ServerSet::open_with(&name, knobs).unwrap();
    let begun = Instant::now();
    assert_eq!(set.configuration(1), Err(returns::TIMEOUT));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn get_configuration_waits_for_the_server_and_may_be_repeated() {
    let (set, name) = Set::created(2);
    let server = thread::spawn(move || {
        thread::sleep(Duration::from_millis(80));
        let mut server = ServerSet::open(&name).unwrap();
        thread::sleep(Duration::from_millis(80));
        server.configure(negotiated(&name, 2)).unwrap();
        server
    });
    let first = set.configuration(-1).unwrap();
    assert_eq!(first.features, features::WRITE_MEDIA);
    assert_eq!(
        (first.device_count, first.block_size, first.max_io_depth),
        (2, 512, 4)
    );
    assert_eq!(first.max_transfer_size, 65536);
    assert!(first.buffer_area_size >= 10 * 65536);
    assert_eq!(set.configuration(0).unwrap(), first);
    assert_eq!(server.join().unwrap().granted_config(), first);
}

#[test]
fn complete_is_granted_only_to_who_asks_and_if_the_server_knows_it() {
    for (asked, offered, allowed, granted) in [
        (true, true, true, true),
        (false, true, true, false),
        (true, false, true, false),
        (true, true, false, false),
    ] {
        let (set, name) = (Set::new(), fresh_name());
        let bits = if asked { features::REQUEST_COMPLETE } else { 0 };
        let config = VdConfig {
            device_count: 1,
            features: bits,
            ..Default::default()
        };
        assert_eq!(set.create(&name, &config), 0);
        let knobs = Knobs {
            complete_enabled: allowed,
            ..quick_knobs()
        };
        let mut server = ServerSet::open_with(&name, knobs).unwrap();
        let mut wanted = negotiated(&name, 1);
        if !offered {
            wanted.features = features::WRITE_MEDIA;
        }
        server.configure(wanted).unwrap();
        let got = set.configuration(0).unwrap().features;
        assert_eq!(got & features::COMPLETE_ENABLED != 0, granted);
    }
}

#[test]
fn a_statement_that_does_not_fit_the_client_is_not_supported() {
    let (_set, name) = Set::created(2);
    let mut server = ServerSet::open(&name).unwrap();
    let good = negotiated(&name, 2);
    let twice = vec![name.clone(), name.clone()];
    for wrong in [
        Negotiated {
            device_names: names(&name, 1),
            ..good.clone()
        },
        Negotiated {
            device_names: names(&name, 3),
            ..good.clone()
        },
        Negotiated {
            device_names: names("other", 2),
            ..good.clone()
        },
        Negotiated {
            device_names: twice,
            ..good.clone()
        },
        Negotiated {
            block_size: 1000,
            ..good.clone()
        },
        Negotiated {
            max_transfer_size: 65535,
            ..good.clone()
        },
        Negotiated {
            max_transfer_size: 8 << 20,
            ..good.clone()
        },
        Negotiated {
            features: 0,
            ..good.clone()
        },
        Negotiated {
            features: 0x3_0000,
            ..good.clone()
        },
    ] {
        assert_eq!(server.configure(wrong), Err(ServerError::NotSupported));
    }
    server.configure(good.clone()).unwrap();
    assert_eq!(server.configure(good), Err(ServerError::Protocol));
}

#[test]
fn devices_open_by_name_once_each_and_only_when_configured() {
    let (set, name) = Set::created(2);
    assert_eq!(set.open(&name).err(), Some(returns::PROTOCOL));
    let mut server = ServerSet::open_with(&name, quick_knobs()).unwrap();
    server.configure(negotiated(&name, 2)).unwrap();
    assert_eq!(
        set.open(&name).err(),
        Some(returns::PROTOCOL),
        "GetConfiguration comes first"
    );
    set.configuration(0).unwrap();
    assert_eq!(set.open("nobody").err(), Some(returns::INVALID));
    assert!(set.open(&name).is_ok(), "device 0 has the name of the set");
    assert_eq!(set.open(&name).err(), Some(returns::PROTOCOL));
    assert_eq!(server.state(), SetState::Initializing);
    assert!(set.open(&format!("{name}-1")).is_ok());
    assert_eq!(server.state(), SetState::Active);
    assert_eq!(set.open(&format!("{name}-2")).err(), Some(returns::OPEN));
    set.abort();
    assert_eq!(set.open(&name).err(), Some(returns::ABORT));
}

#[test]
fn a_set_may_have_sixty_four_devices() {
    let session = Session::new(64);
    assert_eq!(session.devices.len(), 64);
    for end in session.ends {
        end.close();
    }
    for device in session.devices {
        assert_eq!(device.get(-1), Err(returns::CLOSE));
    }
    assert_eq!(session.set.close(), 0);
}

#[test]
fn a_server_does_not_wait_for_ever_for_a_device() {
    let (_set, name) = Set::created(1);
    let knobs = Knobs {
        open_wait: Duration::from_millis(60),
        ..Knobs::default()
    };
    let mut server = ServerSet::open_with(&name, knobs).unwrap();
    assert_eq!(server.device(0).err(), Some(ServerError::Protocol));
    server.configure(negotiated(&name, 1)).unwrap();
    assert_eq!(server.device(0).err(), Some(ServerError::Timeout));
    assert_eq!(server.device(1).err(), Some(ServerError::Invalid));
}
