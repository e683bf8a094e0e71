//! A folder of images: a virtual drive with its cartridges beside it.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use twinset_plugin_api::{DeviceError, Outcome};

use super::{Row, Source};
use crate::tape::head::Head;
use crate::tape::options::Options;
use crate::tape::scan::{self, Found};
use crate::tape::station::{self, Who};

/// How images end.
const IMAGE: &str = ".tap";

/// A folder of images.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    options: Options,
    who: Who,
    /// The drive belongs to who holds this file's lock: as long as any cartridge is in it.
    lock: Weak<File>,
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf, options: Options, who: Who) -> Self {
        Self {
            folder,
            options,
            who,
            lock: Weak::new(),
        }
    }

    /// The drive's lock. A shelf that cannot be written has none; its images have their own.
    fn lock(&mut self) -> Result<Option<Arc<File>>, DeviceError> {
        if let Some(held) = self.lock.upgrade() {
            return Ok(Some(held));
        }
        let path = station::holder_path(&self.options);
        let opened = path.and_then(|path| {
            let mut open = File::options();
            open.read(true).write(true).create(true).truncate(false);
            open.open(path).ok()
        });
        let Some(file) = opened else { return Ok(None) };
        match file.try_lock() {
            Ok(()) => {
                station::sign(&self.options, &self.who);
                let file = Arc::new(file);
                self.lock = Arc::downgrade(&file);
                Ok(Some(file))
            }
            Err(TryLockError::WouldBlock) => {
                let holder = station::holder(&self.options);
                Err(DeviceError::new(Outcome::LOCKED, holder))
            }
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// A cartridge that is not there yet.
    fn make(&mut self, have: u64) -> Result<String, DeviceError> {
        let name = (have + 1..).map(|number| format!("{number:04}{IMAGE}"));
        let mut free = name.filter(|name| !self.folder.join(name).exists());
        let name = free.next().unwrap_or_default();
        station::make(&self.options.at(self.folder.join(&name)))?;
        Ok(name)
    }
}

impl Source for Shelf {
    fn choose(&mut self, volume: &str, _: &Row) -> Result<String, DeviceError> {
        let names = self.list()?;
        for name in &names {
            // The one in the drive is busy.
            let Ok(mut head) = self.look(name) else {
                continue;
            };
            let blank = match scan::identify(&mut head) {
                Ok(Found::Blank | Found::Free) => true,
                Ok(Found::Begun(label)) => label.volume == volume,
                _ => false,
            };
            if blank && head.status().is_ok_and(|status| !status.protected) {
                return Ok(name.clone());
            }
        }
        let have = names.len() as u64;
        if have >= self.options.cartridges {
            let text = format!(
                "put a blank cartridge on the shelf {}: none of its {have} is blank and takes \
                 writes",
                self.folder.display()
            );
            return Err(DeviceError::new(Outcome::NEEDS_OPERATOR, text));
        }
        self.make(have)
    }

    fn bring(&mut self, out: Head, cartridge: &str) -> Result<Head, DeviceError> {
        let lock = self.lock()?;
        drop(out);
        let mut head = self.look(cartridge)?;
        head.lock = lock;
        Ok(head)
    }

    fn look(&mut self, cartridge: &str) -> Result<Head, DeviceError> {
        let path = self.folder.join(cartridge);
        // The drive is signed for, not each of its cartridges.
        let who = Who {
            writes: false,
            ..self.who.clone()
        };
        let mut head = station::load(&self.options.at(path), &who)?;
        cartridge.clone_into(&mut head.cartridge);
        head.ask();
        Ok(head)
    }

    fn list(&mut self) -> Result<Vec<String>, DeviceError> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            let text = format!("{}: there is no such shelf", self.folder.display());
            return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(IMAGE)).collect();
        names.sort();
        Ok(names)
    }

    fn places_of(&mut self, card: &str) -> Result<Vec<String>, DeviceError> {
        let mut names = self.list()?;
        if names.iter().any(|name| name == card) {
            names.retain(|name| name != card);
            names.insert(0, card.to_owned());
        }
        Ok(names)
    }

    fn refuse(&mut self, _: Head, _: &str) {}
}
