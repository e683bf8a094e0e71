//! What a mirror lacks of a set, from its twins.

use std::sync::Arc;

use twinset_domain::{Fault, code, name};
use twinset_format::manifest::Manifest;
use twinset_plugin_api::SectionMode;

use crate::media::copy;
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
    let mut reader = FamilyReader::new(manifest.clone(), twins);
    let copied = copy::write_data(manifest, volume, mode, |copy| {
        while let Some(chunk) = reader.next_chunk()? {
            reader.reuse(copy.append(chunk)?);
        }
        Ok(())
    });
    copied?.ok_or_else(|| {
        let object = format!("{}, section {}", volume.place(), manifest.facts.data_name);
        Fault::new(
            code::POSITION_TAKEN,
            object,
            "the section came there meanwhile",
        )
        .remedy("run: twinset media recover")
    })
}
