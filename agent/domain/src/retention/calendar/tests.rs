#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

#[test]
fn periods_have_the_names_that_calendars_give_them() {
    let rows = [
        ("2026-11-22T23:59:59Z", "2026-11-22", "2026-W47"),
        ("2026-11-23T00:00:00Z", "2026-11-23", "2026-W48"),
        ("2027-01-03T12:00:00Z", "2027-01-03", "2026-W53"),
        ("2027-01-04T12:00:00Z", "2027-01-04", "2027-W01"),
        ("2024-12-30T00:00:00Z", "2024-12-30", "2025-W01"),
        ("1970-01-01T00:00:00Z", "1970-01-01", "1970-W01"),
    ];
    for (at, day, week) in rows {
        let at: Moment = at.parse().unwrap();
        assert_eq!(Period::Daily.name(at), day);
        assert_eq!(Period::Weekly.name(at), week);
        assert_eq!(Period::Monthly.name(at), day[..7]);
        assert_eq!(Period::Yearly.name(at), day[..4]);
    }
}
