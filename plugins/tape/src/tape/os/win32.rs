//! A tape drive behind the calls of Win32: `\\.\TAPE0`. What they answer is put into the manners of
//! `st`. The calls stand behind a trait, so that this is tested where there is no Windows. Not tried
//! on hardware.

use std::fmt::Debug;

use super::super::drive::{Done, Drive, Errno, Facts, Status};

#[cfg(test)]
mod tests;

/// The number of an error of Win32.
pub(crate) type Code = u32;
/// What a call gives.
pub(crate) type Answer<T = ()> = Result<T, Code>;

/// Numbers of winerror.h.
pub(crate) mod code {
    pub(crate) const WRITE_PROTECT: u32 = 19;
    pub(crate) const NOT_READY: u32 = 21;
    pub(crate) const NOT_SUPPORTED: u32 = 50;
    pub(crate) const INVALID_PARAMETER: u32 = 87;
    pub(crate) const MORE_DATA: u32 = 234;
    pub(crate) const END_OF_MEDIA: u32 = 1100;
    pub(crate) const FILEMARK_DETECTED: u32 = 1101;
    pub(crate) const NO_DATA_DETECTED: u32 = 1104;
    pub(crate) const INVALID_BLOCK_LENGTH: u32 = 1106;
    pub(crate) const MEDIA_CHANGED: u32 = 1110;
    pub(crate) const BUS_RESET: u32 = 1111;
    pub(crate) const NO_MEDIA_IN_DRIVE: u32 = 1112;
    pub(crate) const EOM_OVERFLOW: u32 = 1129;
    pub(crate) const REQUIRES_CLEANING: u32 = 1165;
}

/// Methods of `SetTapePosition`, of winnt.h.
pub(crate) mod method {
    pub(crate) const REWIND: u32 = 0;
    pub(crate) const LOGICAL_BLOCK: u32 = 2;
    pub(crate) const RELATIVE_BLOCKS: u32 = 5;
    pub(crate) const FILEMARKS: u32 = 6;
}

/// Operations of `PrepareTape`, of winnt.h.
pub(crate) mod prepare {
    pub(crate) const UNLOAD: u32 = 1;
    pub(crate) const LOCK: u32 = 3;
    pub(crate) const UNLOCK: u32 = 4;
}

/// What is known of a cartridge.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Media {
    /// Bytes; 0 or less when not known.
    pub(crate) capacity: i64,
    /// Bytes that still fit; 0 or less when not known.
    pub(crate) remaining: i64,
    pub(crate) protected: bool,
}

/// The calls, at a drive that is open.
pub(crate) trait Calls: Send + Debug {
    /// `ReadFile`.
    fn read(&mut self, buffer: &mut [u8]) -> Answer<usize>;
    /// `WriteFile`.
    fn write(&mut self, block: &[u8]) -> Answer<usize>;
    /// `GetTapeStatus`.
    fn status(&mut self) -> Answer;
    /// `GetTapePosition` of the logical block.
    fn position(&mut self) -> Answer<u64>;
    /// `SetTapePosition`, waiting.
    fn set_position(&mut self, method: u32, offset: i64) -> Answer;
    /// `WriteTapemark` of filemarks.
    fn write_marks(&mut self, count: u32, immediate: bool) -> Answer;
    /// `PrepareTape`, waiting.
    fn prepare(&mut self, operation: u32) -> Answer;
    /// `GetTapeParameters` of the cartridge.
    fn media(&mut self) -> Answer<Media>;
    /// `SetTapeParameters`: the length of all blocks, 0 for any.
    fn set_block(&mut self, length: u32) -> Answer;
    /// `SetTapeParameters`: compression by the drive.
    fn set_compression(&mut self, on: bool) -> Answer;
}

/// What `st` would say.
pub(crate) const fn errno(code: Code) -> Errno {
    match code {
        // The file, the path.
        2 | 3 => Errno::NOENT,
        5 => Errno::ACCESS,
        8 | 14 | 1450 | code::MORE_DATA | code::INVALID_BLOCK_LENGTH => Errno::NOMEM,
        code::WRITE_PROTECT => Errno::ROFS,
        code::NOT_READY => Errno::AGAIN,
        // Sharing violation, busy.
        32 | 170 => Errno::BUSY,
        1 | code::NOT_SUPPORTED => Errno::NOSYS,
        code::INVALID_PARAMETER => Errno::INVAL,
        code::END_OF_MEDIA | code::EOM_OVERFLOW => Errno::NOSPC,
        code::NO_MEDIA_IN_DRIVE => Errno::NOMEDIUM,
        // The device does not exist, is not connected, was removed.
        55 | 433 | 1167 | 1617 => Errno::NODEV,
        _ => Errno::IO,
    }
}

/// An opened drive.
#[derive(Debug)]
pub(crate) struct Win32<C: Calls> {
    name: String,
    calls: C,
    /// The last operation met the end of data.
    met_end: bool,
    /// Settings that the drive did not take: warned of, not fatal.
    refused: Vec<&'static str>,
}

impl<C: Calls> Win32<C> {
    /// Sets the drive up; ENOMEDIUM when it is empty.
    pub(crate) fn new(name: String, calls: C, compress: Option<bool>) -> Done<Self> {
        let mut drive = Self {
            name,
            calls,
            met_end: false,
            refused: Vec::new(),
        };
        match drive.calls.status() {
            // Word of what was before this program came.
            Err(code::MEDIA_CHANGED | code::BUS_RESET) => drive.ready()?,
            Err(code::REQUIRES_CLEANING) => {}
            other => other.map_err(errno)?,
        }
        drive.calls.set_block(0).map_err(errno)?;
        if drive.calls.prepare(prepare::LOCK).is_err() {
            drive.refused.push("the door's lock");
        }
        if let Some(on) = compress
            && drive.calls.set_compression(on).is_err()
        {
            drive.refused.push("compression");
        }
        Ok(drive)
    }

    fn ready(&mut self) -> Done {
        match self.calls.status() {
            Err(code::REQUIRES_CLEANING) => Ok(()),
            other => other.map_err(errno),
        }
    }

    fn go(&mut self, method: u32, offset: i64) -> Done {
        self.met_end = false;
        let gone = self.calls.set_position(method, offset);
        self.met_end = gone == Err(code::NO_DATA_DETECTED);
        gone.map_err(errno)
    }

    /// Writes filemarks. In the zone of the warning the call says "end of media" of marks that it
    /// wrote; whether it did is told by the position.
    fn marks(&mut self, count: u32, immediate: bool) -> Done {
        self.met_end = false;
        let before = self.calls.position();
        match self.calls.write_marks(count, immediate) {
            Err(code::END_OF_MEDIA) => {
                let wanted = before.map(|before| before + u64::from(count));
                let landed = wanted.is_ok() && self.calls.position() == wanted;
                if landed { Ok(()) } else { Err(Errno::NOSPC) }
            }
            other => other.map_err(errno),
        }
    }
}

impl<C: Calls> Drop for Win32<C> {
    fn drop(&mut self) {
        // Closing the drive does not unlock its door.
        let _ = self.calls.prepare(prepare::UNLOCK);
    }
}

impl<C: Calls> Drive for Win32<C> {
    fn name(&self) -> &str {
        &self.name
    }

    /// After a reset the first call says so, and does nothing. That the cartridge was changed is an
    /// error: who rewinds may believe that it is the same.
    fn rewind(&mut self) -> Done {
        self.met_end = false;
        match self.calls.set_position(method::REWIND, 0) {
            Err(code::BUS_RESET) => self.go(method::REWIND, 0),
            other => other.map_err(errno),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Done<usize> {
        self.met_end = false;
        match self.calls.read(buffer) {
            Err(code::FILEMARK_DETECTED) => Ok(0),
            // No block has no bytes, and a filemark is an error here.
            Ok(0) => Err(Errno::IO),
            other => {
                self.met_end = other == Err(code::NO_DATA_DETECTED);
                other.map_err(errno)
            }
        }
    }

    fn write(&mut self, block: &[u8]) -> Done {
        self.met_end = false;
        match self.calls.write(block) {
            Ok(written) if written == block.len() => Ok(()),
            // Blocks of any length are written whole or not at all.
            Ok(_) => Err(Errno::IO),
            Err(code) => Err(errno(code)),
        }
    }

    fn mark(&mut self, wait: bool) -> Done {
        if wait {
            return self.marks(1, false);
        }
        match self.marks(1, true) {
            Err(Errno::INVAL | Errno::NOSYS) => self.marks(1, false),
            other => other,
        }
    }

    fn sync(&mut self) -> Done {
        self.marks(0, false)
    }

    fn skip_marks(&mut self, count: u32) -> Done {
        self.go(method::FILEMARKS, i64::from(count))
    }

    fn skip_blocks(&mut self, count: u32) -> Done {
        self.go(method::RELATIVE_BLOCKS, i64::from(count))
    }

    fn locate(&mut self, address: u32) -> Done {
        self.go(method::LOGICAL_BLOCK, i64::from(address))
    }

    fn address(&mut self) -> Done<u32> {
        let address = self.calls.position().map_err(errno)?;
        u32::try_from(address).map_err(|_| Errno::OVERFLOW)
    }

    fn status(&mut self) -> Done<Status> {
        let (online, cleaning) = match self.calls.status() {
            Ok(()) => (true, false),
            Err(code::REQUIRES_CLEANING) => (true, true),
            Err(code::NO_MEDIA_IN_DRIVE | code::NOT_READY) => (false, false),
            Err(code) => return Err(errno(code)),
        };
        let protected = online && self.calls.media().map_err(errno)?.protected;
        Ok(Status {
            online,
            protected,
            end_of_data: self.met_end,
            cleaning,
            file: None,
        })
    }

    fn facts(&mut self) -> Facts {
        let known = |bytes: i64| u64::try_from(bytes).ok().filter(|bytes| *bytes > 0);
        let media = self.calls.media().unwrap_or_default();
        let alerts = match self.refused.join(", ") {
            list if list.is_empty() => list,
            list => format!("the drive did not take: {list}"),
        };
        let capacity = known(media.capacity);
        Facts {
            capacity,
            // Nothing left and nothing known look alike; beside a capacity it is the former.
            free: capacity.and_then(|_| u64::try_from(media.remaining).ok()),
            alerts,
            ..Facts::default()
        }
    }

    fn eject(&mut self) -> Done {
        self.met_end = false;
        let _ = self.calls.prepare(prepare::UNLOCK);
        self.calls.prepare(prepare::UNLOAD).map_err(errno)
    }
}
