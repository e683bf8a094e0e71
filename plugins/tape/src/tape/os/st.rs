//! A tape drive behind the `st` driver of Linux: `/dev/nst*`.

mod ask;
mod ioctl;

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::super::drive::{Done, Drive, Errno, Facts, Status};
use super::super::health::{self, Asker, Room};
use super::errno;

/// Operations of `MTIOCTOP`.
mod op {
    pub(super) const FSF: i16 = 1;
    pub(super) const FSR: i16 = 3;
    pub(super) const WEOF: i16 = 5;
    pub(super) const REW: i16 = 6;
    pub(super) const OFFL: i16 = 7;
    pub(super) const SETBLK: i16 = 20;
    pub(super) const SEEK: i16 = 22;
    pub(super) const SETDRVBUFFER: i16 = 24;
    pub(super) const COMPRESSION: i16 = 32;
    pub(super) const WEOFI: i16 = 35;
}

/// Bits of `mt_gstat`.
mod gmt {
    pub(super) const END_OF_DATA: core::ffi::c_long = 0x0800_0000;
    pub(super) const PROTECTED: core::ffi::c_long = 0x0400_0000;
    pub(super) const ONLINE: core::ffi::c_long = 0x0100_0000;
    pub(super) const CLEANING: core::ffi::c_long = 0x0000_8000;
}

/// `MTSETDRVBUFFER`: set these option bits.
const SET_BITS: i32 = 0x3000_0000;
/// Clear these option bits.
const CLEAR_BITS: i32 = 0x4000_0000;
/// SCSI-2 logical block addresses: other forms are refused by some drives.
const SCSI2_LOGICAL: i32 = 0x800;
/// The door is locked while the device is open: nobody takes the cartridge out by hand.
const AUTO_LOCK: i32 = 0x40;
/// ASYNC_WRITES, TWO_FM, FAST_MTEOM, SYSV, NOWAIT, NOWAIT_EOF: each takes the certainty away that a
/// call was done when it returned, or moves the tape where nobody expects it.
const UNWANTED: i32 = 0x2 | 0x10 | 0x20 | 0x1000 | 0x2000 | 0x8000;

/// An opened drive.
#[derive(Debug)]
pub(crate) struct St {
    name: String,
    path: PathBuf,
    file: File,
    /// Options that the system did not let us set: warned of, not fatal.
    refused: Vec<&'static str>,
}

/// How long a drive may be busy before somebody else has it. Until a program that is started beside
/// (the arm's, by another lane) is loaded, its process holds all that this one had open, a drive
/// that was closed since among it.
const BUSY: Duration = Duration::from_secs(2);
/// How often that is looked at.
const BUSY_LOOK: Duration = Duration::from_millis(20);

impl St {
    /// Opens a drive; ENOMEDIUM when it is empty. The first open does not wait: a waiting one hangs
    /// for minutes on an empty drive.
    pub(crate) fn open(path: &Path, writes: bool, compress: Option<bool>) -> Done<Self> {
        let open = |flags: OFlags| {
            let custom = i32::try_from((flags | OFlags::CLOEXEC).bits()).unwrap_or(0);
            let begun = Instant::now();
            loop {
                let opened = File::options()
                    .read(true)
                    .write(writes)
                    .custom_flags(custom)
                    .open(path);
                match opened.map_err(|error| errno(&error)) {
                    Err(Errno::BUSY) if begun.elapsed() < BUSY => sleep(BUSY_LOOK),
                    ended => return ended,
                }
            }
        };
        let probe = open(OFlags::NONBLOCK)?;
        let found = ioctl::get(&probe)?;
        if found.general & gmt::ONLINE == 0 {
            return Err(Errno::NOMEDIUM);
        }
        drop(probe);
        let mut drive = Self {
            name: path.display().to_string(),
            path: path.to_owned(),
            file: open(OFlags::empty())?,
            refused: Vec::new(),
        };
        drive.set_up(compress)?;
        Ok(drive)
    }

    /// Options last until the driver is loaded again and are shared by all programs: what is
    /// needed is set at each open.
    fn set_up(&mut self, compress: Option<bool>) -> Done {
        if ioctl::operate(&self.file, op::SETBLK, 0) == Err(Errno::IO) {
            // A drive that was reset while somebody wrote takes nothing before it is rewound, from
            // nobody: the driver remembers that beyond the end of that program.
            ioctl::operate(&self.file, op::REW, 1)?;
            ioctl::operate(&self.file, op::SETBLK, 0)?;
        }
        let wanted = [
            ("SCSI2LOGICAL", SET_BITS | SCSI2_LOGICAL),
            ("AUTO_LOCK", SET_BITS | AUTO_LOCK),
            ("synchronous filemarks", CLEAR_BITS | UNWANTED),
        ];
        for (name, bits) in wanted {
            if ioctl::operate(&self.file, op::SETDRVBUFFER, bits).is_err() {
                self.refused.push(name);
            }
        }
        if let Some(on) = compress
            && ioctl::operate(&self.file, op::COMPRESSION, i32::from(on)).is_err()
        {
            self.refused.push("compression");
        }
        Ok(())
    }

    fn operate(&mut self, op: i16, count: u32) -> Done {
        let count = i32::try_from(count).map_err(|_| Errno::INVAL)?;
        ioctl::operate(&self.file, op, count)
    }

    /// Its name in the kernel.
    fn node(&self) -> Option<String> {
        let node = std::fs::canonicalize(&self.path).ok()?;
        Some(node.file_name()?.to_str()?.to_owned())
    }

    /// A log page of the drive.
    fn page(&self, page: u8, asker: &Asker) -> Result<Vec<u8>, String> {
        let node = self.node().ok_or("it has no name in the kernel")?;
        ask::page(&ask::node(&node)?, page, asker)
    }

    /// A file of the drive in sysfs.
    fn sysfs(&self, name: &str) -> Option<String> {
        let node = self.node()?;
        let path = format!("/sys/class/scsi_tape/{node}/device/{name}");
        Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
    }
}

impl Drive for St {
    fn name(&self) -> &str {
        &self.name
    }

    fn rewind(&mut self) -> Done {
        self.operate(op::REW, 1)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Done<usize> {
        self.file.read(buffer).map_err(|error| errno(&error))
    }

    fn write(&mut self, block: &[u8]) -> Done {
        match self.file.write(block) {
            Ok(written) if written == block.len() => Ok(()),
            // Variable mode writes a block or none.
            Ok(_) => Err(Errno::IO),
            Err(error) => Err(errno(&error)),
        }
    }

    fn mark(&mut self, wait: bool) -> Done {
        if wait {
            return self.operate(op::WEOF, 1);
        }
        match self.operate(op::WEOFI, 1) {
            Err(Errno::INVAL | Errno::NOSYS) => self.operate(op::WEOF, 1),
            other => other,
        }
    }

    fn sync(&mut self) -> Done {
        self.operate(op::WEOF, 0)
    }

    fn skip_marks(&mut self, count: u32) -> Done {
        self.operate(op::FSF, count)
    }

    fn skip_blocks(&mut self, count: u32) -> Done {
        self.operate(op::FSR, count)
    }

    fn locate(&mut self, address: u32) -> Done {
        self.operate(op::SEEK, address)
    }

    fn address(&mut self) -> Done<u32> {
        u32::try_from(ioctl::position(&self.file)?).map_err(|_| Errno::IO)
    }

    fn status(&mut self) -> Done<Status> {
        let got = ioctl::get(&self.file)?;
        let general = got.general;
        Ok(Status {
            online: general & gmt::ONLINE != 0,
            protected: general & gmt::PROTECTED != 0,
            end_of_data: general & gmt::END_OF_DATA != 0,
            cleaning: general & gmt::CLEANING != 0,
            file: u32::try_from(got.file).ok(),
        })
    }

    fn facts(&mut self) -> Facts {
        let mut alerts: Vec<String> = Vec::new();
        if !self.refused.is_empty() {
            let list = self.refused.join(", ");
            alerts.push(format!("the system did not let us set: {list}"));
        }
        let state = self.sysfs("state").filter(|state| state != "running");
        alerts.extend(state.map(|state| format!("the kernel calls the drive {state}")));
        Facts {
            alerts: alerts.join("\n"),
            ..Facts::default()
        }
    }

    fn take_flags(&mut self, asker: &Asker) -> Result<Vec<u8>, String> {
        health::read_flags(&self.page(health::PAGE_FLAGS, asker)?)
    }

    fn room(&mut self, asker: &Asker) -> Result<Option<Room>, String> {
        health::read_room(&self.page(health::PAGE_ROOM, asker)?)
    }

    fn eject(&mut self) -> Done {
        self.operate(op::OFFL, 1)
    }
}
