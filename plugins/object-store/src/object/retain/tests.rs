#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use super::{DAY, Lock, Mode, azure, iso, s3};
use crate::object::look::moment;

#[test]
fn a_lock_ends_so_many_days_after_now() {
    let lock = Lock {
        span: Duration::from_secs(35 * DAY),
        mode: Mode::Compliance,
    };
    let end = lock.end(1_795_392_000_500);
    assert_eq!(iso(end), "2026-12-28T00:00:00Z");
    assert_eq!(moment(&iso(end)), Some(end));
    assert_eq!(moment("Mon, 28 Dec 2026 00:00:00 GMT"), Some(end));
    assert_eq!(moment("2026-12-28T00:00:00.000Z"), Some(end));
    assert_eq!(lock.to_string(), "lock = \"35d\"");
}

#[test]
fn s3_wants_a_checksum_of_what_it_is_told() {
    let ask = s3("a/b", Mode::Governance, 0);
    assert_eq!(ask.headers[0].1, "tn+GuSYjdJSQstGZcDe4Jg==");
    assert!(ask.body.starts_with(b"<Retention xmlns="));
    let text = std::str::from_utf8(&ask.body).unwrap();
    assert!(text.contains("<Mode>GOVERNANCE</Mode><RetainUntilDate>1970-01-01T00:00:00Z<"));
}

#[test]
fn azure_wants_headers() {
    let ask = azure("a/b", Mode::Compliance, 0);
    assert_eq!(ask.headers[0].1, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(ask.headers[1].1, "Locked");
}
