//! A family that goes on on further media: where all mirrors are cut, and how the page is turned.
//!
//! A mirror that meets the end of its medium is parked with what its device did not take. The
//! others write what they were given, the parked one tries to, and then all go on at one byte: the
//! last that was given out where every mirror took it, else the first that one did not take
//! (design 4.1). What a mirror wrote behind that byte does not count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use twinset_domain::span::{self, Cut, Stand};
use twinset_domain::{Fault, MirrorNo, Moment};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::Part;
use twinset_format::note::{self, Note};
use twinset_plugin_api::{Outcome, SpanRequest};

use super::FamilyWriter;
use crate::device::{DeviceFault, Handle};
use crate::media::copy::next_header;
use crate::media::patience::ASK_AGAIN;
use crate::media::volume::{Volume, header_fault, own_fault};

/// The media of one family under a section.
#[derive(Default)]
pub(super) struct Row {
    /// Header of the medium that each mirror writes.
    headers: BTreeMap<MirrorNo, MediaHeader>,
    /// Full media, in order.
    parts: Vec<Part>,
    /// Bytes of the section on full media.
    cut: u64,
    /// Bytes of the section that were given to the mirrors.
    pub(super) sent: u64,
}

impl Row {
    /// The headers of a family's volumes, whose devices go on on further media.
    ///
    /// # Errors
    /// A header that cannot be read.
    pub(super) fn of(mirrors: &[Arc<Volume>]) -> Result<Self, Fault> {
        let header = |volume: &Arc<Volume>| {
            let header = volume.header();
            let header = header.map_err(|problem| header_fault(&volume.place(), &problem))?;
            Ok((volume.slot.mirror, header))
        };
        Ok(Self {
            headers: mirrors.iter().map(header).collect::<Result<_, Fault>>()?,
            ..Self::default()
        })
    }

    /// What each medium holds of a section; nothing where one holds it whole.
    pub(super) fn into_parts(self, length: u64) -> Vec<Part> {
        let mut parts = self.parts;
        if let Some(last) = parts.last() {
            let media_sequence = last.media_sequence + 1;
            parts.push(Part {
                media_sequence,
                length: length - self.cut,
            });
        }
        parts
    }
}

fn stand(volume: &Volume) -> Stand {
    Stand {
        taken: volume.lane().taken(),
        full: volume.lane().is_parked(),
    }
}

impl FamilyWriter<'_> {
    /// A mirror whose last medium was begun by a run that died has one more than its twins: they
    /// follow, so that corresponding media hold the same again.
    pub(super) fn level(&mut self) -> Result<(), Fault> {
        let Some(row) = &self.row else { return Ok(()) };
        let live = self.ledger.live();
        let of_live = row
            .headers
            .iter()
            .filter(|(mirror, _)| live.contains(mirror));
        let Some(model) = of_live
            .map(|(_, header)| header)
            .max_by_key(|h| h.media_sequence)
        else {
            return Ok(());
        };
        let (model, most) = (model.clone(), model.media_sequence);
        loop {
            let behind = |volume: &Arc<Volume>| {
                let header = self.row.as_ref()?.headers.get(&volume.slot.mirror)?;
                (header.media_sequence < most).then(|| Arc::clone(volume))
            };
            let behind: Vec<_> = self.live().filter_map(behind).collect();
            if behind.is_empty() {
                return Ok(());
            }
            self.span(&behind, 0, model.written)?;
        }
    }

    /// Turns the page where a mirror has met the end of its medium.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain; that no medium was to be had.
    pub(super) fn follow(&mut self) -> Result<(), Fault> {
        while self.row.is_some() && self.live().any(|volume| volume.lane().is_parked()) {
            self.turn(true)?;
        }
        Ok(())
    }

    /// Waits until everything that was given out is written, on as many media as that takes.
    ///
    /// # Errors
    /// As [`FamilyWriter::follow`].
    pub(super) fn write_out(&mut self) -> Result<(), Fault> {
        while self.row.is_some() {
            self.come_to_rest()?;
            if !self.live().any(|volume| volume.lane().is_parked()) {
                break;
            }
            self.turn(false)?;
        }
        Ok(())
    }

    /// One page. Where nothing more is to come, what the medium takes behind its warning will do.
    fn turn(&mut self, more: bool) -> Result<(), Fault> {
        for volume in self.live() {
            volume.lane().press_on();
        }
        self.come_to_rest()?;
        let live: Vec<Arc<Volume>> = self.live().cloned().collect();
        let stands: Vec<Stand> = live.iter().map(|volume| stand(volume)).collect();
        let Some(row) = &self.row else { return Ok(()) };
        let begun = (!row.parts.is_empty()).then_some(row.cut);
        let (cut, holder) = match span::cut(row.sent, begun, &stands, more) {
            Cut::None => return Ok(()),
            Cut::At { byte, holder } => (byte, holder.and_then(|holder| live.get(holder))),
            Cut::Stuck(mirror) => {
                let label = live.get(mirror).map_or("", |volume| volume.label.as_str());
                let text = "a fresh medium takes nothing".to_owned();
                let fault = own_fault(label, "write", Outcome::END_OF_MEDIUM, text);
                return Err(self.mirror_fault(fault));
            }
        };
        let model = live
            .first()
            .and_then(|volume| row.headers.get(&volume.slot.mirror));
        let Some(media_sequence) = model.map(|header| header.media_sequence) else {
            return Ok(());
        };
        let held = holder.map(|volume| volume.lane().take_held());
        let held = held.unwrap_or_default();
        for volume in &live {
            drop(volume.lane().take_held());
        }
        self.span(&live, cut, self.facts.started)?;
        if let Some(row) = &mut self.row {
            row.parts.push(Part {
                media_sequence,
                length: cut - row.cut,
            });
            row.cut = cut;
        }
        for volume in self.live() {
            volume.lane().go_on(cut);
            for lease in &held {
                volume.lane().write(lease.clone());
            }
        }
        Ok(())
    }

    /// Waits until every mirror has written what it was given, or can write no more.
    fn come_to_rest(&self) -> Result<(), Fault> {
        loop {
            for volume in self.live() {
                volume.lane().enforce_deadline();
            }
            self.check()?;
            let Some(busy) = self.live().find(|volume| !volume.lane().rests()) else {
                return Ok(());
            };
            busy.lane().wait_moved();
        }
    }

    /// Brings the next medium in on some mirrors: header and note are the same on all of them but
    /// for the mirror's number.
    fn span(&mut self, mirrors: &[Arc<Volume>], cut: u64, written: Moment) -> Result<(), Fault> {
        let Some(row) = &self.row else { return Ok(()) };
        let mut orders = Vec::new();
        for volume in mirrors {
            let mirror = volume.slot.mirror;
            let Some(header) = row.headers.get(&mirror) else {
                continue;
            };
            let next = header.next(mirror, written);
            let note = Note::new(note::Draft {
                media_set: self.facts.media_set,
                position: self.facts.position,
                run: self.facts.run,
                family: self.family,
                media_sequence: header.media_sequence,
                bytes: row.cut..cut,
                data_name: self.facts.data_name(),
                written: self.facts.started,
            });
            let bytes = next_header(&next, volume)?;
            orders.push((
                Arc::clone(volume),
                next,
                Arc::new(bytes),
                Arc::new(note.to_bytes()),
            ));
        }
        let begun = Instant::now();
        let mut told = BTreeMap::new();
        while !orders.is_empty() {
            let pending: Vec<_> = orders
                .iter()
                .map(|(volume, _, header, note)| {
                    let (header, note) = (Arc::clone(header), Arc::clone(note));
                    volume.lane().submit_first(move |handle: &mut Handle| {
                        handle.span(&SpanRequest {
                            cut,
                            note: &note,
                            header: &header,
                        })
                    })
                })
                .collect();
            let mut again = Vec::new();
            for (order, pending) in orders.into_iter().zip(pending) {
                let (volume, next) = (&order.0, &order.1);
                let mirror = volume.slot.mirror;
                match pending.wait().and_then(|outcome| outcome) {
                    Ok(()) => {
                        let text = format!("{}: medium {}", volume.place(), next.media_sequence);
                        self.watch.progress.note(&text);
                        if let Some(row) = &mut self.row {
                            row.headers.insert(mirror, next.clone());
                        }
                    }
                    Err(fault) if self.waits_for(volume, &fault, begun, &mut told) => {
                        again.push(order);
                    }
                    Err(fault) => self.lose(volume, fault)?,
                }
            }
            orders = again;
            if !orders.is_empty() {
                self.watch.pause(ASK_AGAIN)?;
            }
        }
        Ok(())
    }

    /// Whether the operator may still bring what the device asks for. Each wish is told once.
    fn waits_for(
        &self,
        volume: &Volume,
        fault: &DeviceFault,
        begun: Instant,
        told: &mut BTreeMap<MirrorNo, String>,
    ) -> bool {
        if fault.outcome != Outcome::NEEDS_OPERATOR || begun.elapsed() >= volume.medium_wait {
            return false;
        }
        if told.get(&volume.slot.mirror) != Some(&fault.text) {
            self.watch.progress.operator(&volume.place(), &fault.text);
            told.insert(volume.slot.mirror, fault.text.clone());
        }
        true
    }
}
