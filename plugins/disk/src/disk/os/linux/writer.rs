//! A file that is written from start to end: its beginning through the page cache, the rest past
//! it where the file system does that well.
//!
//! Past the cache nothing is copied, nothing of the database's is pushed out of the cache, and a
//! host with little free memory writes as fast as one with much. A short file is better off in the
//! cache: its one wait is the one for its durability.

use std::fs::File;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstatfs};
use rustix::io::retry_on_intr;

use super::{Errno, Result};

/// Address, place and length of what goes past the cache are multiples of this: the largest sector
/// of a disk.
const SECTOR: usize = 4096;
/// Shorter pieces wait longer for the disk than copying them takes, in bytes.
const LEAST: usize = 256 * 1024;
/// So much of a file goes through the cache, in bytes.
const BEGINNING: u64 = 8 * 1024 * 1024;

/// Whether a file's file system writes well past the cache: ext2, ext3 and ext4, and XFS (`f_type` of
/// statfs(2)). Others, shares above all, wait for their server at each write, or do not know the
/// flag.
fn is_able(file: &File) -> bool {
    fstatfs(file).is_ok_and(|fs| matches!(fs.f_type, 0xef53 | 0x5846_5342))
}

/// The file, and which way its bytes go.
#[derive(Debug)]
pub(crate) struct Writer {
    file: File,
    /// Bytes written so far.
    at: u64,
    /// It may be written past the cache.
    able: bool,
    /// It is, just now.
    past: bool,
}

impl Writer {
    /// A file that was just made. `direct`: whether it goes past the cache, if somebody said.
    pub(crate) fn new(file: File, direct: Option<bool>) -> Self {
        Self {
            able: direct.unwrap_or_else(|| is_able(&file)),
            file,
            at: 0,
            past: false,
        }
    }

    /// Takes what it can of `bytes`: how many, and why not all.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> (u64, Result<()>) {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let piece = &rest[..self.choose(rest)];
            match retry_on_intr(|| rustix::io::write(&self.file, piece)) {
                // A file system that takes nothing and says nothing is full.
                Ok(0) => return (taken as u64, Err(Errno::NOSPC)),
                Ok(written) => {
                    taken += written;
                    self.at += written as u64;
                }
                // It knows the flag and wants more than a sector, or other memory.
                Err(Errno::INVAL) if self.past => self.able = false,
                Err(errno) => return (taken as u64, Err(errno)),
            }
        }
        (taken as u64, Ok(()))
    }

    /// Chooses the way of the next bytes; gives how many of them go it.
    fn choose(&mut self, rest: &[u8]) -> usize {
        let whole = rest.len() - rest.len() % SECTOR;
        let past = self.able
            && self.at >= BEGINNING
            && self.at.is_multiple_of(SECTOR as u64)
            && rest.as_ptr().addr().is_multiple_of(SECTOR)
            && whole >= LEAST;
        if past != self.past && self.turn(past).is_err() {
            self.able = false;
            return rest.len();
        }
        if past { whole } else { rest.len() }
    }

    fn turn(&mut self, past: bool) -> Result<()> {
        let mut flags = fcntl_getfl(&self.file)?;
        flags.set(OFlags::DIRECT, past);
        fcntl_setfl(&self.file, flags)?;
        self.past = past;
        Ok(())
    }

    /// The file itself.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::FileExt;

    use tempfile::TempDir;

    use super::*;

    /// Memory that begins at a sector, or one byte behind.
    fn memory(length: usize, behind: usize) -> (Vec<u8>, usize) {
        let bytes: Vec<u8> = (0..length + 2 * SECTOR)
            .map(|at| (at % 251) as u8)
            .collect();
        let begin = bytes.as_ptr().align_offset(SECTOR) + behind;
        (bytes, begin)
    }

    /// Beside the program: many folders for temporary files lie in memory.
    fn on_disk() -> TempDir {
        let program = std::env::current_exe().unwrap();
        TempDir::new_in(program.parent().unwrap()).unwrap()
    }

    fn written(direct: Option<bool>, pieces: &[(usize, usize)]) -> (usize, Writer) {
        let folder = on_disk();
        let path = folder.path().join("section");
        let mut writer = Writer::new(File::create_new(&path).unwrap(), direct);
        let mut expected = Vec::new();
        let mut past = 0;
        for (length, behind) in pieces {
            let (bytes, begin) = memory(*length, *behind);
            let piece = &bytes[begin..begin + length];
            let (taken, result) = writer.write(piece);
            result.unwrap();
            assert_eq!(taken, *length as u64);
            expected.extend_from_slice(piece);
            past += usize::from(writer.past);
        }
        writer.file().sync_all().unwrap();
        assert!(fs::read(&path).unwrap() == expected);
        (past, writer)
    }

    const MEGABYTE: usize = 1 << 20;

    #[test]
    fn every_byte_is_in_its_place_whichever_way_it_went() {
        let pieces: Vec<(usize, usize)> = (0..24)
            .map(|number| match number % 6 {
                0 => (MEGABYTE, 1),
                1 => (2 * MEGABYTE, 0),
                2 => (SECTOR, 0),
                3 => (MEGABYTE + 17, 0),
                4 => (MEGABYTE - 17, 0),
                _ => (3 * SECTOR, 1),
            })
            .collect();
        for direct in [None, Some(true), Some(false)] {
            written(direct, &pieces);
        }
    }

    #[test]
    fn a_long_file_goes_past_the_cache_where_that_is_known_to_be_good() {
        let long = [(MEGABYTE, 0); 12];
        let (past, writer) = written(None, &long);
        // Where the tests run may be any file system.
        assert_eq!(past, if writer.able { 4 } else { 0 });
        assert_eq!(written(Some(false), &long).0, 0);
    }

    #[test]
    fn a_short_file_and_short_pieces_go_through_the_cache() {
        assert_eq!(written(Some(true), &[(MEGABYTE, 0); 8]).0, 0);
        assert_eq!(written(Some(true), &[(64 << 10, 0); 256]).0, 0);
    }

    #[test]
    fn a_file_system_that_refuses_the_way_gets_the_bytes_the_other_way() {
        let folder = on_disk();
        let path = folder.path().join("section");
        let mut writer = Writer::new(File::create_new(&path).unwrap(), Some(true));
        // As if the flag were known and a write with it refused: the place is none of a sector.
        writer.file.write_all_at(b"x", 0).unwrap();
        std::io::Seek::seek(&mut &writer.file, std::io::SeekFrom::Start(1)).unwrap();
        writer.at = BEGINNING;
        let (bytes, begin) = memory(MEGABYTE, 0);
        let (taken, result) = writer.write(&bytes[begin..begin + MEGABYTE]);
        result.unwrap();
        assert_eq!(taken, MEGABYTE as u64);
        assert!(fs::read(&path).unwrap()[1..] == bytes[begin..begin + MEGABYTE]);
    }
}
