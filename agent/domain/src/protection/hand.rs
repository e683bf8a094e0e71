//! What holds for the service holds for the operator too (design 7.2, rows 2, 8 and 9).

use super::{Phase, Record};
use crate::BackupKind;

/// What a backup that is asked for by hand, beside the service, must wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand {
    /// Nothing.
    Free,
    /// The consistency check, which runs first.
    CheckFirst,
    /// The consistency check, which the operator asks for.
    CheckRequired,
    /// The operator's own decision.
    Refused,
}

/// Decides for a database that our own instance was just seen to serve.
///
/// `check_first`: the group runs the check before a backup instead of refusing it.
#[must_use]
pub fn by_hand(record: &Record, kind: BackupKind, check_first: bool) -> ByHand {
    match &record.phase {
        Phase::Initializing | Phase::Protected => ByHand::Free,
        // Ours serves it, and the last that was known is that the partner did: the service has not
        // seen the switch yet, or does not run. What the partner's agent wrote is not extended
        // unchecked (P6).
        Phase::Standby | Phase::CheckPending { .. } | Phase::Checking { .. } if check_first => {
            ByHand::CheckFirst
        }
        Phase::Standby | Phase::CheckPending { .. } | Phase::Checking { .. } => {
            ByHand::CheckRequired
        }
        // A full extends nothing. Of a machine that was rolled back it is the only way on: no
        // check passes before it.
        Phase::Inconsistent { .. } if kind == BackupKind::Full => ByHand::Free,
        Phase::Inconsistent { .. } | Phase::TopologyChanged { .. } => ByHand::Refused,
    }
}
