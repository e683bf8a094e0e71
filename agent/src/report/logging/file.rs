//! A log file that does not grow without end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes after which a new file is begun; the old one is kept beside it, the one before goes.
const LARGEST: u64 = 16 << 20;

/// The file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// None once a new one could not be begun; the next line tries again.
    file: Option<File>,
    length: u64,
}

impl LogFile {
    /// Opens it, to write behind what is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            length,
        })
    }

    /// Writes a line.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.length >= LARGEST {
            // Windows moves no file that is open.
            self.file = None;
            fs::rename(&self.path, self.path.with_extension("old.log"))?;
            self.length = 0;
        }
        if self.file.is_none() {
            self.file = Some(append(&self.path)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(line)?;
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests;
