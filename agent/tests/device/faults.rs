//! A device that goes wrong: what the handle says and what it will not do any more.

use serde_json::json;
use twinset::device::Outcome;
use twinset_domain::Fault;

use crate::plugins::{Place, get, put, section};

#[test]
fn a_full_disk_says_what_it_took_and_the_section_can_be_given_up() {
    let place = Place::new();
    let mut handle = place.faulty("full", json!({ "fail_write_at": 1500, "only_index": 1 }));
    put(&mut handle, 0, "header", b"h");
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(&[1; 1000]).unwrap();
    let fault = handle.write(&[2; 1000]).unwrap_err();
    assert_eq!(
        (fault.outcome, fault.accepted),
        (Outcome::END_OF_MEDIUM, 500)
    );
    assert!(fault.is_full());
    assert_eq!(Fault::from(fault).code.text(), "TW2010");
    handle.abort_section().unwrap();
    assert_eq!(place.files(), ["0000.header"]);
}

#[test]
fn a_section_that_lacks_bytes_is_never_ended() {
    let place = Place::new();
    let mut handle = place.faulty(
        "eio",
        json!({ "fail_write_at": 1500, "errno": 5, "times": 1 }),
    );
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(&[1; 1000]).unwrap();
    let fault = handle.write(&[2; 1000]).unwrap_err();
    assert_eq!((fault.outcome, fault.os_code), (Outcome::PERMANENT, 5));
    assert_eq!(handle.write(b"more").unwrap_err(), fault);
    assert_eq!(handle.sync().unwrap_err(), fault);
    assert_eq!(handle.end_section().unwrap_err(), fault);
    handle.abort_section().unwrap();
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(&[1; 1000]).unwrap();
    handle.end_section().unwrap();
}

#[test]
fn a_sync_that_failed_breaks_the_section() {
    let place = Place::new();
    let faults = json!({ "fail_call": "sync", "errno": 5, "times": 1 });
    let mut handle = place.faulty("sync", faults);
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(b"x").unwrap();
    let fault = handle.sync().unwrap_err();
    assert_eq!(handle.end_section().unwrap_err(), fault);
    assert!(handle.sections().unwrap().is_empty());
}

#[test]
fn a_panic_is_caught_and_the_handle_is_of_no_more_use() {
    let place = Place::new();
    let mut handle = place.faulty("panic", json!({ "panic_in": "write" }));
    handle.begin_section(&section(1, "a.bak")).unwrap();
    let fault = handle.write(b"x").unwrap_err();
    assert_eq!(fault.outcome, Outcome::PANICKED);
    assert!(fault.text.contains("planted panic in write"), "{fault}");
    assert_eq!(handle.sections().unwrap_err().outcome, Outcome::PANICKED);
    assert_eq!(
        handle.abort_section().unwrap_err().outcome,
        Outcome::PANICKED
    );
    let said = Fault::from(fault);
    assert_eq!(said.code.text(), "TW2005");
    handle.close().unwrap();
    // Closing let go of the lock, and the agent and the plugin live on.
    let mut next = place.existing(twinset::device::Access::Write);
    assert_eq!(next.leftovers().unwrap().len(), 1);
}

#[test]
fn short_reads_and_flipped_bits_reach_the_reader_as_they_are() {
    let place = Place::new();
    let mut handle = place.faulty("rot", json!({ "short": 10, "flip_read_at": 25 }));
    put(&mut handle, 1, "a.bak", &[0; 40]);
    assert_eq!(handle.open_section(1).unwrap(), 40);
    assert_eq!(handle.read(&mut [0; 100]).unwrap(), 10);
    let bytes = get(&mut handle, 1);
    assert_eq!((bytes[24], bytes[25], bytes[26]), (0, 0xff, 0));
}

#[test]
fn a_cancelled_device_gives_up_and_can_then_be_used_again() {
    let place = Place::new();
    let faults = json!({ "hang_in": "write", "hang_ms": 60_000, "heed_cancel": true, "times": 1 });
    let mut handle = place.faulty("cancel", faults);
    handle.begin_section(&section(1, "a.bak")).unwrap();
    let canceller = handle.canceller();
    let other = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        canceller.cancel();
    });
    assert_eq!(handle.write(b"x").unwrap_err().outcome, Outcome::CANCELLED);
    other.join().unwrap();
    assert_eq!(handle.sections().unwrap_err().outcome, Outcome::CANCELLED);
    handle.abort_section().unwrap();
    put(&mut handle, 1, "a.bak", b"after");
}

#[test]
fn a_canceller_that_outlives_its_device_does_nothing() {
    let place = Place::new();
    let handle = place.blank();
    let canceller = handle.canceller();
    drop(handle);
    canceller.cancel();
    assert!(canceller.is_cancelled());
}
