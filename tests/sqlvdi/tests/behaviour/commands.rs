//! 5, 6, 8: commands, their buffers, and their completion.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use sqlvdi::abi::{VdConfig, VdcCommand, commands, returns};

use crate::harness::*;

#[test]
fn commands_come_in_order_and_several_may_be_held() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let tickets: Vec<_> = (1..=4_u8)
        .map(|n| {
            end.write(|room| {
                room[..512].fill(n);
                512
            })
            .unwrap()
        })
        .collect();
    let held: Vec<_> = (0..4).map(|_| device.next().unwrap()).collect();
    assert_eq!(device.get(10), Err(returns::TIMEOUT));
    for (n, (_, command)) in (1..).zip(&held) {
        assert_eq!((command.command_code, command.size), (commands::WRITE, 512));
        assert!(data(command).iter().all(|byte| *byte == n));
    }
    for (at, command) in held.iter().rev() {
        assert_eq!(device.complete(*at, 0, command.size as u64), 0);
    }
    for &ticket in &tickets {
        let done = end.wait(ticket).unwrap();
        assert_eq!(
            (done.code, done.bytes_transferred, done.size),
            (0, 512, 512)
        );
        assert!(done.violations.is_clean());
    }
    assert_eq!(
        end.wait(tickets[0]).unwrap_err().code(),
        returns::INVALID,
        "waited for before"
    );
}

#[test]
fn at_full_depth_the_server_waits_for_the_client() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let server = thread::spawn(move || {
        let begun = Instant::now();
        let tickets: Vec<_> = (0..6).map(|_| end.write(|_| 512).unwrap()).collect();
        let waited = begun.elapsed();
        for ticket in tickets {
            assert_eq!(end.wait(ticket).unwrap().bytes_transferred, 512);
        }
        end.close();
        waited
    });
    thread::sleep(Duration::from_millis(150));
    while let Ok((at, command)) = device.next() {
        assert_eq!(device.complete(at, 0, command.size as u64), 0);
    }
    assert!(server.join().unwrap() >= Duration::from_millis(100));
}

#[test]
fn buffers_are_aligned_as_wished_behind_a_writable_prefix_zone() {
    let name = fresh_name();
    let config = VdConfig {
        device_count: 1,
        alignment: 16384,
        prefix_zone_size: 1000,
        ..Default::default()
    };
    let mut session = Session::with(config, quick_knobs(), negotiated(&name, 1));
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    for _ in 0..3 {
        let ticket = end.write(|room| room.len()).unwrap();
        let (at, command) = device.next().unwrap();
        assert_eq!(command.buffer.addr() % 16384, 0);
        // SAFETY: the prefix zone is ours to write.
        unsafe { command.buffer.sub(1000).write_bytes(0x11, 1000) };
        device.complete(at, 0, command.size as u64);
        assert!(end.wait(ticket).unwrap().violations.is_clean());
    }
    assert!(session.server.violations().is_clean());
}

#[test]
fn buffers_are_shared_reused_and_poisoned_once_completed() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let mut places = HashSet::new();
    for n in 0..20_u8 {
        let ticket = end
            .write(|room| {
                room.fill(n);
                room.len()
            })
            .unwrap();
        let (at, command) = device.next().unwrap();
        assert!(data(&command).iter().all(|byte| *byte == n));
        places.insert(command.buffer.addr());
        device.complete(at, 0, command.size as u64);
        assert!(
            data(&command).iter().all(|byte| *byte == 0xDB),
            "use after complete shows"
        );
        end.wait(ticket).unwrap();
    }
    assert!(
        places.len() <= 5,
        "{} buffers for 20 commands",
        places.len()
    );
}

#[test]
fn a_write_into_a_completed_buffer_is_noticed_at_its_next_use() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let ticket = end.write(|_| 512).unwrap();
    let (at, command) = device.next().unwrap();
    device.complete(at, 0, 512);
    // SAFETY: still mapped; breaking the rule is what is tested.
    unsafe { command.buffer.add(100).write_volatile(7) };
    end.wait(ticket).unwrap();
    for _ in 0..5 {
        let ticket = end.write(|_| 512).unwrap();
        let (at, _) = device.next().unwrap();
        device.complete(at, 0, 512);
        end.wait(ticket).unwrap();
    }
    assert_eq!(session.server.violations().late_writes, 1);
}

#[test]
fn bytes_behind_a_buffer_are_guarded() {
    let mut session = Session::reading(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    let ticket = end.read(65536).unwrap();
    let (at, command) = device.next().unwrap();
    // SAFETY: the guard behind the zone is mapped; writing there is what is tested.
    unsafe { command.buffer.add(65536).write(1) };
    device.complete(at, 0, 65536);
    assert_eq!(end.wait(ticket).unwrap().violations.guards, 1);
    assert_eq!(session.server.violations().guards, 1);
}

#[test]
fn the_command_structure_lies_in_memory_the_client_cannot_write() {
    let mut session = Session::new(1);
    let _ticket = session.ends[0].command(commands::FLUSH).unwrap();
    let at = session.devices[0].get(-1).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| {
        let (range, _) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| usize::from_str_radix(text, 16).unwrap();
        (number(from)..number(to)).contains(&at.addr())
    });
    assert_eq!(line.unwrap().split(' ').nth(1), Some("r--s"));
}

#[test]
fn only_an_active_command_of_this_device_can_be_completed() {
    let mut session = Session::new(2);
    let ticket = session.ends[0].write(|_| 512).unwrap();
    let (first, second) = (session.devices[0], session.devices[1]);
    let (at, mut copy) = first.next().unwrap();
    let invalid = returns::INVALID;
    assert_eq!(first.complete(std::ptr::null_mut(), 0, 0), invalid);
    assert_eq!(
        first.complete(&raw mut copy, 0, 512),
        invalid,
        "a copy is not the command"
    );
    assert_eq!(first.complete(at.wrapping_byte_add(8), 0, 512), invalid);
    assert_eq!(
        first.complete(at.wrapping_add(1), 0, 512),
        invalid,
        "not delivered"
    );
    assert_eq!(second.complete(at, 0, 512), invalid, "another device's");
    assert_eq!(first.complete(at, 0, 512), 0);
    assert_eq!(first.complete(at, 0, 512), invalid, "completed twice");
    assert_eq!(session.ends[0].wait(ticket).unwrap().bytes_transferred, 512);
}

#[test]
fn too_many_and_too_few_bytes_are_told_to_the_server() {
    let mut session = Session::new(1);
    let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
    for (bytes, flagged) in [(513, 1), (100, 0)] {
        let ticket = end.write(|_| 512).unwrap();
        let (at, _) = device.next().unwrap();
        device.complete(at, 0, bytes);
        let done = end.wait(ticket).unwrap();
        assert_eq!((done.bytes_transferred, done.size), (bytes, 512));
        assert_eq!(done.violations.too_many_bytes, flagged);
    }
}

#[test]
fn flush_and_complete_hold_the_server_until_they_are_answered() {
    for code in [commands::FLUSH, commands::COMPLETE, 99] {
        let mut session = Session::new(1);
        let (mut end, device) = (session.ends.pop().unwrap(), session.devices[0]);
        let server = thread::spawn(move || {
            let ticket = end.command(code).unwrap();
            let begun = Instant::now();
            let done = end.wait(ticket).unwrap();
            assert!(begun.elapsed() >= Duration::from_millis(80));
            assert!(done.elapsed >= Duration::from_millis(80));
            done
        });
        let (at, command) = device.next().unwrap();
        assert_eq!((command.command_code, command.size), (code, 0));
        assert!(command.buffer.is_null());
        thread::sleep(Duration::from_millis(100));
        device.complete(at, 0, 0);
        assert_eq!(server.join().unwrap().command, code);
    }
}

#[test]
fn get_command_polls_and_times_out() {
    let session = Session::new(1);
    let begun = Instant::now();
    assert_eq!(session.devices[0].get(0), Err(returns::TIMEOUT));
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert_eq!(session.devices[0].get(130), Err(returns::TIMEOUT));
    assert!(begun.elapsed() >= Duration::from_millis(130));
}

#[test]
fn transfers_the_server_may_not_make_are_refused_on_its_own_side() {
    let mut session = Session::new(1);
    let end = &mut session.ends[0];
    for wrong in [0, 511, 513, 65536 + 512] {
        assert_eq!(end.write(|_| wrong).unwrap_err().code(), returns::INVALID);
        assert_eq!(end.read(wrong).unwrap_err().code(), returns::INVALID);
    }
    for _ in 0..4 {
        end.write(|_| 512).unwrap();
    }
}

#[test]
fn thousands_of_commands_on_two_devices_lose_nothing() {
    let mut session = Session::new(2);
    let ends = std::mem::take(&mut session.ends);
    let servers = ends.into_iter().map(|mut end| {
        thread::spawn(move || {
            let mut last = None;
            for n in 0..2000_u32 {
                let fill = |room: &mut [u8]| {
                    room[..4].copy_from_slice(&n.to_le_bytes());
                    512
                };
                last = Some(end.write(fill).unwrap());
            }
            end.wait(last.unwrap()).unwrap();
            end.close();
        })
    });
    let servers: Vec<_> = servers.collect();
    let clients = session.devices.iter().map(|&device| {
        thread::spawn(move || {
            let mut expected = 0_u32;
            while let Ok((at, command)) = device.next() {
                let command: VdcCommand = command;
                assert_eq!(data(&command)[..4], expected.to_le_bytes());
                expected += 1;
                assert_eq!(device.complete(at, 0, 512), 0);
            }
            expected
        })
    });
    let clients: Vec<_> = clients.collect();
    for server in servers {
        server.join().unwrap();
    }
    assert!(
        clients
            .into_iter()
            .all(|client| client.join().unwrap() == 2000)
    );
    assert!(session.server.violations().is_clean());
}
