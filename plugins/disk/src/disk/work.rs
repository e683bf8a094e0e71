//! A section on its way: a work file that becomes a section when it is durable.

use std::cell::Cell;
use std::fs::File;

use twinset_plugin_api::{DeviceError, Outcome, SectionMode, SectionRequest};

use super::errors::failed;
use super::listing;
use super::names;
use super::os::{self, Errno};
use super::shelf::Shelf;

/// Bytes after which the system is asked to write and forget what came before: the page cache
/// belongs to the database, not to its backup.
const CACHE_WINDOW: u64 = 8 * 1024 * 1024;

/// An open work file.
#[derive(Debug)]
pub(crate) struct Work {
    index: u64,
    /// Where it goes.
    target: String,
    /// Its name until then.
    pub(crate) name: String,
    mode: SectionMode,
    file: File,
    written: u64,
    /// Up to here the system was asked to begin writing.
    begun: u64,
    /// Nothing was written since the last sync: a second one costs a flush of the whole disk all
    /// the same.
    durable: Cell<bool>,
}

impl Work {
    /// Begins a section; its number must be free, unless it repairs one.
    pub(crate) fn begin(folder: &Shelf, request: &SectionRequest<'_>) -> Result<Self, DeviceError> {
        let target = names::section_file(request.index, request.name)?;
        if request.mode == SectionMode::New {
            check_free(folder, request.index)?;
        }
        let name = names::work_file(request.index, &request.run_id);
        let file = folder
            .create(&name)
            .map_err(|errno| failed("create", &name, errno))?;
        let (index, mode) = (request.index, request.mode);
        Ok(Self {
            index,
            target,
            name,
            mode,
            file,
            written: 0,
            begun: 0,
            durable: Cell::new(false),
        })
    }

    /// Takes all of `bytes`, or says how many it took.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.durable.set(false);
        let (taken, result) = os::write(&self.file, bytes);
        self.written += taken;
        if let Err(errno) = result {
            let mut error = failed("write", &self.target, errno);
            error.accepted = taken;
            return Err(error);
        }
        if self.written - self.begun >= CACHE_WINDOW {
            // The window before is on the medium by now and can be forgotten; for this one it is
            // the request to begin.
            let from = self.begun.saturating_sub(CACHE_WINDOW);
            os::forget(&self.file, from, self.written - from);
            self.begun = self.written;
        }
        Ok(())
    }

    /// All bytes durable.
    pub(crate) fn sync(&self) -> Result<(), DeviceError> {
        if self.durable.get() {
            return Ok(());
        }
        self.file
            .sync_all()
            .map_err(|error| failed("make durable", &self.target, error))?;
        self.durable.set(true);
        Ok(())
    }

    /// Durable, closed, in its place, and the place durable too. On failure the work file stays,
    /// and the work comes back to be aborted.
    pub(crate) fn end(self, folder: &Shelf) -> Result<(), (Self, DeviceError)> {
        match self.try_end(folder) {
            Ok(()) => Ok(()),
            Err(error) => Err((self, error)),
        }
    }

    fn try_end(&self, folder: &Shelf) -> Result<(), DeviceError> {
        self.sync()?;
        os::forget(&self.file, 0, self.written);
        match self.mode {
            SectionMode::New => self.place_new(folder)?,
            SectionMode::Repair => self.place_repaired(folder)?,
        }
        folder
            .sync()
            .map_err(|errno| failed("make durable the folder of", &self.target, errno))
    }

    fn place_new(&self, folder: &Shelf) -> Result<(), DeviceError> {
        check_free(folder, self.index)?;
        self.place(folder, &self.name)
    }

    fn place(&self, folder: &Shelf, from: &str) -> Result<(), DeviceError> {
        folder
            .place(from, &self.target)
            .map_err(|errno| failed("put in place", &self.target, errno))
    }

    /// One number never has two files: under another name the damaged file is replaced first and
    /// renamed then.
    fn place_repaired(&self, folder: &Shelf) -> Result<(), DeviceError> {
        let Some(damaged) = listing::find_section(folder, self.index)? else {
            // Beside our work file, a section that was cut to nothing looks like a mere claim.
            listing::remove_claim(folder, self.index)?;
            return self.place(folder, &self.name);
        };
        folder
            .replace(&self.name, &damaged.file)
            .map_err(|errno| failed("replace", &damaged.file, errno))?;
        if damaged.file == self.target {
            return Ok(());
        }
        folder
            .sync()
            .map_err(|errno| failed("make durable the folder of", &self.target, errno))?;
        self.place(folder, &damaged.file)
    }

    /// Removes what was written, its claim to the name first.
    pub(crate) fn abort(self, folder: &Shelf) -> Result<(), DeviceError> {
        if self.mode == SectionMode::New && folder.entry(&self.name).is_ok() {
            listing::remove_claim(folder, self.index)?;
        }
        match folder.remove(&self.name) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed("remove", &self.name, errno)),
        }
    }
}

fn check_free(folder: &Shelf, index: u64) -> Result<(), DeviceError> {
    match listing::find_section(folder, index)? {
        None => Ok(()),
        Some(found) => {
            let text = format!("section {index} exists: {}", found.file);
            Err(DeviceError::new(Outcome::EXISTS, text))
        }
    }
}
