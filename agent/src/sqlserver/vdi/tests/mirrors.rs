//! A sink of two mirrors that read slowly, and the server's side of a stream.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use sqlvdi::server::{ServerDevice, ServerError};
use twinset_domain::{Fault, code};

use super::super::{BackupSink, DeviceEnd, SinkFault, VdiDevice, Win32, drive_backup};
use super::restore::byte_at;
use crate::payload::Lease;

pub(super) const WRITE: usize = 65536;
pub(super) const FLUSH: i32 = 12;
pub(super) const COMPLETE: i32 = 19;

/// What happened, in order, over all threads.
#[derive(Clone, Default)]
pub(super) struct Story(Arc<Mutex<Vec<&'static str>>>);

impl Story {
    pub(super) fn add(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    pub(super) fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// Two mirrors, each a thread that reads the lent bytes slowly and lets go.
pub(super) struct Mirrors {
    lanes: Vec<Sender<Lease>>,
    stored: Vec<JoinHandle<Vec<u8>>>,
    pub(super) story: Story,
    taken: usize,
    pub(super) fails_at: Option<(usize, Win32)>,
    pub(super) check_fails: Arc<AtomicBool>,
    pub(super) seal_fails: bool,
}

impl Mirrors {
    pub(super) fn new(delay: Duration) -> Self {
        let mut lanes = Vec::new();
        let mut stored = Vec::new();
        for _ in 0..2 {
            let (lane, leases): (_, Receiver<Lease>) = channel();
            lanes.push(lane);
            stored.push(std::thread::spawn(move || {
                let mut bytes = Vec::new();
                for lease in leases {
                    std::thread::sleep(delay);
                    bytes.extend_from_slice(&lease);
                }
                bytes
            }));
        }
        Self {
            lanes,
            stored,
            story: Story::default(),
            taken: 0,
            fails_at: None,
            check_fails: Arc::default(),
            seal_fails: false,
        }
    }

    pub(super) fn contents(self) -> Vec<Vec<u8>> {
        drop(self.lanes);
        self.stored
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect()
    }
}

pub(super) fn failure(completion: Win32) -> SinkFault {
    let fault = Fault::new(code::MEDIUM_FULL, "mirror 2", "the medium is full");
    SinkFault::new(fault, completion)
}

impl BackupSink for Mirrors {
    fn write(&mut self, lease: Lease) -> Result<(), SinkFault> {
        if let Some((at, completion)) = self.fails_at
            && self.taken + lease.len() > at
        {
            return Err(failure(completion));
        }
        self.taken += lease.len();
        for lane in &self.lanes {
            lane.send(lease.clone()).unwrap();
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), SinkFault> {
        if self.check_fails.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(failure(Win32::IO_DEVICE));
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SinkFault> {
        self.story.add("sync");
        Ok(())
    }

    fn seal(&mut self) -> Result<(), SinkFault> {
        self.story.add("seal");
        if self.seal_fails {
            Err(failure(Win32::DISK_FULL))
        } else {
            Ok(())
        }
    }
}

pub(super) fn drive(device: VdiDevice, sink: &mut Mirrors) -> DeviceEnd {
    drive_backup(device, sink, 4, &AtomicBool::new(false))
}

/// Queues the bytes from `from` to `to` in writes, and waits for the oldest when it must.
pub(super) fn send(device: &mut ServerDevice, from: usize, to: usize) -> Result<(), ServerError> {
    let mut tickets = Vec::new();
    for at in (from..to).step_by(WRITE) {
        let size = WRITE.min(to - at);
        tickets.push((
            size,
            device.write(|buffer| {
                for (i, byte) in buffer[..size].iter_mut().enumerate() {
                    *byte = byte_at(at + i);
                }
                size
            })?,
        ));
    }
    for (size, ticket) in tickets {
        let done = device.wait(ticket)?;
        assert!(done.code != 0 || done.bytes_transferred == size as u64);
    }
    Ok(())
}
