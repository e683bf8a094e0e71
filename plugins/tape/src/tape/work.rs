//! An open section.

mod data;

use twinset_plugin_api::{DeviceError, Outcome, SectionMode, SectionRequest, SpanRequest};

use super::errors::refused;
use super::label::{Kind, Label, hex};
use super::medium::{Header, Medium};
use data::Data;

/// What section 0 is called on a further tape.
const HEADER: &str = "header.mtf";

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
    Data(Data),
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
            How::Data(Data::begin(medium.go_to_end()?, 0))
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
            How::Data(_) => None,
        }
    }

    /// Takes all of `bytes`, or says how many it took: whole blocks of the section.
    pub(crate) fn write(
        &mut self,
        medium: Option<&mut Medium>,
        bytes: &[u8],
    ) -> Result<(), DeviceError> {
        match (&mut self.kind, medium) {
            (How::Small(content), _) if content.len() + bytes.len() <= SMALL_MAX => {
                content.extend_from_slice(bytes);
                Ok(())
            }
            (How::Small(_), _) => Err(refused(format!("section {} is too long", self.index))),
            (How::Data(data), Some(medium)) => data.write(medium, bytes),
            (How::Data(_), None) => Err(refused("no tape is mounted")),
        }
    }

    /// All blocks so far durable; what is less than a block is not one yet.
    pub(crate) fn sync(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        match &self.kind {
            How::Small(_) => Ok(()),
            How::Data(_) => medium.sync(),
        }
    }

    /// Durable and said to be whole.
    pub(crate) fn end(&mut self, medium: &mut Medium) -> Result<(), DeviceError> {
        let (index, name, run) = (self.index, self.name.clone(), self.run.clone());
        let say = move |label: &mut Label| {
            label.index = Some(index);
            label.name = name;
            label.run = run;
        };
        match &mut self.kind {
            How::Small(content) => medium.append(Kind::Section, content, say),
            How::Data(data) => data.end(medium, say),
        }
    }

    /// Goes on with the section on the next tape; `tape`: what that one will be called.
    pub(crate) fn span(
        &mut self,
        medium: &mut Medium,
        request: &SpanRequest<'_>,
        tape: String,
    ) -> Result<(), DeviceError> {
        let (index, name, run) = (self.index, self.name.clone(), self.run.clone());
        let header = Header {
            name: HEADER,
            run: run.clone(),
            bytes: request.header,
        };
        let say = move |label: &mut Label| {
            label.index = Some(index);
            label.name = name;
            label.run = run;
        };
        match &mut self.kind {
            How::Small(_) => Err(refused("a small section lies on one tape")),
            How::Data(data) => {
                data.close(medium, request, tape, say)?;
                data.turn(medium, &header, request.cut)
            }
        }
    }

    /// Gives the section up; what was written of it is written over by the next one.
    pub(crate) fn abort(self, medium: &mut Medium) -> Result<(), DeviceError> {
        match self.kind {
            How::Data(data) if data.is_seen() => medium.undo(data.file),
            _ => medium.ready(),
        }
    }
}
