#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Lease, Owner, PAGE, Pool};

/// Counts returns by 1 and waived ones by 100.
struct Counted(Arc<AtomicUsize>);

impl Owner for Counted {
    fn returned(&mut self, waived: bool) {
        let much = if waived { 100 } else { 1 };
        self.0.fetch_add(much, Ordering::SeqCst);
    }
}

#[test]
fn a_waived_clone_is_not_waited_for_and_its_bytes_stay() {
    let returned = Arc::new(AtomicUsize::new(0));
    let (count, bytes): (_, &'static [u8]) = (Arc::clone(&returned), b"lent");
    // SAFETY: static bytes.
    let lease = unsafe { Lease::lend(bytes.as_ptr(), bytes.len(), Counted(count)) };
    let hung = lease.clone();
    hung.waive();
    hung.waive();
    assert_eq!(returned.load(Ordering::SeqCst), 0);
    drop(lease);
    assert_eq!(returned.load(Ordering::SeqCst), 100);
    assert_eq!(&hung.clone()[..], b"lent");
    drop(hung);
    assert_eq!(returned.load(Ordering::SeqCst), 100);
}

#[test]
fn a_pool_makes_another_buffer_for_one_that_a_hung_lane_keeps() {
    let pool = Pool::new(1, 100);
    let lease = pool.take().lend(10);
    let hung = lease.clone();
    drop(lease);
    assert!(pool.take_timeout(Duration::from_millis(5)).is_none());
    hung.waive();
    let other = pool.take_timeout(Duration::from_millis(5)).unwrap();
    assert_ne!(other.as_ptr(), hung.as_ptr());
    drop(hung);
    assert_eq!(pool.available(), 0);
    drop(other);
    assert_eq!(pool.available(), 1);
}

#[test]
fn a_loan_is_given_back_once_when_the_last_clone_drops() {
    let returned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&returned);
    let bytes: &'static [u8] = b"lent";
    // SAFETY: static bytes.
    let lease = unsafe { Lease::lend(bytes.as_ptr(), bytes.len(), Counted(count)) };
    let twin = lease.clone();
    let part = lease.part(1..3).unwrap();
    drop(lease);
    drop(twin);
    assert_eq!(
        (&part[..], returned.load(Ordering::SeqCst)),
        (&b"en"[..], 0)
    );
    drop(part);
    assert_eq!(returned.load(Ordering::SeqCst), 1);
}

#[test]
fn a_part_outside_the_loan_is_refused() {
    let lease = Lease::from(vec![7; 10]);
    #[allow(clippy::reversed_empty_ranges)]
    let reversed = lease.part(5..4);
    assert!(lease.part(4..11).is_none() && reversed.is_none());
    assert_eq!(lease.part(10..10).unwrap().len(), 0);
    assert_eq!(lease.part(2..8).unwrap().part(1..6).unwrap()[..], [7; 5]);
}

#[test]
fn nothing_can_be_lent_from_nowhere() {
    // SAFETY: no bytes.
    let lease = unsafe { Lease::lend(std::ptr::null(), 0, Counted(Arc::default())) };
    assert!(lease.is_empty());
}

#[test]
fn a_pool_gives_aligned_buffers_and_no_more_than_its_count() {
    let pool = Pool::new(2, 10_000);
    let first = pool.take();
    let mut second = pool.take();
    assert_eq!(first.as_ptr() as usize % PAGE, 0);
    assert_eq!(second.as_ptr() as usize % PAGE, 0);
    assert!(pool.take_timeout(Duration::from_millis(5)).is_none());
    second[..5].copy_from_slice(b"bytes");
    let lease = second.lend(5);
    assert_eq!(&lease[..], b"bytes");
    assert_eq!(pool.available(), 0);
    drop(lease);
    assert_eq!(pool.available(), 1);
    assert_eq!(first.lend(usize::MAX).len(), 10_000);
}

#[test]
fn a_taker_wakes_when_a_loan_comes_back() {
    let pool = Pool::new(1, PAGE);
    let lease = pool.take().lend(PAGE);
    let waiting = pool.clone();
    let taker = std::thread::spawn(move || waiting.take().len());
    std::thread::sleep(Duration::from_millis(20));
    drop(lease);
    assert_eq!(taker.join().unwrap(), PAGE);
}
