//! The stage folder: names, intents, what is left in it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use twinset_domain::system::HERE;
use twinset_domain::{Fault, code};

use super::intent::{DONE, FORMAT, INTENT, Intent, MAX_BYTES, PREFIX};
use super::os;
use crate::folder;

/// Ending of an intent that is being written.
const WORK: &str = ".work";
/// Entries of the folder that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// A folder that SQL Server writes backups to and the agent takes them from.
#[derive(Clone, Debug)]
pub struct Folder {
    /// As the agent sees it.
    pub dir: PathBuf,
    /// As SQL Server sees it.
    pub server: String,
}

/// An intent as it was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// What it says.
    pub intent: Intent,
    /// The media hold the set already: only the removal of the files is left.
    pub done: bool,
    /// Bytes of its files.
    pub bytes: u64,
}

impl Folder {
    /// Where the agent finds a file.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What SQL Server is told of a file.
    #[must_use]
    pub fn told(&self, name: &str) -> String {
        let windows = self.server.contains('\\') && !self.server.contains('/');
        let slash = if windows { '\\' } else { '/' };
        format!("{}{slash}{name}", self.server.trim_end_matches(slash))
    }

    /// Bytes that are free.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        folder::free(&self.dir)
    }

    /// Whether files can be made in it, and its permissions where the system has such.
    ///
    /// # Errors
    /// The file system's; that it is no folder.
    pub fn access(&self) -> io::Result<(bool, Option<u32>)> {
        if !fs::metadata(&self.dir)?.is_dir() {
            return Err(io::Error::other("it is no folder"));
        }
        os::access(&self.dir)
    }

    fn fault(&self, what: &str, error: &io::Error) -> Fault {
        Fault::new(code::STAGE_DIR, self.dir.display().to_string(), what)
            .cause(error)
            .remedy(format!("stage_dir must be {}", HERE.shared_folder))
    }

    /// Writes the intent. Durable when it returns; SQL Server may write then.
    ///
    /// # Errors
    /// [`code::STAGE_DIR`].
    pub fn begin(&self, intent: &Intent) -> Result<(), Fault> {
        let work = self.path(&format!("{PREFIX}{}{WORK}", intent.run));
        let bytes = serde_json::to_vec_pretty(intent).unwrap_or_default();
        let write = || {
            let mut file = File::create_new(&work)?;
            // Whoever finds it unlocked knows that its writer is dead.
            file.lock()?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&work, self.intent_path(intent, INTENT))?;
            folder::sync(&self.dir)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&work);
            self.fault("the intent cannot be written", &error)
        })
    }

    /// Removes intents that a dead run did not finish to write: nothing was staged behind them.
    ///
    /// # Errors
    /// [`code::STAGE_DIR`].
    pub fn clear_work(&self) -> Result<(), Fault> {
        let clear = || {
            for entry in fs::read_dir(&self.dir)?.take(MAX_ENTRIES) {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if !(name.starts_with(PREFIX) && name.ends_with(WORK)) {
                    continue;
                }
                let dead = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
                if dead {
                    gone(fs::remove_file(&path))?;
                }
            }
            Ok(())
        };
        gone(clear()).map_err(|error| self.fault("unfinished work cannot be removed", &error))
    }

    fn intent_path(&self, intent: &Intent, ending: &str) -> PathBuf {
        self.path(&format!("{PREFIX}{}{ending}", intent.run))
    }

    /// Removes the files of a backup that the media hold, and then its intent: what a kill leaves
    /// in between is known to be done.
    ///
    /// # Errors
    /// [`code::STAGE_DIR`]: something is left.
    pub fn finish(&self, intent: &Intent) -> Result<(), Fault> {
        let (open, done) = (
            self.intent_path(intent, INTENT),
            self.intent_path(intent, DONE),
        );
        let remove = || {
            if open.exists() {
                fs::rename(&open, &done)?;
                folder::sync(&self.dir)?;
            }
            self.remove_files(intent)?;
            gone(fs::remove_file(&done))?;
            folder::sync(&self.dir)
        };
        remove().map_err(|error| self.fault("staged files cannot be removed", &error))
    }

    /// Removes the files of a backup that SQL Server never counted, and then its intent.
    ///
    /// # Errors
    /// [`code::STAGE_DIR`]: something is left.
    pub fn discard(&self, intent: &Intent) -> Result<(), Fault> {
        let remove = || {
            self.remove_files(intent)?;
            gone(fs::remove_file(self.intent_path(intent, INTENT)))?;
            folder::sync(&self.dir)
        };
        remove().map_err(|error| self.fault("staged files cannot be removed", &error))
    }

    fn remove_files(&self, intent: &Intent) -> io::Result<()> {
        intent
            .files()
            .try_for_each(|name| gone(fs::remove_file(self.path(&name))))
    }

    /// Every intent in the folder, oldest first. What is no intent of ours is left alone.
    ///
    /// # Errors
    /// [`code::STAGE_DIR`]; a folder that is not there has none.
    pub fn intents(&self) -> Result<Vec<Found>, Fault> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault("the stage folder cannot be read", &error)),
        };
        let mut found = Vec::new();
        for entry in entries.take(MAX_ENTRIES) {
            let entry = entry.map_err(|e| self.fault("the stage folder cannot be read", &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let done = name.ends_with(DONE);
            if name.starts_with(PREFIX) && (done || name.ends_with(INTENT)) {
                match read(&entry.path()) {
                    Ok(intent) => found.push(Found {
                        bytes: self.bytes(&intent),
                        intent,
                        done,
                    }),
                    Err(why) => tracing::warn!(file = name, why, "no intent of this release"),
                }
            }
        }
        found.sort_by_key(|found| (found.intent.started, found.intent.run));
        Ok(found)
    }

    fn bytes(&self, intent: &Intent) -> u64 {
        let length = |name: String| fs::metadata(self.path(&name)).map_or(0, |facts| facts.len());
        intent.files().map(length).sum()
    }

    /// Whether an intent is still there: another process may have taken it in meanwhile.
    #[must_use]
    pub fn still(&self, found: &Found) -> bool {
        let ending = if found.done { DONE } else { INTENT };
        self.intent_path(&found.intent, ending).exists()
    }
}

/// What is not there need not be removed.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn read(path: &Path) -> Result<Intent, String> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let bytes = read().map_err(|error| error.to_string())?;
    let intent: Intent = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if intent.format != FORMAT {
        return Err(format!("format {}", intent.format));
    }
    Ok(intent)
}

#[cfg(test)]
mod tests;
