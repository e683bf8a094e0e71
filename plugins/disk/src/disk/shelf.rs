//! The folder of a mounted volume, and the names in it.
//!
//! A run asks for the names many times, and a volume of ten thousand backup sets has thirty thousand
//! of them. Whoever holds the volume's lock remembers them: sections come and go only through it.
//! Records are never believed from memory after one of ours was written or removed, since readers
//! leave holds without a lock and whoever drops a set must see them.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::names::{self, Kind};
use super::os::{Entry, Folder, Result, Stamp};

/// A file of the folder.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) file: String,
    /// What the name says it is.
    pub(crate) kind: Kind,
    /// Bytes, once somebody asked: what has a section's or a record's name is complete and never
    /// grows.
    length: OnceLock<u64>,
}

impl Named {
    fn new(file: String) -> Self {
        Self {
            kind: names::classify(&file),
            file,
            length: OnceLock::new(),
        }
    }

    /// Its length, or what else it is than a regular file.
    pub(crate) fn length(&self, folder: &Folder) -> Result<std::result::Result<u64, Entry>> {
        if let Some(length) = self.length.get() {
            return Ok(Ok(*length));
        }
        match folder.entry(&self.file)? {
            Entry::File(length) => Ok(Ok(*self.length.get_or_init(|| length))),
            other => Ok(Err(other)),
        }
    }
}

/// A volume's folder.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: Folder,
    /// The volume's lock is held: nobody else adds or removes sections.
    locked: bool,
    known: RefCell<Option<Known>>,
}

/// The names as they were when the folder was last changed.
#[derive(Debug)]
struct Known {
    changed: Stamp,
    files: Arc<Vec<Named>>,
}

impl Deref for Shelf {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

impl Shelf {
    /// `locked`: under the volume's lock, for as long as this lives.
    pub(crate) fn new(folder: Folder, locked: bool) -> Self {
        Self {
            folder,
            locked,
            known: RefCell::new(None),
        }
    }

    /// All names, in no order.
    pub(crate) fn files(&self) -> Result<Arc<Vec<Named>>> {
        // Before the names are read: what comes in between makes the stamp old, not the names.
        let changed = self.folder.changed()?;
        if let Some(known) = &*self.known.borrow()
            && known.changed == changed
        {
            return Ok(Arc::clone(&known.files));
        }
        let names = self.folder.names()?.into_iter();
        let files: Arc<Vec<Named>> = Arc::new(names.map(Named::new).collect());
        if self.locked {
            let files = Arc::clone(&files);
            self.known.replace(Some(Known { changed, files }));
        }
        Ok(files)
    }

    /// Believes nothing from memory any more.
    pub(crate) fn forget(&self) {
        self.known.replace(None);
    }

    /// As [`Folder::create`].
    pub(crate) fn create(&self, name: &str) -> Result<std::fs::File> {
        self.change(
            |folder| folder.create(name),
            |files| files.push(Named::new(name.to_owned())),
        )
    }

    /// As [`Folder::place`].
    pub(crate) fn place(&self, from: &str, to: &str) -> Result<()> {
        self.change(
            |folder| folder.place(from, to),
            |files| rename(files, from, to),
        )
    }

    /// As [`Folder::replace`].
    pub(crate) fn replace(&self, from: &str, to: &str) -> Result<()> {
        self.change(
            |folder| folder.replace(from, to),
            |files| rename(files, from, to),
        )
    }

    /// As [`Folder::remove`].
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.change(
            |folder| folder.remove(name),
            |files| files.retain(|named| named.file != name),
        )
    }

    /// Changes the folder, and what is remembered of it with it. Where somebody else was at it too,
    /// or the change failed, the names are read again the next time.
    fn change<T>(
        &self,
        change: impl FnOnce(&Folder) -> Result<T>,
        note: impl FnOnce(&mut Vec<Named>),
    ) -> Result<T> {
        let known = self.known.take();
        let known = match known {
            Some(known) if self.folder.changed()? == known.changed => Some(known),
            _ => None,
        };
        let done = change(&self.folder)?;
        if let Some(mut known) = known {
            note(Arc::make_mut(&mut known.files));
            known.changed = self.folder.changed()?;
            self.known.replace(Some(known));
        }
        Ok(done)
    }
}

fn rename(files: &mut Vec<Named>, from: &str, to: &str) {
    files.retain(|named| named.file != from && named.file != to);
    files.push(Named::new(to.to_owned()));
}

#[cfg(test)]
mod tests;
