//! What is worth knowing and no damage, and sets of which no data is expected.

use std::sync::Arc;

use twinset_domain::recover::{Second, SetState};

use super::{Pass, Report};
use crate::device::DeviceFault;
use crate::media::inventory::SetOnMedia;
use crate::media::volume::Volume;

/// Looks at a set that need not be readable; false for one that must be.
pub(super) fn not_kept(
    pass: &Pass<'_>,
    volume: &Arc<Volume>,
    set: &SetOnMedia,
    report: &mut Report,
) -> Result<bool, DeviceFault> {
    let (place, position) = (volume.place(), set.position);
    match set.state {
        SetState::Published | SetState::Unconfirmed => return Ok(false),
        SetState::Unsealed => report.notes.push(format!(
            "{place}: position {position} was never sealed; run media recover"
        )),
        SetState::Dropped => {
            let piece = set.pieces.iter().find(|piece| piece.slot == volume.slot);
            if let Some(manifest) = set.manifests.get(&volume.slot.family) {
                let second = piece.map_or(Second::Nothing, |piece| piece.second);
                pass.manifest(volume, set, manifest, second, report)?;
            }
            if piece.is_some_and(|piece| piece.data) {
                report.notes.push(format!(
                    "{place}: position {position} was dropped and its data is still there; \
                     run media expire or media recover"
                ));
            }
        }
        SetState::Void | SetState::Empty => {}
    }
    Ok(true)
}

/// Unfinished work and foreign files.
pub(super) fn leftovers(volume: &Arc<Volume>, report: &mut Report) -> Result<(), DeviceFault> {
    for left in volume.leftovers()? {
        let what = if left.run_id.is_some() {
            "unfinished work"
        } else {
            "foreign file"
        };
        report.notes.push(format!(
            "{}: {what} {}, left alone",
            volume.place(),
            left.name
        ));
    }
    Ok(())
}
