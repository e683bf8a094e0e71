//! Takes one step of a repair. Every chunk is checked before it is written, every section is whole
//! and durable before it stands in its place, so a kill leaves at most a work file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::repair::{Deed, Step};
use twinset_domain::{FamilyNo, Fault, Position, Slot, chunk, code, name};
use twinset_format::manifest::Manifest;
use twinset_plugin_api::{Outcome, SectionMode};

use super::scan::Watch;
use super::truth::Truth;
use crate::device::Handle;
use crate::media::copy;
use crate::media::damage::Kind;
use crate::media::matrix::Matrix;
use crate::media::reader::{FamilyReader, read_range};
use crate::media::volume::{SmallSection, Volume};

/// Takes steps over volumes that are opened for writing.
pub struct Mender<'a> {
    matrix: &'a Matrix,
    truth: &'a Truth,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
    /// Volumes from which a dead run's unfinished work is gone.
    cleared: RefCell<BTreeSet<Slot>>,
}

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// Data bytes written.
    pub bytes: u64,
    /// Chunks of the section that no mirror has sound.
    pub lost: Vec<u64>,
}

impl<'a> Mender<'a> {
    /// For these volumes, whose locks are held, and what they should hold; `stop` is set when the
    /// operator wants it to end.
    #[must_use]
    pub const fn new(
        matrix: &'a Matrix,
        truth: &'a Truth,
        watch: &'a dyn Watch,
        stop: &'a AtomicBool,
    ) -> Self {
        let cleared = RefCell::new(BTreeSet::new());
        Self {
            matrix,
            truth,
            watch,
            stop,
            cleared,
        }
    }

    /// Takes a step. One that somebody else took meanwhile is as good.
    ///
    /// # Errors
    /// The device's; [`code::LOST`] when nothing of a section can be had any more;
    /// [`code::CANCELLED`]. Nothing half stays in its place, and the step can be taken again.
    pub fn take(&self, step: &Step) -> Result<Mended, Fault> {
        let slot = step.slot;
        let Some(volume) = self.matrix.volume(slot) else {
            return Err(Fault::new(
                code::NO_VOLUME,
                slot.to_string(),
                "the volume does not answer any more",
            )
            .remedy("bring it back and repair again"));
        };
        if self.cleared.borrow_mut().insert(slot) {
            copy::clear_work(volume)?;
        }
        let done = Ok(Mended::default());
        match &step.deed {
            Deed::PutHeader { replace } => self.header(volume, *replace).and(done),
            Deed::PutData { position } => self.data(volume, *position, SectionMode::New),
            Deed::RewriteData { position, .. } => self.data(volume, *position, SectionMode::Repair),
            Deed::PutManifest { position, replace } => {
                let manifest = self.manifest(*position, slot.family)?;
                let run = *manifest.facts.run.0.as_bytes();
                let (index, name) = (position.manifest_section(), name::MANIFEST.to_owned());
                put(volume, index, name, run, manifest.to_bytes(), *replace).and(done)
            }
            Deed::PutVoid { position, replace } => {
                let Some(void) = self.truth.voids.get(position) else {
                    return Err(gone(*position, slot.family, "void"));
                };
                let (run, name) = (*void.run.0.as_bytes(), name::void(void.sequence));
                let index = position.manifest_section();
                put(volume, index, name, run, void.to_bytes(), *replace).and(done)
            }
            Deed::RemoveData { position, .. } => {
                volume.remove_section(position.data_section())?;
                done
            }
            Deed::PutRecord {
                name,
                sequence,
                replace,
            } => self.record(volume, name, *sequence, *replace).and(done),
            Deed::RemoveRecord { name } => remove_record(volume, name).and(done),
        }
    }

    fn header(&self, volume: &Arc<Volume>, replace: bool) -> Result<(), Fault> {
        let slot = volume.slot;
        let Some(twin) = self.truth.headers.get(&slot.family) else {
            let message = "no mirror has the header of the family sound";
            return Err(Fault::new(code::HEADER_MALFORMED, volume.place(), message)
                .remedy("bring a volume of the family back"));
        };
        let mut header = twin.clone();
        header.mirror = slot.mirror;
        if !replace {
            // The first medium of the row; the others come with the sections that reach them.
            header.media_sequence = 1;
        }
        let bytes = header.to_bytes(volume.form()).map_err(|error| {
            Fault::new(
                code::HEADER_MALFORMED,
                volume.place(),
                "no header can be built",
            )
            .cause(error)
            .remedy("report this: a sound header leads to no other")
        })?;
        let run = *header.media_set.0.as_bytes();
        put(volume, 0, name::HEADER.to_owned(), run, bytes, replace)
    }

    fn record(
        &self,
        volume: &Arc<Volume>,
        name: &str,
        sequence: u64,
        replace: bool,
    ) -> Result<(), Fault> {
        let Some(record) = self.truth.chain.get(&sequence) else {
            return Err(Fault::new(code::LOST, name, "the record is on no mirror")
                .remedy("bring a missing volume back"));
        };
        if replace {
            remove_record(volume, name)?;
        }
        Ok(volume.put_record(name, &record.to_bytes())?)
    }

    fn manifest(&self, position: Position, family: FamilyNo) -> Result<&Manifest, Fault> {
        let manifest = self.truth.manifests.get(&(position, family));
        manifest
            .map(|manifest| &**manifest)
            .ok_or_else(|| gone(position, family, "manifest"))
    }

    /// Writes a data section: its own sound chunks first, then each twin's. Where it goes behind the
    /// end of a log the twins' come first: its own lie elsewhere on what is being written, perhaps
    /// on another cartridge.
    fn data(
        &self,
        volume: &Arc<Volume>,
        position: Position,
        mode: SectionMode,
    ) -> Result<Mended, Fault> {
        let manifest = self.manifest(position, volume.slot.family)?.clone();
        let mut sources: Vec<Arc<Volume>> = self
            .matrix
            .volumes()
            .filter(|twin| twin.slot.family == volume.slot.family)
            .filter(|twin| twin.slot != volume.slot || mode == SectionMode::Repair)
            .cloned()
            .collect();
        sources.sort_by_key(|twin| (twin.slot == volume.slot) != volume.can_remove());
        let mended = copy::write_data(&manifest, volume, mode, |copy| {
            self.chunks(copy, volume, manifest.clone(), sources, mode)
        })?;
        // None: somebody copied it meanwhile; the last comparison looks at it.
        Ok(mended.unwrap_or_default())
    }

    fn chunks(
        &self,
        copy: &mut copy::Copy<'_>,
        volume: &Arc<Volume>,
        manifest: Manifest,
        sources: Vec<Arc<Volume>>,
        mode: SectionMode,
    ) -> Result<Mended, Fault> {
        let facts = &manifest.facts;
        let (section, length) = (facts.position.data_section(), facts.stored_length);
        let mut mended = Mended::default();
        let mut reader = FamilyReader::new(manifest, sources);
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return Err(
                    Fault::new(code::CANCELLED, volume.place(), "stopped by the operator")
                        .remedy("repair again when it suits: it goes on where it stopped"),
                );
            }
            let (chunk, sound) = match reader.next_chunk() {
                Ok(Some(chunk)) => (chunk, true),
                Ok(None) => break,
                Err(fault) if may_stay(&reader, number) => {
                    mended.lost.push(number);
                    let Some(range) = chunk::range(number, length) else {
                        return Err(fault);
                    };
                    (own_bytes(volume, section, range, mode)?, false)
                }
                Err(fault) => return Err(fault),
            };
            let written = chunk.len() as u64;
            let chunk = copy.append(chunk)?;
            mended.bytes += written;
            self.watch.advance(written);
            if sound {
                reader.reuse(chunk);
            }
        }
        Ok(mended)
    }
}

/// Whether a chunk that nobody has sound may stay as it is, so that it holds up no other. Not where
/// a device failed: then it is not known to be lost, and nothing is written in its stead.
fn may_stay(reader: &FamilyReader, number: u64) -> bool {
    let failed = |kind: &Kind| *kind == Kind::Unreadable;
    let mut of_chunk = reader.damage().iter().filter(|d| d.chunk == Some(number));
    reader.has_source() && !of_chunk.any(|damage| failed(&damage.kind))
}

/// A lost chunk as it stands on the volume itself, filled with zeros to its length. Its hash says
/// that it is lost, here as before.
fn own_bytes(
    volume: &Arc<Volume>,
    section: u64,
    range: std::ops::Range<u64>,
    mode: SectionMode,
) -> Result<Vec<u8>, Fault> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut bytes = match mode {
        SectionMode::Repair => volume.call(move |handle| {
            handle.open_section(section)?;
            Ok(read_range(handle, range, Vec::new(), 0)?)
        })?,
        SectionMode::New => Vec::new(),
    };
    bytes.resize(length, 0);
    Ok(bytes)
}

fn put(
    volume: &Arc<Volume>,
    index: u64,
    name: String,
    run: [u8; 16],
    bytes: Vec<u8>,
    replace: bool,
) -> Result<(), Fault> {
    let mode = if replace {
        SectionMode::Repair
    } else {
        SectionMode::New
    };
    volume.put_section(SmallSection {
        index,
        name,
        run,
        bytes: Arc::new(bytes),
        mode,
    })?;
    Ok(())
}

fn remove_record(volume: &Arc<Volume>, name: &str) -> Result<(), Fault> {
    let name = name.to_owned();
    let removed = volume.call(
        move |handle: &mut Handle| match handle.remove_record(&name) {
            Err(fault) if fault.outcome == Outcome::NOT_FOUND => Ok(()),
            other => other,
        },
    );
    Ok(removed?)
}

fn gone(position: Position, family: FamilyNo, what: &str) -> Fault {
    let object = format!("position {position}, {family}");
    Fault::new(code::LOST, object, format!("its {what} is on no mirror"))
        .remedy("bring a missing volume back, or choose another set")
}
