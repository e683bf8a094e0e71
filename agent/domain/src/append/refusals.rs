//! What refuses a run whatever the number of mirrors: nothing formatted, closed, unlike devices.

use super::{Expected, Found, Seen, State};
use crate::{Fault, code};

pub(super) fn needs_format(expected: &Expected) -> Fault {
    let message = "no volume of this media set was ever formatted";
    Fault::new(
        code::NEEDS_FORMAT,
        format!("media set {}", expected.label),
        message,
    )
    .remedy(format!("run: twinset media format {}", expected.label))
}

/// A media set that was closed takes no more sets from anybody.
pub(super) fn closed(expected: &Expected, volumes: &[Seen]) -> Option<Fault> {
    let closed = volumes.iter().find(|seen| match &seen.state {
        State::Found(found) => found.closed.is_some(),
        _ => false,
    })?;
    let message = "the media set was closed: it takes no more backup sets";
    Some(
        Fault::new(
            code::CLOSED,
            format!("media set {}", expected.label),
            message,
        )
        .cause(format!("{} ({}) says so", closed.device, closed.slot))
        .remedy("it stays readable; format a new media set beside it for new backups"),
    )
}

/// Devices of one media set must be alike (number 3212).
pub(super) fn properties(found: &[(&Seen, &Found)]) -> Vec<Fault> {
    let Some(((first, reference), others)) = found.split_first() else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for (seen, volume) in others {
        for ((name, value), (_, wanted)) in volume.properties.iter().zip(&reference.properties) {
            if value != wanted {
                let message = format!("{name} is {value}, but {wanted} on {}", first.device);
                faults.push(
                    Fault::new(code::DEVICE_MISMATCH, &seen.device, message)
                        .remedy("all devices of a media set need the same properties"),
                );
            }
        }
    }
    faults
}
