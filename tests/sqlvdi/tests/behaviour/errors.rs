//! 7: the error state of a device (facts/vdi.md 3.5).

use sqlvdi::abi::{commands, completions, returns};
use sqlvdi::server::ServerError;

use crate::harness::*;

#[test]
fn after_an_error_undelivered_commands_vanish_and_clear_error_comes_last() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let tickets: Vec<_> = (0..4).map(|_| end.write(|_| 512).unwrap()).collect();
    let (first, _) = device.next().unwrap();
    let (second, _) = device.next().unwrap();
    assert_eq!(device.complete(first, completions::DISK_FULL, 0), 0);
    assert_eq!(end.wait(tickets[0]).unwrap().code, completions::DISK_FULL);
    for vanished in &tickets[2..] {
        let done = end.wait(*vanished).unwrap();
        assert_eq!(
            (done.code, done.bytes_transferred),
            (completions::IO_DEVICE, 0)
        );
    }
    assert_eq!(end.write(|_| 512), Err(ServerError::IoDevice));
    assert_eq!(end.command(commands::FLUSH), Err(ServerError::IoDevice));
    let clear = end.command(commands::CLEAR_ERROR).unwrap();
    assert_eq!(
        device.get(30),
        Err(returns::TIMEOUT),
        "the client still holds a command"
    );
    assert_eq!(device.complete(second, 0, 512), 0);
    assert_eq!(end.wait(tickets[1]).unwrap().code, 0);
    let (at, command) = device.next().unwrap();
    assert_eq!(command.command_code, commands::CLEAR_ERROR);
    assert_eq!(device.complete(at, 0, 0), 0);
    assert_eq!(end.wait(clear).unwrap().code, 0);
    let again = end.write(|_| 512).unwrap();
    let (at, _) = device.next().unwrap();
    device.complete(at, 0, 512);
    assert_eq!(end.wait(again).unwrap().code, 0);
    assert!(session.server.violations().is_clean());
}

#[test]
fn a_device_in_error_may_be_closed_at_once() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let ticket = end.command(commands::FLUSH).unwrap();
    let (at, _) = device.next().unwrap();
    device.complete(at, completions::DISK_FULL, 0);
    assert_eq!(end.wait(ticket).unwrap().code, completions::DISK_FULL);
    end.close();
    assert_eq!(device.get(-1), Err(returns::CLOSE));
    assert_eq!(session.set.close(), 0);
}

#[test]
fn clear_error_may_be_the_first_command() {
    let mut session = Session::new(1);
    let ticket = session.ends[0].command(commands::CLEAR_ERROR).unwrap();
    let (at, command) = session.devices[0].next().unwrap();
    assert_eq!(command.command_code, commands::CLEAR_ERROR);
    session.devices[0].complete(at, 0, 0);
    assert_eq!(session.ends[0].wait(ticket).unwrap().code, 0);
}

#[test]
fn refusing_an_unknown_command_is_no_error_of_the_device() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let ticket = end.command(18).unwrap();
    let (at, _) = device.next().unwrap();
    device.complete(at, completions::NOT_SUPPORTED, 0);
    assert_eq!(end.wait(ticket).unwrap().code, completions::NOT_SUPPORTED);
    assert!(end.write(|_| 512).is_ok());
}

#[test]
fn an_error_on_one_device_leaves_the_other_alone() {
    let mut session = Session::new(2);
    let ticket = session.ends[0].command(commands::FLUSH).unwrap();
    let (at, _) = session.devices[0].next().unwrap();
    session.devices[0].complete(at, completions::IO_DEVICE, 0);
    session.ends[0].wait(ticket).unwrap();
    assert_eq!(session.ends[0].write(|_| 512), Err(ServerError::IoDevice));
    assert!(session.ends[1].write(|_| 512).is_ok());
    assert!(session.devices[1].get(-1).is_ok());
}
