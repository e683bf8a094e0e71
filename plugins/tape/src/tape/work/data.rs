//! A data section on its way to the tape, and from one tape to the next.

use twinset_plugin_api::{DeviceError, Outcome, SpanRequest};

use crate::tape::errors::refused;
use crate::tape::head::Place;
use crate::tape::label::Label;
use crate::tape::medium::{Header, Medium, Next};

/// What is written of a section on one tape.
#[derive(Debug)]
pub(super) struct Data {
    /// Its tape file.
    pub(super) file: u32,
    /// Blocks written.
    blocks: u32,
    /// Bytes written.
    bytes: u64,
    /// Less than a block.
    pending: Vec<u8>,
    /// Byte of the section with which this tape begins.
    from: u64,
    /// The end of the tape was told of.
    told: bool,
    /// Its tape file is ended: nothing more of it goes onto this tape.
    ended: bool,
    /// The tape is closed and the next one is awaited.
    next: Option<Next>,
}

impl Data {
    pub(super) fn begin(file: u32, from: u64) -> Self {
        Self {
            file,
            blocks: 0,
            bytes: 0,
            pending: Vec::new(),
            from,
            told: false,
            ended: false,
            next: None,
        }
    }

    /// Whether anything on the tape speaks of it.
    pub(super) fn is_seen(&self) -> bool {
        self.blocks > 0 || self.from > 0 || self.next.is_some()
    }

    pub(super) fn write(&mut self, medium: &mut Medium, bytes: &[u8]) -> Result<(), DeviceError> {
        self.not_ended()?;
        let size = medium.label.block as usize;
        let (mut rest, mut taken) = (bytes, 0);
        while self.pending.len() + rest.len() >= size {
            if !self.may_go_on(medium) {
                return Err(end_of_medium(medium, taken));
            }
            let missing = size - self.pending.len();
            let (first, tail) = rest.split_at(missing);
            let place = Place {
                file: self.file,
                block: self.blocks,
            };
            let written = if self.pending.is_empty() {
                medium.write_block(place, first)
            } else {
                self.pending.extend_from_slice(first);
                medium.write_block(place, &self.pending)
            };
            if let Err(mut error) = written {
                // What was not accepted is given again.
                self.pending.truncate(size - missing);
                error.accepted = taken;
                return Err(error);
            }
            (self.blocks, self.bytes) = (self.blocks + 1, self.bytes + size as u64);
            self.pending.clear();
            rest = tail;
            taken = (bytes.len() - rest.len()) as u64;
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Behind the warning of the end, which is told once, some blocks still fit.
    fn may_go_on(&mut self, medium: &mut Medium) -> bool {
        if !medium.warned {
            return true;
        }
        let size = u64::from(medium.label.block);
        if !std::mem::replace(&mut self.told, true) || !medium.has_spare(size) {
            return false;
        }
        medium.behind += size;
        true
    }

    pub(super) fn end(
        &mut self,
        medium: &mut Medium,
        say: impl FnOnce(&mut Label),
    ) -> Result<(), DeviceError> {
        self.not_ended()?;
        self.end_file(medium)?;
        let (from, length, data) = (self.from, self.bytes, self.data());
        medium.put_data_label(self.file + u32::from(data.is_some()), |label| {
            say(label);
            label.from = from;
            label.data = data;
            label.length = length;
        })
    }

    fn not_ended(&self) -> Result<(), DeviceError> {
        match self.ended {
            true => Err(refused("the section goes on on the next tape")),
            false => Ok(()),
        }
    }

    /// Its tape file, where anything is in it.
    fn data(&self) -> Option<u32> {
        (self.blocks > 0).then_some(self.file)
    }

    /// The last block, which is shorter than the others.
    fn write_pending(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let place = Place {
            file: self.file,
            block: self.blocks,
        };
        medium.write_block(place, &self.pending)?;
        self.blocks += 1;
        self.bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Ends its tape file, once.
    fn end_file(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        if self.ended {
            return Ok(());
        }
        self.write_pending(medium)?;
        if self.blocks > 0 {
            let end = Place {
                file: self.file,
                block: self.blocks,
            };
            medium.mark(end, false)?;
        }
        self.ended = true;
        Ok(())
    }

    /// Closes the part on this tape, once. The next cartridge is chosen and looked at before, so that
    /// a run that waits for one can still be given up; and so that a tape that goes on says on which.
    pub(super) fn close(
        &mut self,
        medium: &mut Medium,
        request: &SpanRequest<'_>,
        tape: String,
        say: impl FnOnce(&mut Label),
    ) -> Result<(), DeviceError> {
        if self.next.is_some() {
            return Ok(());
        }
        let written = self.bytes + self.pending.len() as u64;
        let keep = request.cut.checked_sub(self.from);
        let Some(keep) = keep.filter(|keep| *keep <= written) else {
            let text = format!("a cut at {} does not lie on this tape", request.cut);
            return Err(refused(text));
        };
        let chosen = medium.choose_next()?;
        // What goes behind the cut is given again.
        let rest = usize::try_from(keep.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        self.pending.truncate(rest);
        self.end_file(medium)?;
        let cartridge = medium.look_at_next(chosen)?;
        let (from, over, data) = (self.from, self.bytes - keep, self.data());
        medium.close_part(
            self.file + u32::from(data.is_some()),
            request.note,
            |label| {
                say(label);
                (label.from, label.to, label.over) = (from, request.cut, over);
                label.data = data;
                label.next.clone_from(&tape);
                label.cartridge.clone_from(&cartridge);
                label.header = blake3::hash(request.header).to_hex().to_string();
            },
        )?;
        self.next = Some(Next { tape, cartridge });
        Ok(())
    }

    /// Brings the next tape in and begins there.
    pub(super) fn turn(
        &mut self,
        medium: &mut Medium,
        header: &Header<'_>,
        cut: u64,
    ) -> Result<(), DeviceError> {
        let Some(next) = &self.next else {
            return Err(refused("the tape is not closed"));
        };
        medium.turn(next, header)?;
        *self = Self::begin(medium.go_to_end()?, cut);
        Ok(())
    }
}

fn end_of_medium(medium: &Medium, taken: u64) -> DeviceError {
    let text = format!("{}: the end of the tape is near", medium.drive());
    let mut error = DeviceError::new(Outcome::END_OF_MEDIUM, text);
    error.accepted = taken;
    error
}
