//! One opened device with its lane, and what is read of the volume in it.

mod kind;

use std::sync::Arc;
use std::time::Duration;

use twinset_domain::append::Behind;
use twinset_domain::name::RecordKind;
use twinset_domain::{AgentId, Fault, MediaSetId, Position, Slot, code};
use twinset_format::FormatError;
use twinset_format::header::{DISK_BYTES, MediaHeader};
use twinset_plugin_api::{
    Access, Description, Leftover, Mount, Outcome, RecordEntry, SectionEntry, SectionMode,
    SectionRequest,
};

use super::patience::{Waiting, patiently};
use super::snapshot::Snapshot;
use crate::device::{DeviceFault, Handle, Lane, LaneLimits, Pending, PluginFile};

/// Commands that wait for a lane, at most: with one buffer each, this bounds what a slow mirror
/// may hold back.
const LANE_QUEUE: usize = 16;
/// Bytes of one read while a small section is fetched.
const READ_PIECE: usize = 256 << 10;

/// A device of the configuration and its place in the matrix.
#[derive(Clone)]
pub struct Place {
    /// Its mirror and family.
    pub slot: Slot,
    /// How messages name it: plugin and path.
    pub label: String,
    /// The plugin that drives it.
    pub plugin: Arc<PluginFile>,
    /// Its options, as canonical JSON.
    pub options: String,
    /// Longest time that a call may take.
    pub deadline: Duration,
    /// Longest time that the operator may take to bring the next medium.
    pub medium_wait: Duration,
}

/// An opened device. Calls run on its lane.
pub struct Volume {
    /// Its place.
    pub slot: Slot,
    /// Its name in messages.
    pub label: String,
    /// What the plugin said of itself.
    pub description: Description,
    /// Longest time that the operator may take to bring the next medium.
    pub medium_wait: Duration,
    pub(super) waiting: Waiting,
    lane: Lane,
    snapshot: Snapshot,
}

/// A call under way on a lane.
pub type Outcoming = Pending<Result<(), DeviceFault>>;

/// Why a header cannot be trusted.
#[derive(Debug)]
pub enum HeaderProblem {
    /// The device failed.
    Device(DeviceFault),
    /// There is no section 0.
    None,
    /// It is damaged, newer, or not ours.
    Format(FormatError),
}

impl Volume {
    /// Opens a device; nothing is mounted yet.
    ///
    /// # Errors
    /// As the plugin says.
    pub fn open(place: &Place, agent: AgentId, access: Access) -> Result<Self, DeviceFault> {
        let handle = place.plugin.open_within(
            &place.label,
            &place.options,
            &agent.to_string(),
            access,
            place.deadline,
        )?;
        let limits = LaneLimits {
            deadline: place.deadline,
            queue: LANE_QUEUE,
        };
        Ok(Self {
            slot: place.slot,
            label: place.label.clone(),
            description: place.plugin.description().clone(),
            medium_wait: place.medium_wait,
            waiting: Waiting::default(),
            lane: Lane::start(handle, limits),
            snapshot: Snapshot::default(),
        })
    }

    /// Closes the device and waits for it.
    ///
    /// # Errors
    /// The device's.
    pub fn close(self) -> Result<(), DeviceFault> {
        self.lane.close()
    }

    /// The lane, for payload.
    #[must_use]
    pub const fn lane(&self) -> &Lane {
        &self.lane
    }

    /// How messages name the volume: device and place.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} ({})", self.label, self.slot)
    }

    /// Runs one call on the lane and waits for it.
    ///
    /// # Errors
    /// The device's, or that it did not answer in time.
    pub fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Handle) -> Result<T, DeviceFault> + Send + 'static,
    ) -> Result<T, DeviceFault> {
        self.lane.submit(job).wait()?
    }

    /// Makes a blank volume for the media set and mounts it.
    ///
    /// # Errors
    /// [`Outcome::EXISTS`] when there is one, and others.
    pub fn mount_blank(&self, media_set: MediaSetId) -> Result<(), DeviceFault> {
        let key = self.key(media_set);
        self.call(move |handle| handle.mount(Mount::Blank(&key)))
    }

    /// Media sets that have a volume in this device.
    ///
    /// # Errors
    /// The device's.
    pub fn media_sets(&self) -> Result<Vec<MediaSetId>, DeviceFault> {
        let volumes = self.call(Handle::volumes)?;
        Ok(volumes
            .iter()
            .filter_map(|volume| volume.key.split('.').next()?.parse().ok())
            .collect())
    }

    /// Reads and checks the media header.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn header(&self) -> Result<MediaHeader, HeaderProblem> {
        let bytes = match self.read_section(0, DISK_BYTES as u64 + 1) {
            Ok(bytes) => bytes,
            Err(fault) if fault.outcome == Outcome::NOT_FOUND => return Err(HeaderProblem::None),
            Err(fault) => return Err(HeaderProblem::Device(fault)),
        };
        MediaHeader::parse(&bytes).map_err(HeaderProblem::Format)
    }

    /// Closed sections, in order.
    ///
    /// # Errors
    /// The device's.
    pub fn sections(&self) -> Result<Vec<SectionEntry>, DeviceFault> {
        let listed = || Ok(self.standing(self.call(Handle::sections)?));
        self.snapshot.sections(listed)
    }

    /// Records, in order of their names.
    ///
    /// # Errors
    /// The device's.
    pub fn records(&self) -> Result<Vec<RecordEntry>, DeviceFault> {
        self.snapshot.records(|| self.call(Handle::list_records))
    }

    /// Closed sections behind those of a position, in order.
    ///
    /// # Errors
    /// The device's.
    pub fn sections_behind(&self, behind: Behind) -> Result<Vec<SectionEntry>, DeviceFault> {
        match Position::new(behind.position) {
            None => self.sections(),
            Some(position) => {
                let after = position.manifest_section();
                let listed = self.call(move |handle| handle.sections_after(Some(after)))?;
                Ok(self.standing(listed))
            }
        }
    }

    /// Records in order of their names, without verdicts and drops older than a verdict.
    ///
    /// # Errors
    /// The device's.
    pub fn records_behind(&self, behind: Behind) -> Result<Vec<RecordEntry>, DeviceFault> {
        let many = [RecordKind::Verdict, RecordKind::Drop];
        let skips = many.map(|kind| kind.names_from(behind.verdict));
        match skips {
            [Some(verdicts), Some(drops)] if behind.verdict > 0 => {
                self.call(move |handle| handle.records_skipping(&[verdicts, drops]))
            }
            _ => self.records(),
        }
    }

    /// From now on lists are made once and then remembered: for those who only look.
    pub fn freeze(&self) {
        self.snapshot.freeze();
    }

    /// Unfinished work and foreign files.
    ///
    /// # Errors
    /// The device's.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, DeviceFault> {
        self.call(Handle::leftovers)
    }

    /// A record's bytes.
    ///
    /// # Errors
    /// The device's.
    pub fn record(&self, name: &str) -> Result<Vec<u8>, DeviceFault> {
        patiently(self, || {
            let name = name.to_owned();
            self.call(move |handle| handle.get_record(&name))
        })
    }

    /// Writes a record; one that is there with the same bytes is as good.
    ///
    /// # Errors
    /// The device's; [`Outcome::EXISTS`] when another one has the name.
    pub fn put_record(&self, name: &str, bytes: &[u8]) -> Result<(), DeviceFault> {
        self.begin_record(name, bytes).wait()?
    }

    /// The same, without waiting: several volumes write side by side.
    pub fn begin_record(&self, name: &str, bytes: &[u8]) -> Outcoming {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        self.lane
            .submit(move |handle| match handle.put_record(&name, &bytes) {
                Err(fault) if fault.outcome == Outcome::EXISTS => match handle.get_record(&name) {
                    Ok(there) if there == bytes => Ok(()),
                    _ => Err(fault),
                },
                other => other,
            })
    }

    /// Reads a whole section of at most `limit` bytes.
    ///
    /// # Errors
    /// The device's; [`Outcome::TOO_SMALL`] when it is longer.
    pub fn read_section(&self, index: u64, limit: u64) -> Result<Vec<u8>, DeviceFault> {
        patiently(self, || {
            self.call(move |handle| read_whole(handle, index, limit))
        })
    }

    /// Writes a small section in one go: durable and in its place when this returns. One that is
    /// there with the same bytes is as good.
    ///
    /// # Errors
    /// The device's; [`Outcome::EXISTS`] when the place is taken by another.
    pub fn put_section(&self, section: SmallSection) -> Result<(), DeviceFault> {
        self.begin_small(section).wait()?
    }

    /// The same, without waiting: several volumes write side by side.
    pub fn begin_small(&self, section: SmallSection) -> Outcoming {
        self.lane
            .submit(move |handle| match write_whole(handle, &section) {
                Err(fault) if fault.outcome == Outcome::EXISTS => {
                    match read_whole(handle, section.index, section.bytes.len() as u64) {
                        Ok(there) if there == *section.bytes => Ok(()),
                        _ => Err(fault),
                    }
                }
                other => other,
            })
    }

    /// Removes a section; one that is not there is as good, and where none can be removed what was
    /// said of it must be enough.
    ///
    /// # Errors
    /// The device's.
    pub fn remove_section(&self, index: u64) -> Result<(), DeviceFault> {
        if !self.can_remove() {
            return Ok(());
        }
        self.call(move |handle| match handle.remove_section(index) {
            Err(fault) if fault.outcome == Outcome::NOT_FOUND => Ok(()),
            other => other,
        })
    }
}

/// A fault that the engine itself finds at a device.
pub(super) fn own_fault(
    device: &str,
    call: &'static str,
    outcome: Outcome,
    text: String,
) -> DeviceFault {
    DeviceFault {
        device: device.to_owned(),
        call,
        outcome,
        text,
        os_code: 0,
        accepted: 0,
    }
}

/// A section that fits into memory.
#[derive(Clone)]
pub struct SmallSection {
    /// Its number.
    pub index: u64,
    /// Its name.
    pub name: String,
    /// The run that writes it.
    pub run: [u8; 16],
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
    /// Whether it replaces a damaged one.
    pub mode: SectionMode,
}

fn read_whole(handle: &mut Handle, index: u64, limit: u64) -> Result<Vec<u8>, DeviceFault> {
    let length = handle.open_section(index)?;
    if length > limit {
        let text = format!("section {index} has {length} bytes, at most {limit} expected");
        return Err(own_fault(handle.label(), "read", Outcome::TOO_SMALL, text));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let end = length.min(filled + READ_PIECE);
        match handle.read(bytes.get_mut(filled..end).unwrap_or_default())? {
            0 => break,
            got => filled += got,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn write_whole(handle: &mut Handle, section: &SmallSection) -> Result<(), DeviceFault> {
    handle.begin_section(&SectionRequest {
        index: section.index,
        name: &section.name,
        run_id: section.run,
        expected_length: Some(section.bytes.len() as u64),
        mode: section.mode,
    })?;
    let written = handle
        .write(&section.bytes)
        .and_then(|()| handle.end_section());
    if written.is_err() {
        // The first fault is the one to tell; what the abort leaves is a leftover of this run.
        let _ = handle.abort_section();
    }
    written
}

/// The fault of a header that cannot be trusted.
#[must_use]
pub fn header_fault(place: &str, problem: &HeaderProblem) -> Fault {
    match problem {
        HeaderProblem::Device(fault) => Fault::from(fault.clone()),
        HeaderProblem::None => Fault::new(code::HEADER_MALFORMED, place, "it has no media header")
            .remedy("read from its twin; the header can be copied from there"),
        HeaderProblem::Format(error @ FormatError::Newer { .. }) => Fault::new(
            code::FORMAT_VERSION,
            place,
            "the media header is of a newer version",
        )
        .cause(error)
        .remedy("read it with the version of Twinset that wrote it, or a later one"),
        HeaderProblem::Format(error) => {
            Fault::new(code::HEADER_MALFORMED, place, "the media header is damaged")
                .cause(error)
                .remedy("read from its twin; nothing is appended to a damaged mirror")
        }
    }
}
