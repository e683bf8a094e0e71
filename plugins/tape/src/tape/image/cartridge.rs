//! The image file: records with their length in front and behind, filemarks of four zero bytes.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::super::drive::{Done, Errno};
use super::super::os;

/// Longest block, in bytes: 24 bits.
const BLOCK_MAX: u32 = (1 << 24) - 1;
/// Top bit of a length: the block cannot be read.
const BAD: u32 = 1 << 31;
/// Written by other programs at the end of a medium.
const END: u32 = u32::MAX;
/// Bytes after which the page cache is asked to write out and forget.
const CACHE_WINDOW: u64 = 8 << 20;

/// A block or a filemark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// Where its first length stands.
    pub(super) offset: u64,
    /// Bytes of the block; 0 for a filemark.
    pub(super) length: u32,
    /// Reading it fails.
    pub(super) bad: bool,
}

impl Object {
    fn end(self) -> u64 {
        let length = u64::from(self.length);
        match self.length {
            0 => self.offset + 4,
            _ => self.offset + 8 + length + (length & 1),
        }
    }
}

/// An image that no other drive has.
#[derive(Debug)]
pub(super) struct Cartridge {
    file: File,
    /// The file takes writes.
    pub(super) writable: bool,
    /// In order.
    pub(super) objects: Vec<Object>,
    /// Up to here the page cache was asked to forget.
    forgotten: u64,
    /// The folder's entry is durable.
    settled: bool,
}

fn errno(error: std::io::Error) -> Errno {
    os::errno(&error)
}

/// Makes an empty image, durable with its name.
pub(super) fn make(path: &Path) -> Done {
    let made = File::options().write(true).create_new(true).open(path);
    made.and_then(|file| file.sync_all()).map_err(errno)?;
    match path.parent() {
        Some(folder) => os::sync_folder(folder).map_err(errno),
        None => Ok(()),
    }
}

impl Cartridge {
    pub(super) fn open(path: &Path) -> Done<Self> {
        let (file, writable) = super::open_file(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Errno::BUSY),
            Err(TryLockError::Error(error)) => return Err(errno(error)),
        }
        let objects = scan(&file)?;
        Ok(Self {
            file,
            writable,
            objects,
            forgotten: 0,
            settled: false,
        })
    }

    /// Whether the file still lies under its name.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        os::lies_at(&self.file, path)
    }

    pub(super) fn is_mark(&self, at: usize) -> bool {
        self.objects
            .get(at)
            .is_some_and(|object| object.length == 0)
    }

    /// Where the object begins, or would begin.
    pub(super) fn offset(&self, at: usize) -> u64 {
        let before = at
            .checked_sub(1)
            .and_then(|before| self.objects.get(before));
        before.map_or(0, |object| object.end())
    }

    pub(super) fn read(&mut self, object: Object, buffer: &mut [u8]) -> Done<usize> {
        let length = object.length as usize;
        let place = buffer.get_mut(..length).ok_or(Errno::NOMEM)?;
        os::read_at(&self.file, place, object.offset + 4).map_err(errno)?;
        self.forget(object.end());
        Ok(length)
    }

    /// Writes a block as object `at`; whatever stood there and behind it is gone.
    pub(super) fn append(&mut self, at: usize, block: &[u8]) -> Done {
        let length = u32::try_from(block.len())
            .ok()
            .filter(|n| *n <= BLOCK_MAX && *n > 0);
        let length = length.ok_or(Errno::INVAL)?;
        self.cut(at)?;
        let object = Object {
            offset: self.offset(at),
            length,
            bad: false,
        };
        let around = length.to_le_bytes();
        let pad: &[u8] = if length & 1 == 1 { &[0] } else { &[] };
        if let Err(errno) = self.put(object.offset, &[&around, block, pad, &around]) {
            // A full file system under it: nothing of the record stays.
            let _ = self.file.set_len(object.offset);
            return Err(match errno {
                Errno::DQUOT | Errno::FBIG => Errno::NOSPC,
                other => other,
            });
        }
        self.objects.push(object);
        self.forget(object.end());
        Ok(())
    }

    /// Writes a filemark as object `at`.
    pub(super) fn append_mark(&mut self, at: usize) -> Done {
        self.cut(at)?;
        let offset = self.offset(at);
        self.put(offset, &[&[0; 4]])?;
        self.objects.push(Object {
            offset,
            length: 0,
            bad: false,
        });
        Ok(())
    }

    fn put(&self, offset: u64, parts: &[&[u8]]) -> Done {
        os::write_parts(&self.file, parts, offset).map_err(errno)
    }

    fn cut(&mut self, at: usize) -> Done {
        let offset = self.offset(at);
        let length = self.file.metadata().map_err(errno)?.len();
        if length > offset {
            self.file.set_len(offset).map_err(errno)?;
            self.forgotten = self.forgotten.min(offset);
        }
        self.objects.truncate(at);
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Done {
        if !self.settled {
            self.file.sync_all().map_err(errno)?;
            self.settled = true;
            return Ok(());
        }
        self.file.sync_data().map_err(errno)
    }

    /// For what was written it is the request to begin writing out; what was read may go.
    fn forget(&mut self, end: u64) {
        if end < self.forgotten {
            self.forgotten = end;
        }
        if end - self.forgotten >= CACHE_WINDOW {
            let from = self.forgotten.saturating_sub(CACHE_WINDOW);
            os::forget(&self.file, from, end - from);
            self.forgotten = end;
        }
    }
}

/// All objects up to the first that is not whole: there the tape ends.
fn scan(file: &File) -> Done<Vec<Object>> {
    let size = file.metadata().map_err(errno)?.len();
    let mut objects = Vec::new();
    let mut offset = 0;
    while let Some(word) = word(file, offset, size)? {
        if word == END {
            break;
        }
        let (length, bad) = (word & !BAD, word & BAD != 0);
        let object = Object {
            offset,
            length,
            bad,
        };
        if length > BLOCK_MAX || (length == 0 && bad) {
            break;
        }
        if length > 0 && self::word(file, object.end() - 4, size)? != Some(word) {
            break;
        }
        offset = object.end();
        objects.push(object);
    }
    Ok(objects)
}

fn word(file: &File, offset: u64, size: u64) -> Done<Option<u32>> {
    if offset + 4 > size {
        return Ok(None);
    }
    let mut bytes = [0; 4];
    os::read_at(file, &mut bytes, offset).map_err(errno)?;
    Ok(Some(u32::from_le_bytes(bytes)))
}
