use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use sqlvdi::server::Knobs;

use super::super::{BackupSink, End, SinkFault, drive_backup};
use super::mirrors::{COMPLETE, FLUSH, Mirrors, WRITE, drive, send};
use super::restore::byte_at;
use super::{LIMIT, ask, session};
use crate::payload::Lease;

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
