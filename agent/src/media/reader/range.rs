//! A range of a section, and what was read of it before another medium was needed.

use std::ops::Range;

use twinset_plugin_api::Outcome;

use crate::device::{DeviceFault, Handle};

/// A read that failed on its way.
pub(in crate::media) struct Broken {
    pub(in crate::media) fault: DeviceFault,
    /// What was read before.
    pub(in crate::media) bytes: Vec<u8>,
}

impl From<DeviceFault> for Broken {
    fn from(fault: DeviceFault) -> Self {
        Self {
            fault,
            bytes: Vec::new(),
        }
    }
}

impl From<Broken> for DeviceFault {
    fn from(broken: Broken) -> Self {
        broken.fault
    }
}

/// Reads a range of the open section, of which `filled` bytes are in the buffer already; fewer bytes
/// when the section ends within it.
pub(in crate::media) fn read_range(
    handle: &mut Handle,
    range: Range<u64>,
    mut buffer: Vec<u8>,
    mut filled: usize,
) -> Result<Vec<u8>, Broken> {
    match handle.seek(range.start + filled as u64) {
        // The section ends before the range begins: no byte of it is there.
        Err(fault) if fault.outcome == Outcome::END_OF_SECTION => {
            buffer.truncate(filled);
            return Ok(buffer);
        }
        other => other?,
    }
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    buffer.resize(length, 0);
    let mut broken = None;
    while filled < length && broken.is_none() {
        match handle.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(fault) => broken = Some(fault),
        }
    }
    buffer.truncate(filled);
    match broken {
        None => Ok(buffer),
        Some(fault) => Err(Broken {
            fault,
            bytes: buffer,
        }),
    }
}
