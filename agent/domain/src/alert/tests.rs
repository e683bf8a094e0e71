#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::code;

#[test]
fn a_fault_becomes_an_alert_with_its_causes() {
    let fault = Fault::new(code::DEVICE, "/backup/a", "the device failed")
        .cause("cannot write")
        .cause("no space left")
        .remedy("make room");
    let alert = Alert::of(&fault).group("payroll").database("Payroll");
    let text = serde_json::to_string_pretty(&alert).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "code": "TW2007",
      "object": "/backup/a",
      "severity": "error",
      "message": "the device failed: cannot write: no space left",
      "remedy": "make room",
      "group": "payroll",
      "database": "Payroll"
    }
    "#);
    assert_eq!(Alert::new(code::LOST, "x", "").severity, Severity::Critical);
    let long = Alert::new(code::DEVICE, "x", "y".repeat(5000));
    assert_eq!(long.message.chars().count(), MAX_TEXT + 3);
}

#[test]
fn severities_are_read_as_they_are_written() {
    let all = [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];
    for severity in all {
        assert_eq!(Severity::from_word(severity.word()), severity);
    }
}

#[test]
fn pauses_double_up_to_an_hour_for_three_days() {
    let mut now = Moment(0);
    let mut pauses = Vec::new();
    for tries in 1.. {
        let Next::At(at) = Backoff::USUAL.after(tries, now) else {
            break;
        };
        pauses.push(at.0 - now.0);
        now = at;
    }
    assert_eq!(pauses[..8], [30, 60, 120, 240, 480, 960, 1920, 3600]);
    assert_eq!(pauses.len(), 79);
    assert!((3 * 86_400..4 * 86_400).contains(&now.0), "{now}");
}

proptest! {
    #[test]
    fn any_count_has_a_bounded_pause(tries in any::<u32>(), now in any::<i64>()) {
        match Backoff::USUAL.after(tries, Moment(now)) {
            Next::GivenUp => prop_assert!(tries >= Backoff::USUAL.tries),
            Next::At(at) => prop_assert!(at.0 >= now && at.0.saturating_sub(now) <= 3600),
        }
    }
}

#[test]
fn one_that_comes_and_goes_is_told_now_and_then() {
    let told = |count: i64, newest: i64| -> Vec<Moment> {
        (0..count).map(|at| Moment(newest - at * 10)).collect()
    };
    let now = Moment(100_000);
    let many = i64::try_from(MANY).unwrap();
    for (before, wanted) in [
        (told(0, 0), Pace::Each),
        (told(many - 1, now.0), Pace::Each),
        (told(many, now.0), Pace::Wait),
        (told(many, now.0 - PAUSE + 1), Pace::Wait),
        (told(many, now.0 - PAUSE), Pace::Newest),
        // As many, and all of them too long ago.
        (told(many, now.0 - SPAN), Pace::Each),
        // By a clock that ran ahead.
        (told(many, now.0 + 100_000), Pace::Each),
    ] {
        assert_eq!(pace(&before, now), wanted, "{before:?}");
    }
}
