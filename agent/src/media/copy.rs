//! A data section is written again from its twins: beside its place, whole and durable before it
//! stands there, so that a kill leaves at most a work file. What lies on several media is cut
//! where its twins are; but behind the end of a log, such as a tape, where its media are full.

use std::ops::Range;
use std::sync::Arc;

use twinset_domain::{Fault, code};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::Manifest;
use twinset_format::note::{self, Note};
use twinset_plugin_api::{Outcome, SectionMode, SectionRequest, SpanRequest};

use super::volume::{Volume, header_fault};
use crate::device::{DeviceFault, Handle};

/// Writes the data section of a manifest: `fill` writes its bytes by [`Copy::append`].
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
    fill: impl FnOnce(&mut Copy<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut copy = Copy::of(manifest, volume)?;
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
    let ended = fill(&mut copy).and_then(|filled| {
        volume.call(Handle::end_section)?;
        Ok(filled)
    });
    if ended.is_err() {
        // The first fault is the one to tell.
        let _ = volume.call(Handle::abort_section);
    }
    ended.map(Some)
}

/// Removes what a killed run left: under the lock nobody else is at it, but for a reader that leaves
/// a hold and tries again.
pub(super) fn clear_work(volume: &Arc<Volume>) -> Result<(), Fault> {
    for left in volume.leftovers()? {
        if left.run_id.is_some() {
            volume.call(move |handle: &mut Handle| handle.remove_leftover(&left.name))?;
        }
    }
    Ok(())
}

/// A data section that is being written again.
pub(super) struct Copy<'a> {
    manifest: &'a Manifest,
    volume: &'a Arc<Volume>,
    /// Header of the medium that is written, where the section lies on several.
    header: Option<MediaHeader>,
    /// First byte on the medium that is written.
    from: u64,
    /// Bytes written so far.
    at: u64,
    /// It lies elsewhere than on its twins: it is cut where a medium is full.
    freely: bool,
    /// Where it is cut, from now on.
    cuts: std::vec::IntoIter<u64>,
    cut: Option<u64>,
}

/// What one piece of bytes leads to.
enum Step {
    Write(Range<usize>),
    Span {
        cut: u64,
        note: Vec<u8>,
        header: Vec<u8>,
    },
}

impl<'a> Copy<'a> {
    fn of(manifest: &'a Manifest, volume: &'a Arc<Volume>) -> Result<Self, Fault> {
        let parts = &manifest.facts.parts;
        let mut end = 0;
        let ends = parts.iter().map(|part| {
            end += part.length;
            end
        });
        let mut cuts: Vec<u64> = ends.take(parts.len().saturating_sub(1)).collect();
        let log = volume.lane().spans() && !volume.can_remove();
        let header = if cuts.is_empty() && !log {
            None
        } else {
            let header = volume.header();
            Some(header.map_err(|problem| header_fault(&volume.place(), &problem))?)
        };
        let here = header.as_ref().map(|header| header.media_sequence);
        let freely = log && here != parts.first().map(|part| part.media_sequence);
        if freely {
            cuts.clear();
        }
        let mut cuts = cuts.into_iter();
        Ok(Self {
            manifest,
            volume,
            header,
            from: 0,
            at: 0,
            freely,
            cut: cuts.next(),
            cuts,
        })
    }

    /// Writes the next bytes, and gives their memory back.
    ///
    /// # Errors
    /// The device's.
    pub(super) fn append(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
        if self.freely {
            return self.append_freely(bytes);
        }
        let steps = self.steps(bytes.len())?;
        Ok(self.volume.call(move |handle| {
            for step in &steps {
                match step {
                    Step::Write(range) => {
                        write(handle, bytes.get(range.clone()).unwrap_or_default())?;
                    }
                    Step::Span { cut, note, header } => handle.span(&SpanRequest {
                        cut: *cut,
                        note,
                        header,
                    })?,
                }
            }
            Ok(bytes)
        })?)
    }

    /// Goes on on a further medium as soon as one is full.
    fn append_freely(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let (bytes, mut done, mut fresh) = (Arc::new(bytes), 0, false);
        while done < bytes.len() {
            let piece = Arc::clone(&bytes);
            let written = self
                .volume
                .call(move |handle| handle.write(piece.get(done..).unwrap_or_default()));
            let taken = match &written {
                Ok(()) => (bytes.len() - done) as u64,
                Err(fault) if fault.outcome == Outcome::END_OF_MEDIUM => fault.accepted,
                Err(_) => 0,
            };
            self.at += taken;
            done += usize::try_from(taken).unwrap_or(usize::MAX);
            match written {
                Ok(()) => {}
                Err(fault) if fault.is_full() && !(fresh && taken == 0) => {
                    if let Step::Span { cut, note, header } = self.span(self.at)? {
                        self.volume.call(move |handle| {
                            handle.span(&SpanRequest {
                                cut,
                                note: &note,
                                header: &header,
                            })
                        })?;
                    }
                    self.from = self.at;
                    fresh = true;
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Arc::unwrap_or_clone(bytes))
    }

    fn steps(&mut self, length: usize) -> Result<Vec<Step>, Fault> {
        let (mut steps, mut done) = (Vec::new(), 0);
        let end = self.at + length as u64;
        while let Some(cut) = self.cut.filter(|cut| *cut < end) {
            let upto = usize::try_from(cut - self.at).unwrap_or(length);
            steps.push(Step::Write(done..upto));
            done = upto;
            steps.push(self.span(cut)?);
            self.from = cut;
            self.cut = self.cuts.next();
        }
        steps.push(Step::Write(done..length));
        self.at = end;
        Ok(steps)
    }

    fn span(&mut self, cut: u64) -> Result<Step, Fault> {
        let facts = &self.manifest.facts;
        let Some(header) = &mut self.header else {
            return Err(Fault::new(
                code::INTERNAL,
                self.volume.place(),
                "no header to go on with",
            ));
        };
        let note = Note::new(note::Draft {
            media_set: facts.media_set,
            position: facts.position,
            run: facts.run,
            family: facts.family,
            media_sequence: header.media_sequence,
            bytes: self.from..cut,
            data_name: facts.data_name.clone(),
            written: facts.written,
        });
        *header = header.next(header.mirror, facts.written);
        Ok(Step::Span {
            cut,
            note: note.to_bytes(),
            header: next_header(header, self.volume)?,
        })
    }
}

/// The bytes of a header that was made from a sound one.
///
/// # Errors
/// [`code::INTERNAL`]: it cannot be longer than the one that it was made from.
pub(super) fn next_header(header: &MediaHeader, volume: &Volume) -> Result<Vec<u8>, Fault> {
    header.to_bytes(volume.form()).map_err(|error| {
        Fault::new(
            code::INTERNAL,
            volume.place(),
            "no header for the next medium",
        )
        .cause(error)
    })
}

/// Writes on behind the warning of a medium's end, where the device has a next one: the cut of the
/// twins decides, not the warning.
fn write(handle: &mut Handle, bytes: &[u8]) -> Result<(), DeviceFault> {
    match handle.write(bytes) {
        Err(fault) if handle.spans() && fault.outcome == Outcome::END_OF_MEDIUM => {
            let taken = usize::try_from(fault.accepted).unwrap_or(usize::MAX);
            handle.write(bytes.get(taken..).unwrap_or_default())
        }
        other => other,
    }
}
