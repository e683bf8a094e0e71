//! A data section is written again from its twins: beside its place, whole and durable before it
//! stands there, so that a kill leaves at most a work file.

use std::sync::Arc;

use twinset_domain::Fault;
use twinset_format::manifest::Manifest;
use twinset_plugin_api::{Outcome, SectionMode, SectionRequest};

use super::volume::Volume;
use crate::device::Handle;

/// Writes the data section of a manifest: `fill` writes its bytes by [`append`].
///
/// `None` when the section is in its place already and is not to be replaced.
///
/// # Errors
/// The device's and `fill`'s; then the section is given up, and what stays of it is work that the
/// next recovery or repair removes.
pub(super) fn write_data<T>(
    manifest: &Manifest,
    volume: &Arc<Volume>,
    mode: SectionMode,
    fill: impl FnOnce() -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let facts = &manifest.facts;
    let (index, name) = (facts.position.data_section(), facts.data_name.clone());
    let (run_id, length) = (*facts.run.0.as_bytes(), facts.stored_length);
    let begun = volume.call(move |handle| {
        handle.begin_section(&SectionRequest {
            index,
            name: &name,
            run_id,
            expected_length: Some(length),
            mode,
        })
    });
    match begun {
        Err(fault) if fault.outcome == Outcome::EXISTS => return Ok(None),
        other => other?,
    }
    let ended = fill().and_then(|filled| {
        volume.call(Handle::end_section)?;
        Ok(filled)
    });
    if ended.is_err() {
        // The first fault is the one to tell.
        let _ = volume.call(Handle::abort_section);
    }
    ended.map(Some)
}

/// Writes the next bytes of the open section, and gives their memory back.
///
/// # Errors
/// The device's.
pub(super) fn append(volume: &Arc<Volume>, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
    Ok(volume.call(move |handle| handle.write(&bytes).map(|()| bytes))?)
}
