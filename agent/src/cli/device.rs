//! `twinset media show --device`: what one volume tells of itself.

use std::path::Path;

use serde::Serialize;
use twinset_domain::{AgentId, Exit, FamilyNo, Fault, MirrorNo, Slot, code};
use twinset_format::header::MediaHeader;

use super::context;
use crate::config::checked::media::{DEFAULT_DEVICE_DEADLINE, DEFAULT_MEDIUM_WAIT};
use crate::config::{self, Config};
use crate::media::inventory::{self, SetLine, SetOnMedia};
use crate::media::matrix::Matrix;
use crate::media::volume::Place;
use crate::report::Output;

/// Reads the configuration for its plugins alone, then the volume.
pub(super) fn show_alone(file: &Path, plugin: &str, options: &str, output: &Output) -> Exit {
    let shown = config::load(file).map(|config| show(&config, plugin, options, output));
    match shown {
        Ok(Ok(exit)) => exit,
        Ok(Err(fault)) => output.finish::<()>(Err(fault)),
        Err(faults) => output.finish_faults(&faults),
    }
}

#[derive(Serialize)]
struct ShownVolume {
    header: MediaHeader,
    sets: Vec<SetLine>,
}

/// Opens one device for reading, and gives it the place that its header tells.
///
/// # Errors
/// The device's; [`code::NO_VOLUME`] and what is said of headers.
pub(super) fn open_alone(
    config: &Config,
    plugin: &str,
    options: &str,
) -> Result<(Matrix, MediaHeader), Fault> {
    let slot = Slot {
        mirror: MirrorNo(1),
        family: FamilyNo(1),
    };
    let place = Place {
        slot,
        label: context::label(plugin, options),
        plugin: context::plugin(config, plugin, None)?,
        options: options.to_owned(),
        deadline: DEFAULT_DEVICE_DEADLINE,
        medium_wait: DEFAULT_MEDIUM_WAIT,
    };
    // Who only reads needs no identity.
    let mut matrix = Matrix::open_alone(&place, AgentId::random())?;
    let header = match matrix.cells.first().map(|cell| &cell.header) {
        Some(Ok(header)) => header.clone(),
        Some(Err(fault)) => return Err(fault.clone()),
        None => {
            return Err(Fault::new(
                code::NO_VOLUME,
                place.label,
                "no volume is there",
            ));
        }
    };
    matrix.place_alone(header.slot(), header.shape);
    Ok((matrix, header))
}

/// What of a volume alone could not be read ends looking at it.
///
/// # Errors
/// [`code::DEVICE`].
pub(super) fn readable(matrix: &Matrix) -> Result<Vec<SetOnMedia>, Fault> {
    let (sets, unread) = inventory::read_all(matrix);
    let Some(unread) = unread.first() else {
        return Ok(sets);
    };
    let label = matrix.cells.first().map(|cell| cell.place.label.clone());
    let message = "the volume cannot be read";
    Err(Fault::new(code::DEVICE, label.unwrap_or_default(), message)
        .cause(&unread.why)
        .remedy("look at the device; its twins on the other mirrors may be sound"))
}

/// One device alone: no catalog, no state folder, no media set of the configuration is needed.
fn show(config: &Config, plugin: &str, options: &str, output: &Output) -> Result<Exit, Fault> {
    let (matrix, header) = open_alone(config, plugin, options)?;
    super::show::print_header(&header, output);
    let sets: Vec<SetLine> = readable(&matrix)?.iter().map(SetOnMedia::line).collect();
    super::show::print_sets(&sets, 1, output);
    Ok(output.finish(Ok((Exit::Done, ShownVolume { header, sets }))))
}
