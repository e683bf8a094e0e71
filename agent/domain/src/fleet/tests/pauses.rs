use proptest::prelude::*;

use crate::Moment;
use crate::fleet::{HEARTBEAT, Pace, Tries, is_due, is_long};

const NOW: Moment = Moment(1_800_000_000);

fn later(seconds: i64) -> Moment {
    Moment(NOW.0 + seconds)
}

#[test]
fn pauses_double_up_to_a_bound_and_chance_moves_them_by_a_quarter() {
    let least = |tries| Pace::USUAL.pause(tries, 0);
    let spread = |tries| (0..2000).map(move |chance| Pace::USUAL.pause(tries, chance));
    assert_eq!(
        [1, 2, 3, 4, 7, 8, 99].map(least),
        [8, 15, 30, 60, 480, 675, 675]
    );
    assert_eq!((spread(1).min(), spread(1).max()), (Some(8), Some(13)));
    assert_eq!(
        (spread(99).min(), spread(99).max()),
        (Some(675), Some(1125))
    );
}

#[test]
fn it_is_told_at_once_when_something_waits_and_now_and_then_when_nothing_does() {
    let well = Tries::well(NOW);
    assert!(is_due(&Tries::default(), false, NOW), "the first meeting");
    assert!(is_due(&well, true, NOW));
    assert!(!is_due(&well, false, later(HEARTBEAT - 1)));
    assert!(is_due(&well, false, later(HEARTBEAT)));
    assert!(is_due(&well, false, later(-1)), "the clock was set back");
}

#[test]
fn behind_a_failure_nothing_is_tried_before_the_pause_is_over() {
    let once = Tries::well(NOW).badly(0, later(100));
    assert_eq!((once.silent, once.failed), (Some(later(100)), 1));
    assert!(!is_due(&once, true, later(107)));
    assert!(is_due(&once, true, later(108)));
    assert!(
        is_due(&once, true, later(-86_400)),
        "a pause from the future holds nobody up"
    );
    let twice = once.badly(0, later(108));
    assert_eq!((twice.silent, twice.failed), (Some(later(100)), 2));
    assert!(!is_long(&twice, 3600, later(3699)));
    assert!(is_long(&twice, 3600, later(3700)));
    assert!(!is_long(&well_again(), 0, later(99_999)));
}

fn well_again() -> Tries {
    Tries::well(later(200))
}

proptest! {
    #[test]
    fn whatever_failed_how_often_it_is_tried_again_within_twenty_minutes(
        tries in 0u32..10_000, chance: u32, at in 0i64..4_000_000_000,
    ) {
        let mut state = Tries { failed: tries, ..Tries::default() };
        state = state.badly(chance, Moment(at));
        prop_assert!(is_due(&state, false, Moment(at + 1200)));
        prop_assert!(!is_due(&state, true, Moment(at + 7)));
    }
}
