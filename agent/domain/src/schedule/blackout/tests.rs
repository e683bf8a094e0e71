#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn windows(texts: &[&str]) -> Vec<Blackout> {
    texts
        .iter()
        .map(|text| Blackout::parse(text).unwrap())
        .collect()
}

fn free(texts: &[&str], kind: BackupKind, at: &str) -> Option<String> {
    let at = at.parse().unwrap();
    let end = until(&windows(texts), &Zone::utc(), kind, at)?;
    Some(end.to_string())
}

#[test]
fn windows_hold_their_days_and_their_kinds() {
    let log = BackupKind::Log;
    // 2026-11-22 is a Sunday.
    let work = ["mon-fri 08:00-12:00"];
    assert_eq!(free(&work, log, "2026-11-22T09:00:00Z"), None);
    assert_eq!(free(&work, log, "2026-11-23T07:59:59Z"), None);
    let noon = Some("2026-11-23T12:00:00Z".to_owned());
    assert_eq!(free(&work, log, "2026-11-23T08:00:00Z"), noon);
    assert_eq!(free(&work, log, "2026-11-23T12:00:00Z"), None);
    // Across midnight: the day is the one on which it begins.
    let night = ["fri 22:00-04:00"];
    let end = Some("2026-11-28T04:00:00Z".to_owned());
    assert_eq!(free(&night, log, "2026-11-28T03:59:00Z"), end);
    assert_eq!(free(&night, log, "2026-11-27T03:59:00Z"), None);
    // Windows that follow one another are one.
    let both = ["mon 08:00-12:00", "mon 12:00-24:00", "tue 00:00-01:00"];
    let end = Some("2026-11-24T01:00:00Z".to_owned());
    assert_eq!(free(&both, log, "2026-11-23T08:30:00Z"), end);
    let big = ["full,diff 00:00-24:00"];
    assert_eq!(free(&big, log, "2026-11-23T08:30:00Z"), None);
    assert!(free(&big, BackupKind::Full, "2026-11-23T08:30:00Z").is_some());
    assert_eq!(never(&windows(&big)), Some(BackupKind::Full));
    assert_eq!(
        never(&windows(&["sat-sun 00:00-24:00", "mon-fri 01:00-00:59"])),
        None
    );
    let all = ["sat-sun 00:00-24:00", "mon-fri 01:00-01:00"];
    assert!(Blackout::parse(all[1]).is_err());
}

#[test]
fn windows_end_by_the_clocks_of_the_zone() {
    let rules = "CET-1CEST,M3.5.0,M10.5.0/3";
    let zone = Zone::new(rules, TimeZone::posix(rules).unwrap());
    let end = |text: &str, at: &str| {
        let at = at.parse().unwrap();
        until(&windows(&[text]), &zone, BackupKind::Full, at).map(|end| end.to_string())
    };
    // Its end is skipped: 02:30 is the first moment behind the gap.
    assert_eq!(
        end("01:00-02:30", "2027-03-28T00:30:00Z").unwrap(),
        "2027-03-28T01:00:00Z"
    );
    // Its end comes twice: the second time behind 02:45 ends it again.
    assert_eq!(
        end("02:00-02:30", "2026-10-25T00:10:00Z").unwrap(),
        "2026-10-25T00:30:00Z"
    );
    assert_eq!(
        end("02:00-02:30", "2026-10-25T01:10:00Z").unwrap(),
        "2026-10-25T01:30:00Z"
    );
}

#[test]
fn faults_have_a_place_and_a_hint() {
    let wrong = [
        "",
        "08:00",
        "mon",
        "mon 08:00",
        "mon 8:00-12:00",
        "mon 08:00-24:01",
        "mon 08:60-09:00",
        "08:00-08:00",
        "moon 08:00-12:00",
        "full mon log 08:00-12:00",
        "full,tail 08:00-12:00",
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|text| {
            let error = Blackout::parse(text).expect_err(text);
            format!("{text:?} {}: {}", error.at, error.message)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "" 0: an empty window
    "08:00" 0: "08:00" is no span of time
    "mon" 0: "mon" is no span of time
    "mon 08:00" 4: "08:00" is no span of time
    "mon 8:00-12:00" 4: "8:00" is no time of day
    "mon 08:00-24:01" 10: "24:01" is no time of day
    "mon 08:60-09:00" 4: "08:60" is no time of day
    "08:00-08:00" 0: the window 08:00-08:00 has no length
    "moon 08:00-12:00" 0: "moon" is no weekday
    "full mon log 08:00-12:00" 9: "log" is too much
    "full,tail 08:00-12:00" 0: "full" is no weekday
    "#);
}

proptest! {
    #[test]
    fn a_window_ends_where_it_no_longer_holds(
        from in 0..1440_u32, length in 1..1440_u32, days in "(mon|tue-thu|sat-mon|\\*)",
        at in 1_790_000_000..1_800_000_000_i64,
    ) {
        let to = (from + length) % 1440;
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let text = format!("{days} {}-{}", time(from), time(to));
        let windows = windows(&[&text]);
        let zone = Zone::utc();
        let begin = until(&windows, &zone, BackupKind::Log, Moment(at));
        let minute = u32::try_from((at.div_euclid(60) + 4 * 1440).rem_euclid(7 * 1440)).unwrap();
        prop_assert_eq!(begin.is_some(), windows[0].covers(minute));
        if let Some(end) = begin {
            prop_assert!(end.0 > at && end.0 - at <= 86_400);
            prop_assert_eq!(until(&windows, &zone, BackupKind::Log, end), None);
            prop_assert!(until(&windows, &zone, BackupKind::Log, Moment(end.0 - 1)).is_some());
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_with_a_place(text in "[ 0-9a-z:,-]{0,30}") {
        if let Err(error) = Blackout::parse(&text) {
            prop_assert!(error.at <= text.chars().count());
        }
    }
}
