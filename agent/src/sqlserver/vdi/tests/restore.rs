use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlvdi::server::Knobs;
use twinset_domain::{Fault, code};

use super::super::{DeviceEnd, End, RestoreSource, SinkFault, Win32, drive_restore};
use super::{LIMIT, ask, session};

/// Serves bytes that say where they stand, and fails where it is told to.
struct Bytes {
    length: usize,
    at: usize,
    fails_at: Option<usize>,
    completion: Win32,
}

impl Bytes {
    fn new(length: usize) -> Self {
        Self {
            length,
            at: 0,
            fails_at: None,
            completion: Win32::IO_DEVICE,
        }
    }
}

pub(super) fn byte_at(offset: usize) -> u8 {
    (offset.wrapping_mul(2_654_435_761) >> 13) as u8
}

impl RestoreSource for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SinkFault> {
        let count = buffer.len().min(self.length - self.at);
        if self.fails_at.is_some_and(|fails| self.at + count > fails) {
            let fault = Fault::new(code::LOST, "0001", "a chunk is lost on every mirror");
            return Err(SinkFault::new(fault, self.completion));
        }
        for (i, byte) in buffer[..count].iter_mut().enumerate() {
            *byte = byte_at(self.at + i);
        }
        self.at += count;
        Ok(count)
    }
}

fn drive(device: super::super::VdiDevice, mut source: Bytes) -> DeviceEnd {
    drive_restore(device, &mut source, &AtomicBool::new(false))
}

#[test]
fn bytes_arrive_as_they_were_whatever_the_sizes_asked_for() {
    const LENGTH: usize = 1_000_000;
    let (set, device, server) = session(false, Knobs::default(), |server, mut device| {
        let mut got = Vec::new();
        for size in [4096, 65536, 12288, 8192].into_iter().cycle() {
            let ticket = device.read(size).unwrap();
            let done = device.wait(ticket).unwrap();
            got.extend_from_slice(&done.data);
            if done.code == 38 {
                break;
            }
            assert_eq!((done.code, done.data.len()), (0, size));
        }
        assert_eq!(ask(&mut device, 3), Ok(0));
        let past_the_end = device.read(4096).unwrap();
        let done = device.wait(past_the_end).unwrap();
        assert_eq!((done.code, done.bytes_transferred), (38, 0));
        device.close();
        (got, server.violations())
    });
    let end = drive(device, Bytes::new(LENGTH));
    let (got, violations) = server.join().unwrap();
    assert_eq!(got.len(), LENGTH);
    assert!(got.iter().enumerate().all(|(i, byte)| *byte == byte_at(i)));
    assert_eq!(violations, sqlvdi::Violations::default());
    assert_eq!((end.end, end.bytes), (End::Closed, LENGTH as u64));
    set.close(LIMIT).unwrap();
}

#[test]
fn the_server_may_close_before_the_end() {
    let (set, device, server) = session(false, Knobs::default(), |_, mut device| {
        let ticket = device.read(8192).unwrap();
        device.wait(ticket).unwrap();
        device.close();
    });
    let end = drive(device, Bytes::new(1 << 20));
    server.join().unwrap();
    assert_eq!((end.end, end.bytes), (End::Closed, 8192));
    set.close(LIMIT).unwrap();
}

#[test]
fn a_source_that_fails_is_never_the_end_of_the_data() {
    for (completion, expected) in [
        (Win32::IO_DEVICE, 1117),
        (Win32::SUCCESS, 30),
        (Win32::HANDLE_EOF, 30),
    ] {
        let (set, device, server) = session(false, Knobs::default(), |_, mut device| {
            let ticket = device.read(65536).unwrap();
            let done = device.wait(ticket).unwrap();
            let cleared = ask(&mut device, 3);
            device.close();
            (done.code, cleared)
        });
        let source = Bytes {
            fails_at: Some(100),
            completion,
            ..Bytes::new(1 << 20)
        };
        let end = drive(device, source);
        assert_eq!(server.join().unwrap(), (expected, Ok(0)));
        assert!(
            matches!(&end.end, End::Failed(fault) if fault.code == code::LOST),
            "{end:?}"
        );
        set.close(LIMIT).unwrap();
    }
}

#[test]
fn unknown_commands_are_refused() {
    let (set, device, server) = session(false, Knobs::default(), |_, mut device| {
        let codes = (
            ask(&mut device, 18),
            ask(&mut device, 3),
            ask(&mut device, 77),
        );
        device.close();
        codes
    });
    let end = drive(device, Bytes::new(1 << 20));
    assert_eq!(server.join().unwrap(), (Ok(50), Ok(0), Ok(50)));
    assert_eq!((end.end, end.bytes), (End::Closed, 0));
    set.close(LIMIT).unwrap();
}

#[test]
fn cancelling_ends_the_set() {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    let (set, device, server) = session(false, Knobs::default(), move |server, mut device| {
        let ticket = device.read(4096).unwrap();
        assert_eq!(device.wait(ticket).map(|done| done.code), Ok(0));
        flag.store(true, Ordering::Release);
        super::until("the abort", || server.aborted_by_client());
    });
    let end = drive_restore(device, &mut Bytes::new(1 << 20), &cancelled);
    assert_eq!((end.end, end.bytes), (End::Aborted, 4096));
    server.join().unwrap();
    set.close(LIMIT).unwrap();
}
