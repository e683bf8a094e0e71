//! How many mirrors must hold a backup.

use super::MinMirrors;
use crate::config::checked::Check;
use crate::config::raw::MediaSetTable;

/// How many mirrors must hold a backup: all of them when the file does not say.
pub(super) fn min_mirrors(check: &mut Check<'_>, raw: &MediaSetTable, most: u8) -> MinMirrors {
    let min = check.number(&raw.min_mirrors, "min_mirrors", 1..=most, most);
    MinMirrors {
        full: check.number(&raw.min_mirrors_full, "min_mirrors_full", 1..=most, min),
        differential: check.number(&raw.min_mirrors_diff, "min_mirrors_diff", 1..=most, min),
        log: check.number(&raw.min_mirrors_log, "min_mirrors_log", 1..=most, min),
    }
}
