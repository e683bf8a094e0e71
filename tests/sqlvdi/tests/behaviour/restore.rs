//! 14: reading, and what goes with several processes.

use sqlvdi::abi::{commands, completions, returns};

use crate::harness::*;

#[test]
fn reads_bring_the_bytes_the_client_put_there() {
    let mut session = Session::reading(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    for (size, lent) in [(65536, false), (512, true), (1536, false)] {
        let ticket = end.read(size).unwrap();
        let (at, command) = device.next().unwrap();
        assert_eq!(
            (command.command_code, command.size as usize),
            (commands::READ, size)
        );
        data(&command).fill(3);
        device.complete(at, 0, size as u64);
        let (done, bytes) = if lent {
            end.wait_with(ticket, <[u8]>::to_vec).unwrap()
        } else {
            let done = end.wait(ticket).unwrap();
            let bytes = done.data.clone();
            (done, bytes)
        };
        assert_eq!((done.code, done.bytes_transferred), (0, size as u64));
        assert_eq!(bytes, vec![3; size]);
    }
    assert!(session.server.violations().is_clean());
}

#[test]
fn reads_waited_for_late_keep_their_bytes() {
    let mut session = Session::reading(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let client = std::thread::spawn(move || {
        let mut n = 0;
        while let Ok((at, command)) = device.next() {
            n += 1;
            data(&command).fill(n);
            device.complete(at, 0, 512);
        }
    });
    let tickets: Vec<_> = (0..10).map(|_| end.read(512).unwrap()).collect();
    for (n, ticket) in (1..=10).zip(tickets).rev() {
        assert_eq!(end.wait(ticket).unwrap().data, vec![n; 512]);
    }
    end.close();
    client.join().unwrap();
}

#[test]
fn the_end_of_the_data_may_come_with_bytes_and_again_after_them() {
    let mut session = Session::reading(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    for bytes in [1024, 0] {
        let ticket = end.read(65536).unwrap();
        let (at, command) = device.next().unwrap();
        data(&command)[..bytes].fill(5);
        device.complete(at, completions::HANDLE_EOF, bytes as u64);
        let done = end.wait(ticket).unwrap();
        assert_eq!(
            (done.code, done.data),
            (completions::HANDLE_EOF, vec![5; bytes])
        );
        let clear = end.command(commands::CLEAR_ERROR).unwrap();
        let (at, _) = device.next().unwrap();
        device.complete(at, 0, 0);
        end.wait(clear).unwrap();
    }
}

#[test]
fn a_read_whose_bytes_change_after_completion_is_noticed() {
    let mut session = Session::reading(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let ticket = end.read(512).unwrap();
    let (at, command) = device.next().unwrap();
    data(&command).fill(1);
    device.complete(at, 0, 512);
    // SAFETY: still mapped; breaking the rule is what is tested.
    unsafe { command.buffer.write_volatile(2) };
    assert_eq!(end.wait(ticket).unwrap().violations.late_writes, 1);
}

#[test]
fn the_server_may_close_with_data_left() {
    let mut session = Session::reading(1);
    session.ends.pop().unwrap().close();
    assert_eq!(session.devices[0].get(-1), Err(returns::CLOSE));
}

#[test]
fn a_secondary_joins_by_name_and_sees_the_same_buffers() {
    let name = fresh_name();
    let (set, secondary) = (Set::new(), Set::new());
    let config = sqlvdi::abi::VdConfig {
        device_count: 2,
        ..Default::default()
    };
    assert_eq!(secondary.open_in_secondary(&name), returns::PROTOCOL);
    assert_eq!(set.create(&name, &config), 0);
    assert_eq!(
        secondary.open_in_secondary(&name),
        returns::PROTOCOL,
        "not configured"
    );
    let mut server = sqlvdi::server::ServerSet::open_with(&name, quick_knobs()).unwrap();
    server.configure(negotiated(&name, 2)).unwrap();
    set.configuration(0).unwrap();
    assert_eq!(secondary.open_in_secondary(&name), 0);
    let first = set.open(&name).unwrap();
    let second = secondary.open(&format!("{name}-1")).unwrap();
    let (mut one, mut two) = (server.device(0).unwrap(), server.device(1).unwrap());
    let ticket = two
        .write(|room| {
            room[..512].fill(8);
            512
        })
        .unwrap();
    let (at, command) = second.next().unwrap();
    let handle = secondary.handle_of(command.buffer).unwrap();
    let here = set.map_handle(handle.cast_signed()).unwrap();
    assert_ne!(here, command.buffer, "two mappings of one buffer");
    // SAFETY: the buffer is held by the command above.
    assert_eq!(unsafe { *here.add(511) }, 8);
    assert_eq!(
        secondary.handle_of(command.buffer.wrapping_add(1)),
        Err(returns::INVALID)
    );
    assert_eq!(set.map_handle(9999), Err(returns::INVALID));
    second.complete(at, 0, 512);
    two.wait(ticket).unwrap();
    let ticket = one.command(commands::FLUSH).unwrap();
    let (at, _) = first.next().unwrap();
    first.complete(at, 0, 0);
    one.wait(ticket).unwrap();
    one.close();
    two.close();
    assert_eq!(second.get(-1), Err(returns::CLOSE));
    assert_eq!(secondary.close(), 0);
    assert_eq!(first.get(-1), Err(returns::CLOSE));
    assert_eq!(set.close(), 0);
}
