//! 1, 2, 9, 11: the life of a set, from its constructor to its second life.

use std::thread;
use std::time::Duration;

use sqlvdi::abi::{VdConfig, commands, features, returns};
use sqlvdi::server::{ServerSet, SetState};

use crate::harness::*;

#[test]
fn every_listed_symbol_is_exported() {
    assert_eq!(SYMBOLS.len(), 19);
    let entries = vdi();
    let mut device = [0xffff_u64];
    // SAFETY: the members of an empty device object touch its 8 bytes alone.
    unsafe {
        (entries.device_c1)(&raw mut device);
        assert_eq!(
            (entries.get_command)(&raw mut device, 0, &mut std::ptr::null_mut()),
            returns::NOT_OPEN
        );
        (entries.device_d1)(&raw mut device);
        (entries.device_c2)(&raw mut device);
        (entries.device_d2)(&raw mut device);
    }
    let mut set = [7_u64];
    // SAFETY: constructed, used and destroyed once; the class is 8 bytes wide.
    unsafe {
        (entries.c2)(&raw mut set);
        (entries.register_closed)(&raw mut set);
        (entries.d2)(&raw mut set);
    }
}

#[test]
fn a_constructor_takes_any_memory_and_touches_eight_bytes_of_it() {
    let mut memory = [0x5555_5555_5555_5555_u64; 3];
    // SAFETY: the object is the middle word.
    unsafe {
        let object: This = (&raw mut memory[1]).cast();
        (vdi().c1)(object);
        (vdi().d1)(object);
    }
    assert_eq!(
        (memory[0], memory[2]),
        (0x5555_5555_5555_5555, 0x5555_5555_5555_5555)
    );
}

#[test]
fn a_configuration_no_server_would_take_is_refused() {
    let set = Set::new();
    let with = |device_count, features| VdConfig {
        device_count,
        features,
        ..Default::default()
    };
    let name = fresh_name();
    for config in [
        with(0, 0),
        with(65, 0),
        with(1, features::WRITE_MEDIA),
        with(1, 0x100),
        with(1, features::RANDOM_ACCESS | 0x2),
        VdConfig {
            alignment: 3,
            ..with(1, 0)
        },
        VdConfig {
            alignment: 1 << 17,
            ..with(1, 0)
        },
    ] {
        assert_eq!(
            set.create(&name, &config),
            returns::NOT_SUPPORTED,
            "{config:?}"
        );
    }
    for features in [0, 1, 0x173, 0x200, 0x201, features::REQUEST_COMPLETE, 0x80] {
        assert_eq!(set.create(&name, &with(64, features)), 0, "{features:#x}");
        assert_eq!(set.close(), 0);
    }
}

#[test]
fn a_second_create_without_close_is_out_of_order() {
    let (set, _) = Set::created(1);
    assert_eq!(
        set.create(
            &fresh_name(),
            &VdConfig {
                device_count: 1,
                ..Default::default()
            }
        ),
        returns::PROTOCOL
    );
}

#[test]
fn devices_may_close_at_different_times_and_the_set_ends_with_the_last() {
    let mut session = Session::new(2);
    let (second, first) = (session.ends.pop().unwrap(), session.ends.pop().unwrap());
    first.close();
    assert_eq!(session.devices[0].get(-1), Err(returns::CLOSE));
    assert_eq!(session.devices[1].get(20), Err(returns::TIMEOUT));
    assert_eq!(session.server.state(), SetState::Active);
    second.close();
    assert_eq!(session.devices[1].get(-1), Err(returns::CLOSE));
    assert_eq!(session.server.state(), SetState::Terminated);
    assert_eq!(session.set.close(), 0);
}

#[test]
fn commands_before_the_close_are_still_delivered() {
    let mut session = Session::new(1);
    let mut end = session.ends.pop().unwrap();
    let device = session.devices[0];
    let ticket = end
        .write(|room| {
            room[..512].fill(1);
            512
        })
        .unwrap();
    let server = thread::spawn(move || {
        assert_eq!(end.wait(ticket).unwrap().code, 0);
        end.command(commands::FLUSH).unwrap();
        end.close();
    });
    for expected in [commands::WRITE, commands::FLUSH] {
        let (at, command) = device.next().unwrap();
        assert_eq!(command.command_code, expected);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(device.complete(at, 0, command.size as u64), 0);
    }
    assert_eq!(device.get(-1), Err(returns::CLOSE));
    server.join().unwrap();
}

#[test]
fn close_with_open_devices_says_so_and_aborts() {
    let mut session = Session::new(1);
    assert_eq!(session.set.close(), returns::OPEN);
    assert_eq!(session.server.state(), SetState::Aborted);
    assert!(session.server.aborted_by_client());
    let refused = session.ends[0].command(commands::FLUSH).unwrap_err();
    assert_eq!(refused.code(), 995);
    assert_eq!(session.set.close(), returns::PROTOCOL);
}

#[test]
fn after_close_the_same_object_lives_again() {
    let mut session = Session::new(1);
    session.ends.pop().unwrap().close();
    assert_eq!(session.devices[0].get(-1), Err(returns::CLOSE));
    assert_eq!(session.set.close(), 0);
    assert_eq!(session.devices[0].get(0), Err(returns::NOT_OPEN));
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        ..Default::default()
    };
    assert_eq!(session.set.create(&name, &config), 0);
    let mut server = ServerSet::open(&name).unwrap();
    server.configure(negotiated(&name, 1)).unwrap();
    assert!(session.set.configuration(0).is_ok());
}
