//! A device around the disk device that goes wrong where it was told to.

use std::thread::sleep;
use std::time::Duration;

use twinset_plugin_api::{
    Device, DeviceError, DeviceStatus, Disposition, Host, Inspection, Leftover, Level, Mount,
    Observation, Outcome, RecordEntry, SectionEntry, SectionRequest, VolumeEntry,
};

use crate::faults::Faults;

/// How often a hanging call looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(2);

/// The device.
pub(crate) struct Faulty {
    inner: Box<dyn Device>,
    faults: Faults,
    host: Host,
    /// The section that is written or read.
    index: Option<u64>,
    written: u64,
    position: u64,
    /// Calls that a fault concerned, for `after` and `times`.
    struck: u64,
}

impl Faulty {
    pub(crate) fn new(inner: Box<dyn Device>, faults: Faults, host: Host) -> Self {
        Self {
            inner,
            faults,
            host,
            index: None,
            written: 0,
            position: 0,
            struck: 0,
        }
    }

    fn concerned(&self) -> bool {
        self.faults.only_index.is_none() || self.faults.only_index == self.index
    }

    /// Does to `call` what was planted for it.
    pub(crate) fn strike(&mut self, call: &str) -> Result<(), DeviceError> {
        let named = |fault: &Option<String>| fault.as_deref() == Some(call);
        let Faults {
            hang_in,
            panic_in,
            fail_call,
            ..
        } = &self.faults;
        let (hang, panic, fail) = (named(hang_in), named(panic_in), named(fail_call));
        if !(hang || panic || fail) || !self.concerned() {
            return Ok(());
        }
        self.struck += 1;
        let end = self.faults.after.saturating_add(self.faults.times);
        if self.struck <= self.faults.after || self.struck > end {
            return Ok(());
        }
        self.host
            .log(Level::Info, &format!("a fault was planted in {call}"));
        if hang {
            self.hang()?;
        }
        if panic {
            self.fall_over(call);
        }
        if fail {
            Err(self.faults.failure(call))
        } else {
            Ok(())
        }
    }

    #[allow(clippy::panic, reason = "the planted fault")]
    fn fall_over(&self, call: &str) {
        panic!("planted panic in {call}");
    }

    fn hang(&self) -> Result<(), DeviceError> {
        let mut left = Duration::from_millis(self.faults.hang_ms);
        while !left.is_zero() {
            if self.faults.heed_cancel && self.host.should_stop() {
                return Err(DeviceError::new(
                    Outcome::CANCELLED,
                    "the hang was cancelled",
                ));
            }
            let until = self.faults.hang_until.as_ref();
            if until.is_some_and(|file| file.exists()) {
                return Ok(());
            }
            let nap = left.min(LOOK);
            sleep(nap);
            left -= nap;
        }
        Ok(())
    }
}

impl Device for Faulty {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        self.strike("mount")?;
        self.inner.mount(wanted)
    }

    fn unmount(&mut self, disposition: Disposition) -> Result<(), DeviceError> {
        self.strike("unmount")?;
        self.inner.unmount(disposition)
    }

    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        self.strike("volumes")?;
        self.inner.volumes(after, max)
    }

    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        self.strike("sections")?;
        self.inner.sections(after, max)
    }

    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        (self.index, self.written) = (Some(request.index), 0);
        self.strike("begin_section")?;
        self.inner.begin_section(request)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.strike("write")?;
        sleep(Duration::from_micros(self.faults.slow_write_us));
        let end = self.written + bytes.len() as u64;
        if let Some(at) = self
            .faults
            .fail_write_at
            .filter(|at| self.concerned() && *at < end)
        {
            let fits = at.saturating_sub(self.written);
            let head = usize::try_from(fits).unwrap_or(0);
            self.inner.write(&bytes[..head])?;
            self.written += fits;
            let mut error = self.faults.failure("write");
            error.accepted = fits;
            return Err(error);
        }
        // Data lie in sections of odd numbers.
        if !self.faults.discard || self.index.is_none_or(|index| index % 2 == 0) {
            self.inner.write(bytes)?;
        }
        self.written = end;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.strike("sync")?;
        self.inner.sync()
    }

    fn end_section(&mut self) -> Result<(), DeviceError> {
        self.strike("end_section")?;
        self.inner.end_section()
    }

    fn abort_section(&mut self) -> Result<(), DeviceError> {
        self.strike("abort_section")?;
        self.inner.abort_section()
    }

    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError> {
        (self.index, self.position) = (Some(index), 0);
        self.strike("open_section")?;
        self.inner.open_section(index)
    }

    fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        self.strike("seek")?;
        self.position = offset;
        self.inner.seek(offset)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        self.strike("read")?;
        let size = buffer.len().min(self.faults.short.unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..size])?;
        let end = self.position + read as u64;
        let flip = self.faults.flip_read_at.filter(|_| self.concerned());
        if let Some(at) = flip.filter(|at| (self.position..end).contains(at)) {
            let place = usize::try_from(at - self.position).unwrap_or(0);
            buffer[place] = !buffer[place];
        }
        self.position = end;
        Ok(read)
    }

    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError> {
        self.strike("put_record")?;
        self.inner.put_record(name, bytes)
    }

    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError> {
        self.strike("get_record")?;
        self.inner.get_record(name)
    }

    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        self.strike("list_records")?;
        self.inner.list_records(after, max)
    }

    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError> {
        self.strike("remove_record")?;
        self.inner.remove_record(name)
    }

    fn remove_section(&mut self, index: u64) -> Result<(), DeviceError> {
        self.strike("remove_section")?;
        self.inner.remove_section(index)
    }

    fn truncate(&mut self, index: u64) -> Result<(), DeviceError> {
        self.strike("truncate")?;
        self.inner.truncate(index)
    }

    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError> {
        self.strike("leftovers")?;
        self.inner.leftovers(after, max)
    }

    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError> {
        self.strike("remove_leftover")?;
        self.inner.remove_leftover(name)
    }

    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        self.strike("status")?;
        self.inner.status()
    }

    fn inspect_section(&mut self, index: u64) -> Result<Inspection, DeviceError> {
        self.strike("inspect_section")?;
        self.inner.inspect_section(index)
    }

    fn probe(&mut self) -> Result<Vec<Observation>, DeviceError> {
        self.strike("probe")?;
        self.inner.probe()
    }
}
