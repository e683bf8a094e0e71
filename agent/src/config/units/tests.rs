#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn sizes_take_binary_decimal_and_bare_units() {
    let rows = [
        ("256MiB", Some(256 * MIB)),
        ("4 KiB", Some(4096)),
        ("4096", Some(4096)),
        ("10GB", Some(10_000_000_000)),
        ("1TiB", Some(1 << 40)),
        ("", None),
        ("MiB", None),
        ("-1MiB", None),
        ("1.5GiB", None),
        ("1mib", None),
        ("99999999999TiB", None),
        ("99999999999999999999", None),
    ];
    for (text, bytes) in rows {
        assert_eq!(parse_size(text), bytes, "{text}");
    }
}

#[test]
fn durations_need_a_unit_and_end_at_a_hundred_years() {
    let rows = [
        ("60s", Some(60)),
        ("5m", Some(300)),
        ("2h", Some(7200)),
        ("35d", Some(35 * 86_400)),
        ("2w", Some(14 * 86_400)),
        ("0", Some(0)),
        ("60", None),
        ("5 minutes", None),
        ("999999999w", None),
        ("99999999999999999w", None),
        ("", None),
    ];
    for (text, seconds) in rows {
        assert_eq!(
            parse_duration(text),
            seconds.map(Duration::from_secs),
            "{text}"
        );
    }
    assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
}

#[test]
fn percents_end_at_a_hundred() {
    let found = ["25%", "100%", "101%", "25", "%"].map(parse_percent);
    assert_eq!(found, [Some(25), Some(100), None, None, None]);
}
