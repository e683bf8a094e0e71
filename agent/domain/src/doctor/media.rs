//! A media set: devices, headers, space, mirrors in step.

use serde::Serialize;

use super::{Finding, Level};
use crate::{Fault, MirrorNo, Shape, Slot, code};

/// One device as it answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    /// Its mirror and family.
    pub slot: Slot,
    /// How messages name it.
    pub label: String,
    /// Why it cannot be used, if so.
    pub fault: Option<Fault>,
    /// Free bytes, if it says so.
    pub free: Option<u64>,
    /// What it says by itself.
    pub alerts: Vec<String>,
    /// What trying its storage showed, and how grave it is.
    pub observed: Vec<(Level, String)>,
}

/// What was seen of a media set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Media {
    /// Its key in the configuration.
    pub key: String,
    /// Families and mirrors.
    pub shape: Shape,
    /// It is written through virtual devices, on Linux.
    pub vdi_on_linux: bool,
    /// How many mirrors a full backup must reach.
    pub min_mirrors: u8,
    /// Why it could not be looked at as a whole, if so.
    pub fault: Option<Fault>,
    /// Some volume has a header of this media set.
    pub formatted: bool,
    /// Its devices.
    pub devices: Vec<Device>,
    /// Mirrors that records say are behind.
    pub out_of_step: Vec<MirrorNo>,
    /// Bytes of the last full backups of everything that is written to it, in all; `None` where
    /// nothing is known.
    pub last_full: Option<u64>,
    /// Bytes are stored as SQL Server wrote them, so the above is what will be needed.
    pub raw: bool,
}

/// What was seen of a device's storage; what to do about it follows a semicolon.
fn seen(label: &str, level: Level, text: &str) -> Finding {
    let (message, remedy) = text.split_once("; ").unwrap_or((text, ""));
    Finding::new(level, label, message).remedy(remedy)
}

impl Media {
    fn object(&self) -> String {
        format!("media set {}", self.key)
    }

    /// What of it would keep runs from succeeding.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(fault) = &self.fault {
            found.push(Finding::of(fault.clone()));
            return found;
        }
        if self.shape.families > 1 && self.vdi_on_linux {
            let message = format!(
                "{} families through virtual devices: several devices in one session are reported \
                 to fail on Linux (error 3261)",
                self.shape.families
            );
            found.push(
                Finding::warning(self.object(), message)
                    .remedy("format a media set with families = 1, or use source = \"stage\""),
            );
        }
        // A device that answers and has no volume is blank; one that is not reached tells nothing.
        let blank = |device: &Device| {
            let fault = device.fault.as_ref();
            fault.is_none_or(|fault| fault.code == code::NO_VOLUME)
        };
        if !self.formatted && self.devices.iter().all(blank) {
            let finding =
                Finding::failure(code::NEEDS_FORMAT, self.object(), "it was never formatted");
            found.push(finding.remedy(format!("twinset media format {}", self.key)));
            return found;
        }
        found.extend(self.devices.iter().map(|device| self.device(device)));
        found.extend(self.devices.iter().filter_map(|device| self.space(device)));
        for device in &self.devices {
            let alert = |text: &String| Finding::warning(&device.label, text.clone());
            found.extend(device.alerts.iter().map(alert));
            let observed = device.observed.iter();
            found.extend(observed.map(|(level, text)| seen(&device.label, *level, text)));
        }
        for mirror in &self.out_of_step {
            let message = format!("{mirror} is out of step: it lacks sets that others hold");
            found.push(
                Finding::warning(self.object(), message)
                    .remedy(format!("twinset media repair {}", self.key)),
            );
        }
        found
    }

    /// Mirrors with all their devices, none of them behind.
    fn whole(&self) -> usize {
        let sound = |mirror: &MirrorNo| {
            !self.out_of_step.contains(mirror)
                && self
                    .devices
                    .iter()
                    .all(|device| device.slot.mirror != *mirror || device.fault.is_none())
        };
        self.shape.mirrors().filter(sound).count()
    }

    fn device(&self, device: &Device) -> Finding {
        let Some(fault) = &device.fault else {
            let free = device.free.map_or_else(String::new, |free| {
                format!(", {} MiB free", free / (1 << 20))
            });
            return Finding::ok(&device.label, format!("reachable, header sound{free}"));
        };
        // Without it a run may go on, if enough mirrors are left.
        let enough = self.whole() >= usize::from(self.min_mirrors);
        Finding::of(fault.clone()).at(if enough {
            Level::Warning
        } else {
            Level::Failure
        })
    }

    fn space(&self, device: &Device) -> Option<Finding> {
        let (free, last) = (device.free?, self.last_full?);
        let needed = last / u64::from(self.shape.families.max(1));
        if free >= needed {
            return None;
        }
        let mib = |bytes: u64| bytes / (1 << 20);
        let message = format!(
            "{} MiB are free, and the last full backups took {} MiB of it",
            mib(free),
            mib(needed)
        );
        let remedy = "make room, move it to a larger device, or let retention drop older sets \
                      (twinset media plan-retention)";
        Some(if self.raw {
            Finding::failure(code::MEDIUM_FULL, &device.label, message).remedy(remedy)
        } else {
            Finding::warning(&device.label, format!("{message} before they were encoded"))
                .remedy(remedy)
        })
    }
}
