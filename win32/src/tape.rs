//! Tape drives: the calls of the tape back-end, with the numbers that they take and give.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::{
    GET_TAPE_DRIVE_INFORMATION, GET_TAPE_MEDIA_INFORMATION, GetTapeParameters, GetTapePosition,
    GetTapeStatus, PrepareTape, SET_TAPE_DRIVE_INFORMATION, SET_TAPE_MEDIA_INFORMATION,
    SetTapeParameters, SetTapePosition, TAPE_FILEMARKS, TAPE_LOGICAL_POSITION, WriteTapemark,
};
use windows_sys::Win32::System::SystemServices::{
    TAPE_GET_DRIVE_PARAMETERS, TAPE_GET_MEDIA_PARAMETERS, TAPE_SET_DRIVE_PARAMETERS,
    TAPE_SET_MEDIA_PARAMETERS,
};

use crate::check_code;
use crate::file::raw;

/// What is known of a cartridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Bytes it takes; 0 or less when not known.
    pub capacity: i64,
    /// Bytes that still fit; 0 or less when not known.
    pub remaining: i64,
    /// It does not take writes.
    pub protected: bool,
}

/// Opens a drive for this process alone.
///
/// # Errors
/// What the system says; a sharing violation while another program has it.
pub fn open(path: &Path, writes: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(writes).share_mode(0).open(path)
}

/// State of drive and cartridge: `GetTapeStatus`.
///
/// # Errors
/// The state, where it is not "ready".
pub fn status(drive: &File) -> io::Result<()> {
    // SAFETY: an open handle.
    check_code(unsafe { GetTapeStatus(raw(drive)) })
}

/// The logical block that comes next, in its partition.
///
/// # Errors
/// What the system says.
pub fn position(drive: &File) -> io::Result<u64> {
    let (mut partition, mut low, mut high) = (0, 0, 0);
    // SAFETY: an open handle, and three numbers that outlive the call.
    check_code(unsafe {
        GetTapePosition(
            raw(drive),
            TAPE_LOGICAL_POSITION,
            &raw mut partition,
            &raw mut low,
            &raw mut high,
        )
    })?;
    Ok(u64::from(high) << 32 | u64::from(low))
}

/// Moves the tape, in the partition where it stands, and waits: `SetTapePosition`.
///
/// # Errors
/// What the system says, also what the tape met on its way.
pub fn set_position(drive: &File, method: u32, offset: i64) -> io::Result<()> {
    let offset = offset.cast_unsigned();
    let (low, high) = (offset as u32, (offset >> 32) as u32);
    // SAFETY: an open handle.
    check_code(unsafe { SetTapePosition(raw(drive), method, 0, low, high, 0) })
}

/// Writes filemarks; with `immediate` without waiting for them.
///
/// # Errors
/// What the system says.
pub fn write_marks(drive: &File, count: u32, immediate: bool) -> io::Result<()> {
    // SAFETY: an open handle.
    check_code(unsafe { WriteTapemark(raw(drive), TAPE_FILEMARKS, count, i32::from(immediate)) })
}

/// Loads, unloads, locks, unlocks, and waits: `PrepareTape`.
///
/// # Errors
/// What the system says.
pub fn prepare(drive: &File, operation: u32) -> io::Result<()> {
    // SAFETY: an open handle.
    check_code(unsafe { PrepareTape(raw(drive), operation, 0) })
}

/// What is known of the cartridge.
///
/// # Errors
/// What the system says.
pub fn media(drive: &File) -> io::Result<Media> {
    let mut facts = TAPE_GET_MEDIA_PARAMETERS::default();
    let mut size = size_of::<TAPE_GET_MEDIA_PARAMETERS>() as u32;
    // SAFETY: an open handle, and a structure of the size that is told, which outlives the call.
    check_code(unsafe {
        GetTapeParameters(
            raw(drive),
            GET_TAPE_MEDIA_INFORMATION,
            &raw mut size,
            (&raw mut facts).cast(),
        )
    })?;
    Ok(Media {
        capacity: facts.Capacity,
        remaining: facts.Remaining,
        protected: facts.WriteProtected,
    })
}

/// Sets the length of all blocks in bytes; 0 for blocks of any length.
///
/// # Errors
/// What the system says.
pub fn set_block(drive: &File, length: u32) -> io::Result<()> {
    let wanted = TAPE_SET_MEDIA_PARAMETERS { BlockSize: length };
    // SAFETY: an open handle, and the structure that belongs to the operation.
    check_code(unsafe {
        SetTapeParameters(
            raw(drive),
            SET_TAPE_MEDIA_INFORMATION,
            (&raw const wanted).cast(),
        )
    })
}

/// Turns compression by the drive on or off, and leaves its other settings.
///
/// # Errors
/// What the system says.
pub fn set_compression(drive: &File, on: bool) -> io::Result<()> {
    let mut facts = TAPE_GET_DRIVE_PARAMETERS::default();
    let mut size = size_of::<TAPE_GET_DRIVE_PARAMETERS>() as u32;
    // SAFETY: an open handle, and a structure of the size that is told, which outlives the call.
    check_code(unsafe {
        GetTapeParameters(
            raw(drive),
            GET_TAPE_DRIVE_INFORMATION,
            &raw mut size,
            (&raw mut facts).cast(),
        )
    })?;
    let wanted = TAPE_SET_DRIVE_PARAMETERS {
        ECC: facts.ECC,
        Compression: on,
        DataPadding: facts.DataPadding,
        ReportSetmarks: facts.ReportSetmarks,
        EOTWarningZoneSize: facts.EOTWarningZoneSize,
    };
    // SAFETY: an open handle, and the structure that belongs to the operation.
    check_code(unsafe {
        SetTapeParameters(
            raw(drive),
            SET_TAPE_DRIVE_INFORMATION,
            (&raw const wanted).cast(),
        )
    })
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation as found;
    use windows_sys::Win32::Storage::FileSystem as fs;

    use super::*;

    /// The tape plugin has these by their numbers (`os/win32.rs`), to be tested without Windows.
    #[test]
    fn numbers_are_those_of_the_headers() {
        assert_eq!(
            [
                fs::TAPE_REWIND,
                fs::TAPE_LOGICAL_BLOCK,
                fs::TAPE_SPACE_RELATIVE_BLOCKS,
                fs::TAPE_SPACE_FILEMARKS,
            ],
            [0, 2, 5, 6]
        );
        assert_eq!([fs::TAPE_UNLOAD, fs::TAPE_LOCK, fs::TAPE_UNLOCK], [1, 3, 4]);
        assert_eq!(
            [
                found::ERROR_END_OF_MEDIA,
                found::ERROR_FILEMARK_DETECTED,
                found::ERROR_NO_DATA_DETECTED,
                found::ERROR_INVALID_BLOCK_LENGTH,
                found::ERROR_MEDIA_CHANGED,
                found::ERROR_BUS_RESET,
                found::ERROR_NO_MEDIA_IN_DRIVE,
                found::ERROR_EOM_OVERFLOW,
                found::ERROR_DEVICE_REQUIRES_CLEANING,
            ],
            [1100, 1101, 1104, 1106, 1110, 1111, 1112, 1129, 1165]
        );
        assert_eq!(
            [
                size_of::<TAPE_GET_DRIVE_PARAMETERS>(),
                size_of::<TAPE_GET_MEDIA_PARAMETERS>(),
                size_of::<TAPE_SET_DRIVE_PARAMETERS>(),
                size_of::<TAPE_SET_MEDIA_PARAMETERS>(),
            ],
            [32, 32, 8, 4]
        );
    }

    #[test]
    fn a_drive_that_is_not_there_is_not_found() {
        let error = open(Path::new(r"\\.\TAPE9"), false).expect_err("no drive here");
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    }
}
