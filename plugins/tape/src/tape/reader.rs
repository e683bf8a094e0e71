//! A closed section, read.

use std::sync::Arc;

use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::refused;
use super::head::Place;
use super::index::{Lies, Part, Section};
use super::medium::Medium;

/// An open section.
#[derive(Debug)]
pub(crate) struct Reader {
    index: u64,
    content: Content,
    length: u64,
    position: u64,
    /// The block that was read last and is not used up, and its tape and where it begins in
    /// the section.
    block: Vec<u8>,
    block_at: Option<(u32, u64)>,
}

#[derive(Debug)]
enum Content {
    Memory(Arc<Vec<u8>>),
    Parts(Vec<Part>),
}

impl Reader {
    pub(crate) fn open(
        medium: &mut Medium,
        index: u64,
        section: &Section,
    ) -> Result<Self, DeviceError> {
        let content = match &section.lies {
            Lies::Data(parts) => Content::Parts(parts.clone()),
            Lies::Small(small) => Content::Memory(Arc::new(medium.read_small(small)?)),
        };
        let length = match &content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Parts(_) => section.length(),
        };
        Ok(Self {
            index,
            content,
            length,
            position: 0,
            block: Vec::new(),
            block_at: None,
        })
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Moves to `offset`, at most the end. The tape moves with the next read.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        if offset > self.length {
            let text = format!(
                "seek to {offset} of section {}: it ends at {}",
                self.index, self.length
            );
            return Err(DeviceError::new(Outcome::END_OF_SECTION, text));
        }
        self.position = offset;
        Ok(())
    }

    /// Reads some bytes; 0 at the end.
    pub(crate) fn read(
        &mut self,
        medium: &mut Medium,
        buffer: &mut [u8],
    ) -> Result<usize, DeviceError> {
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let read = match &self.content {
            Content::Memory(bytes) => {
                let from = usize::try_from(self.position).unwrap_or(usize::MAX);
                copy(bytes.get(from..).unwrap_or_default(), buffer)
            }
            Content::Parts(parts) => {
                let position = self.position;
                let part = parts
                    .iter()
                    .find(|part| position >= part.from && position - part.from < part.length);
                let Some(part) = part.cloned() else {
                    return Err(refused(format!("section {} has a hole", self.index)));
                };
                self.read_part(medium, &part, buffer)?
            }
        };
        self.position += read as u64;
        Ok(read)
    }

    fn read_part(
        &mut self,
        medium: &mut Medium,
        part: &Part,
        buffer: &mut [u8],
    ) -> Result<usize, DeviceError> {
        let Some(file) = part.file else { return Ok(0) };
        let size = u64::from(part.block.max(1));
        let within = self.position - part.from;
        let (number, skip) = (within / size, within % size);
        // The block may be longer than what counts of it.
        let expected = size.min(part.length + part.over - number * size);
        let counts = size.min(part.length - number * size).min(expected);
        let begins = part.from + number * size;
        let skip = usize::try_from(skip).unwrap_or(0);
        let length = usize::try_from(expected).unwrap_or(0);
        let counts = usize::try_from(counts).unwrap_or(0);
        if self.block_at == Some((part.tape, begins)) && self.block.len() == counts {
            return Ok(copy(self.block.get(skip..).unwrap_or_default(), buffer));
        }
        let block = u32::try_from(number).unwrap_or(u32::MAX);
        let place = Place { file, block };
        let straight = skip == 0 && buffer.len() >= length && counts == length;
        if straight {
            let got = medium.read_block(
                part.tape,
                place,
                buffer.get_mut(..length).unwrap_or_default(),
            )?;
            return self.whole(got, length, place);
        }
        self.block.resize(length, 0);
        let got = medium.read_block(part.tape, place, &mut self.block);
        let whole = got.and_then(|got| self.whole(got, length, place));
        match whole {
            Ok(0) => {
                self.block.clear();
                Ok(0)
            }
            Ok(_) => {
                self.block_at = Some((part.tape, begins));
                self.block.truncate(counts);
                Ok(copy(self.block.get(skip..).unwrap_or_default(), buffer))
            }
            Err(error) => {
                self.block.clear();
                Err(error)
            }
        }
    }

    /// A block that is shorter than it was written is another one.
    fn whole(&self, got: usize, length: usize, place: Place) -> Result<usize, DeviceError> {
        if got == length || got == 0 {
            return Ok(got);
        }
        Err(refused(format!(
            "section {}: block {} of tape file {} has {got} bytes, {length} were written",
            self.index, place.block, place.file
        )))
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let length = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
        to.copy_from_slice(from);
    }
    length
}
