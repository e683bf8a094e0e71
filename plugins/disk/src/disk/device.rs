//! The device: which call is allowed when, and who does it.

use std::sync::atomic::{AtomicU64, Ordering};

use twinset_plugin_api::v1;
use twinset_plugin_api::{
    Access, Device, DeviceError, DeviceStatus, Disposition, Host, Leftover, Mount, OpenRequest,
    Outcome, RecordEntry, SectionEntry, SectionRequest, VolumeEntry,
};

use super::errors::{failed, misused};
use super::listing::{self, Records, Sections};
use super::mount::{self, Volume, Who};
use super::names::{self, Kind};
use super::options::Options;
use super::reader::Reader;
use super::record;
use super::shelf::Shelf;
use super::work::Work;

/// A folder of volumes.
#[derive(Debug)]
pub(crate) struct Disk {
    options: Options,
    agent_id: String,
    access: Access,
    host: Host,
    volume: Option<Volume>,
    work: Option<Work>,
    reader: Option<Reader>,
    /// What the first page of a list was made from, so that the pages that follow show the same.
    sections: Pages<Sections, u64>,
    records: Pages<Records, String>,
    leftovers: Vec<Leftover>,
}

impl Disk {
    pub(crate) fn new(options: Options, request: &OpenRequest<'_>, host: Host) -> Self {
        Self {
            options,
            agent_id: request.agent_id.to_owned(),
            access: request.access,
            host,
            volume: None,
            work: None,
            reader: None,
            sections: Pages::default(),
            records: Pages::default(),
            leftovers: Vec::new(),
        }
    }

    fn folder(&self) -> Result<&Shelf, DeviceError> {
        let volume = self.volume.as_ref();
        volume
            .map(|volume| &volume.folder)
            .ok_or_else(|| DeviceError::new(Outcome::NO_MEDIUM, "no volume is mounted"))
    }

    /// The folder, for a call that changes it.
    fn writable(&self) -> Result<&Shelf, DeviceError> {
        if self.access == Access::Read {
            let text = "the device was opened for reading";
            return Err(DeviceError::new(Outcome::WRITE_PROTECTED, text));
        }
        self.folder()
    }

    /// The folder, for a record: who only reads may still leave and remove its own holds.
    fn writable_for(&self, record: &str) -> Result<&Shelf, DeviceError> {
        if record.starts_with(v1::HOLD_PREFIX) {
            self.folder()
        } else {
            self.writable()
        }
    }

    /// Sixteen bytes unlike those of any other process, host or call.
    fn mark(&self) -> [u8; 16] {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        let low = u64::from(std::process::id()) << 32 | count;
        let time = self.host.now().to_be_bytes();
        let mut mark = [0; 16];
        mark[..8].copy_from_slice(&time);
        mark[8..].copy_from_slice(&low.to_be_bytes());
        mark
    }

    fn check_stop(&self) -> Result<(), DeviceError> {
        if self.host.should_stop() {
            return Err(DeviceError::new(
                Outcome::CANCELLED,
                "the agent asked to stop",
            ));
        }
        Ok(())
    }

    fn open_work(&mut self) -> Result<&mut Work, DeviceError> {
        self.work
            .as_mut()
            .ok_or_else(|| misused("no section is begun"))
    }
}

/// A list that is given page by page.
#[derive(Debug, Default)]
struct Pages<L, K> {
    list: L,
    /// The last entry that was given; none behind the last page.
    last: Option<K>,
}

impl<L, K: PartialOrd> Pages<L, K> {
    /// Whether a page behind this entry goes on with the list that was begun: forward, perhaps with
    /// some left out.
    fn goes_on(&self, after: Option<&K>) -> bool {
        match (&self.last, after) {
            (Some(last), Some(after)) => after >= last,
            _ => false,
        }
    }
}

impl Device for Disk {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        self.sections = Pages::default();
        if self.volume.is_some() {
            return Err(misused("a volume is mounted already"));
        }
        let who = Who {
            agent: &self.agent_id,
            access: self.access,
            mark: self.mark(),
        };
        self.volume = Some(mount::mount(&self.options.path, wanted, &who)?);
        Ok(())
    }

    fn unmount(&mut self, _disposition: Disposition) -> Result<(), DeviceError> {
        // An open section becomes a leftover, as after a crash.
        self.work = None;
        self.reader = None;
        self.volume = None;
        Ok(())
    }

    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        let volumes = mount::volumes(&self.options.path)?;
        Ok(volumes
            .into_iter()
            .filter(|volume| volume.key.as_str() > after)
            .take(max)
            .collect())
    }

    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        if !self.sections.goes_on(after.as_ref()) {
            self.sections.list = listing::find_sections(self.folder()?)?;
        }
        let page = self.sections.list.page(self.folder()?, after, max)?;
        self.sections.last = page.last().map(|entry| entry.index);
        Ok(page)
    }

    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        if self.work.is_some() {
            return Err(misused("a section is begun already"));
        }
        self.work = Some(Work::begin(self.writable()?, request)?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.check_stop()?;
        self.open_work()?.write(bytes)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.open_work()?.sync()
    }

    fn end_section(&mut self) -> Result<(), DeviceError> {
        self.check_stop()?;
        let work = self
            .work
            .take()
            .ok_or_else(|| misused("no section is begun"))?;
        match work.end(self.folder()?) {
            Ok(()) => Ok(()),
            Err((work, error)) => {
                self.work = Some(work);
                Err(error)
            }
        }
    }

    fn abort_section(&mut self) -> Result<(), DeviceError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        work.abort(self.folder()?)
    }

    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError> {
        self.reader = None;
        let reader = Reader::open(self.folder()?, index, &self.sections.list)?;
        let length = reader.length();
        self.reader = Some(reader);
        Ok(length)
    }

    fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        self.reader
            .as_mut()
            .ok_or_else(|| misused("no section is open"))?
            .seek(offset)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        self.check_stop()?;
        self.reader
            .as_mut()
            .ok_or_else(|| misused("no section is open"))?
            .read(buffer)
    }

    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError> {
        record::put(self.writable_for(name)?, name, bytes, &self.mark())
    }

    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError> {
        record::get(self.folder()?, name)
    }

    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        let place = Some(after.to_owned()).filter(|after| !after.is_empty());
        if !self.records.goes_on(place.as_ref()) {
            self.records.list = listing::find_records(self.folder()?)?;
        }
        let page = self.records.list.page(self.folder()?, after, max)?;
        self.records.last = page.last().map(|entry| entry.name.clone());
        Ok(page)
    }

    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError> {
        let file = names::record_file(name)?;
        record::remove(self.writable_for(name)?, &file)
    }

    fn remove_section(&mut self, index: u64) -> Result<(), DeviceError> {
        let folder = self.writable()?;
        let found = listing::find_section(folder, index)?.ok_or_else(|| {
            DeviceError::new(Outcome::NOT_FOUND, format!("there is no section {index}"))
        })?;
        record::remove(folder, &found.file)
    }

    fn truncate(&mut self, index: u64) -> Result<(), DeviceError> {
        let folder = self.writable()?;
        // From the end, so that a crash leaves a shorter row without holes.
        let sections = listing::find_sections(folder)?;
        for file in sections.down_to(index) {
            folder
                .remove(file)
                .map_err(|errno| failed("remove", file, errno))?;
        }
        folder
            .sync()
            .map_err(|errno| failed("make durable", "the volume's folder", errno))
    }

    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError> {
        if after.is_empty() {
            let own = self.work.as_ref().map(|work| work.name.as_str());
            // Before a volume is mounted: what lies beside the volumes.
            self.leftovers = match &self.volume {
                Some(volume) => listing::leftovers(&volume.folder, own)?,
                None => mount::foreign(&self.options.path)?,
            };
        }
        let start = self
            .leftovers
            .partition_point(|left| left.name.as_str() <= after);
        Ok(self.leftovers[start..].iter().take(max).cloned().collect())
    }

    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError> {
        let folder = self.writable()?;
        if self.work.as_ref().is_some_and(|work| work.name == name) {
            return Err(misused("this work file is open; abort the section instead"));
        }
        match names::classify(name) {
            Kind::Work { index, .. } => {
                // While the work file is there, an empty file of its number is a claim; without it
                // the same file would pass for a section. So the claim goes first.
                if let (Some(index), Ok(_)) = (index, folder.entry(name)) {
                    listing::remove_claim(folder, index)?;
                }
                record::remove(folder, name)
            }
            _ => Err(misused(
                "not a work file of ours; foreign files are left alone",
            )),
        }
    }

    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        let space = self.folder()?.space();
        let (free, capacity) = space.map_err(|errno| failed("ask", "the free space", errno))?;
        let (free, capacity) = (Some(free), Some(capacity));
        Ok(DeviceStatus {
            free,
            capacity,
            alerts: String::new(),
        })
    }
}
