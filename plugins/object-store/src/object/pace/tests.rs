#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use super::Pace;

#[test]
fn bytes_go_at_the_rate_and_no_faster_after_a_rest() {
    let pace = Pace::new(1000);
    let start = Instant::now();
    assert_eq!(pace.wait(1500, start), Duration::ZERO);
    assert_eq!(pace.wait(1000, start), Duration::from_secs(1));
    assert_eq!(pace.wait(1000, start), Duration::from_secs(2));
    let later = start + Duration::from_secs(60);
    assert_eq!(pace.wait(500, later), Duration::ZERO);
    assert_eq!(pace.wait(500, later), Duration::ZERO);
    assert_eq!(pace.wait(500, later), Duration::from_millis(500));
}

#[test]
fn who_asks_for_the_same_store_and_rate_shares_one() {
    let one = Pace::of("a", 5);
    assert!(std::sync::Arc::ptr_eq(&one, &Pace::of("a", 5)));
    assert!(!std::sync::Arc::ptr_eq(&one, &Pace::of("b", 5)));
}
