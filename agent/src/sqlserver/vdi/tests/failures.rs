use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sqlvdi::server::{Knobs, ServerError};
use twinset_domain::code;

use super::super::{BackupSink, End, SinkFault, Win32, drive_backup};
use super::mirrors::{COMPLETE, FLUSH, Mirrors, WRITE, drive, send};
use super::{LIMIT, ask, session, until};
use crate::payload::Lease;

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
