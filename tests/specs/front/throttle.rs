//! Does a backup take no more than it may?

use std::time::Duration;

use crate::support::pair::{A, Pair, Setup};

#[test]
fn a_throttled_backup_takes_its_time_and_is_whole() {
    let pair = Pair::of(&Setup {
        group: "[backup]\nthrottle = \"1MiB\"\n",
        ..Setup::default()
    });
    // Two MiB and more: the first has half a second saved up.
    let ran = pair.take(A, "full", &[]).ended(0);
    let least = Duration::from_millis(1400);
    assert!(ran.took > least, "{:?}", ran.took);
    pair.json(A, &["media", "verify", "payroll"]).ended(0);
}
