//! Volumes for writing: those that are there, and an empty device in the place of one that is
//! gone, where the operator said so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use twinset_domain::{AgentId, Fault, MediaSetId, Slot, code};
use twinset_plugin_api::{Access, Outcome};

use crate::backup::desk::Target;
use crate::media::matrix::{Cell, Matrix};
use crate::media::volume::Volume;

/// How long a volume may stay locked that a run of this process is just letting go of.
const LET_GO: Duration = Duration::from_secs(5);
/// How often it is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Opens every volume for writing, and makes blank ones in the given places.
pub(super) fn open_for_writing(
    target: &Target,
    agent: AgentId,
    media_set: Option<MediaSetId>,
    blank: &[Slot],
) -> Result<Matrix, Fault> {
    let until = Instant::now() + LET_GO;
    let mut matrix = loop {
        let opened = Matrix::open(
            &target.places,
            target.shape,
            agent,
            Access::Write,
            media_set,
        );
        match opened {
            Err(fault) if fault.code == code::LOCKED && Instant::now() < until => {
                std::thread::sleep(TRY_EVERY);
            }
            other => break other?,
        }
    };
    for cell in &mut matrix.cells {
        if let Some(id) = media_set
            && blank.contains(&cell.place.slot)
            && is_empty(cell)
        {
            let volume = take(cell, agent, id)?;
            cell.volume = Ok(Arc::new(volume));
        }
    }
    Ok(matrix)
}

fn is_empty(cell: &Cell) -> bool {
    let outcome = cell.volume.as_ref().err().map(|fault| fault.outcome);
    outcome == Some(Outcome::NO_MEDIUM)
}

/// An empty device becomes a volume of the media set; its header is the first that is written.
fn take(cell: &Cell, agent: AgentId, media_set: MediaSetId) -> Result<Volume, Fault> {
    let volume = Volume::open(&cell.place, agent, Access::Write)?;
    let foreign: Vec<String> = volume
        .leftovers()?
        .into_iter()
        .map(|left| left.name)
        .take(5)
        .collect();
    if !foreign.is_empty() {
        let message = "the replacement is not empty";
        return Err(Fault::new(code::FOREIGN_DATA, volume.place(), message)
            .cause(format!("found: {}", foreign.join(", ")))
            .remedy("repair onto an empty folder; nothing was written to this one"));
    }
    volume.mount_blank(media_set)?;
    Ok(volume)
}
