//! A closed section, read.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::failed;
use super::listing::{self, Sections};
use super::os::{self, Entry};
use super::shelf::Shelf;

/// Bytes after which the page cache may forget what was read.
const CACHE_WINDOW: u64 = 8 * 1024 * 1024;

/// An open section.
#[derive(Debug)]
pub(crate) struct Reader {
    name: String,
    file: File,
    length: u64,
    position: u64,
    /// Up to here the page cache was asked to forget.
    forgotten: u64,
}

impl Reader {
    /// Opens a section at its start. Among those `listed` before it is found without another scan
    /// of the folder, if its file is still there.
    pub(crate) fn open(folder: &Shelf, index: u64, listed: &Sections) -> Result<Self, DeviceError> {
        let listed = listed.file(index);
        if let Some(file) = listed.filter(|file| folder.entry(file).is_ok()) {
            return Self::open_file(folder, file.to_owned());
        }
        let found = listing::find_section(folder, index)?.ok_or_else(|| {
            DeviceError::new(Outcome::NOT_FOUND, format!("there is no section {index}"))
        })?;
        Self::open_file(folder, found.file)
    }

    fn open_file(folder: &Shelf, name: String) -> Result<Self, DeviceError> {
        let file = folder
            .read(&name)
            .map_err(|errno| failed("open", &name, errno))?;
        let entry = os::file_entry(&file).map_err(|errno| failed("look at", &name, errno))?;
        let Entry::File(length) = entry else {
            return Err(listing::not_a_file(&name));
        };
        os::will_read_in_order(&file);
        Ok(Self {
            name,
            file,
            length,
            position: 0,
            forgotten: 0,
        })
    }

    /// Bytes in the section when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Moves to `offset`, at most the end.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        if offset > self.length {
            let text = format!(
                "seek to {offset} of {}: it ends at {}",
                self.name, self.length
            );
            return Err(DeviceError::new(Outcome::END_OF_SECTION, text));
        }
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(|error| failed("seek in", &self.name, error))?;
        (self.position, self.forgotten) = (offset, offset);
        Ok(())
    }

    /// Reads some bytes; 0 at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        let read = loop {
            match self.file.read(buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &self.name, error)),
            }
        };
        self.position += read as u64;
        if self.position - self.forgotten >= CACHE_WINDOW {
            os::forget(&self.file, self.forgotten, self.position - self.forgotten);
            self.forgotten = self.position;
        }
        Ok(read)
    }
}
