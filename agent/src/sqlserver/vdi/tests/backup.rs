use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlvdi::server::{Knobs, ServerDevice, ServerError};
use twinset_domain::{Fault, code};

use super::super::{BackupSink, DeviceEnd, End, SinkFault, VdiDevice, Win32, drive_backup};
use super::restore::byte_at;
use super::{LIMIT, ask, session, until};
use crate::payload::Lease;

const WRITE: usize = 65536;
const FLUSH: i32 = 12;
const COMPLETE: i32 = 19;

/// What happened, in order, over all threads.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<&'static str>>>);

impl Story {
    fn add(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// Two mirrors, each a thread that reads the lent bytes slowly and lets go.
struct Mirrors {
    lanes: Vec<Sender<Lease>>,
    stored: Vec<JoinHandle<Vec<u8>>>,
    story: Story,
    taken: usize,
    fails_at: Option<(usize, Win32)>,
    check_fails: Arc<AtomicBool>,
    seal_fails: bool,
}

impl Mirrors {
    fn new(delay: Duration) -> Self {
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

    fn contents(self) -> Vec<Vec<u8>> {
        drop(self.lanes);
        self.stored
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect()
    }
}

fn failure(completion: Win32) -> SinkFault {
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

fn drive(device: VdiDevice, sink: &mut Mirrors) -> DeviceEnd {
    drive_backup(device, sink, 4, &AtomicBool::new(false))
}

/// Queues the bytes from `from` to `to` in writes, and waits for the oldest when it must.
fn send(device: &mut ServerDevice, from: usize, to: usize) -> Result<(), ServerError> {
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

#[test]
fn both_mirrors_get_the_servers_bytes_and_the_last_answer_comes_after_the_seal() {
    const LENGTH: usize = 100 * WRITE + 4096;
    let mut sink = Mirrors::new(Duration::from_millis(1));
    let story = sink.story.clone();
    let (set, device, server) = session(true, Knobs::default(), move |server, mut device| {
        send(&mut device, 0, LENGTH).unwrap();
        assert_eq!(ask(&mut device, FLUSH), Ok(0));
        story.add("flush answered");
        assert_eq!(ask(&mut device, COMPLETE), Ok(0));
        story.add("complete answered");
        device.close();
        server.violations()
    });
    let end = drive(device, &mut sink);
    // Poisoned buffers and guards: the double saw no touch outside the lawful time.
    assert_eq!(server.join().unwrap(), sqlvdi::Violations::default());
    set.close(LIMIT).unwrap();
    let expected = ["sync", "flush answered", "seal", "complete answered"];
    assert_eq!(sink.story.all(), expected);
    assert_eq!((end.end, end.bytes), (End::Closed, LENGTH as u64));
    assert!(end.answered && end.sealed && end.commands >= 103);
    for mirror in sink.contents() {
        assert_eq!(mirror.len(), LENGTH);
        assert!(
            mirror
                .iter()
                .enumerate()
                .all(|(i, byte)| *byte == byte_at(i))
        );
    }
}

#[test]
fn a_write_is_answered_only_when_the_last_mirror_let_go() {
    struct Keeps(Sender<Lease>);
    impl BackupSink for Keeps {
        fn write(&mut self, lease: Lease) -> Result<(), SinkFault> {
            self.0.send(lease).unwrap();
            Ok(())
        }
        fn check(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
        fn sync(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
        fn seal(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
    }
    let (keep, kept) = channel();
    let answered = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&answered);
    let (set, device, server) = session(true, Knobs::default(), move |_, mut device| {
        send(&mut device, 0, WRITE).unwrap();
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
        device.close();
    });
    let driver = std::thread::spawn(move || {
        drive_backup(device, &mut Keeps(keep), 4, &AtomicBool::new(false))
    });
    let lease: Lease = kept.recv().unwrap();
    let twin = lease.clone();
    drop(lease);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!answered.load(std::sync::atomic::Ordering::SeqCst));
    assert!(twin.iter().enumerate().all(|(i, byte)| *byte == byte_at(i)));
    drop(twin);
    server.join().unwrap();
    assert!(answered.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(driver.join().unwrap().end, End::Closed);
    set.close(LIMIT).unwrap();
}

#[test]
fn a_full_store_is_reported_with_its_own_number() {
    let mut sink = Mirrors::new(Duration::ZERO);
    sink.fails_at = Some((10 * WRITE, Win32::DISK_FULL));
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        let mut codes = Vec::new();
        for _ in 0..12 {
            let ticket = device.write(|_| WRITE).unwrap();
            codes.push(device.wait(ticket).unwrap().code);
            if codes.last() != Some(&0) {
                break;
            }
        }
        let cleared = ask(&mut device, 3);
        device.close();
        (codes, cleared)
    });
    let end = drive(device, &mut sink);
    let (codes, cleared) = server.join().unwrap();
    assert_eq!(codes, [[0; 10].as_slice(), &[112]].concat());
    assert_eq!(cleared, Ok(0));
    assert!(
        matches!(&end.end, End::Failed(fault) if fault.code == code::MEDIUM_FULL),
        "{end:?}"
    );
    assert_eq!(end.bytes, 10 * WRITE as u64);
    assert!(!end.answered);
    set.close(LIMIT).unwrap();
}

#[test]
fn commands_in_flight_get_the_same_error() {
    let mut sink = Mirrors::new(Duration::from_millis(50));
    let fails = Arc::clone(&sink.check_fails);
    let (set, device, server) = session(true, Knobs::default(), move |_, mut device| {
        let tickets: Vec<_> = (0..4).map(|_| device.write(|_| WRITE).unwrap()).collect();
        fails.store(true, std::sync::atomic::Ordering::Relaxed);
        let codes: Vec<_> = tickets
            .into_iter()
            .map(|t| device.wait(t).unwrap().code)
            .collect();
        device.close();
        codes
    });
    let end = drive(device, &mut sink);
    let codes = server.join().unwrap();
    assert!(codes.iter().all(|code| *code == 1117), "{codes:?}");
    assert!(matches!(end.end, End::Failed(_)));
    set.close(LIMIT).unwrap();
}

#[test]
fn a_seal_that_fails_is_never_answered_with_success() {
    let mut sink = Mirrors::new(Duration::ZERO);
    sink.seal_fails = true;
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        send(&mut device, 0, WRITE).unwrap();
        let codes = (ask(&mut device, FLUSH), ask(&mut device, COMPLETE));
        device.close();
        codes
    });
    let end = drive(device, &mut sink);
    assert_eq!(server.join().unwrap(), (Ok(0), Ok(112)));
    assert!(!end.answered && !end.sealed && matches!(end.end, End::Failed(_)));
    set.close(LIMIT).unwrap();
}

#[test]
fn without_complete_every_flush_seals_and_a_later_write_fails_with_advice() {
    let mut sink = Mirrors::new(Duration::ZERO);
    let story = sink.story.clone();
    let knobs = Knobs {
        complete_enabled: false,
        ..Knobs::default()
    };
    let (set, device, server) = session(true, knobs, |_, mut device| {
        send(&mut device, 0, WRITE).unwrap();
        let flushed = (ask(&mut device, FLUSH), ask(&mut device, FLUSH));
        let ticket = device.write(|_| WRITE).unwrap();
        let late = device.wait(ticket).unwrap().code;
        device.close();
        (flushed, late)
    });
    let end = drive(device, &mut sink);
    assert_eq!(server.join().unwrap(), ((Ok(0), Ok(0)), 50));
    assert_eq!(story.all(), ["seal", "seal"]);
    let End::Failed(fault) = &end.end else {
        panic!("{end:?}")
    };
    assert!(fault.remedy.contains("source = \"stage\""));
    assert!(end.sealed && !end.answered);
    set.close(LIMIT).unwrap();
}

#[test]
fn filestream_rounds_go_through_when_complete_is_granted() {
    let mut sink = Mirrors::new(Duration::ZERO);
    let story = sink.story.clone();
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        for round in 0..3 {
            send(&mut device, round * WRITE, (round + 1) * WRITE).unwrap();
            assert_eq!(ask(&mut device, FLUSH), Ok(0));
        }
        assert_eq!(ask(&mut device, COMPLETE), Ok(0));
        device.close();
    });
    let end = drive(device, &mut sink);
    server.join().unwrap();
    assert_eq!(story.all(), ["sync", "sync", "sync", "seal"]);
    assert!(end.answered && end.end == End::Closed);
    set.close(LIMIT).unwrap();
}

#[test]
fn cancelling_aborts_with_buffers_out_and_close_waits_for_them() {
    let mut sink = Mirrors::new(Duration::from_millis(300));
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    let (set, device, server) = session(true, Knobs::default(), move |server, mut device| {
        let ticket = device.write(|_| WRITE).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        flag.store(true, std::sync::atomic::Ordering::Release);
        until("the abort", || server.aborted_by_client());
        device.wait(ticket).err()
    });
    let begun = Instant::now();
    let end = drive_backup(device, &mut sink, 4, &cancelled);
    assert_eq!(end.end, End::Aborted);
    assert!(
        begun.elapsed() < Duration::from_millis(300),
        "it does not wait for slow mirrors"
    );
    set.close(LIMIT).unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(300),
        "but closing does"
    );
    assert_eq!(server.join().unwrap(), Some(ServerError::Aborted));
}

#[test]
fn a_server_that_aborts_ends_the_loop() {
    let mut sink = Mirrors::new(Duration::ZERO);
    let (set, device, server) = session(true, Knobs::default(), |server, mut device| {
        send(&mut device, 0, 3 * WRITE).unwrap();
        server.abort();
    });
    let end = drive(device, &mut sink);
    server.join().unwrap();
    assert_eq!((end.end, end.answered), (End::Aborted, false));
    set.close(LIMIT).unwrap();
}

#[test]
fn unknown_commands_are_refused_without_failing_the_sink() {
    let mut sink = Mirrors::new(Duration::ZERO);
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        let first = ask(&mut device, 3);
        let codes = (first, ask(&mut device, 18));
        device.close();
        codes
    });
    let end = drive(device, &mut sink);
    assert_eq!(server.join().unwrap(), (Ok(0), Ok(50)));
    assert_eq!(end.end, End::Closed);
    set.close(LIMIT).unwrap();
}

#[test]
fn a_window_of_one_works_too() {
    let mut sink = Mirrors::new(Duration::from_millis(1));
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        send(&mut device, 0, 20 * WRITE).unwrap();
        assert_eq!(ask(&mut device, COMPLETE), Ok(0));
        device.close();
    });
    let end = drive_backup(device, &mut sink, 0, &AtomicBool::new(false));
    server.join().unwrap();
    assert_eq!((end.end, end.bytes), (End::Closed, 20 * WRITE as u64));
    set.close(LIMIT).unwrap();
}

#[test]
fn a_mirror_that_hangs_with_its_buffer_ends_the_set_and_the_memory_stays() {
    let mut sink = Mirrors::new(Duration::from_secs(2));
    let fails = Arc::clone(&sink.check_fails);
    let (set, device, server) = session(true, Knobs::default(), move |server, mut device| {
        let ticket = device.write(|_| WRITE).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        fails.store(true, std::sync::atomic::Ordering::Relaxed);
        until("the abort", || server.aborted_by_client());
        device.wait(ticket).err()
    });
    let begun = Instant::now();
    let end = drive(device, &mut sink);
    assert!(
        matches!(&end.end, End::Failed(fault) if fault.code == code::MEDIUM_FULL),
        "{end:?}"
    );
    assert!(begun.elapsed() < Duration::from_millis(1500));
    assert!(set.close(Duration::from_millis(10)).is_err());
    assert_eq!(server.join().unwrap(), Some(ServerError::Aborted));
    // The late reader still finds mapped memory; it would crash here otherwise.
    assert_eq!(sink.contents().len(), 2);
}

#[test]
fn a_sink_that_panics_lets_the_server_go() {
    struct Panics;
    impl BackupSink for Panics {
        fn write(&mut self, _: Lease) -> Result<(), SinkFault> {
            panic!("a defect")
        }
        fn check(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
        fn sync(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
        fn seal(&mut self) -> Result<(), SinkFault> {
            Ok(())
        }
    }
    let (set, device, server) = session(true, Knobs::default(), |_, mut device| {
        let ticket = device.write(|_| WRITE).unwrap();
        device.wait(ticket).err()
    });
    let driver =
        std::thread::spawn(move || drive_backup(device, &mut Panics, 4, &AtomicBool::new(false)));
    assert!(driver.join().is_err());
    assert_eq!(server.join().unwrap(), Some(ServerError::Aborted));
    set.close(LIMIT).unwrap();
}
