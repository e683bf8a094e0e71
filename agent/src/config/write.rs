//! Writes files of the configuration: whole, durable, never over another by accident.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::os;
use crate::folder;

/// What may be in the place of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nothing.
    Nothing,
    /// A file: it is replaced.
    File,
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner and the group of its folder.
    Group,
    /// Its owner alone, and the folder's group only where root writes it for the agent's user.
    Agent,
}

/// Writes a file in one step: whoever reads finds the old one, none, or the whole new one. One that
/// is replaced keeps its owner and its rights.
///
/// # Errors
/// What the system says; `AlreadyExists` when something is in its place that may not be.
pub fn put(path: &Path, text: &str, over: Over, readers: Readers) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let beside = beside(path);
    let written = write_beside(path, &beside, text, readers).and_then(|()| match over {
        Over::File => fs::rename(&beside, path),
        // A link is made only where nothing is.
        Over::Nothing => fs::hard_link(&beside, path),
    });
    if written.is_err() || over == Over::Nothing {
        // Renamed, it is not there any more.
        let _ = fs::remove_file(&beside);
    }
    written?;
    folder::sync(folder)
}

/// Makes the folder of a file, where it is missing: nobody else may write in it.
///
/// # Errors
/// What the system says.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    os::make_folder(folder)
}

/// The name under which a file grows: nothing reads it as a configuration.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn write_beside(path: &Path, beside: &Path, text: &str, readers: Readers) -> io::Result<()> {
    let _ = fs::remove_file(beside);
    let mut file = os::create_private(beside)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(path) {
        Ok(_) => os::like(&file, beside, path)?,
        Err(_) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            os::readable(&file, folder, readers == Readers::Group)?;
        }
    }
    file.sync_all()
}
