//! Sizes and durations as operators write them.

use std::time::Duration;

/// Bytes in one KiB.
pub const KIB: u64 = 1 << 10;
/// Bytes in one MiB.
pub const MIB: u64 = 1 << 20;
/// Bytes in one GiB.
pub const GIB: u64 = 1 << 30;

/// Seconds of the longest duration that is accepted (one hundred years).
const MAX_SECONDS: u64 = 100 * 366 * 86_400;

/// What a size may look like, for remedies.
pub const SIZE_HELP: &str = "write a whole number with B, KiB, MiB, GiB or TiB, such as \"256MiB\"";
/// What a duration may look like, for remedies.
pub const DURATION_HELP: &str =
    "write a whole number with ms, s, m, h, d or w, such as \"60s\" or \"35d\"";

/// Bytes of a size such as `256MiB`, `4 KiB`, `10GB` (decimal) or `4096`.
///
/// `None` when it is not a size or does not fit 64 bits.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => KIB,
        "MiB" => MIB,
        "GiB" => GIB,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A duration such as `500ms`, `60s`, `5m`, `2h`, `35d` or `2w`; a bare `0` is allowed.
///
/// `None` when it is not a duration or is longer than a hundred years.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "" if number == 0 => 0,
        "ms" if number / 1000 <= MAX_SECONDS => return Some(Duration::from_millis(number)),
        "s" => number,
        "m" => number.checked_mul(60)?,
        "h" => number.checked_mul(3_600)?,
        "d" => number.checked_mul(86_400)?,
        "w" => number.checked_mul(604_800)?,
        _ => return None,
    };
    (seconds <= MAX_SECONDS).then(|| Duration::from_secs(seconds))
}

/// Percents of `25%`, 0 to 100.
#[must_use]
pub fn parse_percent(text: &str) -> Option<u8> {
    let (number, unit) = split(text)?;
    (unit == "%" && number <= 100).then_some(())?;
    u8::try_from(number).ok()
}

/// The number in front and the unit behind it.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests;
