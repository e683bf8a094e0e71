//! What a device says of itself, as an alert.
//!
//! A line of a device's status that begins with `critical: ` or `warning: ` tells what happened once:
//! it is raised, and stays until somebody says that it was looked after. What begins with `note: `,
//! or with none of them, is shown and not raised.

use crate::alert::{Alert, Severity};
use crate::code;

#[cfg(test)]
mod tests;

/// The alerts in a device's status: `GRAVE: headline: what it means; what to do`, one a line. The
/// object is the device at its place with the headline, so that each thing is one alert however
/// often it is said.
#[must_use]
pub fn alerts(place: &str, told: &str) -> Vec<Alert> {
    told.lines().filter_map(|line| alert(place, line)).collect()
}

fn alert(place: &str, line: &str) -> Option<Alert> {
    let (grave, said) = line.split_once(": ")?;
    // Nothing is lost yet: what was written is proved by reading it.
    let severity = match grave {
        "critical" => Severity::Error,
        "warning" => Severity::Warning,
        _ => return None,
    };
    let (said, remedy) = said.split_once("; ").unwrap_or((said, ""));
    let (headline, means) = said.split_once(": ").unwrap_or((said, said));
    let alert = Alert::new(code::HEALTH, format!("{place}: {headline}"), means);
    Some(alert.severity(severity).remedy(remedy))
}
