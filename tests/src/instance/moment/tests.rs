#![allow(clippy::unwrap_used, clippy::panic)]

use super::Moment;

#[test]
fn calendar_and_day_numbers_agree() {
    let first = Moment::from_1900(0, 0).unwrap();
    assert_eq!(first.to_iso(), "1900-01-01 00:00:00.000");
    assert_eq!(
        Moment::from_unix(0, 0).unwrap().to_iso(),
        "1970-01-01 00:00:00.000"
    );
    for text in [
        "2000-02-29",
        "2026-12-31",
        "2024-03-01",
        "0001-01-01",
        "9999-12-31",
    ] {
        let moment = Moment::parse(text).unwrap();
        assert_eq!(&moment.to_iso()[..10], text);
        assert_eq!(
            Moment::from_year_one(moment.days_since_year_one(), 0).unwrap(),
            moment
        );
    }
}

#[test]
fn datetime_keeps_three_hundredths() {
    let moment = Moment::parse("2026-11-21T23:59:58.997").unwrap();
    let back = Moment::from_1900(moment.days_since_1900(), moment.ticks_300()).unwrap();
    assert!(moment.to_iso().starts_with("2026-11-21 23:59:58.99"));
    assert_eq!(back.to_iso(), "2026-11-21 23:59:58.997");
}

#[test]
fn impossible_dates_are_refused() {
    for text in [
        "2023-02-29",
        "2026-13-01",
        "2026-1-1",
        "x",
        "2026-11-21 25:00",
        "",
    ] {
        assert_eq!(Moment::parse(text), None, "{text}");
    }
}
