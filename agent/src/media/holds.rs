//! Holds: records in which a reader promises when it will have ended. Nothing that it may be
//! reading is removed before.

mod keep;

use std::collections::BTreeSet;

use twinset_domain::Moment;
use twinset_domain::name::HoldName;

use super::matrix::Matrix;
use crate::device::{DeviceFault, Handle};

pub use keep::{Hold, Terms};

/// Holds that have not ended, each once.
///
/// # Errors
/// The first device's: who cannot be asked may be reading.
pub fn live(matrix: &Matrix, now: Moment) -> Result<Vec<HoldName>, DeviceFault> {
    let mut found = BTreeSet::new();
    let mut holds = Vec::new();
    for volume in matrix.volumes() {
        for record in volume.records()? {
            if let Some(hold) = HoldName::parse(&record.name).filter(|hold| hold.until > now)
                && found.insert(record.name)
            {
                holds.push(hold);
            }
        }
    }
    Ok(holds)
}

/// Removes holds that have ended, so that they do not pile up. Gives how many.
///
/// # Errors
/// The first device's.
pub fn remove_ended(matrix: &Matrix, now: Moment) -> Result<usize, DeviceFault> {
    let mut removed = BTreeSet::new();
    for volume in matrix.volumes() {
        for record in volume.records()? {
            if HoldName::parse(&record.name).is_some_and(|hold| hold.until <= now) {
                let name = record.name.clone();
                volume.call(move |handle: &mut Handle| handle.remove_record(&name))?;
                removed.insert(record.name);
            }
        }
    }
    Ok(removed.len())
}
