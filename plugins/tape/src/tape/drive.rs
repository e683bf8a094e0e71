//! What the plugin asks of a drive, with the error numbers of the `st` driver of Linux, which the
//! other drives give as well.

use std::fmt::Debug;

pub(crate) use super::errno::Errno;

use super::health::{Asker, Room};

/// What became of a call.
pub(crate) type Done<T = ()> = Result<T, Errno>;

/// What a drive says of itself and of the cartridge in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// A cartridge is in and ready.
    pub(crate) online: bool,
    /// The cartridge does not take writes.
    pub(crate) protected: bool,
    /// The last operation met the end of data.
    pub(crate) end_of_data: bool,
    /// The drive wants to be cleaned.
    pub(crate) cleaning: bool,
    /// Tape file that it believes to be in; unknown after some motions.
    pub(crate) file: Option<u32>,
}

/// What is known of a cartridge beyond its contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Barcode.
    pub(crate) barcode: Option<String>,
    /// Bytes it takes in all.
    pub(crate) capacity: Option<u64>,
    /// Bytes that still fit.
    pub(crate) free: Option<u64>,
    /// Bytes of data that may follow the warning of the end, where that is known.
    pub(crate) spare: Option<u64>,
    /// Written blocks cannot be written over.
    pub(crate) worm: bool,
    /// Warnings, one a line.
    pub(crate) alerts: String,
}

/// A tape drive in variable block mode, with the cartridge in it.
///
/// Errors are errno values as `st` gives them: EIO for what failed (also for spacing past the
/// end), ENOSPC at early warning and at the end, ENOMEM for a block longer than the buffer (the
/// tape is behind it then), ENOMEDIUM without a cartridge, EACCES or EROFS when protected.
pub(crate) trait Drive: Send + Debug {
    /// Its name in messages.
    fn name(&self) -> &str;
    /// To the beginning of the tape.
    fn rewind(&mut self) -> Done;
    /// Reads one block; 0 at a filemark, which is passed, and once at the end of data.
    fn read(&mut self, buffer: &mut [u8]) -> Done<usize>;
    /// Writes one block.
    fn write(&mut self, block: &[u8]) -> Done;
    /// Writes a filemark; with `wait`, all that was written before is on the tape when it returns.
    fn mark(&mut self, wait: bool) -> Done;
    /// All that was written is on the tape when it returns.
    fn sync(&mut self) -> Done;
    /// Over filemarks, forward.
    fn skip_marks(&mut self, count: u32) -> Done;
    /// Over blocks of one file, forward.
    fn skip_blocks(&mut self, count: u32) -> Done;
    /// To a logical block; filemarks count as blocks.
    fn locate(&mut self, address: u32) -> Done;
    /// The logical block that comes next.
    fn address(&mut self) -> Done<u32>;
    /// State of drive and cartridge.
    fn status(&mut self) -> Done<Status>;
    /// More of the cartridge; asks the drive, never fails for what it does not know.
    fn facts(&mut self) -> Facts;
    /// The TapeAlert flags that are set; reading them clears them. Why it cannot be asked, if so.
    fn take_flags(&mut self, _: &Asker) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
    /// Room on the cartridge, where it must be asked for at length.
    fn room(&mut self, _: &Asker) -> Result<Option<Room>, String> {
        Ok(None)
    }
    /// Gives the cartridge out.
    fn eject(&mut self) -> Done;
}

/// A drive without a cartridge: while one is changed for another.
#[derive(Debug)]
pub(crate) struct Empty(pub(crate) String);

impl Drive for Empty {
    fn name(&self) -> &str {
        &self.0
    }

    fn rewind(&mut self) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn read(&mut self, _: &mut [u8]) -> Done<usize> {
        Err(Errno::NOMEDIUM)
    }

    fn write(&mut self, _: &[u8]) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn mark(&mut self, _: bool) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn sync(&mut self) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn skip_marks(&mut self, _: u32) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn skip_blocks(&mut self, _: u32) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn locate(&mut self, _: u32) -> Done {
        Err(Errno::NOMEDIUM)
    }

    fn address(&mut self) -> Done<u32> {
        Err(Errno::NOMEDIUM)
    }

    fn status(&mut self) -> Done<Status> {
        Ok(Status::default())
    }

    fn facts(&mut self) -> Facts {
        Facts::default()
    }

    fn eject(&mut self) -> Done {
        Ok(())
    }
}
