//! The calls on Linux, whose drives are those of its `st` driver.

use std::fs::File;
use std::io::{self, IoSlice};
use std::num::NonZeroU64;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use rustix::fs::{Advice, OFlags, fadvise};

use super::super::drive::{Done, Drive, Errno};
use super::st;

pub(crate) use super::trust::{changed_by_others, command};

/// Where distributions put the program that moves the arm of a library.
pub(crate) const MTX: Option<&str> = Some("/usr/sbin/mtx");

/// The number of an error.
pub(crate) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::IO, Errno::from_raw)
}

/// The number as the system reports it.
#[expect(clippy::unnecessary_wraps)]
pub(crate) fn code(errno: Errno) -> Option<i32> {
    Some(errno.raw())
}

/// The number in the system's words.
pub(crate) fn words(errno: Errno) -> String {
    io::Error::from_raw_os_error(errno.raw()).to_string()
}

/// The name of this host.
pub(crate) fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Asks the page cache to let go of a part of a file.
pub(crate) fn forget(file: &File, from: u64, length: u64) {
    let _ = fadvise(file, from, NonZeroU64::new(length), Advice::DontNeed);
}

/// Opens a tape drive.
pub(crate) fn open_drive(
    path: &Path,
    writes: bool,
    compress: Option<bool>,
) -> Done<Box<dyn Drive>> {
    st::St::open(path, writes, compress).map(|drive| Box::new(drive) as _)
}

/// Fills a buffer from a place in a file.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(buffer, offset)
}

/// Writes all parts, one behind the other, to a place in a file.
pub(crate) fn write_parts(file: &File, parts: &[&[u8]], offset: u64) -> io::Result<()> {
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let whole: usize = parts.iter().map(|part| part.len()).sum();
    let written = rustix::io::retry_on_intr(|| rustix::io::pwritev(file, &slices, offset))?;
    if written == whole {
        return Ok(());
    }
    let rest = parts.concat().split_off(written);
    file.write_all_at(&rest, offset + written as u64)
}

/// Whether an open file still lies under a name.
pub(crate) fn lies_at(file: &File, path: &Path) -> bool {
    let ours = file.metadata().map(|meta| (meta.dev(), meta.ino()));
    let there = std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
    matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
}

/// Opens a node or a folder to lock it, whatever is in it.
pub(crate) fn open_node(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    File::options().read(true).custom_flags(flags).open(path)
}

/// Something of a library that one run has for itself: a name that the system lets go of with the
/// process, whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Claim {
    _name: UnixListener,
}

/// Claims something of the library at a path; nothing, when another run has it.
pub(crate) fn claim(library: &Path, what: &str) -> io::Result<Option<Claim>> {
    let meta = std::fs::metadata(library)?;
    // A node has one number, whatever name it is called by.
    let place = match meta.rdev() {
        0 => format!("{}.{}", meta.dev(), meta.ino()),
        node => format!("node {node}"),
    };
    let name = blake3::hash(format!("{place} {what}").as_bytes()).to_hex();
    let name = format!("twinset-tape-{}", &name[..32]);
    let address = SocketAddr::from_abstract_name(name)?;
    match UnixListener::bind_addr(&address) {
        Ok(listener) => Ok(Some(Claim { _name: listener })),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}
