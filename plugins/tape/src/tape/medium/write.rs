//! Small files behind all others, and giving up what was not ended.

use twinset_plugin_api::DeviceError;

use super::Medium;
use crate::tape::errors::refused;
use crate::tape::head::{Head, Place};
use crate::tape::label::{Kind, Label};
use crate::tape::source::Source;

impl Medium {
    /// Writes a small file behind all others, durable when this returns: a label that `say` fills
    /// and the content.
    pub(crate) fn append(
        &mut self,
        kind: Kind,
        content: &[u8],
        say: impl FnOnce(&mut Label),
    ) -> Result<(), DeviceError> {
        let file = self.go_to_end()?;
        let mut label = self.new_label(file, kind);
        label.length = content.len() as u64;
        if !content.is_empty() {
            label.hash = blake3::hash(content).to_hex().to_string();
        }
        say(&mut label);
        self.write_small(&label, content)
    }

    pub(super) fn new_label(&self, file: u32, kind: Kind) -> Label {
        Label::new(&self.label.tape, file, kind)
    }

    pub(super) fn write_small(&mut self, label: &Label, content: &[u8]) -> Result<(), DeviceError> {
        let Some(first) = label.to_block() else {
            return Err(refused(format!(
                "{}: the name is too long for a label",
                label.name
            )));
        };
        let (file, size) = (label.file, self.label.block as usize);
        let blocks = std::iter::once(first.as_slice()).chain(content.chunks(size));
        let mut end = Place { file, block: 0 };
        for bytes in blocks {
            self.write_block(end, bytes)?;
            end.block += 1;
        }
        self.mark(end, true)?;
        // What was to be written over is gone.
        self.index.files = file + 1;
        self.index.gap = None;
        let (tape, size) = (self.label.sequence, self.label.block);
        self.index.take(tape, label, 1, content.to_vec(), size);
        Ok(())
    }

    /// Says of a data section in the tape file before that it is whole; durable with it.
    pub(crate) fn put_data_label(
        &mut self,
        file: u32,
        say: impl FnOnce(&mut Label),
    ) -> Result<(), DeviceError> {
        let mut label = self.new_label(file, Kind::Data);
        label.block = self.label.block;
        say(&mut label);
        self.write_small(&label, &[])
    }

    /// Gives unfinished tape files up from one on: they are written over where nothing that is kept
    /// lies behind them, else a label says so.
    pub(crate) fn give_up(&mut self, from: u32) -> Result<(), DeviceError> {
        self.ready()?;
        let end = self.index.files + u32::from(self.index.torn);
        let only_loose = (from..end).all(|file| self.index.loose.contains(&file));
        let worm = self.head.drive.facts().worm;
        if !only_loose || worm {
            return self.append(Kind::Gap, &[], |label| label.data = Some(from));
        }
        self.cut(from)
    }

    /// Takes back what an open section wrote from a tape file on.
    pub(crate) fn undo(&mut self, file: u32) -> Result<(), DeviceError> {
        let worm = self.head.drive.facts().worm;
        // Where it cannot be written over, the tape is read again to see what is there.
        let look = self.suspect || worm;
        self.suspect |= worm;
        self.ready()?;
        match look {
            true if self.index.files <= file && !self.index.torn => Ok(()),
            true if worm && !self.index.loose.contains(&file) => Ok(()),
            true if worm => self.give_up(file),
            _ => self.cut(file),
        }
    }

    /// Writes over everything from a tape file on: afterwards nothing is there but a gap.
    pub(crate) fn cut(&mut self, file: u32) -> Result<(), DeviceError> {
        self.ready()?;
        let place = Place { file, block: 0 };
        self.head
            .go_to(place)
            .map_err(|errno| self.fail("position", errno))?;
        let noted = self.head.note_start();
        noted.map_err(|errno| self.fail("ask", errno))?;
        self.index.forget_from(self.label.sequence, file);
        let mut label = self.new_label(file, Kind::Gap);
        label.data = Some(file);
        self.write_small(&label, &[])
    }

    /// Removes a section, all that are higher, and every record that lies behind.
    pub(crate) fn truncate(&mut self, from: u64) -> Result<(), DeviceError> {
        self.ready()?;
        let tape = self.label.sequence;
        let firsts = self.index.sections.iter();
        let mut firsts = firsts.filter_map(|(index, s)| Some((*index, s.first_file(tape)?)));
        let cut = match from {
            1 => Some(1).filter(|_| self.index.files > 1 || self.index.torn),
            _ => firsts
                .clone()
                .filter(|(i, _)| *i >= from)
                .map(|(_, file)| file)
                .min(),
        };
        let Some(cut) = cut else { return Ok(()) };
        let kept = firsts.any(|(index, file)| index < from && file >= cut);
        let mut records = self.index.records.values();
        let records = records.any(|record| record.tape == tape && record.file >= cut);
        if kept || (records && from > 1) {
            let text = format!("{}: behind section {from} lies what is kept", self.drive());
            return Err(refused(text));
        }
        self.cut(cut)
    }

    /// Gives the whole tape free; it is of no volume afterwards.
    pub(crate) fn free(mut self) -> Result<(Head, Box<dyn Source>), DeviceError> {
        self.ready()?;
        let tape = self.label.tape.clone();
        self.give_free(&tape)?;
        self.head.lose();
        Ok((self.head, self.source))
    }

    /// Writes over the head of the tape in the drive, of this id, that it is of no volume.
    pub(super) fn give_free(&mut self, tape: &str) -> Result<(), DeviceError> {
        let label = Label::new(tape, 0, Kind::Free);
        let mut write = || {
            self.head.rewind()?;
            self.head.write(&label.to_block().unwrap_or_default())?;
            self.head.mark(true)
        };
        let written = write();
        written.map_err(|errno| self.fail("give free", errno))
    }
}
