use super::*;

#[test]
fn sizes_keep_three_digits_and_never_say_1024() {
    let rows = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (4096, "4.00 KiB"),
        (10_240, "10.0 KiB"),
        (102_400, "100 KiB"),
        ((1 << 20) - 1, "1.00 MiB"),
        (12 << 20, "12.0 MiB"),
        (1 << 30, "1.00 GiB"),
        (u64::MAX, "16384 PiB"),
    ];
    for (count, text) in rows {
        assert_eq!(bytes(count), text);
    }
}

#[test]
fn spans_show_two_units() {
    let rows = [
        (340, "340 ms"),
        (12_560, "12.5 s"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 05 min"),
        (273_600_000, "3 d 04 h"),
    ];
    for (millis, text) in rows {
        assert_eq!(duration(Duration::from_millis(millis)), text);
    }
}

#[test]
fn times_are_utc() {
    assert_eq!(utc(Moment(1_795_222_800)), "2026-11-21 01:00:00 UTC");
}

#[test]
fn rates_need_time() {
    assert_eq!(rate(3 << 20, Duration::from_secs(2)), "1.50 MiB/s");
    assert_eq!(rate(1, Duration::ZERO), "");
}

#[test]
fn tables_are_as_wide_as_they_must_be() {
    let rows = [
        vec!["1".to_owned(), "Payroll".to_owned()],
        vec!["12".to_owned(), "Zürich".to_owned()],
    ];
    insta::assert_snapshot!(table(&["set", "database"], &rows), @r#"
    set  database
    1    Payroll
    12   Zürich
    "#);
}
