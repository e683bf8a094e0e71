//! Where the system differs: Linux and its `st` driver. A second body for Windows will stand beside
//! it; until then this plugin is built for Linux alone.

mod st;
mod trust;

use std::fs::File;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use rustix::fs::OFlags;

use super::drive::{Done, Drive};

pub(crate) use trust::{changed_by_others, command};

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

/// Writes all of a buffer to a place in a file.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
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
