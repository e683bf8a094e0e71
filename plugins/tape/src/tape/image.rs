//! The virtual tape: an image file in the SIMH `.tap` form with a sidecar, with the manners and the
//! error numbers of the `st` driver (docs/tape.md has both forms).
//!
//! It survives a power cut as a tape does: what was synced is there, a torn record at the end is the
//! end of data.

mod cartridge;
mod sidecar;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::drive::{Done, Drive, Errno, Facts, Status};
use super::health::Asker;
use super::os;
use cartridge::{Cartridge, Object};
pub(crate) use sidecar::Meta;
use sidecar::{On, Planted};

/// A drive that takes image files.
#[derive(Debug)]
pub(crate) struct Image {
    name: String,
    path: PathBuf,
    cartridge: Cartridge,
    meta: Meta,
    planted: Planted,
    /// The object that comes next.
    at: usize,
    /// The last operation met the end of data.
    met_end: bool,
    /// The next write in the zone of early warning is refused.
    refuse: bool,
    /// Blocks were written behind the last filemark: closing writes one.
    open_file: bool,
    /// Cleared by motions after which the driver does not count files any more.
    counts: bool,
    /// TapeAlert flags that faults raised since they were asked for.
    flags: Vec<u8>,
}

impl Image {
    /// Loads an image. EBUSY when another drive has it, ENOENT when there is none.
    pub(crate) fn load(path: &Path) -> Done<Self> {
        let cartridge = Cartridge::open(path)?;
        let meta = sidecar::read(path)?;
        Ok(Self {
            name: path.display().to_string(),
            path: path.to_owned(),
            cartridge,
            planted: Planted::new(&meta),
            meta,
            at: 0,
            met_end: false,
            refuse: false,
            open_file: false,
            counts: true,
            flags: Vec::new(),
        })
    }

    /// Makes a blank cartridge where none is.
    pub(crate) fn make(path: &Path, meta: Option<&Meta>) -> Done {
        if let Some(meta) = meta {
            sidecar::write(path, meta)?;
        }
        cartridge::make(path)
    }

    /// Somebody put another image in the place of this one: the next call fails once, as after a
    /// change of cartridge, and goes to the new one then.
    fn check_changed(&mut self) -> Done {
        if self.cartridge.is_at(&self.path) {
            return Ok(());
        }
        let cartridge = match Cartridge::open(&self.path) {
            Err(Errno::NOENT) => return Err(Errno::NOMEDIUM),
            other => other?,
        };
        self.open_file = false;
        self.cartridge = cartridge;
        self.meta = sidecar::read(&self.path)?;
        self.planted = Planted::new(&self.meta);
        (self.at, self.met_end, self.refuse, self.counts) = (0, false, false, true);
        if self.meta.quiet {
            Ok(())
        } else {
            Err(Errno::IO)
        }
    }

    fn begin(&mut self, on: On) -> Done<bool> {
        self.check_changed()?;
        self.met_end = false;
        match self.planted.strike(on) {
            None => Ok(false),
            Some(fault) => {
                self.flags.extend_from_slice(&fault.flags);
                if fault.lands {
                    Ok(true)
                } else {
                    Err(fault.errno())
                }
            }
        }
    }

    fn may_write(&self) -> Done {
        if self.is_protected() {
            return Err(Errno::ACCESS);
        }
        if self.meta.worm && self.at < self.cartridge.objects.len() {
            return Err(Errno::IO);
        }
        Ok(())
    }

    fn is_protected(&self) -> bool {
        self.meta.write_protected || !self.cartridge.writable
    }

    fn capacity(&self) -> u64 {
        self.meta.capacity.unwrap_or(u64::MAX)
    }

    /// A pending filemark is written before the tape is moved away from what was written.
    fn close_file(&mut self) -> Done {
        if self.open_file {
            self.open_file = false;
            self.cartridge.append_mark(self.at)?;
            self.at += 1;
            self.cartridge.sync()?;
        }
        Ok(())
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // As the driver's close; nobody is left to be told of its failure.
        if self.cartridge.is_at(&self.path) {
            let _ = self.close_file();
        }
    }
}

impl Drive for Image {
    fn name(&self) -> &str {
        &self.name
    }

    fn rewind(&mut self) -> Done {
        self.begin(On::Rewind)?;
        self.close_file()?;
        (self.at, self.counts, self.refuse) = (0, true, false);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Done<usize> {
        self.begin(On::Read)?;
        let Some(object) = self.cartridge.objects.get(self.at).copied() else {
            self.met_end = true;
            let behind_mark = self.at > 0
                && self.at == self.cartridge.objects.len()
                && self.cartridge.is_mark(self.at - 1);
            // Once a zero behind a filemark, then EIO for ever.
            self.at = self.cartridge.objects.len() + 1;
            return if behind_mark { Ok(0) } else { Err(Errno::IO) };
        };
        self.at += 1;
        match object {
            Object { length: 0, .. } => Ok(0),
            Object { bad: true, .. } => Err(Errno::IO),
            Object { length, .. } if length as usize > buffer.len() => Err(Errno::NOMEM),
            object => self.cartridge.read(object, buffer),
        }
    }

    fn write(&mut self, block: &[u8]) -> Done {
        let lands = self.begin(On::Write)?;
        self.may_write()?;
        self.at = self.at.min(self.cartridge.objects.len());
        let end = self.cartridge.offset(self.at) + block.len() as u64 + 8;
        if self.refuse || end > self.capacity() {
            self.refuse = false;
            self.met_end = true;
            return Err(Errno::NOSPC);
        }
        self.cartridge.append(self.at, block)?;
        self.at += 1;
        self.open_file = true;
        self.refuse = end > self.capacity().saturating_sub(self.meta.zone());
        if lands { Err(Errno::NOSPC) } else { Ok(()) }
    }

    fn mark(&mut self, wait: bool) -> Done {
        self.begin(On::Mark)?;
        self.may_write()?;
        self.at = self.at.min(self.cartridge.objects.len());
        if self.cartridge.offset(self.at) + 4 > self.capacity() {
            return Err(Errno::IO);
        }
        self.cartridge.append_mark(self.at)?;
        self.at += 1;
        (self.open_file, self.refuse) = (false, false);
        if wait { self.cartridge.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Done {
        self.begin(On::Mark)?;
        self.cartridge.sync()
    }

    fn skip_marks(&mut self, count: u32) -> Done {
        self.begin(On::Space)?;
        self.close_file()?;
        for _ in 0..count {
            let rest = self.at.min(self.cartridge.objects.len())..self.cartridge.objects.len();
            let next = rest.clone().find(|at| self.cartridge.is_mark(*at));
            let Some(next) = next else {
                (self.at, self.met_end) = (rest.end, true);
                return Err(Errno::IO);
            };
            self.at = next + 1;
        }
        Ok(())
    }

    fn skip_blocks(&mut self, count: u32) -> Done {
        self.begin(On::Space)?;
        for _ in 0..count {
            match self.cartridge.objects.get(self.at) {
                None => {
                    self.met_end = true;
                    return Err(Errno::IO);
                }
                Some(Object { length: 0, .. }) => {
                    self.at += 1;
                    return Err(Errno::IO);
                }
                Some(_) => self.at += 1,
            }
        }
        Ok(())
    }

    fn locate(&mut self, address: u32) -> Done {
        self.begin(On::Locate)?;
        self.close_file()?;
        self.counts = false;
        let end = self.cartridge.objects.len();
        self.at = end.min(address as usize);
        if address as usize > end {
            self.met_end = true;
            return Err(Errno::IO);
        }
        Ok(())
    }

    fn address(&mut self) -> Done<u32> {
        self.begin(On::Tell)?;
        let at = self.at.min(self.cartridge.objects.len());
        u32::try_from(at).map_err(|_| Errno::OVERFLOW)
    }

    fn status(&mut self) -> Done<Status> {
        let marks = (0..self.at.min(self.cartridge.objects.len()))
            .filter(|at| self.counts && self.cartridge.is_mark(*at))
            .count();
        Ok(Status {
            online: true,
            protected: self.is_protected(),
            end_of_data: self.met_end,
            cleaning: false,
            file: u32::try_from(marks).ok().filter(|_| self.counts),
        })
    }

    fn facts(&mut self) -> Facts {
        let used = self.cartridge.offset(self.cartridge.objects.len());
        let room = self.meta.capacity;
        Facts {
            barcode: self.meta.barcode.clone(),
            capacity: room,
            free: room.map(|room| room.saturating_sub(self.meta.zone()).saturating_sub(used)),
            spare: room.map(|room| {
                room.saturating_sub(used)
                    .saturating_sub(self.meta.zone() / 2)
            }),
            worm: self.meta.worm,
            alerts: self.meta.alerts.clone(),
        }
    }

    fn take_flags(&mut self, _: &Asker) -> Result<Vec<u8>, String> {
        let mut flags = std::mem::take(&mut self.flags);
        let lying = sidecar::take_flags(&self.path);
        flags.extend(lying.map_err(|errno| format!("its sidecar: {errno}"))?);
        flags.retain(|flag| (1..=64).contains(flag));
        Ok(flags)
    }

    fn eject(&mut self) -> Done {
        self.rewind()
    }
}

/// Opens a file for reading and writing, or for reading where it may not be written; says which.
fn open_file(path: &Path) -> Done<(File, bool)> {
    let errno = |error: std::io::Error| os::errno(&error);
    match File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(errno)
    {
        Ok(file) => Ok((file, true)),
        Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => {
            File::open(path).map(|file| (file, false)).map_err(errno)
        }
        Err(errno) => Err(errno),
    }
}
