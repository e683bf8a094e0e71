use std::time::Duration;

use super::Pace;

#[test]
fn two_hasty_answers_make_it_milliseconds() {
    let pace = Pace::default();
    for expected in [1, 1, 50, 50] {
        assert_eq!(pace.slice(), expected);
        pace.expired(1, Duration::from_millis(3));
    }
}

#[test]
fn a_second_is_a_second() {
    let pace = Pace::default();
    for _ in 0..3 {
        pace.expired(1, Duration::from_millis(2));
        pace.expired(1, Duration::from_millis(1001));
        assert_eq!(pace.slice(), 1);
    }
}

#[test]
fn a_wrong_guess_is_taken_back() {
    let pace = Pace::default();
    pace.expired(1, Duration::from_millis(2));
    pace.expired(1, Duration::from_millis(2));
    pace.expired(50, Duration::from_secs(50));
    assert_eq!(pace.slice(), 1);
}
