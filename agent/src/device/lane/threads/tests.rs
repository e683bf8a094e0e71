#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::end_of;

const NEVER: Duration = Duration::from_secs(600);

/// A thread that closes its device when it is told to, and whether it has.
fn lane() -> (JoinHandle<()>, Sender<()>, Arc<AtomicBool>) {
    let (tell, told) = channel();
    let closed = Arc::new(AtomicBool::new(false));
    let sign = closed.clone();
    let thread = thread::spawn(move || {
        let _ = told.recv();
        sign.store(true, Ordering::SeqCst);
    });
    (thread, tell, closed)
}

#[test]
fn a_device_that_closes_is_waited_for() {
    let (first, tell, closed) = lane();
    let (second, tell_second, closed_second) = lane();
    let waits = thread::spawn(move || end_of(vec![first, second], NEVER, || 0));
    tell.send(()).unwrap();
    tell_second.send(()).unwrap();
    waits.join().unwrap();
    assert!(closed.load(Ordering::SeqCst) && closed_second.load(Ordering::SeqCst));
}

#[test]
fn one_that_is_left_behind_in_a_call_is_not() {
    let (hangs, tell, closed) = lane();
    let (ends, tell_other, closed_other) = lane();
    tell_other.send(()).unwrap();
    end_of(vec![hangs, ends], NEVER, || 1);
    assert!(closed_other.load(Ordering::SeqCst) && !closed.load(Ordering::SeqCst));
    drop(tell);
}

#[test]
fn one_that_does_not_close_costs_the_time_alone() {
    let (hangs, tell, closed) = lane();
    end_of(vec![hangs], Duration::ZERO, || 0);
    assert!(!closed.load(Ordering::SeqCst));
    drop(tell);
}

#[test]
fn a_panic_of_a_thread_is_not_passed_on() {
    let panics = thread::spawn(|| panic!("on purpose"));
    end_of(vec![panics], NEVER, || 0);
}
