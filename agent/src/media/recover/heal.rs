//! What a mirror lacks of a set, from its twins.

use std::sync::Arc;

use twinset_domain::{Fault, name};
use twinset_format::manifest::Manifest;
use twinset_plugin_api::{SectionMode, SectionRequest};

use crate::device::Handle;
use crate::media::reader::FamilyReader;
use crate::media::volume::{SmallSection, Volume};

/// Puts a manifest into its place where it is not there bit by bit.
pub(super) fn put_manifest(volume: &Volume, manifest: &Manifest) -> Result<(), Fault> {
    let bytes = manifest.to_bytes();
    let index = manifest.facts.position.manifest_section();
    let there = volume.read_section(index, bytes.len() as u64).ok();
    let mode = match there {
        Some(there) if there == bytes => return Ok(()),
        Some(_) => SectionMode::Repair,
        None if volume.sections()?.iter().any(|s| s.index == index) => SectionMode::Repair,
        None => SectionMode::New,
    };
    let (name, run) = (name::MANIFEST.to_owned(), *manifest.facts.run.0.as_bytes());
    volume.put_section(SmallSection {
        index,
        name,
        run,
        bytes: Arc::new(bytes),
        mode,
    })?;
    Ok(())
}

/// Whether the data section on a volume is what its manifest says.
pub(super) fn is_sound(manifest: &Manifest, volume: &Arc<Volume>) -> bool {
    let mut reader = FamilyReader::new(manifest.clone(), vec![Arc::clone(volume)]);
    loop {
        match reader.next_chunk() {
            Ok(Some(chunk)) => reader.reuse(chunk),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Copies a data section from its twins, chunk by chunk, each checked.
pub(super) fn copy_data(
    manifest: &Manifest,
    twins: Vec<Arc<Volume>>,
    volume: &Arc<Volume>,
    mode: SectionMode,
) -> Result<(), Fault> {
    let facts = &manifest.facts;
    let (index, name) = (facts.position.data_section(), facts.data_name.clone());
    let (run_id, expected) = (*facts.run.0.as_bytes(), facts.stored_length);
    volume.call(move |handle| {
        let expected_length = Some(expected);
        handle.begin_section(&SectionRequest {
            index,
            name: &name,
            run_id,
            expected_length,
            mode,
        })
    })?;
    let mut reader = FamilyReader::new(manifest.clone(), twins);
    let copied = copy_chunks(&mut reader, volume);
    match copied {
        Ok(()) => Ok(volume.call(Handle::end_section)?),
        Err(fault) => {
            // The first fault is the one to tell; what stays is work that recover removes.
            let _ = volume.call(Handle::abort_section);
            Err(fault)
        }
    }
}

fn copy_chunks(reader: &mut FamilyReader, volume: &Arc<Volume>) -> Result<(), Fault> {
    while let Some(chunk) = reader.next_chunk()? {
        let chunk = volume.call(move |handle| handle.write(&chunk).map(|()| chunk))?;
        reader.reuse(chunk);
    }
    Ok(())
}
