//! The device: which call is allowed when, and who does it.

use std::time::Duration;

use bytes::Bytes;
use twinset_plugin_api::v1;
use twinset_plugin_api::{
    Access, Device, DeviceError, DeviceStatus, Disposition, Inspection, Leftover, Level, Mount,
    Observation, OpenRequest, Outcome, RecordEntry, SectionEntry, SectionRequest, VolumeEntry,
};

use super::bucket::Bucket;
use super::errors::{missing, misused};
use super::inspect::{inspect, remaining};
use super::leftovers;
use super::listing;
use super::mount::{self, Volume};
use super::names;
use super::probe::probe;
use super::reader::Reader;
use super::record;
use super::runner::Runner;
use super::work::Work;

/// How long taking a volume back that was never used may take.
const LETTING_GO: Duration = Duration::from_secs(10);

/// A prefix of a bucket.
#[derive(Debug)]
pub(crate) struct Store {
    bucket: Bucket,
    runner: Runner,
    agent_id: String,
    access: Access,
    volume: Option<Volume>,
    work: Option<Work>,
    reader: Option<Reader>,
    /// What the first page of a list was made from, so that the pages that follow show the same.
    sections: Vec<SectionEntry>,
    leftovers: Vec<Leftover>,
    volumes: Vec<VolumeEntry>,
}

impl Store {
    pub(crate) fn new(bucket: Bucket, runner: Runner, request: &OpenRequest<'_>) -> Self {
        Self {
            bucket,
            runner,
            agent_id: request.agent_id.to_owned(),
            access: request.access,
            volume: None,
            work: None,
            reader: None,
            sections: Vec::new(),
            leftovers: Vec::new(),
            volumes: Vec::new(),
        }
    }

    fn volume(&self) -> Result<&Volume, DeviceError> {
        let none = || DeviceError::new(Outcome::NO_MEDIUM, "no volume is mounted");
        self.volume.as_ref().ok_or_else(none)
    }

    /// The volume, for a call that changes it.
    fn writable(&self) -> Result<&Volume, DeviceError> {
        if self.access == Access::Read {
            let text = "the device was opened for reading";
            return Err(DeviceError::new(Outcome::WRITE_PROTECTED, text));
        }
        self.volume()
    }

    /// The volume, for a record: who only reads may still leave and remove its own holds.
    fn writable_for(&self, record: &str) -> Result<&Volume, DeviceError> {
        if record.starts_with(v1::HOLD_PREFIX) {
            self.volume()
        } else {
            self.writable()
        }
    }

    /// Lets the volume go. One that was made and holds nothing leaves nothing.
    fn leave_volume(&mut self) {
        if let Some(volume) = self.volume.take().filter(|volume| volume.made) {
            let _ = self
                .runner
                .finish(LETTING_GO, mount::unmake(&self.bucket, &volume.folder));
        }
    }

    fn leave_work(&mut self) {
        if let Some(work) = self.work.take() {
            work.leave(&self.runner);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.leave_work();
        self.leave_volume();
    }
}

impl Device for Store {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        if self.volume.is_some() {
            return Err(misused("a volume is mounted already"));
        }
        let (agent, access) = (&self.agent_id, self.access);
        self.volume = Some(mount::mount(
            &self.bucket,
            wanted,
            agent,
            access,
            &self.runner,
        )?);
        Ok(())
    }

    fn unmount(&mut self, _disposition: Disposition) -> Result<(), DeviceError> {
        // An open section becomes a leftover, as after a crash.
        self.leave_work();
        self.reader = None;
        self.leave_volume();
        Ok(())
    }

    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        if after.is_empty() {
            self.volumes = self.runner.wait(mount::volumes(&self.bucket))?;
        }
        let rest = self
            .volumes
            .iter()
            .filter(|volume| volume.key.as_str() > after);
        Ok(rest.take(max).cloned().collect())
    }

    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        let goes_on = self
            .sections
            .iter()
            .position(|entry| Some(entry.index) == after);
        if goes_on.is_none() {
            let folder = &self.volume()?.folder;
            self.sections = self
                .runner
                .wait(listing::sections(&self.bucket, folder, after))?;
        }
        let from = goes_on.map_or(0, |place| place + 1);
        let rest = self.sections.split_off(from.min(self.sections.len()));
        let page: Vec<SectionEntry> = rest.iter().take(max).cloned().collect();
        // The last entry that was given stays, so that the next page finds its place.
        let kept = page.len().saturating_sub(1);
        self.sections = rest.into_iter().skip(kept).collect();
        if page.len() < max {
            self.sections.clear();
        }
        Ok(page)
    }

    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        if self.work.is_some() {
            return Err(misused("a section is begun already"));
        }
        let volume = self.writable()?;
        self.work = Some(Work::begin(&self.bucket, volume, request, &self.runner)?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        let work = self.work.as_mut();
        let work = work.ok_or_else(|| misused("no section is begun"))?;
        work.write(bytes, &self.runner)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        let work = self.work.as_mut();
        let work = work.ok_or_else(|| misused("no section is begun"))?;
        work.sync(&self.runner)
    }

    fn end_section(&mut self) -> Result<(), DeviceError> {
        let mut work = self.work.take();
        let open = work
            .as_mut()
            .ok_or_else(|| misused("no section is begun"))?;
        let ended = open.end(&self.bucket, self.volume()?, &self.runner);
        if ended.is_err() {
            self.work = work;
        }
        ended
    }

    fn abort_section(&mut self) -> Result<(), DeviceError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        work.abort(&self.bucket, self.volume()?, &self.runner)
    }

    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError> {
        self.reader = None;
        let folder = &self.volume()?.folder;
        let reader = self
            .runner
            .wait(Reader::open(&self.bucket, folder, index))?;
        let length = reader.length();
        self.reader = Some(reader);
        Ok(length)
    }

    fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        let reader = self.reader.as_mut();
        reader
            .ok_or_else(|| misused("no section is open"))?
            .seek(offset)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        let reader = self.reader.as_mut();
        let reader = reader.ok_or_else(|| misused("no section is open"))?;
        reader.read(buffer, &self.runner)
    }

    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError> {
        let volume = self.writable_for(name)?;
        let bytes = Bytes::copy_from_slice(bytes);
        self.runner
            .wait(record::put(&self.bucket, volume, name, bytes))
    }

    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError> {
        self.runner
            .wait(record::get(&self.bucket, self.volume()?, name))
    }

    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        self.runner
            .wait(record::list(&self.bucket, self.volume()?, after, max))
    }

    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError> {
        let volume = self.writable_for(name)?;
        self.runner.wait(record::remove(&self.bucket, volume, name))
    }

    fn remove_section(&mut self, index: u64) -> Result<(), DeviceError> {
        let folder = &self.writable()?.folder;
        self.runner
            .wait(remove_section(&self.bucket, folder, index, &self.runner))
    }

    fn truncate(&mut self, index: u64) -> Result<(), DeviceError> {
        let folder = &self.writable()?.folder;
        self.runner.wait(async {
            let after = index.checked_sub(1);
            let sections = listing::sections(&self.bucket, folder, after).await?;
            // From the end, so that a crash leaves a shorter row without holes.
            for entry in sections.iter().rev().filter(|entry| entry.index >= index) {
                remove_section(&self.bucket, folder, entry.index, &self.runner).await?;
            }
            Ok(())
        })
    }

    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError> {
        if after.is_empty() {
            let own = self.work.as_ref().map(Work::attempt);
            // Before a volume is mounted: what lies beside the volumes.
            self.leftovers = match &self.volume {
                Some(volume) => {
                    let found = leftovers::find(&self.bucket, &volume.folder, own.as_deref());
                    self.runner.wait(found)?
                }
                None => self.runner.wait(mount::foreign(&self.bucket))?,
            };
        }
        let rest = self
            .leftovers
            .iter()
            .filter(|left| left.name.as_str() > after);
        Ok(rest.take(max).cloned().collect())
    }

    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError> {
        let folder = &self.writable()?.folder;
        if self
            .work
            .as_ref()
            .is_some_and(|work| work.attempt() == name)
        {
            return Err(misused("this work is open; abort the section instead"));
        }
        self.runner
            .wait(leftovers::remove_named(&self.bucket, folder, name))
    }

    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        let alerts = self.volume()?.alerts.clone();
        Ok(DeviceStatus {
            free: None,
            capacity: None,
            alerts,
        })
    }

    fn inspect_section(&mut self, index: u64) -> Result<Inspection, DeviceError> {
        let folder = &self.volume()?.folder;
        self.runner.wait(inspect(&self.bucket, folder, index))
    }

    fn probe(&mut self) -> Result<Vec<Observation>, DeviceError> {
        let folder = &self.volume()?.folder;
        let now = self.runner.host.now();
        self.runner.wait(probe(&self.bucket, folder, now))
    }
}

/// The seal first: what stays of a removal that was cut off is a leftover, not a damaged section.
async fn remove_section(
    bucket: &Bucket,
    folder: &str,
    index: u64,
    runner: &Runner,
) -> Result<(), DeviceError> {
    let key = format!("{folder}/{}", names::seal(index));
    if bucket.head(&key).await?.is_none() {
        return Err(missing(&format!("section {index}")));
    }
    if let Some(text) = remaining(bucket, folder, index, runner.host.now()).await? {
        runner.host.log(Level::Warn, &text);
    }
    bucket.remove(&key).await?;
    for attempt in listing::attempts_of(bucket, folder, index).await? {
        leftovers::remove(bucket, folder, &attempt).await?;
    }
    Ok(())
}
