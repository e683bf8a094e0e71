//! What refuses a run whatever the number of mirrors: nothing formatted, closed, unlike devices.

use super::{DEVICE_CLASS, Expected, Found, Seen, State};
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

/// Devices of one media set must be alike: class (number 3011) and the properties of number 3212.
pub(super) fn properties(found: &[(&Seen, &Found)]) -> Vec<Fault> {
    let devices: Vec<(&str, &[(&str, String)])> = found
        .iter()
        .map(|(seen, volume)| (seen.device.as_str(), volume.properties.as_slice()))
        .collect();
    unlike(&devices)
}

/// What is unlike between devices, each named with its properties in one order.
#[must_use]
pub fn unlike(devices: &[(&str, &[(&str, String)])]) -> Vec<Fault> {
    let Some(((first, reference), others)) = devices.split_first() else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for (device, properties) in others {
        for ((name, value), (_, wanted)) in properties.iter().zip(reference.iter()) {
            if value == wanted {
                continue;
            }
            let message = format!("{name} is {value}, but {wanted} on {first}");
            let fault = if *name == DEVICE_CLASS {
                Fault::new(code::MIXED_CLASS, *device, message)
                    .remedy("one media set lies on disks or on tapes, never on both; an object store counts as disk")
            } else {
                Fault::new(code::DEVICE_MISMATCH, *device, message)
                    .remedy("all devices of a media set need the same properties")
            };
            faults.push(fault);
        }
    }
    // Disk with tape is the cause of whatever else is unlike.
    faults.sort_by_key(|fault| fault.code != code::MIXED_CLASS);
    faults
}
