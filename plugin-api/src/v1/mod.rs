//! Revision 1 of the border, byte for byte.
//!
//! Only plain `repr(C)` values and function pointers live here. Once the revision is released
//! nothing in this module changes any more: names of types and fields are part of the check that
//! is made when a plugin is loaded. A second revision will be a module beside this one.

mod convert;
mod table;
mod values;

pub use convert::Entry;
pub use table::DeviceTableV1;
pub use values::{
    DescriptionV1, DeviceHandleV1, ErrorV1, HostServicesV1, InspectionV1, LeftoverV1, NameV1,
    ObservationV1, OpenRequestV1, RecordEntryV1, SectionEntryV1, SectionRequestV1, SpanRequestV1,
    StatusV1, TextV1, VolumeEntryV1,
};

/// The number of this revision, in the tables of both sides.
pub const REVISION: u32 = 1;
/// Longest name, key or version in bytes.
pub const NAME_MAX: usize = 255;
/// Longest error or alert text in bytes; longer ones are cut.
pub const TEXT_MAX: usize = 2048;
/// Longest options text in bytes.
pub const OPTIONS_MAX: usize = 64 * 1024;
/// Largest record in bytes.
pub const RECORD_MAX: usize = 1024 * 1024;
/// Most entries a host may ask for in one list call.
pub const PAGE_MAX: usize = 1024;

/// `OpenRequestV1::access`: reads only.
pub const ACCESS_READ: u32 = 1;
/// `OpenRequestV1::access`: reads and writes under the volume's lock.
pub const ACCESS_WRITE: u32 = 2;
/// `OpenRequestV1::access`: as write, taking the lock from a dead holder.
pub const ACCESS_TAKE_OVER: u32 = 3;

/// How the names of holds begin: records that may be put and removed by who only reads.
pub const HOLD_PREFIX: &str = "hold.";

/// `mount`: the volume must be there.
pub const MOUNT_EXISTING: u32 = 1;
/// `mount`: a blank volume is made.
pub const MOUNT_BLANK: u32 = 2;

/// `unmount`: the volume stays.
pub const UNMOUNT_KEEP: u32 = 1;
/// `unmount`: the volume is put away.
pub const UNMOUNT_EJECT: u32 = 2;

/// `SectionRequestV1::mode`: create-only.
pub const SECTION_NEW: u32 = 1;
/// `SectionRequestV1::mode`: replaces a damaged section.
pub const SECTION_REPAIR: u32 = 2;

/// `HostServicesV1::log`: something failed.
pub const LOG_ERROR: u32 = 1;
/// `HostServicesV1::log`: something an operator should look at.
pub const LOG_WARN: u32 = 2;
/// `HostServicesV1::log`: something worth a line.
pub const LOG_INFO: u32 = 3;
/// `HostServicesV1::log`: for those who look for a fault.
pub const LOG_DEBUG: u32 = 4;

/// `InspectionV1::checked`: the medium keeps no checksums of it; only reading tells.
pub const CHECKED_NOT: u32 = 0;
/// `InspectionV1::checked`: what the medium keeps agrees with what was written.
pub const CHECKED_SOUND: u32 = 1;
/// `InspectionV1::checked`: it does not.
pub const CHECKED_DIFFERS: u32 = 2;

/// `ObservationV1::level`: looked at, and in order.
pub const OBSERVED_OK: u32 = 1;
/// `ObservationV1::level`: good to know.
pub const OBSERVED_NOTE: u32 = 2;
/// `ObservationV1::level`: it may cost data or stop a run.
pub const OBSERVED_WARNING: u32 = 3;
