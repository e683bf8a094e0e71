//! The calls on Windows, and what its numbers mean in those of Linux.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::process::Command;

use twinset_win32::{file, host as this_host, tape};

use super::super::drive::{Done, Drive, Errno};
use super::win32::{self, Answer, Calls, Code, Media, Win32};

/// Nothing moves the arm of a library here.
pub(crate) const MTX: Option<&str> = None;

/// No program is run here: changers are refused, and drives tell nothing of their health.
pub(crate) fn changed_by_others(_: &Path) -> io::Result<Option<String>> {
    Ok(Some("is not judged on this system".to_owned()))
}

/// A program at its real place.
pub(crate) fn command(real: &Path, _: &Path) -> Command {
    Command::new(real)
}

/// `FILE_FLAG_DELETE_ON_CLOSE`.
const DELETE_ON_CLOSE: u32 = 0x0400_0000;
/// `ERROR_SHARING_VIOLATION`.
const SHARING: i32 = 32;

/// The number of an error, as Linux would give it.
pub(crate) fn errno(error: &io::Error) -> Errno {
    match error.raw_os_error() {
        // The file, the path, the drive, the share.
        Some(2 | 3 | 15 | 53 | 67) => Errno::NOENT,
        Some(5) => Errno::ACCESS,
        Some(8 | 14 | 1450) => Errno::NOMEM,
        // Write protected, a read-only volume.
        Some(19 | 6009) => Errno::ROFS,
        // Sharing and lock violation, busy.
        Some(32 | 33 | 170) => Errno::BUSY,
        // Handle disk full, disk full.
        Some(39 | 112) => Errno::NOSPC,
        Some(80 | 183) => Errno::EXIST,
        Some(223) => Errno::FBIG,
        Some(267) => Errno::NOTDIR,
        Some(1295) => Errno::DQUOT,
        _ => Errno::IO,
    }
}

/// `ERROR_DEVICE_NOT_CONNECTED`.
const GONE: i32 = 1167;

/// The system's own number is not known any more; of a drive that is gone, the one that says so.
pub(crate) fn code(errno: Errno) -> Option<i32> {
    matches!(errno, Errno::NXIO | Errno::NODEV).then_some(GONE)
}

/// The number in words.
pub(crate) fn words(errno: Errno) -> String {
    errno.words().to_owned()
}

/// The name of this host.
pub(crate) fn host() -> String {
    this_host::name().unwrap_or_default()
}

/// Opens a tape drive.
pub(crate) fn open_drive(
    path: &Path,
    writes: bool,
    compress: Option<bool>,
) -> Done<Box<dyn Drive>> {
    let file = tape::open(path, writes).map_err(|error| win32::errno(number(&error)))?;
    let drive = Win32::new(path.display().to_string(), Open(file), compress)?;
    Ok(Box::new(drive))
}

/// The number of an error; `ERROR_GEN_FAILURE` for one without.
fn number(error: &io::Error) -> Code {
    error.raw_os_error().map_or(31, i32::cast_unsigned)
}

/// A drive that is open.
#[derive(Debug)]
struct Open(File);

impl Calls for Open {
    fn read(&mut self, buffer: &mut [u8]) -> Answer<usize> {
        self.0.read(buffer).map_err(|error| number(&error))
    }

    fn write(&mut self, block: &[u8]) -> Answer<usize> {
        self.0.write(block).map_err(|error| number(&error))
    }

    fn status(&mut self) -> Answer {
        tape::status(&self.0).map_err(|error| number(&error))
    }

    fn position(&mut self) -> Answer<u64> {
        tape::position(&self.0).map_err(|error| number(&error))
    }

    fn set_position(&mut self, method: u32, offset: i64) -> Answer {
        tape::set_position(&self.0, method, offset).map_err(|error| number(&error))
    }

    fn write_marks(&mut self, count: u32, immediate: bool) -> Answer {
        tape::write_marks(&self.0, count, immediate).map_err(|error| number(&error))
    }

    fn prepare(&mut self, operation: u32) -> Answer {
        tape::prepare(&self.0, operation).map_err(|error| number(&error))
    }

    fn media(&mut self) -> Answer<Media> {
        let media = tape::media(&self.0).map_err(|error| number(&error))?;
        Ok(Media {
            capacity: media.capacity,
            remaining: media.remaining,
            protected: media.protected,
        })
    }

    fn set_block(&mut self, length: u32) -> Answer {
        tape::set_block(&self.0, length).map_err(|error| number(&error))
    }

    fn set_compression(&mut self, on: bool) -> Answer {
        tape::set_compression(&self.0, on).map_err(|error| number(&error))
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    file::sync_folder(folder)
}

/// The cache of Windows is not told what to forget.
pub(crate) fn forget(_: &File, _: u64, _: u64) {}

/// Fills a buffer from a place in a file.
pub(crate) fn read_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let got = file.seek_read(buffer, offset)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = buffer.get_mut(got..).unwrap_or_default();
        offset += got as u64;
    }
    Ok(())
}

/// Writes all parts, one behind the other, to a place in a file.
pub(crate) fn write_parts(file: &File, parts: &[&[u8]], mut offset: u64) -> io::Result<()> {
    let whole = parts.concat();
    let mut rest = whole.as_slice();
    while !rest.is_empty() {
        let written = file.seek_write(rest, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest = rest.get(written..).unwrap_or_default();
        offset += written as u64;
    }
    Ok(())
}

/// Whether an open file still lies under a name.
pub(crate) fn lies_at(open: &File, path: &Path) -> bool {
    let there = File::open(path).and_then(|there| file::identity(&there));
    matches!((file::identity(open), there), (Ok(ours), Ok(there)) if ours == there)
}

/// Opens what is locked for a library: a file in its folder, since folders themselves take no lock.
pub(crate) fn open_node(folder: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(folder.join("arm.lock"))
}

/// Something of a library that one run has for itself: a file that nobody else can open, and that
/// the system removes with the process, whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Claim {
    _file: File,
}

/// Claims something of the library at a path; nothing, when another run has it.
pub(crate) fn claim(library: &Path, what: &str) -> io::Result<Option<Claim>> {
    let name = blake3::hash(what.as_bytes()).to_hex();
    let mut file = OsString::from("claim-");
    file.push(&name[..32]);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(0)
        .custom_flags(DELETE_ON_CLOSE)
        .open(library.join(file));
    match opened {
        Ok(file) => Ok(Some(Claim { _file: file })),
        Err(error) if error.raw_os_error() == Some(SHARING) => Ok(None),
        Err(error) => Err(error),
    }
}
