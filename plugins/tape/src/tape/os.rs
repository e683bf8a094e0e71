//! Where the system differs: Linux and its `st` driver. A second body for Windows will stand beside
//! it; until then this plugin is built for Linux alone.

mod st;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::drive::{Done, Drive};

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
