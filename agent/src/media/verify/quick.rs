//! Data that need not be read: storage that keeps checksums is asked for them.

use std::sync::Arc;

use twinset_format::manifest::Manifest;
use twinset_plugin_api::{Checked, Outcome};

use super::{Pass, Report, whole};
use crate::device::DeviceFault;
use crate::media::damage::Section;
use crate::media::volume::Volume;

/// Asks the storage for a data section; false where only reading tells.
pub(super) fn told(
    pass: &Pass<'_>,
    volume: &Arc<Volume>,
    manifest: &Manifest,
    report: &mut Report,
) -> Result<bool, DeviceFault> {
    let facts = &manifest.facts;
    let index = facts.position.data_section();
    let how = match volume.call(move |handle| handle.inspect_section(index)) {
        Ok(told) => match told.checked {
            Checked::Not => return Ok(false),
            Checked::Sound => None,
            Checked::Differs(how) => Some(how),
        },
        // Reading names the place, or fails with what is to be told.
        Err(fault) if matches!(fault.outcome, Outcome::PERMANENT | Outcome::NOT_FOUND) => {
            return Ok(false);
        }
        Err(fault) => return Err(fault),
    };
    let found = volume.sections()?;
    let found = found.iter().find(|section| section.index == index);
    let length = found.map_or(0, |section| section.length);
    let short = (length != facts.stored_length).then(|| {
        format!(
            "it holds {length} bytes, its manifest names {}",
            facts.stored_length
        )
    });
    if let Some(detail) = how.or(short) {
        let mut damage = whole(&volume.label, volume.slot, Section::Data);
        damage.name = index.to_string();
        damage.position = Some(facts.position);
        damage.detail = detail;
        report.damage.push(damage);
    } else {
        report.by_checksum += facts.stored_length;
    }
    pass.watch.advance(facts.stored_length);
    Ok(true)
}
