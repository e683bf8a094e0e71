//! The device: which call is allowed when, and who does it.

use twinset_plugin_api::{
    Access, Device, DeviceError, DeviceStatus, Disposition, Host, Leftover, Mount, Observation,
    Observed, OpenRequest, Outcome, RecordEntry, SectionEntry, SectionRequest, SpanRequest,
    VolumeEntry,
};

use super::errors::{failed, refused};
use super::head::Head;
use super::health::Book;
use super::label::{Kind, hex};
use super::left;
use super::medium::{Header, Medium};
use super::options::Options;
use super::reader::Reader;
use super::source::Source;
use super::work::Work;

/// Cartridges of a library of which a probe tells: hosts take 64 notes.
const NOTES_MAX: usize = 60;

/// A drive with a tape.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(super) options: Options,
    pub(super) agent_id: String,
    pub(super) access: Access,
    pub(super) host: Host,
    pub(super) state: State,
    /// What drives said of themselves.
    pub(super) book: Book,
    work: Option<Work>,
    reader: Option<Reader>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Nothing is mounted.
    Out,
    /// A blank tape, to be labelled for a volume with the first that is written.
    Blank(Head, String, Box<dyn Source>),
    /// A tape of ours.
    In(Box<Medium>),
}

impl Tape {
    pub(crate) fn new(options: Options, request: &OpenRequest<'_>, host: Host) -> Self {
        Self {
            options,
            agent_id: request.agent_id.to_owned(),
            access: request.access,
            host,
            state: State::Out,
            book: Book::default(),
            work: None,
            reader: None,
        }
    }

    /// Whether nothing is being written to the tape.
    pub(super) fn is_idle(&self) -> bool {
        self.work.is_none()
    }

    fn medium(&mut self) -> Result<&mut Medium, DeviceError> {
        match &mut self.state {
            State::In(medium) => Ok(medium),
            _ => Err(DeviceError::new(Outcome::NO_MEDIUM, "no tape is mounted")),
        }
    }

    /// The tape, for a call that changes it. One that is blank is labelled for its volume first.
    fn writable(&mut self) -> Result<&mut Medium, DeviceError> {
        self.may_write()?;
        if matches!(self.state, State::Blank(..)) {
            self.label(None)?;
        }
        self.medium()
    }

    pub(super) fn may_write(&self) -> Result<(), DeviceError> {
        if self.access == Access::Read {
            let text = "the device was opened for reading";
            return Err(DeviceError::new(Outcome::WRITE_PROTECTED, text));
        }
        Ok(())
    }

    fn check_stop(&self) -> Result<(), DeviceError> {
        if self.host.should_stop() {
            let text = "the agent asked to stop";
            return Err(DeviceError::new(Outcome::CANCELLED, text));
        }
        Ok(())
    }
}

impl Device for Tape {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        if !matches!(self.state, State::Out) {
            return Err(refused("a volume is mounted already"));
        }
        self.state = match wanted {
            Mount::Existing(key) => State::In(Box::new(self.mount_existing(key)?)),
            Mount::Blank(key) => self.mount_blank(key)?,
        };
        Ok(())
    }

    fn unmount(&mut self, disposition: Disposition) -> Result<(), DeviceError> {
        self.work = None;
        self.reader = None;
        let head = match std::mem::replace(&mut self.state, State::Out) {
            State::Out => return Ok(()),
            State::Blank(head, ..) => head,
            State::In(medium) => medium.into_head(),
        };
        match (disposition, head) {
            (Disposition::Keep, _) => Ok(()),
            (Disposition::Eject, mut head) => {
                let name = head.drive.name().to_owned();
                head.drive
                    .eject()
                    .map_err(|errno| failed("eject", &name, errno))
            }
        }
    }

    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        let found = match &self.state {
            State::In(medium) => vec![medium.label.volume.clone()],
            State::Blank(..) => Vec::new(),
            State::Out => self.volumes_there()?,
        };
        let behind = found.into_iter().filter(|key| key.as_str() > after);
        let entry = |key| VolumeEntry {
            key,
            sections: None,
        };
        Ok(behind.take(max).map(entry).collect())
    }

    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        if matches!(self.state, State::Blank(..)) {
            return Ok(Vec::new());
        }
        let sections = self.medium()?.index.sections.iter();
        let behind = sections
            .filter(|(index, _)| Some(**index) > after)
            .take(max);
        Ok(behind
            .map(|(index, section)| SectionEntry {
                index: *index,
                length: section.length(),
                name: section.name.clone(),
            })
            .collect())
    }

    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        if self.work.is_some() {
            return Err(refused("a section is begun already"));
        }
        self.may_write()?;
        self.work = Some(
            if request.index == 0 && matches!(self.state, State::Blank(..)) {
                Work::small(request)
            } else {
                Work::begin(self.writable()?, request)?
            },
        );
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.check_stop()?;
        let Some(work) = &mut self.work else {
            return Err(refused("no section is begun"));
        };
        let medium = match &mut self.state {
            State::In(medium) => Some(&mut **medium),
            _ => None,
        };
        work.write(medium, bytes)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        match (&mut self.work, &mut self.state) {
            (Some(work), State::In(medium)) => work.sync(medium),
            (Some(_), _) => Ok(()),
            (None, _) => Err(refused("no section is begun")),
        }
    }

    fn end_section(&mut self) -> Result<(), DeviceError> {
        self.check_stop()?;
        let Some(mut work) = self.work.take() else {
            return Err(refused("no section is begun"));
        };
        let ended = match (&mut self.state, work.content()) {
            (State::Blank(..), Some(bytes)) => {
                let header = Header {
                    name: &work.name,
                    run: work.run.clone(),
                    bytes,
                };
                self.label(Some(header))
            }
            (State::In(medium), _) => work.end(medium),
            _ => Err(refused("no tape is mounted")),
        };
        if ended.is_err() {
            self.work = Some(work);
        }
        ended
    }

    fn abort_section(&mut self) -> Result<(), DeviceError> {
        match (self.work.take(), &mut self.state) {
            (Some(work), State::In(medium)) => work.abort(medium),
            _ => Ok(()),
        }
    }

    fn span(&mut self, request: &SpanRequest<'_>) -> Result<(), DeviceError> {
        self.check_stop()?;
        let tape = hex(&self.mark());
        match (&mut self.work, &mut self.state) {
            (Some(work), State::In(medium)) => work.span(medium, request, tape),
            _ => Err(refused("no section is begun")),
        }
    }

    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError> {
        self.reader = None;
        let missing =
            || DeviceError::new(Outcome::NOT_FOUND, format!("there is no section {index}"));
        if matches!(self.state, State::Blank(..)) {
            return Err(missing());
        }
        let medium = self.medium()?;
        let section = medium
            .index
            .sections
            .get(&index)
            .cloned()
            .ok_or_else(missing)?;
        let reader = Reader::open(medium, index, &section)?;
        let length = reader.length();
        self.reader = Some(reader);
        Ok(length)
    }

    fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        match &mut self.reader {
            Some(reader) => reader.seek(offset),
            None => Err(refused("no section is open")),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        self.check_stop()?;
        match (&mut self.reader, &mut self.state) {
            (Some(reader), State::In(medium)) => reader.read(medium, buffer),
            _ => Err(refused("no section is open")),
        }
    }

    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError> {
        if self
            .work
            .as_ref()
            .is_some_and(|work| work.content().is_none())
        {
            return Err(refused(
                "a data section is open; a record would come into it",
            ));
        }
        let medium = self.writable()?;
        if medium.index.records.contains_key(name) {
            let text = format!("record {name} exists");
            return Err(DeviceError::new(Outcome::EXISTS, text));
        }
        medium.append(Kind::Record, bytes, |label| label.name = name.to_owned())
    }

    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError> {
        let medium = self.medium()?;
        let Some(record) = medium.index.records.get(name).cloned() else {
            let text = format!("there is no record {name}");
            return Err(DeviceError::new(Outcome::NOT_FOUND, text));
        };
        medium.read_small(&record)
    }

    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        if matches!(self.state, State::Blank(..)) {
            return Ok(Vec::new());
        }
        let records = self.medium()?.index.records.iter();
        let behind = records.filter(|(name, _)| name.as_str() > after).take(max);
        Ok(behind
            .map(|(name, record)| RecordEntry {
                name: name.clone(),
                length: record.length,
            })
            .collect())
    }

    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError> {
        let medium = self.writable()?;
        if !medium.index.records.contains_key(name) {
            let text = format!("there is no record {name}");
            return Err(DeviceError::new(Outcome::NOT_FOUND, text));
        }
        // It stays on the tape; behind it stands that it is no more.
        medium.append(Kind::Gone, &[], |label| label.name = name.to_owned())
    }

    fn remove_section(&mut self, _: u64) -> Result<(), DeviceError> {
        Err(DeviceError::not_supported("remove_section"))
    }

    fn truncate(&mut self, index: u64) -> Result<(), DeviceError> {
        self.may_write()?;
        self.reader = None;
        if index > 0 {
            return self.medium()?.truncate(index);
        }
        let medium = match std::mem::replace(&mut self.state, State::Out) {
            State::In(medium) => medium,
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let key = medium.label.volume.clone();
        let mut medium = medium;
        medium.free_others()?;
        let (head, source) = medium.free()?;
        self.state = State::Blank(head, key, source);
        Ok(())
    }

    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError> {
        let found = match &self.state {
            State::Blank(..) => Vec::new(),
            State::In(medium) => left::of(&medium.index),
            State::Out => self.strangers(),
        };
        let behind = found.into_iter().filter(|left| left.name.as_str() > after);
        Ok(behind.take(max).collect())
    }

    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError> {
        if self.work.is_some() {
            return Err(refused("a section is open"));
        }
        if !left::is_ours(name) {
            return Err(refused(
                "not unfinished work; what is foreign is left alone",
            ));
        }
        left::remove(self.writable()?, name)
    }

    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        self.tell()
    }

    /// What becomes of each cartridge of a library.
    fn probe(&mut self) -> Result<Vec<Observation>, DeviceError> {
        let State::In(medium) = &mut self.state else {
            return Ok(Vec::new());
        };
        let row = medium.row();
        let told = medium.source.explain(&row)?.into_iter().take(NOTES_MAX);
        let note = |text| Observation {
            level: Observed::Note,
            text,
        };
        Ok(told.map(note).collect())
    }
}
