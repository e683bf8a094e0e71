//! Knobs of the opening of virtual devices (facts/vdi.md 5, rows 5, 6, 11).

use crate::instance::faults::Faults;
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::{DeviceKind, Plan, messages};
use crate::tds::tokens::ServerMessage;

/// HRESULT of E_OUTOFMEMORY in the form of Win32.
const OUT_OF_MEMORY: u32 = 0x8007_000E;

/// Why the devices of a statement cannot be opened, where a knob says so.
pub(super) fn refusal(plan: &Plan, sizes: Sizes, faults: &Faults) -> Option<ServerMessage> {
    let first = plan
        .devices
        .first()
        .filter(|_| plan.kind == DeviceKind::Virtual)?;
    let wanted = u64::from(sizes.buffers.max(1)) * u64::from(sizes.transfer);
    let lacks = faults.vdi_memory.is_some_and(|memory| wanted > memory);
    let code = faults.open_fails.or(lacks.then_some(OUT_OF_MEMORY))?;
    Some(messages::cannot_open(first, code.cast_signed()))
}
