//! Options that hold something back: locks, rate, parts at a time.

use std::time::Duration;

use serde_json::Value;
use twinset_plugin_api::DeviceError;

use super::{Provider, Table, refuse};
use crate::object::retain::{DAY, Lock, Mode};

/// Longest lock, in days: stores take up to a hundred years.
const LONGEST: u64 = 36_500;
/// Slowest and fastest rate, in bytes per second.
const RATES: std::ops::RangeInclusive<u64> = 100_000..=100_000_000_000;
/// Parts on their way for which a lane has memory.
pub(crate) const PARALLEL: usize = 3;

/// `lock` and `lock_mode`.
pub(super) fn lock(table: &Table, provider: &Provider) -> Result<Option<Lock>, DeviceError> {
    let mode = match table.text("lock_mode")? {
        None | Some("compliance") => Mode::Compliance,
        Some("governance") => Mode::Governance,
        Some(other) => {
            let text = format!("lock_mode: must be compliance or governance, not `{other}`");
            return Err(refuse(text));
        }
    };
    let Some(text) = table.text("lock")? else {
        return match table.0.contains_key("lock_mode") {
            true => Err(refuse("lock_mode: says how `lock` works, which is missing")),
            false => Ok(None),
        };
    };
    if *provider == Provider::Gcs {
        return Err(refuse(
            "lock: is for s3:// and az://; give the bucket of gs:// a retention policy instead",
        ));
    }
    let wrong = || refuse(format!("lock: must be days, like \"35d\", not `{text}`"));
    let days = text.strip_suffix('d').ok_or_else(wrong)?;
    let days: u64 = days.parse().map_err(|_| wrong())?;
    if !(1..=LONGEST).contains(&days) {
        return Err(refuse(format!("lock: must be from 1d to {LONGEST}d")));
    }
    let span = Duration::from_secs(days * DAY);
    Ok(Some(Lock { span, mode }))
}

/// `rate_limit`: `"50MB"` for a second.
pub(super) fn rate(table: &Table) -> Result<Option<u64>, DeviceError> {
    let Some(text) = table.text("rate_limit")? else {
        return Ok(None);
    };
    let wrong = || {
        let form = "must be bytes per second, like \"50MB\", from 100kB to 100GB";
        refuse(format!("rate_limit: {form}, not `{text}`"))
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..).unwrap_or_default() {
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let rate = number.checked_mul(unit).filter(|rate| RATES.contains(rate));
    rate.map(Some).ok_or_else(wrong)
}

/// `parallel`.
pub(super) fn parallel(table: &Table) -> Result<usize, DeviceError> {
    match table.0.get("parallel").map(Value::as_u64) {
        None => Ok(PARALLEL),
        Some(Some(1)) => Ok(1),
        Some(Some(2)) => Ok(2),
        Some(Some(3)) => Ok(3),
        Some(_) => Err(refuse("parallel: must be 1, 2 or 3")),
    }
}
