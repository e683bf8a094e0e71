//! How many mirrors must hold a backup.

use super::MinMirrors;
use crate::config::checked::Check;
use crate::config::raw::MediaSetTable;

/// How many mirrors must hold a backup. Going on with fewer than all is not in this release: a
/// promise of a degraded mode that is not kept would be found out in the worst hour.
pub(super) fn min_mirrors(check: &mut Check<'_>, raw: &MediaSetTable, most: u8) -> MinMirrors {
    let min = check.number(&raw.min_mirrors, "min_mirrors", 1..=most, most);
    let least = MinMirrors {
        full: check.number(&raw.min_mirrors_full, "min_mirrors_full", 1..=most, min),
        differential: check.number(&raw.min_mirrors_diff, "min_mirrors_diff", 1..=most, min),
        log: check.number(&raw.min_mirrors_log, "min_mirrors_log", 1..=most, min),
    };
    let keys = [
        &raw.min_mirrors,
        &raw.min_mirrors_full,
        &raw.min_mirrors_diff,
        &raw.min_mirrors_log,
    ];
    for value in keys
        .into_iter()
        .flatten()
        .filter(|value| (1..most).contains(value.get_ref()))
    {
        let remedy = "remove the key: in this release every mirror must hold a backup";
        check.not_yet(
            &value.span(),
            "fewer mirrors than the media set has",
            remedy,
        );
    }
    least
}
