#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> String {
    let error = Cron::parse(text).expect_err(text);
    format!("{}: {}; {}", error.at, error.message, error.hint)
}

#[test]
fn faults_have_a_place_and_a_hint() {
    let wrong = [
        "",
        "daily",
        "@daily",
        "0 1 * *",
        "0 1 * * * *",
        "60 1 * * *",
        "0 24 * * *",
        "0 1 0 * *",
        "0 1 * foo *",
        "0 1 * * sonntag",
        "0 1 * * 8",
        "0 1,2,x * * *",
        "0 22-4 * * *",
        "*/0 * * * *",
        "*/61 * * * *",
        "5/15 * * * *",
        "0 1 L * *",
        "0 1 ? * *",
        "0 1 * * mon#2",
        "0 1 30 2 *",
        "0 -1 * * *",
        "0 1,, * * *",
        "99999999999 * * * *",
        "\u{a0}\u{e4} 1 * * *",
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|text| format!("{text:?}\n  {}", fault(text)))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    ""
      0: 0 of five fields; write minute, hour, day, month and weekday, such as "0 1 * * sun"
    "daily"
      5: 1 of five fields; write minute, hour, day, month and weekday, such as "0 1 * * sun"
    "@daily"
      0: nicknames are not known; write "0 0 * * *"
    "0 1 * *"
      7: 4 of five fields; write minute, hour, day, month and weekday, such as "0 1 * * sun"
    "0 1 * * * *"
      10: 6 fields, and not five; write minute, hour, day, month and weekday, such as "0 1 * * sun"
    "60 1 * * *"
      0: "60" is no minute; write 0 to 59, or *
    "0 24 * * *"
      2: "24" is no hour; write 0 to 23, or *
    "0 1 0 * *"
      4: "0" is no day; write 1 to 31, or *
    "0 1 * foo *"
      6: "foo" is no month; write 1 to 12, or jan to dec, or *
    "0 1 * * sonntag"
      8: "sonntag" is no weekday; write 0 to 7, or sun to sat, or *
    "0 1 * * 8"
      8: "8" is no weekday; write 0 to 7, or sun to sat, or *
    "0 1,2,x * * *"
      6: "x" is no hour; write 0 to 23, or *
    "0 22-4 * * *"
      2: the range 22-4 runs backwards; write 22-23,0-4
    "*/0 * * * *"
      2: "0" is no step of the minute; write 1 to 59
    "*/61 * * * *"
      2: "61" is no step of the minute; write 1 to 59
    "5/15 * * * *"
      0: a step needs a range, not 5; write 5-59/15
    "0 1 L * *"
      4: "L" is not known here; write 1 to 31, or *
    "0 1 ? * *"
      4: "?" is not known here; write 1 to 31, or *
    "0 1 * * mon#2"
      8: "mon#2" is no weekday; write 0 to 7, or sun to sat, or *
    "0 1 30 2 *"
      4: no month has such a day; choose a day that comes, such as 28
    "0 -1 * * *"
      2: nothing where a hour should stand; write 0 to 23, or *
    "0 1,, * * *"
      4: nothing where a hour should stand; write 0 to 23, or *
    "99999999999 * * * *"
      0: "99999999999" is no minute; write 0 to 59, or *
    "\u{a0}ä 1 * * *"
      1: "ä" is no minute; write 0 to 59, or *
    "#);
}

#[test]
fn lines_mean_what_every_cron_makes_of_them() {
    let days = |line: &str, from: i64, to: i64| {
        let cron = Cron::parse(line).unwrap();
        (from..to)
            .filter(|day| cron.falls_on(*day))
            .collect::<Vec<_>>()
    };
    // Day 20 779 is Sunday 2026-11-22.
    let sunday = 20_779;
    assert_eq!(Moment(sunday * 86_400).to_string(), "2026-11-22T00:00:00Z");
    let week = |line| {
        let days = days(line, sunday, sunday + 7);
        days.iter().map(|day| day - sunday).collect::<Vec<_>>()
    };
    assert_eq!(week("0 1 * * sun"), [0]);
    assert_eq!(week("0 1 * * 7"), [0]);
    assert_eq!(week("0 1 * * 0"), [0]);
    assert_eq!(week("0 1 * * MON-fri"), [1, 2, 3, 4, 5]);
    assert_eq!(week("0 1 * * sat-mon"), [0, 1, 6]);
    assert_eq!(week("0 1 * * fri-sun"), [0, 5, 6]);
    assert_eq!(week("0 1 * * 5-7"), [0, 5, 6]);
    assert_eq!(week("0 1 * * */2"), [0, 2, 4, 6]);
    assert_eq!(week("0 1 * * *"), [0, 1, 2, 3, 4, 5, 6]);
    // Both limited: either is enough. A star with a step does not limit.
    assert_eq!(week("0 1 24 * sun"), [0, 2]);
    assert_eq!(week("0 1 24 * *"), [2]);
    assert_eq!(week("0 1 */1 * sun"), [0]);
    assert!(week("0 1 * dec *").is_empty());
    assert_eq!(week("0 1 * nov-dec *").len(), 7);
    let minutes = |line: &str| Cron::parse(line).unwrap().minutes().collect::<Vec<_>>();
    assert_eq!(minutes("30,15 1,3 * * *"), [75, 90, 195, 210]);
    assert_eq!(minutes("5-59/20 0 * * *"), [5, 25, 45]);
    assert_eq!(minutes("* * * * *").len(), 1440);
    assert!(Cron::parse("*/15 * * * *").unwrap().is_hourly());
    assert!(Cron::parse("0 0-23 * * *").unwrap().is_hourly());
    assert!(!Cron::parse("0 0-22 * * *").unwrap().is_hourly());
    assert_eq!(days("0 0 29 2 *", 20_000, 23_300).len(), 2);
    let text = Cron::parse("  0\t1 *  * sun ").unwrap().to_string();
    assert_eq!(text, "0 1 * * sun");
}

/// A field and the numbers that it means, found by counting.
fn field(first: u32, last: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    let part =
        (first..=last, first..=last, 1..=last.max(1), 0..4).prop_map(move |(a, b, step, shape)| {
            let (from, to) = (a.min(b), a.max(b));
            let every = usize::try_from(step).unwrap();
            match shape {
                0 => (a.to_string(), vec![a]),
                1 => (format!("{from}-{to}"), (from..=to).collect()),
                2 => {
                    let numbers = (from..=to).step_by(every).collect();
                    (format!("{from}-{to}/{step}"), numbers)
                }
                _ => (format!("*/{step}"), (first..=last).step_by(every).collect()),
            }
        });
    prop::collection::vec(part, 1..4).prop_map(|parts: Vec<(String, Vec<u32>)>| {
        let text: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
        let mut all: Vec<u32> = parts.iter().flat_map(|(_, set)| set.clone()).collect();
        all.sort_unstable();
        all.dedup();
        (text.join(","), all)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn fields_hold_exactly_their_numbers(minute in field(0, 59), hour in field(0, 23)) {
        let line = format!("{} {} * * *", minute.0, hour.0);
        let found: Vec<u32> = Cron::parse(&line).unwrap().minutes().collect();
        let all = hour.1.iter().flat_map(|h| minute.1.iter().map(move |m| h * 60 + m));
        prop_assert_eq!(found, all.collect::<Vec<_>>());
    }

    #[test]
    fn days_are_judged_by_the_calendar(date in field(1, 31), month in field(1, 12), day in 0..40_000_i64) {
        let line = format!("0 0 {} {} *", date.0, month.0);
        let (_, m, d) = Moment::date_of(day);
        if let Ok(cron) = Cron::parse(&line) {
            let starred = date.0.starts_with('*') && date.0.len() == 1;
            let lawful = month.1.contains(&m) && (starred || date.1.contains(&d));
            prop_assert_eq!(cron.falls_on(day), lawful);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_with_a_place(text in "[ 0-9a-z*,/@#L?-]{0,40}") {
        if let Err(error) = Cron::parse(&text) {
            prop_assert!(error.at <= text.chars().count());
            prop_assert!(!error.hint.is_empty() && !error.message.is_empty());
        }
    }
}
