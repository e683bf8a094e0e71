//! 10: abort by either side.

use std::thread;
use std::time::{Duration, Instant};

use sqlvdi::abi::{commands, returns};
use sqlvdi::server::{ServerError, ServerSet, SetState};

use crate::harness::*;

#[test]
fn abort_from_another_thread_wakes_every_wait_at_once() {
    let mut session = Session::new(2);
    let mut end = session.ends.pop().unwrap();
    let set = &session.set;
    thread::scope(|scope| {
        let devices = session
            .devices
            .iter()
            .map(|&d| scope.spawn(move || d.get(-1).err()));
        let devices: Vec<_> = devices.collect();
        let server = scope.spawn(move || {
            let ticket = end.command(commands::FLUSH);
            ticket.and_then(|ticket| end.wait(ticket)).err()
        });
        thread::sleep(Duration::from_millis(60));
        let begun = Instant::now();
        assert_eq!(set.abort(), 0);
        for device in devices {
            let result = device.join().unwrap();
            assert!(result.is_none_or(|code| code == returns::ABORT));
        }
        assert_eq!(server.join().unwrap(), Some(ServerError::Aborted));
        assert!(begun.elapsed() < Duration::from_millis(500));
    });
    assert!(session.server.aborted_by_client());
}

#[test]
fn abort_ends_a_wait_for_the_configuration() {
    let (set, name) = Set::created(1);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| set.configuration(-1));
        thread::sleep(Duration::from_millis(40));
        assert_eq!(set.abort(), 0);
        assert_eq!(waiting.join().unwrap(), Err(returns::ABORT));
    });
    assert_eq!(ServerSet::open(&name).err(), Some(ServerError::Invalid));
    assert_eq!(set.close(), 0);
}

#[test]
fn held_buffers_stay_valid_after_an_abort_until_close() {
    let mut session = Session::new(1);
    let ticket = session.ends[0]
        .write(|room| {
            room.fill(9);
            512
        })
        .unwrap();
    let (at, command) = session.devices[0].next().unwrap();
    session.server.abort();
    assert_eq!(session.server.state(), SetState::Aborted);
    assert!(data(&command).iter().all(|byte| *byte == 9));
    assert_eq!(session.devices[0].complete(at, 0, 512), returns::ABORT);
    assert_eq!(session.devices[0].get(-1), Err(returns::ABORT));
    assert_eq!(session.ends[0].wait(ticket), Err(ServerError::Aborted));
    assert_eq!(ServerError::Aborted.code(), 995);
    assert!(!session.server.aborted_by_client());
    assert_eq!(
        session.set.close(),
        0,
        "after an abort Close has nothing to complain about"
    );
}

#[test]
fn a_server_that_drops_a_device_aborts_the_set() {
    let mut session = Session::new(2);
    drop(session.ends.pop());
    assert_eq!(session.devices[0].get(-1), Err(returns::ABORT));
}

#[test]
fn abort_after_the_normal_end_changes_nothing() {
    let mut session = Session::new(1);
    session.ends.pop().unwrap().close();
    assert_eq!(session.set.abort(), 0);
    assert_eq!(session.devices[0].get(-1), Err(returns::CLOSE));
    assert_eq!(session.server.state(), SetState::Terminated);
}

#[test]
fn calls_on_a_set_that_is_not_open_are_refused() {
    let set = Set::new();
    assert_eq!(set.close(), returns::PROTOCOL);
    assert_eq!(set.abort(), returns::NOT_OPEN);
    assert_eq!(set.configuration(0), Err(returns::NOT_OPEN));
    assert_eq!(set.open("x").err(), Some(returns::PROTOCOL));
    assert_eq!(set.handle_of(std::ptr::null_mut()), Err(returns::PROTOCOL));
    assert_eq!(set.map_handle(1), Err(returns::PROTOCOL));
}
