//! What media and the storage behind them say of themselves.

use twinset_plugin_api::v1::{Entry, InspectionV1, ObservationV1};
use twinset_plugin_api::{Inspection, Observation, Outcome};

use super::Handle;
use crate::device::DeviceFault;

/// Most observations of one volume.
const OBSERVATIONS_MAX: usize = 64;

// SAFETY (for the blocks of this file): `ask` passes the open handle, and `&mut self` is its only
// user; every pointer comes from a borrow that outlives the call.

impl Handle {
    /// What the medium says of a closed section without its bytes being read. A device that has no
    /// such call says nothing.
    pub fn inspect_section(&mut self, index: u64) -> Result<Inspection, DeviceFault> {
        let mut out = InspectionV1::default();
        // SAFETY: see above.
        let asked = self.ask("inspect_section", |table, raw| unsafe {
            (table.inspect_section)(raw, index, &raw mut out)
        });
        match asked {
            Ok(()) => Ok(Inspection::from(&out)),
            Err(fault) if fault.outcome == Outcome::NOT_SUPPORTED => Ok(Inspection::default()),
            Err(fault) => Err(fault),
        }
    }

    /// What the storage behind the mounted volume honours, tried.
    pub fn probe(&mut self) -> Result<Vec<Observation>, DeviceFault> {
        let mut room = vec![ObservationV1::default(); OBSERVATIONS_MAX];
        let mut got = 0;
        // SAFETY: see above.
        self.ask("probe", |table, raw| unsafe {
            (table.probe)(raw, room.as_mut_ptr(), OBSERVATIONS_MAX, &raw mut got)
        })?;
        let told = room.get(..got).unwrap_or_default();
        Ok(told.iter().filter_map(Observation::from_raw).collect())
    }
}
