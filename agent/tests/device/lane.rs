//! Lanes: order, back pressure, deadlines, and what happens to what was lent.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use twinset::device::{Access, Handle, Lane, LaneLimits, Outcome, abandoned_lanes};
use twinset::payload::{Lease, Pool};

use crate::plugins::{Place, faulty, get, section};

fn limits(deadline_ms: u64) -> LaneLimits {
    LaneLimits {
        deadline: Duration::from_millis(deadline_ms),
        queue: 4,
    }
}

fn begin(lane: &Lane) {
    lane.submit(|handle| handle.begin_section(&section(1, "a.bak")))
        .wait()
        .unwrap()
        .unwrap();
}

fn end(handle: &mut Handle) -> Result<(), twinset::device::DeviceFault> {
    handle.end_section()
}

fn waited(until: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if until() {
            return true;
        }
        sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn writes_arrive_in_order_and_buffers_come_back() {
    let place = Place::new();
    let lane = Lane::start(place.blank(), limits(10_000));
    let pool = Pool::new(2, 4096);
    begin(&lane);
    for n in 0..100_u8 {
        let mut buffer = pool.take();
        buffer.fill(n);
        lane.write(buffer.lend(100));
    }
    lane.submit(end).wait().unwrap().unwrap();
    assert_eq!(pool.available(), 2);
    let bytes = lane.submit(|handle| get(handle, 1)).wait().unwrap();
    let expected: Vec<u8> = (0..100).flat_map(|n| [n; 100]).collect();
    assert_eq!(bytes, expected);
    lane.close().unwrap();
}

#[test]
fn the_first_failed_write_stays_and_later_ones_are_let_go_unwritten() {
    let place = Place::new();
    let handle = place.faulty("sticky", json!({ "fail_write_at": 150 }));
    let lane = Lane::start(handle, limits(10_000));
    begin(&lane);
    for _ in 0..10 {
        lane.write(Lease::from(vec![1; 100]));
    }
    let fault = lane.drain().unwrap_err();
    assert_eq!(
        (fault.outcome, fault.accepted),
        (Outcome::END_OF_MEDIUM, 50)
    );
    assert_eq!(lane.fault(), Some(fault.clone()));
    assert_eq!(lane.submit(end).wait().unwrap().unwrap_err(), fault);
    lane.submit(Handle::abort_section).wait().unwrap().unwrap();
    lane.clear_fault();
    assert!(lane.drain().is_ok() && !lane.is_lost());
    lane.close().unwrap();
    assert!(place.files().is_empty());
}

#[test]
fn a_job_that_hangs_past_its_deadline_loses_the_lane_and_its_lease_is_not_waited_for() {
    let place = Place::new();
    let handle = place.faulty("hang", json!({ "hang_in": "write", "hang_ms": 900 }));
    let lane = Lane::start(handle, limits(60));
    begin(&lane);
    let pool = Pool::new(3, 16);
    for _ in 0..3 {
        lane.write(pool.take().lend(16));
    }
    let start = Instant::now();
    let fault = lane.submit(|_| ()).wait().unwrap_err();
    assert_eq!(fault.outcome, Outcome::DEADLINE);
    assert!(
        start.elapsed() < Duration::from_millis(700),
        "{:?}",
        start.elapsed()
    );
    assert!(lane.is_lost() && lane.stalled() && abandoned_lanes() > 0);
    // What waited is given back; for what the device holds, another buffer may be made.
    assert_eq!(pool.available(), 3);
    assert_eq!(lane.submit(|_| ()).wait().unwrap_err(), fault);
    lane.write(Lease::from(vec![1]));
    assert_eq!(lane.fault(), Some(fault));
    let options = json!({ "path": place.path() }).to_string();
    let barred = faulty()
        .open("hang", &options, "a", Access::Read)
        .unwrap_err();
    assert_eq!(barred.outcome, Outcome::DEADLINE);
    assert_eq!(lane.close().unwrap_err().outcome, Outcome::DEADLINE);
    // When the call returns at last, the device may be opened again.
    assert!(waited(|| faulty()
        .open("hang", &options, "a", Access::Read)
        .is_ok()));
}

#[test]
fn a_job_that_ends_when_it_is_cancelled_keeps_the_lane() {
    let place = Place::new();
    let faults = json!({ "hang_in": "write", "hang_ms": 60_000, "heed_cancel": true, "times": 1 });
    let lane = Lane::start(place.faulty("late", faults), limits(60));
    begin(&lane);
    lane.write(Lease::from(vec![1; 10]));
    let fault = lane.drain().unwrap_err();
    assert_eq!((fault.outcome, fault.call), (Outcome::DEADLINE, "write"));
    assert!(!lane.is_lost());
    lane.submit(Handle::abort_section).wait().unwrap().unwrap();
    lane.clear_fault();
    begin(&lane);
    lane.write(Lease::from(vec![2; 10]));
    lane.submit(end).wait().unwrap().unwrap();
    lane.close().unwrap();
}

#[test]
fn a_full_queue_holds_the_writer_up_but_never_for_ever() {
    let place = Place::new();
    let handle = place.faulty("slow", json!({ "hang_in": "write", "hang_ms": 800 }));
    let lane = Lane::start(handle, limits(50));
    begin(&lane);
    let start = Instant::now();
    for _ in 0..20 {
        lane.write(Lease::from(vec![0; 10]));
    }
    assert!(
        start.elapsed() < Duration::from_millis(700),
        "{:?}",
        start.elapsed()
    );
    assert!(lane.is_lost());
}

#[test]
fn a_stalled_lane_is_seen_and_can_be_given_up_by_its_user() {
    let place = Place::new();
    let handle = place.faulty("stall", json!({ "hang_in": "sync", "hang_ms": 500 }));
    let lane = Lane::start(handle, limits(40));
    begin(&lane);
    assert!(!lane.stalled());
    let pending = lane.submit(Handle::sync);
    assert!(waited(|| lane.stalled()));
    assert!(!lane.is_lost());
    lane.enforce_deadline();
    assert!(lane.is_lost());
    assert_eq!(pending.wait().unwrap_err().outcome, Outcome::DEADLINE);
}

#[test]
fn a_panicking_plugin_costs_its_lane_only() {
    let place = Place::new();
    let lane = Lane::start(
        place.faulty("p", json!({ "panic_in": "write" })),
        limits(5000),
    );
    begin(&lane);
    lane.write(Lease::from(vec![1]));
    assert_eq!(lane.drain().unwrap_err().outcome, Outcome::PANICKED);
    lane.close().unwrap();
    let other = Place::new();
    let lane = Lane::start(other.blank(), limits(5000));
    begin(&lane);
    lane.close().unwrap();
}

#[test]
fn closing_runs_what_is_queued_and_dropping_lets_it_go() {
    let place = Place::new();
    let faults = json!({ "slow_write_us": 20_000 });
    let lane = Lane::start(place.faulty("close", faults), limits(5000));
    begin(&lane);
    for _ in 0..4 {
        lane.write(Lease::from(vec![7; 10]));
    }
    let ended = lane.submit(end);
    lane.close().unwrap();
    ended.wait().unwrap().unwrap();
    assert_eq!(
        std::fs::read(place.volume().join("0001.a.bak")).unwrap(),
        [7; 40]
    );

    let mut handle = place.existing(Access::Write);
    handle.begin_section(&section(3, "b.bak")).unwrap();
    let lane = Lane::start(handle, limits(5000));
    let pending = lane.submit(|_| sleep(Duration::from_millis(50)));
    let queued = lane.submit(|_| ());
    drop(lane);
    drop(pending);
    assert_eq!(queued.wait().unwrap_err().outcome, Outcome::CANCELLED);
    assert!(waited(|| place
        .open(Access::Write)
        .mount(twinset::device::Mount::Existing(crate::plugins::KEY))
        .is_ok()));
}
