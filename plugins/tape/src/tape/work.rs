//! An open section.

use twinset_plugin_api::{DeviceError, Outcome, SectionMode, SectionRequest};

use super::errors::refused;
use super::head::Place;
use super::label::{Kind, hex};
use super::medium::Medium;

/// Longest section of even number, in bytes: such are kept in memory until they end, because
/// their label stands before them.
const SMALL_MAX: usize = 192 << 20;

/// A section that was begun.
#[derive(Debug)]
pub(crate) struct Work {
    /// Its number.
    pub(crate) index: u64,
    pub(crate) name: String,
    pub(crate) run: String,
    kind: How,
}

#[derive(Debug)]
enum How {
    /// In memory.
    Small(Vec<u8>),
    /// On the tape.
    Data {
        /// Its tape file.
        file: u32,
        /// Blocks written.
        blocks: u32,
        /// Bytes written.
        bytes: u64,
        /// Less than a block.
        pending: Vec<u8>,
    },
}

impl Work {
    /// Begins a section. Odd numbers are data: they go to the tape as they come.
    pub(crate) fn begin(
        medium: &mut Medium,
        request: &SectionRequest<'_>,
    ) -> Result<Self, DeviceError> {
        if request.mode == SectionMode::New && medium.index.sections.contains_key(&request.index) {
            let text = format!("section {} exists", request.index);
            return Err(DeviceError::new(Outcome::EXISTS, text));
        }
        let kind = if request.index % 2 == 1 {
            How::Data {
                file: medium.go_to_end()?,
                blocks: 0,
                bytes: 0,
                pending: Vec::new(),
            }
        } else {
            How::Small(Vec::new())
        };
        Ok(Self {
            index: request.index,
            name: request.name.to_owned(),
            run: hex(&request.run_id),
            kind,
        })
    }

    /// A section that stays in memory, for a tape that is not labelled yet.
    pub(crate) fn small(request: &SectionRequest<'_>) -> Self {
        Self {
            index: request.index,
            name: request.name.to_owned(),
            run: hex(&request.run_id),
            kind: How::Small(Vec::new()),
        }
    }

    /// The bytes of a section that is kept in memory.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.kind {
            How::Small(content) => Some(content),
            How::Data { .. } => None,
        }
    }

    /// Takes all of `bytes`, or says how many it took: whole blocks of the section.
    pub(crate) fn write(
        &mut self,
        medium: Option<&mut Medium>,
        bytes: &[u8],
    ) -> Result<(), DeviceError> {
        let (file, blocks, total, pending) = match (&mut self.kind, &medium) {
            (How::Small(content), _) if content.len() + bytes.len() <= SMALL_MAX => {
                content.extend_from_slice(bytes);
                return Ok(());
            }
            (
                How::Data {
                    file,
                    blocks,
                    bytes,
                    pending,
                },
                Some(_),
            ) => (*file, blocks, bytes, pending),
            _ => return Err(refused(format!("section {} is too long", self.index))),
        };
        let Some(medium) = medium else {
            return Err(refused("no tape is mounted"));
        };
        let size = medium.label.block as usize;
        let mut rest = bytes;
        while pending.len() + rest.len() >= size {
            let missing = size - pending.len();
            let (head, tail) = rest.split_at(missing);
            let place = Place {
                file,
                block: *blocks,
            };
            let written = if pending.is_empty() {
                medium.write_block(place, head)
            } else {
                pending.extend_from_slice(head);
                medium.write_block(place, pending)
            };
            let taken = (bytes.len() - tail.len()) as u64;
            match written {
                Ok(false) => {}
                Ok(true) => {
                    (*blocks, *total) = (*blocks + 1, *total + size as u64);
                    pending.clear();
                    return Err(end_of_medium(medium, taken));
                }
                Err(mut error) => {
                    error.accepted = taken - head.len() as u64;
                    return Err(error);
                }
            }
            (*blocks, *total) = (*blocks + 1, *total + size as u64);
            pending.clear();
            rest = tail;
        }
        pending.extend_from_slice(rest);
        Ok(())
    }

    /// All blocks so far durable; what is less than a block is not one yet.
    pub(crate) fn sync(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        match &self.kind {
            How::Small(_) => Ok(()),
            How::Data { .. } => medium.sync(),
        }
    }

    /// Durable and said to be whole.
    pub(crate) fn end(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        let (index, name, run) = (self.index, self.name.clone(), self.run.clone());
        let (file, blocks, bytes, pending) = match &mut self.kind {
            How::Small(content) => {
                return medium.append(Kind::Section, content, |label| {
                    label.index = Some(index);
                    label.name = name;
                    label.run = run;
                });
            }
            How::Data {
                file,
                blocks,
                bytes,
                pending,
            } => (*file, blocks, bytes, pending),
        };
        if !pending.is_empty() {
            medium.write_block(
                Place {
                    file,
                    block: *blocks,
                },
                pending,
            )?;
            (*blocks, *bytes) = (*blocks + 1, *bytes + pending.len() as u64);
            pending.clear();
        }
        let length = *bytes;
        let data = if *blocks > 0 {
            medium.mark(false)?;
            Some(file)
        } else {
            None
        };
        medium.put_data_label(file + u32::from(data.is_some()), |label| {
            label.index = Some(index);
            label.name = name;
            label.run = run;
            label.data = data;
            label.length = length;
        })
    }

    /// Gives the section up; what was written of it is written over by the next one.
    pub(crate) fn abort(self, medium: &mut Medium) -> Result<(), DeviceError> {
        match self.kind {
            How::Data { file, blocks, .. } if blocks > 0 => medium.undo(file),
            _ => medium.ready(),
        }
    }
}

fn end_of_medium(medium: &Medium, taken: u64) -> DeviceError {
    let text = format!("{}: the end of the tape is near", medium.drive());
    let mut error = DeviceError::new(Outcome::END_OF_MEDIUM, text);
    error.accepted = taken;
    error
}
