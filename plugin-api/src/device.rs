//! The safe Rust side of the border: what a device plugin implements.
//!
//! A vendor writes [`Plugin`] and [`Device`] without `unsafe`; `export_device!` makes the doors.
//! Every call runs on the device's own lane thread, one at a time; only cancellation arrives from
//! elsewhere, as a flag ([`crate::Host::should_stop`]) that long calls look at.

use crate::{DeviceClass, Host, Outcome};

/// What a plugin file is: one vendor, one product, one kind of device.
pub trait Plugin {
    /// Says what this plugin is and can do, without touching any device.
    fn describe() -> Description;

    /// Opens a device. Nothing is written yet; [`Device::mount`] names the volume.
    ///
    /// # Errors
    /// [`Outcome::BAD_OPTION`] names the key path in its text (`path: must be absolute`).
    fn open(request: &OpenRequest<'_>, host: Host) -> Result<Box<dyn Device>, DeviceError>;
}

/// Facts about a plugin; compared between the mirrors of a media set (number 3212).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Vendor, at most 63 bytes of UTF-8.
    pub vendor: String,
    /// Product, at most 63 bytes of UTF-8.
    pub product: String,
    /// Version of the plugin, at most 31 bytes.
    pub version: String,
    /// Disk or tape. An object store counts as disk.
    pub class: DeviceClass,
    /// [`crate::Capabilities`] bits.
    pub capabilities: u32,
    /// Smallest and largest block the device takes, in bytes, powers of two.
    pub block_sizes: (u32, u32),
    /// Alignment of buffers in memory that it wants, in bytes, a power of two.
    pub alignment: u32,
    /// Smallest and largest single transfer, in bytes.
    pub transfer_sizes: (u32, u32),
    /// Bytes of payload that one lane may hold beyond the buffer it was lent.
    pub bytes_held: u64,
}

/// What [`Plugin::open`] is given.
#[derive(Clone, Debug)]
pub struct OpenRequest<'a> {
    /// The `options` table of the configuration, as canonical JSON.
    pub options: &'a str,
    /// Identity of the agent that asks; stands in the lock a writer takes.
    pub agent_id: &'a str,
    /// Why it is opened.
    pub access: Access,
}

/// Why a device is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only; takes no lock. Holds may still be put and removed: records whose name begins
    /// with [`crate::v1::HOLD_PREFIX`].
    Read,
    /// Reads and writes; `mount` takes the volume's exclusive lock.
    Write,
    /// As write, but takes the lock from a holder that is known to be dead.
    TakeOver,
}

/// Which volume is wanted, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount<'a> {
    /// The volume of this key must be there ([`Outcome::NO_MEDIUM`] or [`Outcome::WRONG_MEDIUM`]).
    Existing(&'a str),
    /// A blank volume is made under this key ([`Outcome::EXISTS`] when it holds sections already).
    Blank(&'a str),
}

/// What becomes of a volume when it leaves the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It stays where it is.
    Keep,
    /// It is put back into its slot, or ejected.
    Eject,
}

/// A volume the device can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeEntry {
    /// Key to mount it by, at most 255 bytes: the media set id for ours on disk, a barcode on tape.
    pub key: String,
    /// Number of sections on it, if that is known without mounting.
    pub sections: Option<u64>,
}

/// A closed section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionEntry {
    /// Its number: 0 header, 2k-1 data of set k, 2k manifest (or void) of set k.
    pub index: u64,
    /// Bytes in it.
    pub length: u64,
    /// The name it was begun with, at most 255 bytes; empty where the medium keeps no names.
    pub name: String,
}

/// How a section is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionMode {
    /// It must not exist yet.
    New,
    /// It replaces a damaged section of the same number when it is ended (`media repair`).
    Repair,
}

/// Order to begin a section.
#[derive(Clone, Debug)]
pub struct SectionRequest<'a> {
    /// Number of the section.
    pub index: u64,
    /// Name for people; letters, digits and `._-` only, at most 200 bytes.
    pub name: &'a str,
    /// The run that writes it; stands in the name of the work file.
    pub run_id: [u8; 16],
    /// Bytes expected, if known.
    pub expected_length: Option<u64>,
    /// New or repair.
    pub mode: SectionMode,
}

/// Order to go on with the open section on the next medium of the row.
#[derive(Clone, Copy, Debug)]
pub struct SpanRequest<'a> {
    /// How many bytes of the section lie on the media so far, the current one included. What this
    /// medium took behind them does not count.
    pub cut: u64,
    /// Closes the part on this medium: a small text that says what it is and that it goes on.
    pub note: &'a [u8],
    /// Media header of the next medium: its section 0.
    pub header: &'a [u8],
}

/// A small record beside the sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// Its name; letters, digits and `._-` only, at most 200 bytes.
    pub name: String,
    /// Bytes in it.
    pub length: u64,
}

/// Something on the volume that is neither a closed section nor a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its name on the medium, at most 255 bytes.
    pub name: String,
    /// The run that left it, for work files; `None` for a foreign file, which is never touched.
    pub run_id: Option<[u8; 16]>,
    /// The section it was to become.
    pub index: Option<u64>,
    /// Bytes in it.
    pub length: u64,
}

/// State of the device and the mounted volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Free bytes on the medium.
    pub free: Option<u64>,
    /// Bytes the medium holds in all.
    pub capacity: Option<u64>,
    /// What the operator should know, one a line. A line that begins with `critical: ` or
    /// `warning: ` tells what happened once, as `warning: headline: what it means; what to do`: an
    /// agent raises it as an alert. The others are shown.
    pub alerts: String,
}

/// What the medium itself says of a closed section, without its bytes being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What comparing the checksums that the medium keeps with those noted on writing gave.
    pub checked: Checked,
    /// Until when the medium refuses to remove the section, in milliseconds since 1970-01-01 UTC;
    /// [`i64::MAX`] where it names no end.
    pub locked_until: Option<i64>,
}

/// What stored checksums say of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Checked {
    /// None are kept; only reading tells.
    #[default]
    Not,
    /// They are those of what was written.
    Sound,
    /// They are not, and how.
    Differs(String),
}

/// Something that was seen of the storage behind a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// How grave it is.
    pub level: Observed,
    /// One sentence, and after `; ` what to do about it.
    pub text: String,
}

/// How grave an [`Observation`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Looked at, and in order.
    Ok,
    /// Good to know.
    Note,
    /// It may cost data or stop a run.
    Warning,
}

/// A failed call: its class decides what happens next, its text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceError {
    /// What kind of outcome it is.
    pub outcome: Outcome,
    /// One sentence with the object: `write 0001.Payroll.full.bak: No space left on device`.
    /// For [`Outcome::LOCKED`] it is the holder: `agent TAB host`.
    pub text: String,
    /// The operating system's number (errno), 0 when there is none.
    pub os_code: i32,
    /// For [`Outcome::END_OF_MEDIUM`]: how many bytes of this call were taken.
    pub accepted: u64,
}

impl DeviceError {
    /// An error of a class with a text.
    pub fn new(outcome: Outcome, text: impl Into<String>) -> Self {
        Self {
            outcome,
            text: text.into(),
            os_code: 0,
            accepted: 0,
        }
    }

    /// The answer to a call that this device does not have.
    #[must_use]
    pub fn not_supported(call: &str) -> Self {
        Self::new(
            Outcome::NOT_SUPPORTED,
            format!("{call} is not supported by this device"),
        )
    }

    /// The same error with the operating system's number.
    #[must_use]
    pub fn with_os_code(mut self, code: i32) -> Self {
        self.os_code = code;
        self
    }
}

/// One opened device. Dropping it closes it and lets go of the lock.
///
/// # Contract
/// * Nothing is ever overwritten: sections and records are create-only.
/// * When [`Device::end_section`] or [`Device::put_record`] returns, the bytes and their name are
///   durable. [`Device::sync`] promises the bytes alone.
/// * A section that was not ended is invisible in [`Device::sections`]; it is a leftover.
/// * A buffer given to [`Device::write`] is lent for the length of the call.
///
/// # Rows of media (capability `SPAN`)
/// A volume of a device that can span is a row of media, numbered from 1 by the media sequence in
/// their headers. To the host it is one volume: all calls speak of the row, a section may lie on
/// several media and is as long as its parts together, reads cross from one to the next. Section 0
/// is the header of the last medium of the row; that is the medium that is written.
/// * [`Device::write`] answers [`Outcome::END_OF_MEDIUM`] with the bytes taken, a whole number of
///   blocks, while there is still room for the note of [`Device::span`], a manifest and records.
///   The section stays open. Asked again, the device takes more bytes if it has room beyond that,
///   else it answers the same with 0 bytes taken.
/// * An input/output error is never the end of a medium.
/// * A part whose next medium is not there is a leftover: the row ends before it.
pub trait Device: Send {
    /// Brings a volume in. Under write access this takes its exclusive lock.
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError>;
    /// Lets the volume go, and its lock.
    fn unmount(&mut self, disposition: Disposition) -> Result<(), DeviceError>;
    /// Volumes whose key sorts after `after`, in order, at most `max`.
    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError>;
    /// Closed sections with a number above `after` (all for `None`), in order, at most `max`.
    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError>;
    /// Begins a section; [`Outcome::EXISTS`] when the number is taken.
    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError>;
    /// Takes all of `bytes`, or fails.
    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError>;
    /// Makes all written bytes durable; the section stays open.
    fn sync(&mut self) -> Result<(), DeviceError>;
    /// Makes the section durable and puts it in its place; [`Outcome::EXISTS`] when somebody did.
    fn end_section(&mut self) -> Result<(), DeviceError>;
    /// Gives the open section up and removes what was written of it, where that is possible.
    fn abort_section(&mut self) -> Result<(), DeviceError>;
    /// Closes the part of the open section on this medium, brings the next one in, gives it its
    /// header and goes on with the section there, at byte `cut`. All of it is durable when it
    /// returns. Asked again after a failure, it goes on from where it came.
    ///
    /// # Errors
    /// [`Outcome::NEEDS_OPERATOR`] while no medium can be had, with a text that says what to put
    /// in; [`Outcome::NOT_SUPPORTED`] without the capability `SPAN`.
    fn span(&mut self, request: &SpanRequest<'_>) -> Result<(), DeviceError> {
        let _ = request;
        Err(DeviceError::not_supported("span"))
    }
    /// Opens a closed section for reading at offset 0 and says how long it is.
    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError>;
    /// Moves the reading position, in bytes from the start of the section.
    fn seek(&mut self, offset: u64) -> Result<(), DeviceError>;
    /// Reads some bytes; 0 only at the end of the section.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError>;
    /// Writes a record, durable and create-only. A hold also where the device was opened for
    /// reading, if that is possible ([`Outcome::WRITE_PROTECTED`] if not).
    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError>;
    /// Reads a whole record.
    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError>;
    /// Records whose name sorts after `after`, in order, at most `max`.
    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError>;
    /// Removes a record.
    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError>;
    /// Removes a closed section (capability `RANDOM_REMOVE`).
    fn remove_section(&mut self, index: u64) -> Result<(), DeviceError>;
    /// Removes this section and all after it.
    fn truncate(&mut self, index: u64) -> Result<(), DeviceError>;
    /// Unfinished work and foreign files whose name sorts after `after`, at most `max`; before a
    /// volume is mounted, what is foreign beside the volumes.
    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError>;
    /// Removes an unfinished piece of work by its leftover name; never a foreign file.
    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError>;
    /// Medium, space, alerts.
    fn status(&mut self) -> Result<DeviceStatus, DeviceError>;
    /// What the medium itself says of a closed section, without reading it.
    ///
    /// # Errors
    /// [`Outcome::NOT_SUPPORTED`] where media say nothing, which is what devices answer that do not
    /// have this call; [`Outcome::NOT_FOUND`] for a section that is not there.
    fn inspect_section(&mut self, index: u64) -> Result<Inspection, DeviceError> {
        Err(DeviceError::not_supported(&format!(
            "inspecting section {index}"
        )))
    }
    /// Tries what the storage behind the mounted volume honours, and says what it found. May write
    /// and remove scratch of its own under any access; leaves nothing.
    ///
    /// # Errors
    /// What kept it from looking at all. What cannot be seen is an observation.
    fn probe(&mut self) -> Result<Vec<Observation>, DeviceError> {
        Ok(Vec::new())
    }
}
