//! What a volume holds, copied onto another device as it is: header, sections, records.
//!
//! The copy is read in its original's place while there are fewer drives than families. It proves
//! itself as every volume does: by the manifests and their chunk hashes.

use std::sync::Arc;

use twinset_domain::name::{self, HoldName};
use twinset_domain::{Fault, chunk, code};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::{self, Manifest};
use twinset_plugin_api::{Outcome, SectionMode};

use super::copy::{Copy, clear_work, write_data};
use super::damage::Damage;
use super::format::put_header;
use super::reader::FamilyReader;
use super::volume::{SmallSection, Volume};

/// Told of bytes that were copied; an error ends the copy.
pub type Advance<'a> = &'a mut dyn FnMut(u64) -> Result<(), Fault>;

/// Makes the copy's volume and mounts it, or mounts the one that was begun before.
///
/// # Errors
/// The device's; [`Outcome::EXISTS`] when another volume is there.
pub fn begin(header: &MediaHeader, into: &Arc<Volume>) -> Result<(), Fault> {
    match into.mount(header.media_set) {
        Err(fault) if fault.outcome == Outcome::NO_MEDIUM => into.mount_blank(header.media_set)?,
        other => other?,
    }
    // A spool that was killed may have left half a section.
    clear_work(into)?;
    put_header(into, header)
}

/// Copies a set: its data, then its manifest, so that a copy with a manifest is whole. Chunks that
/// the original does not give soundly are left as zeros and told of: their hashes tell them to
/// every reader, who takes them from a twin.
///
/// # Errors
/// The copy's device's, `advance`'s, and [`code::LOST`] when the original has nothing of the data.
pub fn set(
    manifest: &Manifest,
    from: &Arc<Volume>,
    into: &Arc<Volume>,
    advance: Advance<'_>,
) -> Result<Vec<Damage>, Fault> {
    let position = manifest.facts.position;
    // Half a copy, or one of a set that another one took the place of since.
    into.remove_section(position.manifest_section())?;
    into.remove_section(position.data_section())?;
    // Wherever the original was cut, the copy is not.
    let mut whole = manifest.clone();
    whole.facts.parts.clear();
    let reader = FamilyReader::new(manifest.clone(), vec![Arc::clone(from)]);
    let copied = write_data(&whole, into, SectionMode::New, |copy| {
        data(reader, copy, advance)
    })?;
    let index = position.manifest_section();
    into.put_section(SmallSection {
        index,
        name: name::MANIFEST.to_owned(),
        run: *manifest.facts.run.0.as_bytes(),
        bytes: Arc::new(from.read_section(index, manifest::MAX_BYTES)?),
        mode: SectionMode::New,
    })?;
    Ok(copied.unwrap_or_default())
}

fn data(
    mut reader: FamilyReader,
    copy: &mut Copy<'_>,
    advance: Advance<'_>,
) -> Result<Vec<Damage>, Fault> {
    let length = reader.length();
    for number in 0.. {
        let Some(range) = chunk::range(number, length) else {
            break;
        };
        let bytes = range.end - range.start;
        let chunk = match reader.next_chunk() {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(fault) if fault.code == code::LOST && reader.has_source() => {
                vec![0; usize::try_from(bytes).unwrap_or_default()]
            }
            Err(fault) => return Err(fault),
        };
        let chunk = copy.append(chunk)?;
        reader.reuse(chunk);
        advance(bytes)?;
    }
    Ok(reader.finish().damage)
}

/// Copies every record: verdicts come last, behind what they speak of. Holds are promises to the
/// original's keepers, and stay there.
///
/// # Errors
/// A device's.
pub fn records(from: &Volume, into: &Volume) -> Result<(), Fault> {
    let records = from.records()?.into_iter();
    for entry in records.filter(|entry| HoldName::parse(&entry.name).is_none()) {
        into.put_record(&entry.name, &from.record(&entry.name)?)?;
    }
    Ok(())
}
